"""The table in the job board's README: which pages explain a module."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tools.listings.code import PROJECT
from tools.parts import STALE, replace, spliced
from tools.portable.problem import Problem

if TYPE_CHECKING:
    from tools.listings import Result

README = f"{PROJECT}/README.md"
PART = "pages"
START, END = f"<!-- {PART}:start -->", f"<!-- {PART}:end -->"
ROW = re.compile(r"^\| \[`([^`]+)`\]\(\1\) \| (.*) \|$", re.M)
NONE_YET = "No page shows code of the job board yet."


def update(root: Path, result: Result, write: bool) -> None:
    """Compare the table with the listings that were found; with `write`, correct it."""
    path = root / README
    if not path.is_file():
        return
    text = path.read_bytes().decode("utf-8")
    wanted, problems = spliced(text, README, {PART: rows(root, result)})
    result.problems += problems
    unreadable = any(problem.fix != STALE for problem in result.problems)
    if wanted == text or unreadable:  # a listing that could not be read would be missing from the table
        return
    if not write:
        line = text.partition(START)[0].count("\n") + 1
        result.problems.append(Problem(README, line, "table", "the table of pages differs from their listings", STALE))
    else:
        replace(path, wanted)
        result.written.append(README)


def check(root: Path, result: Result, pages: list[Path]) -> None:
    """Report a table that does not name some pages where their listings do; the rows of other pages are not looked at.

    A page whose listings could not be read is passed over.
    """
    path = root / README
    if not path.is_file() or any(problem.fix != STALE for problem in result.problems):
        return
    before, _, text = path.read_text("utf-8").partition(START)
    table = ROW.findall(text.partition(END)[0])
    for page in pages:
        named = {source.name for of, source in result.listings if of == page}
        shown = {name.removeprefix(f"{PROJECT}/") for name in named if name.startswith(f"{PROJECT}/")}
        if shown != {module for module, links in table if _link(root, page) in links.split(", ")}:
            message = f"the table of pages differs from the listings of {page.relative_to(root).as_posix()}"
            result.problems.append(Problem(README, before.count("\n") + 1, "table", message, STALE))


def rows(root: Path, result: Result) -> str:
    """The table, without an end of line; a sentence when no page shows the job board."""
    pages: dict[str, set[Path]] = {}
    for page, source in result.listings:
        if source.name.startswith(f"{PROJECT}/"):
            pages.setdefault(source.name.removeprefix(f"{PROJECT}/"), set()).add(page)
    if not pages:
        return NONE_YET
    lines = ["| module | pages that explain it |", "| --- | --- |"]
    for module in sorted(pages):
        links = sorted(_link(root, page) for page in pages[module])
        lines.append(f"| [`{module}`]({module}) | {', '.join(links)} |")
    return "\n".join(lines)


def _link(root: Path, page: Path) -> str:
    heading = re.search(r"^# +(.+?)\s*$", page.read_text("utf-8"), re.M)
    title = heading[1].replace("|", "&#124;") if heading else page.parent.name
    address = os.path.relpath(page, root / PROJECT).replace(os.sep, "/")
    return f"[{title}]({address})"
