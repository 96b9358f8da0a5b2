"""Every check of the pages, one after the other, and what they say as one list: `make check`.

A checker is a function of the root of the project and of some pages, or None for all, that returns problems. It keeps
its own module; only its name stands here. The tests of the pages are for `make test`; for one page, proof.py runs them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools import generated, listings, portable, prose, vocabulary
from tools.check import anatomy
from tools.measure.check import check as check_measured
from tools.measure.pages import Page as MeasuredPage
from tools.portable.problem import Problem
from tools.search import queries as search_queries
from tools.search.queries import QUERIES
from tools.search.report import stale

TO_WRITE = "still to write"
UNREADABLE = {"encoding", "control-character", "too-complex"}  # rules: no other check can look at such a page


@dataclass
class Report:
    """What was found: the number of pages, the sketches as 'path:line', and the problems of each checker."""

    pages: int = 0
    sketches: list[str] = field(default_factory=list)
    found: dict[str, list[Problem]] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """All problems by path and line, each once, also where two checkers report it."""
        told = {str(problem): problem for problems in self.found.values() for problem in problems}
        return sorted(told.values())

    @property
    def counts(self) -> Counter[str]:
        """{checker: problems that it was the first to report}; what is still to write is counted by itself."""
        first = {str(problem): name for name in reversed(self.found) for problem in self.found[name]}
        return Counter(TO_WRITE if problem.rule == "todo" else first[str(problem)] for problem in self.problems)


def _listings(root: Path, pages: list[Path] | None, report: Report) -> list[Problem]:
    result = listings.run(root, write=False, pages=pages)
    report.sketches = sorted(result.sketches)
    return result.problems


def _measured(root: Path, pages: list[Path] | None) -> list[Problem]:
    names = None if pages is None else [path.parent.relative_to(root / "docs").as_posix() for path in pages]
    return check_measured(root, None if names is None else [MeasuredPage(name, root) for name in names])


def _search(root: Path) -> list[Problem]:
    queries, problems = search_queries.read(root)
    return [*problems, *search_queries.lacking(queries), *stale(root), *vocabulary.check(root)]


def run(root: Path, pages: list[Path] | None = None, say: Callable[[str], None] = lambda name: None) -> Report:
    """Check pages (absolute paths), or all when None; `say` hears the name of each check before it begins.

    A page outside docs is only read for its Markdown and its words. No content of a page raises.
    """
    report, docs = Report(), root / "docs"
    inside = None if pages is None else [path for path in pages if path.is_relative_to(docs)]
    report.pages = len(list(docs.rglob("README.md"))) if pages is None else len(pages)
    checkers: dict[str, Callable[[], list[Problem]]] = {
        "Markdown": lambda: portable.check(root, pages),
        "anatomy": lambda: anatomy.check(root, inside),
        "listings": lambda: _listings(root, inside, report),
        "generated parts": lambda: generated.run(root, write=False).problems if inside != [] else [],
        "numbers": lambda: _measured(root, inside),
        "prose": lambda: prose.check(root, pages),
    }
    if pages is None and (root / QUERIES).is_file():  # a small project in a test has none
        checkers["search"] = lambda: _search(root)
    for name, check in checkers.items():
        say(name)
        report.found[name] = check()
        if any(problem.rule in UNREADABLE for problem in report.found[name]):
            break
    return report
