"""The words of readers: `questions.txt` beside each page and docs/synonyms.txt. Search knows them, no page shows them.

python -m tools.vocabulary: check them; one line for each problem, status 1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tools.portable.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = "questions.txt"
SYNONYMS = "docs/synonyms.txt"
FEWEST = 5  # a page nobody can ask five things about is a part of another page
LONGEST = 300  # characters: more is a text, not a question or one line of a message


def lines(text: str) -> list[str]:
    """What a file of this kind says: its lines without comments and without white space around them."""
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]


def questions(folder: Path) -> list[str]:
    """The questions of a page's folder; [] where there are none."""
    try:
        return lines((folder / QUESTIONS).read_text("utf-8", errors="replace"))
    except (FileNotFoundError, NotADirectoryError):
        return []


def synonyms(root: Path) -> list[list[str]]:
    """The groups of names of docs/synonyms.txt; [] without the file."""
    try:
        text = (root / SYNONYMS).read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [[name for name in map(str.strip, line.split(",")) if name] for line in lines(text)]


def check(root: Path) -> Iterator[Problem]:
    """Yield what is wrong with the questions of all pages and with the synonyms."""
    for page in sorted((root / "docs").glob("**/README.md")):
        if page.parent != root / "docs":  # the home page is every question's beginning and no question's answer
            yield from _check_questions(root, page.parent / QUESTIONS)
    yield from _check_synonyms(root)


def _check_questions(root: Path, path: Path) -> Iterator[Problem]:
    name = path.relative_to(root).as_posix()

    def problem(line: int, message: str, fix: str) -> Problem:
        return Problem(name, line, "questions", message, fix)

    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        yield problem(
            1, "the page has no questions", f"write at least {FEWEST} that its readers would type, one a line"
        )
        return
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        yield problem(line, "this is not UTF-8", "save the file as UTF-8")
        return
    seen: dict[str, int] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        if line.casefold() in seen:
            yield problem(number, f"the question of line {seen[line.casefold()]} again", "delete one")
        if len(line) > LONGEST:
            yield problem(number, f"{len(line)} characters", "write one question, or one line of a message, a line")
        seen.setdefault(line.casefold(), number)
    if len(seen) < FEWEST:
        yield problem(1, f"{len(seen)} questions", f"write at least {FEWEST} that readers of the page would type")


def _check_synonyms(root: Path) -> Iterator[Problem]:
    path = root / SYNONYMS
    seen: dict[str, int] = {}
    if not path.is_file():
        yield Problem(SYNONYMS, 1, "synonyms", "the file is missing", "bring it back; it may be empty")
        return
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        names = [name.strip() for name in line.split(",")]
        if not all(names):
            yield Problem(SYNONYMS, number, "synonyms", "a comma without a name", "delete it, or write the name")
        elif len(names) < 2:
            yield Problem(
                SYNONYMS,
                number,
                "synonyms",
                f"'{names[0]}' stands alone",
                "write its other names behind it, with commas",
            )
        for name in filter(None, names):
            if not any(character.isalnum() for character in name):
                yield Problem(SYNONYMS, number, "synonyms", f"'{name}' has no letter", "write a word")
            elif (first := seen.setdefault(name.casefold(), number)) != number:
                fix = "join the two lines, or delete the name from one"
                yield Problem(SYNONYMS, number, "synonyms", f"'{name}' stands in line {first} too", fix)


def main(root: Path = ROOT) -> int:
    problems = sorted(check(root))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
