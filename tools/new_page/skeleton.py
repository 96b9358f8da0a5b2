"""The files of a new page, from the parts of its kind. What is to be written stands behind `TODO:`."""

import tomllib
from pathlib import Path

from tools.check.folder import FEWEST
from tools.check.kinds import DIAGRAM, LINKS, LISTING, QUESTIONS, TABLE, Kind, Part
from tools.check.todo import MARK
from tools.generated.versions import load

RUNS_ON = ("Django, long-term series", "PostgreSQL")  # rows of the table of versions
FIRST_PAGE = "start/job-board"  # what a page needs at least
BOX = f"""\
> [!NOTE]
> **In three lines**
>
> - {MARK} what goes wrong, or what it is, with one number from this page.
> - {MARK} what to do.
> - {MARK} what that costs, or where it ends.
"""
PICTURE = f"""\
{MARK} one sentence that says what to look at in the picture.

```mermaid
flowchart LR
    accTitle: {MARK} what the picture shows, in a few words
    accDescr: {MARK} the same in one or two sentences, for people who do not see it
    first["first"] --> second["second"]
```
"""
CODE = """\
The example is in `{test}`:

```python title="{test}::open_titles"
```
"""
TEST = f'''\
"""{MARK} say what the page claims, and replace the example by its own code and tests."""

from board.models import Job


def open_titles():
    """Return the titles of the open jobs, sorted."""
    return sorted(Job.objects.open().values_list("title", flat=True))


def test_a_closed_job_is_left_out(world):
    assert open_titles() == ["Backend developer", "Baker"]
    assert world.closed.title == "Archivist"
'''
ASKED = ("1. Recall:", "2. What happens if", "3. Find the bug:")
QUESTION = f"""\
<details markdown="1">
<summary>{{asked}} {MARK} a question that this page answers</summary>

{MARK} the answer, and why a wrong one is tempting.

</details>
"""
RELATED = f"""\
- Before: [the section](../README.md). {MARK} the page to read before this one, as a link.
- Next: [the section](../README.md). {MARK} the page to read next, as a link.

Sources:

- {MARK} a link to a primary source (documentation, standard, paper), and what the reader finds there.
- {MARK} a second one.
"""
WORDS = f"{MARK} {FEWEST} lines or more in the words of a reader: questions, symptoms, whole error messages\n"


def files(root: Path, kind: Kind, title: str, test: str) -> dict[str, str]:
    """Return {name: text} of the files of a page; `test` names its test file. A kind without parts has no test."""
    made = {"README.md": "\n".join(_page(root, kind, title, test)), "questions.txt": WORDS}
    return made | ({test: TEST} if kind.parts else {})


def _page(root: Path, kind: Kind, title: str, test: str) -> list[str]:
    """The blocks of the page; each ends with its line, and an empty line goes between two."""
    promise = f"{kind.promise} you can …" if kind.promise else "what the page gives"
    if kind.name == "best-practice":
        promise = "the rule, and how strong it is: MUST, SHOULD or it depends"
    blocks = [f"# {title}\n", f"{MARK} one sentence with the promise: {promise}\n"]
    if kind.box:
        blocks += [BOX, _needs(root, kind)]
    for part in kind.parts or (Part(f"{MARK} the first heading", "its text"),):
        blocks += [f"## {part.heading}\n", *_part(part, test)]
    return blocks


def _needs(root: Path, kind: Kind) -> str:
    known = (root / "docs" / FIRST_PAGE / "README.md").is_file()
    needs = f"[the job board](../../{FIRST_PAGE}/README.md)" if known else "nothing"
    line = f"**Needs:** {needs}. **Time:** 9 minutes."
    return f"{line} **Run on:** {_versions(root)}.\n" if kind.run_on else f"{line}\n"


def _versions(root: Path) -> str:
    try:
        runs = {entry["name"]: entry["runs"] for entry in load(root)["component"]}
    except (OSError, tomllib.TOMLDecodeError):
        runs = {}
    shown = [f"{name.partition(',')[0]} {runs[name]}" for name in RUNS_ON if name in runs]
    return ", ".join(shown) or "Django"


def _part(part: Part, test: str) -> list[str]:
    wanted = [f"{MARK} {part.write}.\n"] if part.write else []
    if part.holds == QUESTIONS:
        return [QUESTION.format(asked=asked) for asked in ASKED]
    if part.holds == TABLE:
        columns = part.columns.split(" | ")
        rule, empty = " | ".join("---" for _ in columns), " | ".join(["", *("…" for _ in columns[1:])])
        return [*wanted, f"| {part.columns} |\n| {rule} |\n| {MARK} the first row{empty} |\n"]
    held = {DIAGRAM: [PICTURE], LISTING: [CODE.format(test=test)], LINKS: [RELATED]}
    return [*wanted, *held.get(part.holds, [])]
