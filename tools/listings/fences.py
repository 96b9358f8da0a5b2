"""The code fences of a page, read with GitHub's own parser."""

import re
from dataclasses import dataclass

from tools.portable.page import Page
from tools.portable.problem import Problem

OPENING = re.compile(r"(`{3,}|~{3,})[ \t]*([^\n]*)$")
PRE = re.compile(r"[ >]*<pre\b", re.I)
TITLE = re.compile(r'(?:^|\s)title="([^"]*)"')


@dataclass(frozen=True)
class Fence:
    """One fence. `line` and `end` are the lines of its marks, 1-based; `prefix` stands before each line of its code."""

    page: str
    line: int
    end: int
    prefix: str
    mark: str
    info: str
    code: str

    @property
    def kind(self) -> str:
        return self.info.split(maxsplit=1)[0] if self.info else ""

    @property
    def title(self) -> str | None:
        found = TITLE.search(self.info)
        return found[1] if found else None

    def problem(self, line: int, message: str, fix: str) -> Problem:
        """A problem at a line of the code, 1-based; 0 is the fence itself."""
        message = " ".join(message.split()).removesuffix(".")
        return Problem(self.page, self.line + line, self.kind or "fence", message, fix)


def read(page: Page) -> tuple[list[Fence], list[Problem]]:
    """Return the fences of a page, and what is none: an unreadable page, an open fence, an indented block, <pre>."""
    if page.text is None or page.problems:
        return [], list(page.problems)
    fences, problems = [], []
    for block in page.code_blocks:
        lines = page.lines[block.line - 1 : block.end]
        # columns of the parser count bytes
        before = lines[0].encode()[: block.column - 1].decode(errors="replace")
        opening = OPENING.match(lines[0][len(before) :])
        if not opening:
            message = "an indented code block does not say what it is"
            problems.append(Problem(page.name, block.line, "fence", message, "write it between ``` marks"))
            continue
        # A quote's '>' stands before every line, the mark of a list item before its first one only.
        prefix = re.sub(r"[^>\s]", " ", before)
        mark = opening[1]
        last = lines[-1].strip(" >\t")
        if len(lines) < 2 or not last.startswith(mark) or last.strip(mark[0]):
            problems.append(Problem(page.name, block.line, "fence", "the fence is never closed", f"write {mark} below"))
            continue
        code = "".join(_without(prefix, line) + "\n" for line in lines[1:-1])
        fences.append(Fence(page.name, block.line, block.line + len(lines) - 1, prefix, mark, opening[2].strip(), code))
    code_lines = {line for block in page.code_blocks for line in range(block.line, block.end + 1)}
    for number, line in enumerate(page.lines, 1):
        if number not in code_lines and PRE.match(line):
            message = "code in <pre> does not say what it is"
            problems.append(Problem(page.name, number, "fence", message, "write it between ``` marks"))
    return fences, problems


def _without(prefix: str, line: str) -> str:
    """The line without as much of the prefix as it has; an empty line of a list has none of it."""
    count = 0
    while count < min(len(prefix), len(line)) and line[count] == prefix[count]:
        count += 1
    return line[count:]
