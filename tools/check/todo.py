"""What is still to be written: `TODO: …` on a page, in its questions or in its code.

The words behind the mark say what belongs there. They are shown on GitHub and in the preview as they stand, so nobody
takes them for the text; and while one is left, the check fails.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.listings import fences
from tools.portable.page import Page
from tools.portable.problem import Problem

MARK = "TODO:"
BEFORE = re.compile(r"""[\s>#*"-]*""")
DRESS = re.compile(r"\[([^\]]*)\]\([^)]*\)|</?\w+>|[|].*")  # links, tags, and the cells of a table that follow


def lines(page: Page) -> set[int]:
    """The lines of a page on which something is still to be written. Code in backticks and in listings is none."""
    drawn = {n for fence in fences.read(page)[0] if fence.kind == "mermaid" for n in range(fence.line, fence.end)}
    return {
        number
        for number, (line, prose) in enumerate(zip(page.lines, page.prose, strict=False), 1)
        if MARK in prose or (number in drawn and MARK in line)
    }


def on_page(page: Page) -> Iterator[Problem]:
    """Yield what is still to be written on a page."""
    for number in lines(page):
        yield _problem(page.name, number, page.lines[number - 1])


def in_file(path: Path, name: str) -> Iterator[Problem]:
    """Yield what is still to be written in a text or a Python file; nothing for one that is not UTF-8."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return
    for number, line in enumerate(text.split("\n"), 1):
        if re.search(rf"\b{MARK}", line):
            yield _problem(name, number, line)


def _problem(name: str, number: int, line: str) -> Problem:
    before, _, wanted = line.partition(MARK)
    wanted = DRESS.sub(r"\1", wanted).strip(' "')
    whole = BEFORE.fullmatch(before)
    fix = "replace this line" if whole else f"replace the words from {MARK} on"
    return Problem(name, number, "todo", f"still to write: {wanted.rstrip('.') or 'what stands here'}", fix)
