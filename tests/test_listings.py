"""tools.listings: pages show what the files hold, and every mistake is named with page, line and what to do."""

import re
from pathlib import Path

import pytest

from tools import listings, symbols
from tools.listings import table
from tools.listings.__main__ import main

QUERYSETS = '''"""Questions."""

LIMIT = 50

# Above the class, and away from it.

class JobQuerySet:
    """Jobs."""

    # Why this is so.
    # In two lines.
    @staticmethod
    @cached(
        1,
    )
    def open(self):
        text = """
left of it
"""

        return text

    def needing(self, skill):
        return self.filter(skill=skill)  # ``` in a comment

    async def with_company(self):
        pass
'''
JOB_BOARD = "examples/jobboard/board/querysets.py"
OPEN = '''# Why this is so.
# In two lines.
@staticmethod
@cached(
    1,
)
def open(self):
    text = """
left of it
"""

    return text
'''


@pytest.fixture
def hub(tmp_path) -> Path:
    for name, text in {
        JOB_BOARD: QUERYSETS,
        table.README: f"# Job board\n\n{table.START}\n{table.END}\n\nThe end.\n",
        "docs/x/results.txt": "201 queries\n",
        "docs/x/test_x.py": "def test_naive():\n    assert True\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def page(hub: Path, text: str, name: str = "x") -> Path:
    path = hub / f"docs/{name}/README.md"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(f"# The {name} page\n\n{text}".encode())
    return path


def filled(hub: Path, text: str) -> str:
    """What a page with this text becomes, without its heading; a second run must find nothing to do."""
    path = page(hub, text)
    assert [str(problem) for problem in listings.run(hub, write=True).problems] == []
    assert listings.run(hub, write=False).problems == [] and listings.run(hub, write=True).written == []
    return path.read_bytes().decode().partition("page\n\n")[2]


def problems(hub: Path, text: str) -> list[str]:
    """What the check says about a page; writing says the same, but for what it corrects."""
    page(hub, text)
    checked = [str(problem) for problem in listings.run(hub, write=False).problems]
    written = [str(problem) for problem in listings.run(hub, write=True).problems]
    assert written == [line for line in checked if listings.STALE not in line]
    return checked


def test_a_symbol_comes_with_its_decorators_and_the_comment_above(hub):
    fence = f'```python title="{JOB_BOARD}::JobQuerySet.open" hl_lines="2 3"'
    assert filled(hub, f"Before.\n\n{fence}\n```\n\nAfter.\n") == f"Before.\n\n{fence}\n{OPEN}```\n\nAfter.\n"


def test_old_code_is_replaced_and_nothing_else_changes(hub):
    before, after = (
        "  trailing  \n\n~~~text\n$ x\n~~~\n\n",
        "\n<details>\n\n```rust\nfn x\n```\n\n</details>\n\nno newline",
    )
    fence = f'```python title="{JOB_BOARD}::LIMIT"\n'
    assert filled(hub, f"{before}{fence}LIMIT = 40\nGONE\n```\n{after}") == f"{before}{fence}LIMIT = 50\n```\n{after}"


@pytest.mark.parametrize("start", ["1.  ", "-   ", "    - ", "> ", "> - ", "  "])
def test_a_listing_keeps_its_place_in_lists_and_quotes(hub, start):
    lead = "- outer\n\n" if start.startswith("    ") else ""
    prefix = "".join(char if char in "> " else " " for char in start)
    fence = f'```python title="{JOB_BOARD}::JobQuerySet.open"'
    text = filled(hub, f"{lead}{start}{fence}\n{prefix}```\n\nAfter.\n")
    code = "".join((prefix + line).rstrip() + "\n" for line in OPEN.splitlines())
    assert text == f"{lead}{start}{fence}\n{code}{prefix}```\n\nAfter.\n"


def test_code_with_backticks_gets_a_longer_fence_and_tildes_stay(hub):
    text = filled(hub, f'```python title="{JOB_BOARD}::JobQuerySet.needing"\n```\n')
    assert text.startswith('````python title="') and text.endswith("# ``` in a comment\n````\n")
    tildes = f'~~~python title="{JOB_BOARD}::JobQuerySet.needing"\n'
    assert filled(hub, f"{tildes}~~~\n").endswith("# ``` in a comment\n~~~\n")


def test_files_of_the_page_and_whole_files(hub):
    assert filled(hub, '```text title="results.txt"\n```\n') == '```text title="results.txt"\n201 queries\n```\n'
    symbol = '```python title="test_x.py::test_naive"\n'
    assert filled(hub, f"{symbol}```\n") == f"{symbol}def test_naive():\n    assert True\n```\n"
    (hub / "empty.txt").touch()
    (hub / "docs/x/empty.txt").touch()
    assert filled(hub, '```text title="empty.txt"\nold\n```\n') == '```text title="empty.txt"\n```\n'


def test_a_text_fence_shows_what_a_string_says_and_other_code_as_it_is(hub):
    (hub / "docs/x/test_x.py").write_text('MESSAGE = """\nHello,\nyou.\n"""\nLIMIT = 3\n\n\ndef test_x():\n    pass\n')
    titles = ("MESSAGE", "LIMIT")
    path = page(hub, "\n".join(f'```text title="test_x.py::{title}"\n```\n' for title in titles))
    assert listings.run(hub, write=True).problems == []
    assert re.findall(r"```text[^\n]*\n(.*?)\n```", path.read_text("utf-8"), re.S) == ["Hello,\nyou.", "LIMIT = 3"]


def test_carriage_returns_of_a_file_do_not_reach_the_page(hub):
    (hub / "docs/x/results.txt").write_bytes(b"a\r\nb\r\n")
    assert filled(hub, '```text title="results.txt"\n```\n') == '```text title="results.txt"\na\nb\n```\n'


def test_a_page_with_carriage_returns_is_refused_and_left_alone(hub):
    path = page(hub, '```text title="results.txt"\r\n```\r\n')
    before = path.read_bytes()
    found = listings.run(hub, write=True).problems
    assert len(found) == 1 and "carriage return" in str(found[0]) and path.read_bytes() == before


def test_a_stale_listing_names_the_line_and_the_command(hub):
    stale = f'Text.\n\n```python title="{JOB_BOARD}::LIMIT"\nLIMIT = 40\n```\n'
    assert problems(hub, stale) == [
        f"docs/x/README.md:5: the listing of {JOB_BOARD}::LIMIT differs from the file; run: make listings",
        f"{table.README}:3: the table of pages differs from their listings; run: make listings",
    ]


@pytest.mark.parametrize(
    ("title", "message"),
    [
        (f"{JOB_BOARD}::JobQuerySet.opne", f"{JOB_BOARD} has no 'opne'; it has: open, needing, with_company"),
        (f"{JOB_BOARD}::JobQuerySt.open", f"{JOB_BOARD} has no 'JobQuerySt'; it has: JobQuerySet, LIMIT"),
        (f"{JOB_BOARD}::LIMIT.x", f"{JOB_BOARD} has no 'x'; it has: nothing"),
        ("examples/jobboard/bord/x.py", "examples/jobboard/bord/x.py is not in the repository; examples/jobboard/ has"),
        (
            "examples/jobboard/board",
            "examples/jobboard/board is a folder; name a file of it: examples/jobboard/board/ has",
        ),
        ("board/querysets.py::LIMIT", f"board/querysets.py is not in the repository; write {JOB_BOARD}"),
        (".git/config", ".git/config is not in the repository; list a file that git keeps"),
        ("../outside/x.py", "'../outside/x.py' is not a path from the root"),
        ("/etc/passwd", "'/etc/passwd' is not a path from the root"),
        ("query.sql", "the title 'query.sql' names no file of this page's folder; write the path from the root"),
        ("", "the title '' names no file"),
        ("results.txt::one", "docs/x/results.txt is not Python; name the whole file"),
        ("long.txt", "docs/x/long.txt has 61 lines, 60 at most are shown; show the part that matters"),
        ("long.py", "docs/x/long.py has 31 lines, 30 at most are shown; name a symbol of it after"),
        ("long.py::LONG", "'LONG' of docs/x/long.py has 31 lines, 30 at most are shown; a symbol too long to show is"),
        ("picture.png", "docs/x/picture.png is not text"),
        ("broken.py::x", "docs/x/broken.py is not valid Python: line 1"),
    ],
)
def test_every_mistake_has_its_own_words(hub, title, message):
    folder = hub / "docs/x"
    (hub / ".git").mkdir()
    (hub / ".git/config").write_text("url = secret\n", "utf-8")
    (folder / "long.txt").write_text("x\n" * 61, "utf-8")
    (folder / "long.py").write_text("LONG = (\n" + "    1,\n" * 29 + ")\n", "utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG\xff")
    (folder / "broken.py").write_text("x = (\n", "utf-8")
    found = problems(hub, f'Text.\n\n```python title="{title}"\n```\n')
    assert len(found) == 1 and found[0].startswith(f"docs/x/README.md:5: {message}"), found


def test_all_mistakes_are_told_in_one_run_and_pages_with_one_are_not_written(hub):
    fences = [
        '```python title="a/b.py"\n```\n',
        f'```python title="{JOB_BOARD}::LIMIT"\n```\n',
        '```text title="z"\n```\n',
    ]
    path = page(hub, "\n".join(fences))
    other = page(hub, fences[1], "other")
    before = path.read_bytes()
    result = listings.run(hub, write=True)
    assert [problem.line for problem in result.problems] == [3, 9]
    assert path.read_bytes() == before and "LIMIT = 50" in other.read_text("utf-8")
    assert result.written == ["docs/other/README.md"], "a table without what could not be read would be wrong"


CODE = "```sql\nSELECT 1;\n```\n"
WORDS = '```text title="sketch"\n```\n\n```mermaid\nflowchart LR\n```\n'


@pytest.mark.parametrize(
    ("text", "files", "said"),
    [
        (CODE, {}, "README.md:3: the page shows code and has no test_a_page.py beside it; write what the page claims"),
        (CODE, {"test_other.py": "def test_x(): pass"}, "README.md:3: the page shows code and has no test_a_page.py "),
        (WORDS, {"measure.py": ""}, "README.md:1: the page measures and has no test_a_page.py beside it"),
        (CODE, {"test_a_page.py": "def helper(): pass"}, "test_a_page.py:1: it holds no test; write what"),
        (CODE, {"test_a_page.py": "\nx = ("}, "test_a_page.py:2: not valid Python: '(' was never closed; correct"),
        (CODE, {"test_a_page.py": "class TestIt:\n    def test_x(self): pass"}, None),
        (WORDS, {}, None),
    ],
)
def test_a_page_that_shows_code_or_measures_has_its_test(hub, text, files, said):
    path = page(hub, text, "x/a-page")
    for name, code in files.items():
        (path.parent / name).write_text(code, "utf-8")
    found = [str(problem) for problem in listings.run(hub, write=False).problems if problem.rule == "test"]
    assert len(found) == bool(said) and all(line.startswith(f"docs/x/a-page/{said}") for line in found), found
    assert listings.run(hub, write=True).problems == [], "a page may be written before its test"


def test_a_listing_of_results_before_they_are_measured_names_the_command(hub):
    path = page(hub, '```text title="results.txt"\n```\n', "x/a-page")
    (path.parent / "measure.py").touch()
    (found,) = listings.run(hub, write=True).problems
    assert found.fix == "run: make measure PAGE=x/a-page"


def test_a_test_of_another_name_is_to_be_renamed(hub):
    path = page(hub, CODE, "x/a-page")
    (path.parent / "test_other.py").write_text("def test_x(): pass", "utf-8")
    (found,) = [problem for problem in listings.run(hub, write=False).problems if problem.rule == "test"]
    assert found.fix == "rename test_other.py"


def test_an_open_fence_is_an_error(hub):
    assert problems(hub, "```python\nx = 1\n") == ["docs/x/README.md:3: the fence is never closed; write ``` below"]


def test_sketches_are_counted_and_printed(hub, capsys):
    page(hub, '```python title="sketch"\nanything(\n```\n')
    listings.run(hub, write=True)
    assert main(["--check"], hub) == 0
    assert capsys.readouterr().out == "listings: 0 listings, 1 sketches (docs/x/README.md:3)\n"


def test_the_command_fills_then_finds_nothing(hub, capsys):
    page(hub, f'```python title="{JOB_BOARD}::LIMIT"\n```\n')
    assert main(["--check"], hub) == 1
    assert main([], hub) == 0
    assert main(["--check"], hub) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[2:5] == [
        "listings: 1 listings, 0 sketches",
        "listings: wrote docs/x/README.md",
        f"listings: wrote {table.README}",
    ]
    assert main(["--chek"], hub) == 2


def test_the_job_board_says_which_pages_explain_a_module(hub):
    page(hub, f'```python title="{JOB_BOARD}::LIMIT"\n```\n')
    page(hub, f'```python title="{JOB_BOARD}::JobQuerySet.open"\n```\n\n```text title="x"\n```\n', "a")
    (hub / "docs/a/x").write_text("x\n", "utf-8")
    listings.run(hub, write=True)
    readme = (hub / table.README).read_text("utf-8")
    links = "[The a page](../../docs/a/README.md), [The x page](../../docs/x/README.md)"
    row = f"| [`board/querysets.py`](board/querysets.py) | {links} |"
    assert readme == (
        f"# Job board\n\n{table.START}\n\n| module | pages that explain it |\n| --- | --- |\n{row}\n\n{table.END}"
        "\n\nThe end.\n"
    )


def test_a_readme_without_marks_says_what_to_insert(hub):
    (hub / table.README).write_text("# Job board\n", "utf-8")
    (found,) = listings.run(hub, write=True).problems
    assert f"{table.README}:1: " in str(found) and table.START in found.fix and table.END in found.fix


def test_an_interrupted_write_leaves_the_old_page(hub, monkeypatch):
    path = page(hub, '```text title="results.txt"\n```\n')
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        listings.run(hub, write=True)
    assert path.read_bytes() == before and sorted(p.name for p in path.parent.iterdir()) == [
        "README.md",
        "results.txt",
        "test_x.py",
    ]


def test_lines_of_a_symbol_and_of_its_listing(hub):
    path = hub / JOB_BOARD
    assert symbols.lines(path, "JobQuerySet.open") == (12, 21)
    assert symbols.listed_lines(path, "JobQuerySet.open") == (10, 21)
    assert symbols.listed_lines(path, "JobQuerySet")[0] == 7, "a comment with a blank line below is not the symbol's"
    path.write_text("#!/usr/bin/env python\nX = 1\n", "utf-8")
    assert symbols.listed_lines(path, "X") == (2, 2), "neither a shebang, nor what the file held before"
