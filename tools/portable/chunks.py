"""The parts of an outline: runs of text that are comparable, blocks with their places, headings."""

import re
from dataclasses import dataclass, field

BREAK = "\u23ce"  # stands for <br>
Runs = list[tuple[frozenset[str], str]]  # inline marks and the text that has them


@dataclass(frozen=True)
class Chunk:
    """A run of text with nothing but inline marks in it; `path` names the containers around it."""

    path: tuple[str, ...]
    text: str
    line: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True)
class Block:
    """A block of the GitHub rendering with its place in the source; `parent` is the container around it."""

    tag: str
    line: int
    column: int
    end: int
    path: tuple[str, ...]
    parent: "Block | None"


@dataclass
class Heading:
    text: str
    line: int
    id: str | None


def without(runs: Runs, count: int) -> Runs:
    """Drop the first `count` characters of the runs."""
    left = []
    for marks, text in runs:
        left.append((marks, text[count:]))
        count = max(0, count - len(text))
    return left


def flat(runs: Runs) -> str:
    """One line of text; a change of the marks is written as {marks}, whatever the order of nesting was."""
    out, last = [], frozenset()
    for marks, text in runs:
        if text and marks != last:
            out.append("{" + " ".join(sorted(marks)) + "}")
            last = marks
        out.append(text)
    text = re.sub(rf"\s*{BREAK}\s*", BREAK, " ".join("".join(out).split()))
    return text.strip(" ").removesuffix("{}").strip(" ")
