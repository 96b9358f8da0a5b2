"""make check: every part of a page that is missing is named with its line, for people and for GitHub."""

import subprocess
from pathlib import Path

import pytest
from pages import PAGE, project, written

from tools import check
from tools.check import __main__, anatomy, github, names
from tools.portable.page import Page
from tools.portable.problem import Problem


@pytest.fixture
def root(tmp_path) -> Path:
    written(project(tmp_path))
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def line_of(path: Path, start: str) -> int:
    return next(n for n, line in enumerate(path.read_text("utf-8").split("\n"), 1) if line.startswith(start))


# What is done to the page, the line that is named (by its beginning, or its number), and what is said of it.
WRONG = {
    "no title": ("# Lost", "Lost", 1, "the page does not begin with its title; write '# Words' as the first line"),
    "no promise": ("After this page you", "You", 3, "the first sentence is no promise to the reader; begin it with "),
    "a long promise": ("each other.", "each other" + ", and so on" * 20 + ".", 3, "the first sentence has 72 words; "),
    "no box": ("**In three lines**", "**In short**", 3, "the box with the page in three lines is missing; "),
    "no needs": ("**Needs:**", "**You need:**", "## Symptom", "nothing says what the reader needs, and how long it"),
    "no versions": (" **Run on:**", " On", "**Needs:**", "the line of needs is not complete; write '**Needs:** "),
    "a wrong time": (
        "6 minutes",
        "20 minutes",
        "**Needs:**",
        "the page says 20 minutes; its 1,096 words, and 1 × code,",
    ),
    "a part is missing": (
        "## Prevent",
        "## Otherwise",
        "## Trade-offs",
        "a page of the kind 'challenge' has a part '## P",
    ),
    "a part is misspelt": (
        "## Prevent",
        "## Prevnt",
        "## Prevnt",
        "a page of the kind 'challenge' has a part '## Prev",
    ),
    "a part is too early": (
        "## Fix",
        "## Proof early\n\nIt is.\n\n## Fix",
        "## Proof early",
        "'Proof early' stands too early; move it below 'Fix'",
    ),
    "an empty part": (
        "## Prevent\n",
        "## Prevent\n\n## More\n",
        "## Prevent",
        "the part 'Prevent' is empty; write it, or",
    ),
    "few questions": (
        '<details markdown="1">\n<summary>3',
        "<!-- -->\n<summary>3",
        "## Check",
        "2 questions in 'Check yo",
    ),
    "few sources": (
        "](https://www",
        "](mailto:www",
        "## Related",
        "0 sources in 'Related'; link to 2 primary sources or ",
    ),
    "no way on": (
        "](../README.md)",
        "](https://example.com)",
        "## Related",
        "1 link to other pages in 'Related'; name the",
    ),
    "no diagram": ("```mermaid", "```text", 1, "the page has no diagram; draw its main idea in a mermaid fence, with"),
    "too long": (
        "## Fix\n",
        "## Fix\n\n" + "It waits. " * 500,
        1,
        "the page has 2,096 words; split it, or shorten it to",
    ),
    "still to write": (
        "## Fix\n",
        "## Fix\n\nSoon. TODO: the fix.\n",
        "Soon.",
        "still to write: the fix; replace the words fr",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_part_that_is_missing_is_named(root, name):
    old, new, line, message = WRONG[name]
    page = root / PAGE / "README.md"
    change(page, old, new)
    line = line if isinstance(line, int) else line_of(page, line) - (name == "no needs")
    found = [str(problem) for problem in anatomy.check(root)]
    assert any(text.startswith(f"{PAGE}/README.md:{line}: {message}") for text in found), found
    assert len(found) <= 2
    assert found == [str(problem) for problem in anatomy.check(root, [page])]


FOLDER = {
    "test_lost-updates.py": (1, "the folder of a page holds no file of this name; rename it to test_lost_updates.py"),
    "notes.txt": (
        1,
        "the folder of a page holds no file of this name; delete it, or use one of README.md, questions.txt",
    ),
    "img/plot.svg": (1, "the folder img/ has no README.md, so it is no page; add one, or move the files to the folder"),
    "questions.txt": (2, "2 questions of at least 12; add what a reader would type: questions, symptoms, whole error"),
    "test_lost_updates.py": (3, "still to write: prove it; replace this line"),
}


@pytest.mark.parametrize("name", FOLDER)
def test_a_file_that_does_not_belong_is_named(root, name):
    line, message = FOLDER[name]
    path = root / PAGE / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("why\nhow\n# TODO: prove it\n" if path.suffix == ".py" else "why\nhow\n", "utf-8")
    (problem,) = anatomy.check(root)
    assert str(problem).startswith(f"{PAGE}/{name}:{line}: {message}")


def test_a_page_without_questions_or_with_one_twice_is_named(root):
    questions = root / PAGE / "questions.txt"
    questions.write_text(questions.read_text("utf-8") + "Why is my  number wrong 3\n", "utf-8")
    assert [str(problem) for problem in anatomy.check(root)] == [
        f"{PAGE}/questions.txt:13: this question stands in line 4 already; delete one"
    ]
    questions.unlink()
    (problem,) = anatomy.check(root)
    assert str(problem).startswith(f"{PAGE}/README.md:1: questions.txt is missing beside the page; write 12 lines")


def test_a_section_that_does_not_name_its_page_is_named(root):
    (root / "docs/challenges/README.md").write_text("# Challenges\n\nWhat goes wrong.\n", "utf-8")
    (problem,) = anatomy.check(root, [root / PAGE / "README.md"])
    assert str(problem).startswith(
        "docs/challenges/README.md:4: the section does not name lost-updates; add '- [Title]("
    )


def test_all_checks_speak_of_one_page_and_only_once(root):
    """Each kind of problem, sorted, and the same whether one page is checked or all."""
    page = root / PAGE / "README.md"
    change(page, "## Fix\n", "## Fix\n\n!!! note\n\n[no](no.md) It took 12 ms.\n")
    change(root / PAGE / "test_lost_updates.py", "sorted(", "list(")
    report = check.run(root, [page])
    assert report.counts == {"Markdown": 2, "listings": 1, "numbers": 1}
    assert report.problems == sorted(set(report.problems)) == check.run(root).problems


def test_a_page_that_cannot_be_read_ends_the_check(root):
    (root / PAGE / "README.md").write_bytes(b"# Caf\xe9\n")
    report = check.run(root)
    assert [str(problem).partition(";")[0] for problem in report.problems] == [
        f"{PAGE}/README.md:1: byte 0xe9 is not UTF-8"
    ]


@pytest.mark.parametrize("name", ["", "docs/", "./docs/"])
@pytest.mark.parametrize("end", ["", "/", "/README.md"])
def test_a_page_has_many_names(root, name, end):
    assert names.find(root, f"{name}challenges/lost-updates{end}") == root / PAGE / "README.md"
    assert names.find(root, f"{name}challenges{end}") == root / "docs/challenges/README.md"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("challenges/lost-update", "write PAGE=challenges/lost-updates?"),
        ("lost-updates", "write PAGE=challenges/lost-updates?"),
        ("Challenges/Lost-Updates", "write PAGE=challenges/lost-updates"),
        ("docs/chalenges", "write PAGE=challenges"),
        ("../../etc/passwd", "name one by its folder below docs, such as PAGE=challenges/n-plus-one"),
        ("zzz", "name one by its folder below docs, such as PAGE=challenges/n-plus-one"),
    ],
)
def test_a_page_that_is_not_there_names_the_nearest(root, name, near, capsys):
    assert __main__.main([name], root) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"check: there is no page '{name}'; {near}") and said.count("\n") == 1


def test_one_line_sums_up(root, capsys):
    assert __main__.main([], root) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("check: 3 pages: no problem; 0 sketches; ")
    change(root / PAGE / "README.md", "## Fix\n", "## Fix\n\n!!! note\n\nTODO: more\n")
    assert __main__.main([], root) == 1
    *problems, line = capsys.readouterr().out.splitlines()
    assert len(problems) == 2
    assert line.startswith("check: 3 pages: 2 problems (1 Markdown, 1 still to write); 0 sketches; ")


def test_advice_is_no_problem(root):
    page = root / PAGE / "README.md"
    change(page, "## Fix\n", "## Fix\n\n" + "It waits. " * 300 + '\n\n```python title="sketch"\nx = 1\n```\n')
    change(page, "6 minutes", "9 minutes")
    assert anatomy.check(root) == []
    assert [str(note).partition(": ")[2] for note in anatomy.advice(Page(root, page))] == [
        "the page has 1,696 words; 1,600 are enough",
        "1 sketch: code that nothing proves; make it a listing or a block",
    ]


# GitHub


def test_an_annotation_cannot_leave_its_line():
    problem = Problem("docs/a,b:c/README.md", 7, "x", "100 %\n::error::no\r", "write '::stop-commands::x'")
    (command,) = github.annotations([problem], set())
    assert command == (
        "::error file=docs/a%2Cb%3Ac/README.md,line=7,title=Check::100 %25%0A::error::no%0D; write '::stop-commands::x'"
    )


def test_ten_annotations_and_the_changed_files_first():
    problems = [Problem(f"docs/{number:02}.md", 1, "x", "m", "f") for number in range(30)]
    commands = github.annotations(problems, {"docs/25.md"})
    assert [command.partition("docs/")[2][:2] for command in commands] == ["25", *(f"{n:02}" for n in range(9))]


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", root, *who, *arguments], check=True, capture_output=True)


def test_a_pull_request_gets_annotations_and_a_summary(tmp_path, monkeypatch, capsys):
    root = project(tmp_path / "project")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-qm", "main")
    git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(root, "switch", "-qc", "lost-updates")
    page = written(root) / "README.md"
    change(page, "## Fix\n", "## Fix\n\nTODO: the | fix, `now`.\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "a page")
    summary = tmp_path / "summary.md"
    for name, value in {"ACTIONS": "true", "BASE_REF": "main", "STEP_SUMMARY": str(summary)}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    assert __main__.main([], root) == 1
    said = capsys.readouterr().out.splitlines()
    line = line_of(page, "TODO:")
    assert f"::error file={PAGE}/README.md,line={line},title=Still to write::" in "\n".join(said)
    assert said[-1].startswith("check: 3 pages: 1 problem (1 still to write)")
    text = summary.read_text("utf-8")
    assert "| Page | Kind | Minutes | Words | Samples | Sketches | To do |" in text
    assert f"| `{PAGE}/README.md` | challenge | 6 | 1,099 | 1 | 0 | 1 |" in text
    assert "| `docs/challenges/README.md` | overview |" in text
    assert "docs/README.md" not in text
    assert f"- `{PAGE}/README.md:{line}` `still to write: the; replace this line`" in text


def test_without_its_history_the_summary_says_so(root, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert __main__.main([], root) == 0
    assert "check out with `fetch-depth: 0`" in (tmp_path / "summary.md").read_text("utf-8")
