"""The words of readers: `questions.txt` beside each page and docs/synonyms.txt. Search knows them, no page shows them.

tools/check/folder.py looks at the questions with the rest of a page's folder; the synonyms are checked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tools.portable.problem import Problem

QUESTIONS = "questions.txt"
SYNONYMS = "docs/synonyms.txt"


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


def _alike(name: str) -> str:
    """The name as search compares names: without case, marks between words, and plurals in s."""
    words = re.findall(r"[^\W_]+", name.casefold())
    return " ".join(word if len(word) < 4 else re.sub(r"(ss|us|is)$|s$", r"\1", word) for word in words)


def check(root: Path) -> Iterator[Problem]:
    """Yield what is wrong with the synonyms."""
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
            elif (first := seen.setdefault(_alike(name), number)) != number:
                fix = "join the two lines, or delete the name from one"
                yield Problem(SYNONYMS, number, "synonyms", f"'{name}' stands in line {first} too", fix)
