"""Every code block of every page is proved by its kind, and each verifier refuses what is wrong, with page and line.

One run of tools.verify, shared by all workers, proves the pages, the good blocks and the bad ones: one set of servers,
one migrated database, one start of each linter. Each page has a test, so that a failure names it.
"""

import re
import sys
from pathlib import Path

import pytest
from conftest import ROOT, once, run, shared

from tools import verify
from tools.listings.fences import Fence
from tools.verify import doors, exchange, http, shell, sql

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
BAD, GOOD = "tests/bad_blocks", "tests/good_blocks/everything.md"

# page -> line and a part of the message of every report about it
EXPECTED = {
    "bash": [
        (5, "shellcheck SC2086"),
        (5, "shellcheck SC2115"),
        (9, "the Makefile has no target 'sreve'; it has: help, serve"),
        (10, "there is no folder exampels"),
        (15, "there is no file ./run-it"),
        (15, "there is no file tools/nothing.py"),
        (16, "there is no module tools.nothing"),
        (17, "there is no file none.txt"),
        (21, "there is no file tools/none.sh"),
        (25, "the Makefile has no target 'gone'"),
    ],
    "console": [
        (5, 'show output in a text fence with title="results.txt"'),
        (10, """'12' is no command that is known here; show output in a text fence with title="results.txt"; if"""),
        (11, "'gti' is no command that is known here"),
    ],
    "dockerfile": [(5, "hadolint DL3003"), (5, "hadolint SC2164")],
    "empty": [(3, "the block is empty")],
    "graphql": [
        (7, "Cannot query field 'titel' on type 'Job'. Did you mean 'title'"),
        (14, "Syntax Error"),
        (17, "nobody has the address nobody@example.com; the world has: applicant@example.com"),
    ],
    "http": [
        (6, "the status is 404 Not Found, not 200"),
        (12, "write '200 OK'"),
        (13, "the header Content-Type is 'application/json'"),
        (14, "there is no header X-None"),
        (16, "'id' is 1"),
        (20, "a request without its response"),
        (24, "does not begin with a request"),
    ],
    "indented": [(3, "an indented code block"), (5, "code in <pre>")],
    "json": [(5, "not JSON: Expecting value"), (10, "the key 'a' stands twice"), (13, "nested too deeply")],
    "mermaid": [(7, "Unterminated flowchart pipe edge label")],
    "nested": [(6, "not JSON"), (11, "not TOML")],
    "python": [
        (7, "AttributeError: 'Job' object has no attribute 'titel'"),
        (13, "SyntaxError: '(' was never closed"),
        (18, "TimeoutError: the block did not end"),
        (24, "SystemExit: 1"),
        (28, "there is nothing to run"),
        (33, "TimeoutError: the block did not end"),
    ],
    "sql": [
        (8, 'column "salry" does not exist'),
        (14, 'column "nothing" does not exist'),
        (18, "'DROP DATABASE' changes the whole server"),
        (23, "duplicate key value violates unique constraint"),
        (27, "there is no statement to execute"),
    ],
    "text": [(3, "nothing can prove a 'text' block"), (7, "nothing can prove a 'diff' block")],
    "toml": [(5, "not TOML: Invalid value")],
    "unclosed": [(3, "the fence is never closed")],
    "unknown": [
        (3, "no verifier for a 'rust' block"),
        (7, "no verifier for a 'sh' block"),
        (11, "does not name its language"),
    ],
    "yaml-bomb": [(4, "stand for more than 10000 values"), (14, "stand for more than 10000 values")],
    "yaml-compose": [(8, "'imagee' was unexpected"), (12, "'servics' does not match")],
    "yaml-dependabot": [(4, "'updates' is a required property"), (5, "('updats' was unexpected)")],
    "yaml-syntax": [
        (6, "not YAML: expected ',' or ']'"),
        (12, "the key 'a' stands twice"),
        (16, "stand for more than 10000 values"),
        (21, "nested too deeply"),
    ],
    "yaml-workflow": [
        (10, "zizmor unpinned-uses: unpinned action reference"),
        (19, "'runs-on' is a required property"),
        (24, "'on' is a required property"),
        (24, "('onn' was unexpected)"),
        (35, "the action actions/checkout@v4 is not pinned; write the full hash"),
    ],
}


@pytest.fixture(scope="session")
def reports(tmp_path_factory) -> dict[str, list[str]]:
    """The reports of one run about all pages, by page."""

    def make(folder: Path) -> None:
        done = run(sys.executable, "-W", "error", "-m", "tools.verify", "docs", BAD, GOOD)
        assert done.returncode == 1 and not done.stderr, f"{done.stdout}\n{done.stderr}"
        folder.mkdir()
        (folder / "out").write_text(done.stdout, "utf-8")

    lines = (once(shared(tmp_path_factory, "blocks"), make) / "out").read_text("utf-8").splitlines()
    assert re.fullmatch(r"verify: \d+ pages, \d+ problems", lines[-1])
    found: dict[str, list[str]] = {}
    for line in lines[:-1]:
        found.setdefault(line.split(":")[0], []).append(line)
    return found


@pytest.mark.parametrize("page", [*PAGES, GOOD])
def test_every_block_of_the_page_is_proved(page, reports):
    assert page not in reports, "\n".join(reports[page])


@pytest.mark.parametrize("name", EXPECTED)
def test_wrong_blocks_are_refused_with_page_and_line(name, reports):
    found, page = reports.get(f"{BAD}/{name}.md", []), f"{BAD}/{name}.md"
    assert len(found) == len(EXPECTED[name]), "\n".join(found)
    for report, (line, part) in zip(found, EXPECTED[name], strict=True):
        assert report.startswith(f"{page}:{line}: ") and part in report, report
        assert "; " in report, f"it does not say what to do: {report}"


def test_every_kind_has_a_wrong_block_and_every_wrong_page_is_expected():
    assert {path.stem for path in (ROOT / BAD).glob("*.md")} == set(EXPECTED)
    covered = {kind for kind in verify.KINDS if any(name.split("-")[0] == kind for name in EXPECTED)}
    assert covered == set(verify.KINDS)
    good = (ROOT / GOOD).read_text("utf-8")
    assert not [kind for kind in verify.KINDS if f"```{kind}\n" not in good]


def test_a_page_that_is_not_here_is_named():
    done = run(sys.executable, "-m", "tools.verify", "docs/none.md")
    assert done.returncode == 2 and done.stderr.startswith("verify: there is no page 'docs/none.md'; name one by ")


# ---- the parts that can be tested without servers ------------------------------------------------------------------


def fence(kind: str, code: str) -> Fence:
    return Fence("docs/x.md", 10, 99, "", "```", kind, code)


def test_a_missing_linter_is_a_problem_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    (tmp_path / "x.md").write_text("# X\n\n```bash\nls\n```\n\n```dockerfile\nFROM scratch\n```\n", "utf-8")
    found = [str(problem) for problem in verify.check(tmp_path, [tmp_path / "x.md"])]
    assert len(found) == 2 and "x.md:3: cannot be proved here; shellcheck is not installed" in found[0]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("cd alx-project-nexus && make site", None),
        ("mkdir new && cd new && make nothing", None),
        ("cd examples/jobboard && make site", "there is no Makefile in this folder"),
        ("make -C examples site", "there is no Makefile in this folder"),
        ("NAME=value make site PAGE=x -j", None),
        ("cd /tmp && make nothing", None),
        ('echo "make nothing"', None),
        ("echo 'open", None),
        ("echo 'over\nmake nothing' && make gone", "the Makefile has no target 'gone'"),
        ("cat <<-'END'\nmake nothing\n END\nmake gone", "the Makefile has no target 'gone'"),
        ("source .venv/bin/activate", None),
        (". tools/none.sh", "there is no file tools/none.sh"),
        ("ls | sh tools/nothing.sh", "there is no file tools/nothing.sh"),
        ("grep -r nothing docs", None),
        ("python -m pip install -r requirements.txt", None),
        ("tools/nothing --now", "there is no file tools/nothing"),
        ("make \\\n  nothing", "the Makefile has no target 'nothing'"),
    ],
)
def test_what_a_command_names_is_in_the_repository(command, message):
    assert [found[1] for found in doors.missing(command, ROOT)] == ([message] if message else [])


def test_a_console_block_keeps_its_lines_and_tells_output_from_commands():
    typed = fence("console", "$ make \\\n> test\n\nsome output\n$ make site\n")
    assert shell.commands(typed) == ("make \\\ntest\n\n\nmake site\n", [4])
    assert shell.commands(fence("console", "make test\n")) == ("make test\n", [])


def test_output_without_a_prompt_is_told_from_commands():
    typed = "A=1 python3.11 -m x | sort\n.venv/bin/python -V\n$HOME/x\ngit commit -m 'One\n\nmore'\nfor x in 1; do\n"
    assert list(shell.unknown(typed + "  echo; done\nOK (3 tests)\n")) == [(9, "OK"), (9, "3")]


@pytest.mark.parametrize(
    ("statement", "outside"),
    [
        ("SELECT 'BEGIN; CONCURRENTLY';", False),
        ("-- COMMIT\nSELECT 1", False),
        ("create index concurrently x on y (z);", True),
        ("/* why */ VACUUM;", True),
        ("begin;\nSELECT 1;\ncommit;", True),
        ("PREPARE one AS SELECT 1;", False),
        ("DO $$ BEGIN PERFORM 1; END $$;", False),
    ],
)
def test_statements_that_no_transaction_can_hold_run_on_a_copy(statement, outside):
    statements = list(sql._statements(statement))
    assert any(sql._needs_copy(bare) for _, _, bare in statements) == outside
    assert "".join(text for _, text, _ in statements) == statement


def test_requests_and_responses_are_told_apart():
    code = 'POST /a?b=1 HTTP/1.1\nA: 1\n\n{"x":\n\n1}\n\nHTTP/1.1 204 No Content\nB: 2\n\nGET /c\n\nHTTP/1.1 200\n'
    (first, answer), (second, last) = exchange.read(code)
    assert (first.start, first.headers, first.body) == (("POST", "/a?b=1"), [(2, "A", "1")], '{"x":\n\n1}\n\n')
    assert (answer.line, answer.start, answer.headers) == (8, ("204", "No Content"), [(9, "B", "2")])
    assert second.start == ("GET", "/c") and last.start == ("200", "")


@pytest.mark.parametrize(
    ("code", "line", "message"),
    [
        ("HTTP/1.1 200 OK\n", 1, "a response without a request"),
        ("GET /a\nwhat\n", 2, "neither a header"),
        ("GET /a\n\nGET /b\n\nHTTP/1.1 200\n", 1, "without its response"),
        ("", 0, "empty"),
    ],
)
def test_a_block_of_another_form_is_refused(code, line, message):
    with pytest.raises(exchange.FormError, match=message) as caught:
        exchange.read(code)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("shown", "got", "wrong"),
    [
        ('{"a": {"b": [1, "x…"]}}', '{"a": {"b": [1, "xyz"], "c": 2}, "d": 3}', ""),
        ('{"a": "…"}', '{"a": {"any": "thing"}}', ""),
        ('{"e": 1}', '{"a": 1}', "the body has no 'e'; it has: a"),
        ('{"a": 1}', '{"a": true}', "'a' is true"),
        ('{"a": [1]}', '{"a": [1, 2]}', "'a' has 2 items, not 1"),
        ('[{"a": 1}]', '[{"a": 2}]', "'a' is 2"),
        ('{"a": 1', '{"a": 1}', "the body shown is not JSON"),
        ("o", "ok", ""),
        ("no", "ok", "the body is 'ok'"),
    ],
)
def test_the_body_shown_is_a_part_of_the_body_received(shown, got, wrong):
    said = http._body(shown, got)
    assert said.startswith(wrong) and bool(said) == bool(wrong)
