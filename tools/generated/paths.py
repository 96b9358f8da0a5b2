"""Reading paths, with the minutes that their pages take: a table for each, from the pages themselves."""

from __future__ import annotations

import re
from pathlib import Path

from tools.generated.measurements import title

TIME = re.compile(r"\*\*Time:\*\* (\d+) minutes")
# In the order of reading. A test fails for a page that does not exist, or says no time.
PATHS = {
    "learner": [
        "start/job-board",
        "start/run-the-lab",
        "concepts/relational-modelling",
        "concepts/relationships",
        "concepts/constraints",
        "technologies/django-orm",
        "challenges/n-plus-one",
        "concepts/indexing",
        "concepts/transactions-and-locks",
        "technologies/rest-api-design",
        "technologies/drf-endpoints",
        "concepts/background-jobs",
        "concepts/caching-fundamentals",
        "best-practices/testing-strategy",
    ],
    "frontend": [
        "start/job-board",
        "collaboration/frontend-handoff",
        "technologies/graphql-in-django",
        "challenges/slow-job-list",
        "collaboration/week-one-discord",
    ],
    "hiring": [
        "challenges/n-plus-one",
        "concepts/transactions-and-locks",
        "concepts/reliable-tasks",
        "challenges/migration-locked-table",
        "best-practices/testing-strategy",
    ],
}


def parts(root: Path) -> dict[str, str]:
    """Return a table for each path: its pages in order, and the minutes so far."""
    return {name: _table(root, pages) for name, pages in PATHS.items()}


def _table(root: Path, pages: list[str]) -> str:
    lines, total = ["| | Page | Minutes | So far |", "| --- | --- | --- | --- |"], 0
    for number, name in enumerate(pages, 1):
        folder = root / "docs" / name
        minutes = minutes_of(folder)
        total += minutes
        lines.append(f"| {number} | [{title(folder)}](../../{name}/README.md) | {minutes} | {total} |")
    return "\n".join(lines)


def minutes_of(folder: Path) -> int:
    """Return the reading time that a page states. Raises ValueError for a page without one."""
    found = TIME.search((folder / "README.md").read_text("utf-8"))
    if not found:
        raise ValueError(f"{folder}/README.md: it states no time; write '**Time:** 8 minutes.' below its first box")
    return int(found[1])
