"""make new: a page of each kind with its example and its test, all of it or nothing, and no other byte changed."""

import difflib
import io
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from pages import NAV, PAGE, made, project, written

from tools import check, generated, new_page
from tools.check import proof
from tools.check.kinds import KINDS, OF_NAME
from tools.generated import freshness, versions
from tools.new_page import NewPageError, __main__, kind_of, make, places, slug_of

TITLE = "Lost updates: two writers, one row"


@pytest.fixture
def root(tmp_path) -> Path:
    return project(tmp_path)


def state(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_a_new_page_lacks_only_what_its_author_must_write(root, kind):
    section = root / "docs" / OF_NAME[kind].section
    section.mkdir(exist_ok=True)
    (section / "README.md").write_text("# Section\n\nWhat it teaches.\n", "utf-8")
    if kind != "challenge":
        nav = root / "mkdocs.yml"
        nav.write_text(
            nav.read_text("utf-8").replace("\nexclude_docs", f"  - Other: {section.name}/README.md\n\nexclude_docs")
        )
    folder = made(root, kind)
    problems = check.run(root).problems
    assert {problem.rule for problem in problems} == {"todo"}
    assert all(problem.message.startswith("still to write: ") for problem in problems)
    named = {(problem.path, problem.line) for problem in problems}
    marked = {
        (path.relative_to(root).as_posix(), number)
        for path in [*folder.iterdir(), section / "README.md"]
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1)
        if "TODO:" in line
    }
    assert named == marked


def test_a_new_page_stands_in_the_list_of_what_is_fresh(root):
    """So that its author need not run make listings first."""
    marks = "".join(
        f"\n<!-- {part}:start -->\n<!-- {part}:end -->\n" for part in ("measured", "tested", "made", "read")
    )
    for name, text in ((freshness.HERE, f"# Fresh\n\nDays.\n{marks}"), ("docs/reference", "# Reference\n\nLists.\n")):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / "README.md").write_text(text, "utf-8")
    (root / versions.DATA).parent.mkdir(parents=True)
    shutil.copy(ROOT / versions.DATA, root / versions.DATA)
    assert generated.run(root, write=True).written == [f"{freshness.HERE}/README.md"]
    made(root)
    assert (
        "[Lost updates](../../challenges/lost-updates/README.md)" in (root / freshness.HERE / "README.md").read_text()
    )
    assert generated.run(root, write=False).problems == []


def test_a_page_that_is_written_passes(root):
    folder = written(root)
    assert [str(problem) for problem in check.run(root).problems] == []
    assert [str(problem) for problem in check.run(root, [folder / "README.md"]).problems] == []


def test_the_first_test_runs_and_can_fail(root):
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        ROOT / "examples/jobboard", root / "examples/jobboard", ignore=shutil.ignore_patterns("__pycache__")
    )
    page = made(root) / "README.md"
    test = page.parent / "test_lost_updates.py"
    right = test.read_text("utf-8")
    wrong = right.partition("\n\n\n")[2].replace(".open()", ".all()").replace("open_titles", "all_titles")
    test.write_text(f"{right}\n\n{wrong.replace('test_a', 'test_that_a')}", "utf-8")
    (problem,), passed, printed = proof.tests(root, page)
    assert passed == 1
    assert str(problem).startswith(f"{PAGE}/test_lost_updates.py:22: test_that_a_closed_job_is_left_out fails: ")
    assert "Archivist" in printed


def test_the_rest_of_mkdocs_yml_stays_byte_for_byte():
    """The real one: a line more for each kind, at the end of its section."""
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    for kind in KINDS:
        if f"{kind.section}/README.md" not in text:
            continue
        after, number = places.in_nav(text, kind.section, "new-page", "New page")
        changed = [line for line in difflib.ndiff(text.split("\n"), after.split("\n")) if line[0] in "+-?"]
        assert changed == [f"+       - New page: {kind.section}/new-page/README.md"]
        lines = after.split("\n")
        assert lines[number - 1] == changed[0][2:]
        assert f"{kind.section}/" in lines[number - 2] and f"{kind.section}/" not in lines[number]


@pytest.mark.parametrize("title", ["404", "Yes", "Why: not", "It's & that #5", '"Quoted"', "- dash", "A: b: c"])
def test_a_title_means_itself_in_yaml(title):
    after, _ = places.in_nav(NAV.replace("\n", "\r\n"), "challenges", "x", title)
    assert "\n" not in after.replace("\r\n", "")
    added = [{"Home": "README.md"}, {"Challenges": ["challenges/README.md", {title: "challenges/x/README.md"}]}]
    assert yaml.safe_load(after)["nav"] == added
    assert "# by hand" in after


def test_a_nav_of_another_form_is_left_alone(root):
    (root / "mkdocs.yml").write_text("nav: [{Home: README.md}, {Challenges: [challenges/README.md]}]\n", "utf-8")
    before = state(root)
    with pytest.raises(NewPageError, match=r"mkdocs\.yml: the nav has no line for challenges/README\.md"):
        made(root)
    assert state(root) == before


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("# S\n\nText.\n", 5),
        ("# S\n\n- [A](a/README.md): one.\n- [B](b/README.md): two.\n\nMore.\n", 5),
        ("# S\n\n[A](a/README.md) is one.\n\nMore.\n", 5),
    ],
)
def test_the_line_of_the_section_stands_below_the_last_page(section, line):
    text, number = places.in_section(section, "x", "X")
    assert number == line
    assert text.split("\n")[line - 1].lstrip("- ").startswith("[X](x/README.md): TODO: ")
    assert "\n\n\n" not in text and text.endswith(".\n")


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("", "the title is empty; "),
        ("x" * 300, "the title has 300 characters; shorten it to 80"),
        ("REST/GraphQL", "the title holds '/'; "),
        ("..\\..\\etc", "the title holds '\\\\'; "),
        ("Two\nlines", "the title holds '\\n'; "),
        ("<script>", "the title holds '<' '>'; "),
        ("Bell \x07", "the title holds '\\x07'; "),
        ("你好", "the address of the page comes from its title; "),
        ("# hash", "the address of the page comes from its title; "),
        ("one two three four five six seven eight nine ten eleven", "the title gives an address of 55 characters; "),
        ("Lost updates: again", "docs/challenges/lost-updates exists already; "),
        ("LOST, updates!", "docs/challenges/lost-updates exists already; "),
    ],
)
def test_a_title_that_cannot_be_used_says_why_and_makes_nothing(root, title, message):
    made(root)
    before = state(root)
    with pytest.raises(NewPageError, match=re.escape(message)) as error:
        make(root, OF_NAME["challenge"], title)
    assert "\n" not in str(error.value)
    assert state(root) == before


def test_accents_and_signs_become_an_address(root):
    assert slug_of(root, "Café & N+1: l'été") == "cafe-and-n-plus-1"


@pytest.mark.parametrize(
    ("kind", "section", "message"),
    [
        ("challeng", "", "there is no kind 'challeng'; choose one of: challenge"),
        ("", "concept", "there is no section 'concept'; choose one of: challenges"),
        ("", "../..", "there is no section '../..'; "),
        ("concept", "", "there is no kind 'concept'; "),  # its section is not there
        ("challenge", "start", "a page of the kind 'challenge' stands in challenges; write SECTION=challenges"),
    ],
)
def test_a_kind_or_a_section_that_is_not_there_is_named(root, kind, section, message):
    with pytest.raises(NewPageError, match=re.escape(message)):
        kind_of(root, kind, section)


@pytest.mark.parametrize("broken", ["mkdocs.yml", "README.md"])
@pytest.mark.parametrize("error", [OSError("no space left on the disk"), KeyboardInterrupt()])
def test_a_failure_in_the_middle_leaves_everything_as_it_was(root, monkeypatch, broken, error):
    before, replace = state(root), new_page.replace

    def failing(path, text):
        if path.name == broken and "lost-updates" in text:
            raise error
        replace(path, text)

    monkeypatch.setattr(new_page, "replace", failing)
    with pytest.raises(NewPageError if isinstance(error, OSError) else KeyboardInterrupt):
        made(root)
    assert state(root) == before
    assert sorted(path.name for path in (root / "docs/challenges").iterdir()) == ["README.md"]


def test_without_a_terminal_it_says_what_to_write(root, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    before = state(root)
    assert __main__.main({"KIND": "challenge"}, root) == 1
    assert capsys.readouterr().err.startswith(
        "new: there is no terminal to ask on; write make new KIND=challenge TITLE="
    )
    assert state(root) == before


ASK = "import sys, pathlib; from tools.new_page.__main__ import main; sys.exit(main({}, pathlib.Path(sys.argv[1])))"


def talk(root: Path, *answers: bytes) -> tuple[int, str]:
    """Answer its questions on a terminal, each when it is asked; return the status and what the terminal showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", ASK, root]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as asks:
        os.close(theirs)
        shown, waiting, patience = "", list(answers), 60
        while patience:
            if not select.select([ours], [], [], 1)[0]:
                patience -= 1
                if not waiting and answers[-1] == b"\x03":  # one that comes right before the reading starts is not seen
                    asks.send_signal(signal.SIGINT)
                continue
            try:
                shown += os.read(ours, 1000).decode()
            except OSError:  # it has ended
                break
            if waiting and len(re.findall("(?:Kind|Title): ", shown)) > len(answers) - len(waiting):
                answer = waiting.pop(0)
                asks.send_signal(signal.SIGINT) if answer == b"\x03" else os.write(ours, answer + b"\n")
        else:
            asks.kill()
        os.close(ours)
    return asks.returncode, shown


def test_it_asks_until_the_answers_are_right(root):
    status, shown = talk(root, b"nonsense", b"challenge", b"", TITLE.encode())
    assert status == 0, shown
    assert "there is no kind 'nonsense'; choose one of: challenge" in shown
    assert "the title is empty" in shown
    assert (root / PAGE / "README.md").is_file()


def test_ctrl_c_at_a_question_makes_nothing(root):
    before = state(root)
    status, shown = talk(root, b"challenge", b"\x03")
    assert (status, shown.splitlines()[-1]) == (130, "new: stopped; nothing was made")
    assert state(root) == before
