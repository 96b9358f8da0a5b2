"""Keep the code that pages show equal to the tested code it comes from.

A fence whose title names a file is a listing. `title="examples/jobboard/board/querysets.py::JobQuerySet.open"` is a
symbol of a Python file, with its decorators and the comment right above it; without `::` it is the whole file. A title
without a slash names a file of the page's own folder. `title="sketch"` is code that nothing verifies: it is counted.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from tools.listings import fences, table, tests_of_pages
from tools.listings.code import SKETCH, ListingError, Source, code, source
from tools.listings.fences import Fence
from tools.parts import STALE, replace
from tools.portable.page import Page
from tools.portable.problem import Problem


@dataclass
class Result:
    """What a run found: problems, sketches as 'path:line', listings as (page, source), and the files it wrote."""

    problems: list[Problem] = field(default_factory=list)
    sketches: list[str] = field(default_factory=list)
    listings: list[tuple[Path, Source]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


def run(root: Path, *, write: bool, pages: list[Path] | None = None) -> Result:
    """Compare every listing below docs, and the table of the job board, with the code; with `write`, correct them.

    pages are some below docs, absolute or relative to root; None means all. With some, the table is compared for them
    and never written. A page with any problem is left as it is. Without `write`, a page without its test is a problem.
    """
    root, result = root.resolve(), Result()
    paths = sorted((root / "docs").rglob("*.md")) if pages is None else [(root / page).resolve() for page in pages]
    for path in paths:
        _page(Page(root, path), root, result, write)
    if pages is None:
        table.update(root, result, write)
    elif not write:
        table.check(root, result, paths)
    if not write:
        for path in paths:
            result.problems += tests_of_pages.check(Page(root, path), root)
    result.problems.sort()
    return result


def is_listing(fence: Fence) -> bool:
    """Say whether this module answers for a fence; if not, a verifier does."""
    return fence.title is not None


def _page(page: Page, root: Path, result: Result, write: bool) -> None:
    found, problems = fences.read(page)
    lines, changed = (page.text or "").split("\n"), False
    for fence in reversed(found):  # from the end, so that the lines above keep their numbers
        if not is_listing(fence):
            continue
        if fence.title == SKETCH:
            result.sketches.append(f"{fence.page}:{fence.line}")
            continue
        try:
            named = source(fence.title, root, page.path.parent)
            wanted = _rendered(fence, lines[fence.line - 1], code(named, fence.kind))
        except ListingError as error:
            problems.append(fence.problem(0, error.message, error.fix))
            continue
        result.listings.append((page.path, named))
        if wanted != lines[fence.line - 1 : fence.end]:
            changed = True
            lines[fence.line - 1 : fence.end] = wanted
            if not write:
                what = f"{named.name}::{named.symbol}" if named.symbol else named.name
                problems.append(fence.problem(0, f"the listing of {what} differs from the file", STALE))
    result.problems += problems
    if write and changed and not problems:
        replace(page.path, "\n".join(lines))
        result.written.append(page.name)


def _rendered(fence: Fence, opening: str, text: str) -> list[str]:
    """The lines of the page from the fence's opening to its closing mark."""
    longest = max((len(ticks) for ticks in re.findall(re.escape(fence.mark[0]) + "{3,}", text)), default=2)
    mark = fence.mark[0] * max(len(fence.mark), longest + 1)
    first = opening.replace(fence.mark, mark, 1)
    return [first, *((fence.prefix + line).rstrip() for line in text.split("\n")[:-1]), fence.prefix + mark]
