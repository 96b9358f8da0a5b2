"""What ages by itself: found, written as data, and kept in one issue. GitHub itself is not asked: a program named gh
stands in its place, and notes how it was called."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tools.fresh import issue, links, packages, report
from tools.repository import ROOT

GH = """#!{python}
import json, pathlib, sys
here = pathlib.Path({folder!r})
calls = here / "calls.json"
body = [pathlib.Path(a).read_text("utf-8") for a in sys.argv if a.endswith("body.md")]
calls.write_text(json.dumps(json.loads(calls.read_text("utf-8")) + [[sys.argv[1:], body]]), "utf-8")
if sys.argv[1:3] == ["issue", "list"]:
    print((here / "open.json").read_text("utf-8"))
"""


@pytest.fixture
def gh(tmp_path, monkeypatch):
    """A gh that knows one list of open issues; returns (set the list, its calls so far without the look for it)."""
    folder = tmp_path / "gh"
    folder.mkdir()
    program = folder / "gh"
    program.write_text(GH.format(python=sys.executable, folder=str(folder)), "utf-8")
    program.chmod(0o755)
    (folder / "calls.json").write_text("[]", "utf-8")
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "owner/hub")
    monkeypatch.setenv("GITHUB_RUN_ID", "7")

    def opened(*numbers: int) -> None:
        (folder / "open.json").write_text(json.dumps([{"number": number} for number in numbers]), "utf-8")

    def calls() -> list:
        first, *rest = json.loads((folder / "calls.json").read_text("utf-8"))
        assert first[0][:2] == ["issue", "list"] and first[0][3] == "scheduled: links"
        return rest

    opened()
    return opened, calls


@pytest.fixture
def found(tmp_path) -> Path:
    path = tmp_path / "report/links.json"
    report.Report([report.Entry("docs/x/README.md:12", "https://gone.example/: 404")], ["a 1 -> 2"]).write(path)
    return path


def test_the_first_find_opens_an_issue(gh, found, capsys):
    assert issue.main(["links", str(found)]) == 0
    label, create = gh[1]()
    assert label[0][:3] == ["label", "create", "scheduled: links"]
    assert create[0][:4] == ["issue", "create", "--title", "Links to other sites are dead"]
    assert "- `docs/x/README.md:12`: `https://gone.example/: 404`\n" in create[1][0]
    assert "- `a 1 -> 2`\n" in create[1][0] and "https://github.com/owner/hub/actions/runs/7" in create[1][0]
    assert capsys.readouterr().out == "links: 1 found; opened\n"


def test_a_second_find_renews_the_same_issue(gh, found):
    gh[0](41)
    assert issue.main(["links", str(found)]) == 0
    ((arguments, (text,)),) = gh[1]()
    assert arguments[:3] == ["issue", "edit", "41"] and "gone.example" in text


def test_a_clean_run_closes_the_issue_and_says_nothing_without_one(gh, tmp_path, capsys):
    clean = tmp_path / "clean.json"
    report.Report().write(clean)
    assert issue.main(["links", str(clean)]) == 0
    assert gh[1]() == [] and "nothing to say" in capsys.readouterr().out
    gh[0](41)
    assert issue.main(["links", str(clean)]) == 0
    closing = [call for call, _ in gh[1]() if call[1] == "close"]
    assert closing == [
        ["issue", "close", "41", "--comment", "All well in https://github.com/owner/hub/actions/runs/7."]
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "it is missing: the run ended before it could write one"),
        ("{", "it is no report"),
        ("[]", "it is no report"),
        ('{"entries": [{"where": 1, "what": "x"}], "notes": []}', "it is no report: a text is expected"),
        ('{"entries": {"where": "x"}, "notes": []}', "it is no report"),
        ("[" * 100_000, "it is no report"),
        (" " * (report.LARGEST + 1), "it is larger than 500,000 bytes"),
    ],
)
def test_a_report_that_cannot_be_used_is_told_too(gh, tmp_path, content, said):
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content, "utf-8")
    assert issue.main(["links", str(path)]) == 0
    assert said in gh[1]()[-1][1][0]


def test_a_hostile_report_is_shown_as_text(tmp_path):
    """No mention, link, tag, second line or end of the code span comes out of a report; and it stays short."""
    path = tmp_path / "hostile.json"
    bad = "`@everyone` <img src=x onerror=1>\n# Heading\x1b[31m\u2028[a](https://evil.example) " + "x" * 100
    report.Report([report.Entry(bad, bad)] * 500, [bad + "x" * 500] * 200).write(path)
    text = issue.body("links", report.read(path))
    shown = [line for line in text.splitlines() if "everyone" in line]
    assert len(shown) == 2 * report.MOST and len(text) < 65_000
    assert all(line.count("`") in (2, 4) and "\x1b" not in line for line in shown)
    assert not any(line.startswith("# ") for line in text.splitlines())
    assert f"and {500 - report.MOST} more" in text


def test_gh_that_fails_fails_the_job(tmp_path, found, monkeypatch, capsys):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gh").write_text("#!/bin/sh\nexit 4\n", "utf-8")
    (tmp_path / "bin/gh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    assert issue.main(["links", str(found)]) == 1
    assert "gh failed" in capsys.readouterr().err
    assert issue.main(["other", str(found)]) == 2


def test_dead_links_are_told_with_page_and_line(monkeypatch, tmp_path, capsys):
    """The answer is what lychee 0.24.2 said of a page with six links on a server of our own."""
    answer = json.loads((ROOT / "tests/lychee.json").read_text("utf-8"))
    monkeypatch.setattr(links, "ask", lambda root, files: answer)
    path = tmp_path / "links.json"
    assert links.main([str(path)]) == 1
    assert [entry.where for entry in report.read(path).entries] == [
        "docs/page.md:5", "docs/page.md:6", "docs/page.md:6",
    ]  # fmt: skip
    out = capsys.readouterr().out
    assert "docs/page.md:5: http://127.0.0.1:42483/gone: Rejected status code: 404 Not Found\n" in out
    assert "/slow: Timeout" in out and out.endswith("7 links, 7 different; 3 dead\n")
    assert "/no:" not in out and "/many:" not in out  # 403 and 429 are no sign of death


def test_every_page_is_asked():
    asked = links.pages(ROOT)
    assert "README.md" in asked and "examples/jobboard/README.md" in asked
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")} <= set(asked)


def test_pins_may_rise_within_their_major_version_and_fixed_ones_stay():
    text = 'site = [\n    "mkdocs==1.6.1",\n    "celery[redis]==5.7.0", # x\n    "a==27 ; python_version < \'3.12\'",\n'
    assert packages.loosened(text, ["mkdocs"]) == (
        'site = [\n    "mkdocs==1.6.1",\n    "celery[redis]~=5.7", # x\n    "a~=27.0 ; python_version < \'3.12\'",\n'
    )


def test_what_is_fixed_is_a_pin_of_this_project():
    from tomllib import loads

    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert all(f'"{name}==' in text for name in loads(text)["tool"]["newest"]["fixed"])


def test_risen_packages_are_named():
    before = {"django ; python_version < '3.12'": {"5.2.19"}, "old": {"1"}}
    after = {"django ; python_version < '3.12'": {"5.2.20"}, "new": {"2"}}
    assert packages.changes(before, after) == [
        "django ; python_version < '3.12' 5.2.19 -> 5.2.20",
        "new none -> 2",
        "old 1 -> none",
    ]
    assert packages.locked(ROOT)["mkdocs"] == {"1.6.1"}


def test_failed_tests_are_found_in_the_output():
    output = (
        "...F\nFAILED tests/test_a.py::test_b[x] - AssertionError: 1 == 2\n"
        "ERROR docs/c/test_c.py\nFAILED to start\nE   FAILED no\n"
    )
    entries = packages.failures(output.replace("FAILED to start\n", ""))
    assert entries == [
        report.Entry("tests/test_a.py::test_b[x]", "AssertionError: 1 == 2"),
        report.Entry("docs/c/test_c.py", "failed"),
    ]


def test_the_deselected_test_exists():
    file, name = packages.LEFT_OUT.split("::")
    assert f"def {name}(" in (ROOT / file).read_text("utf-8")


def test_support_that_ends_soon_is_listed():
    assert packages.ending(date(2027, 1, 1))[0].startswith("Material for MkDocs 9.8.1: until 5 May 2027")
    assert packages.ending(date(2026, 6, 1)) == []


def test_wrong_arguments_change_nothing(capsys):
    assert packages.main(["--tset"]) == 2 and "usage" in capsys.readouterr().err


def test_the_issue_tool_runs_as_the_workflow_calls_it(tmp_path):
    done = subprocess.run([sys.executable, "-m", "tools.fresh.issue"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "{packages|links|parity}" in done.stderr
