"""How long ago each page was verified, from its results; nothing here depends on the day on which it is made.

A page is measured (results.txt has the day and the versions), or its code is tested with every change, or a part of it
is made from data on every check, or nobody but its readers verifies it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from tools.generated import versions
from tools.generated.measurements import foot, title
from tools.measure.pages import Page

HERE = "docs/reference/freshness"
PAIR = re.compile(r"(\S+) (\d[\w.]*)")  # 'Django 5.2.19'
LEAST = " and newer"


def parts(root: Path) -> dict[str, str]:
    """Return the pages as Markdown, by how they are verified; measured ones with the oldest first."""
    from tools.generated import PAGES  # this module is in that list

    measured, tested, made, read = [], [], [], []
    listed = versions.load(root)["component"]
    for page in pages(root):
        link = f"[{title(page.folder).partition(':')[0]}]({_link(page)})"
        if page.results.exists():
            conditions = foot(page.results.read_text("utf-8"))
            measured.append((conditions["date"], page.name, link, ", ".join(outdated(conditions["versions"], listed))))
        elif list(page.folder.glob("test_*.py")):
            tested.append(f"- {link}")
        elif f"docs/{page.name}/README.md" in PAGES:
            made.append(f"- {link}")
        else:
            read.append(f"- {link}")
    old = sum(1 for *_, behind in measured if behind)
    head = f"**{len(measured)} pages** have measurements, {old} of them on a version that is no longer listed."
    rows = [f"| {_short(day)} | {link} | {behind or 'none'} |" for day, _, link, behind in sorted(measured)]
    table = ["| Measured on | Page | Versions that are no longer listed |", "| --- | --- | --- |", *rows]
    return {
        "measured": "\n".join([head, "", *table]),
        "tested": "\n".join(tested),
        "made": "\n".join(made),
        "read": "\n".join(read),
    }


def pages(root: Path) -> Iterator[Page]:
    """Yield every page but the home page, in the order of their folders."""
    for path in sorted((root / "docs").glob("*/**/README.md")):
        yield Page(path.parent.relative_to(root / "docs").as_posix(), root)


def _short(day: str) -> str:
    """Return '23 Nov 2026' for 2026-11-23, with spaces at which no line breaks."""
    when = date.fromisoformat(day)
    return f"{when.day} {when:%b %Y}".replace(" ", "\N{NO-BREAK SPACE}")


def _link(page: Page) -> str:
    return "README.md" if f"docs/{page.name}" == HERE else f"../../{page.name}/README.md"


def outdated(measured_on: str, listed: list[dict[str, Any]]) -> Iterator[str]:
    """Yield 'Django 5.2.18' for each version of a results' line that reference/versions no longer lists.

    What the list does not hold at all, such as a library below another one, is not judged.
    """
    for name, version in PAIR.findall(measured_on):
        known = [entry["runs"] for entry in listed if name.lower() in (entry.get("lock"), entry["name"].lower())]
        if known and not any(_covers(runs, version) for runs in known):
            yield f"{name} {version}"


def _covers(runs: str, version: str) -> bool:
    if runs.endswith(LEAST):
        return _numbers(version) >= _numbers(runs.removesuffix(LEAST))
    return f"{version}.".startswith(f"{runs}.")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
