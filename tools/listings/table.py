"""The table in the job board's README: which pages explain a module."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tools import listings
from tools.listings.code import PROJECT
from tools.portable.problem import Problem

if TYPE_CHECKING:
    from tools.listings import Result

README = f"{PROJECT}/README.md"
START, END = "<!-- pages:start -->", "<!-- pages:end -->"
NONE_YET = "No page shows code of the job board yet."


def update(root: Path, result: Result, write: bool) -> None:
    """Compare the table with the listings that were found; with `write`, correct it."""
    path = root / README
    if not path.is_file():
        return
    text = path.read_bytes().decode("utf-8")
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        line = text.count("\n") if not start else before.count("\n") + 1
        message = "the marks of the generated table are not here"
        fix = f"write the two lines '{START}' and '{END}' where it belongs, then run: make listings"
        result.problems.append(Problem(README, line, "table", message, fix))
        return
    wanted = f"{before}{START}\n\n{rows(root, result)}\n\n{END}{after}"
    unreadable = any(problem.fix != listings.STALE for problem in result.problems)
    if wanted == text or unreadable:  # a listing that could not be read would be missing from the table
        return
    if not write:
        message = "the table of pages differs from their listings"
        result.problems.append(Problem(README, before.count("\n") + 1, "table", message, listings.STALE))
    else:
        listings.replace(path, wanted)
        result.written.append(README)


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
