"""Every number that was measured: the results of all pages in one list."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from tools.measure.pages import Page, measured
from tools.measure.report import FOOT, LABEL

NUMBERED = re.compile(r"  +")
SECTIONS = ("concepts", "challenges", "technologies", "best-practices", "start", "collaboration", "about")


def parts(root: Path) -> dict[str, str]:
    """Return the list of all tables, and the conditions that they share."""
    found = [(page, page.results.read_text("utf-8")) for page in measured(root) if page.results.exists()]
    conditions = {page.name: foot(text) for page, text in found}
    shared: dict[str, list[str]] = defaultdict(list)
    for name, lines in conditions.items():
        shared[f"{lines['machine']}; {lines['versions']}"].append(name)
    # The set-up of most pages is said once; the others are named with theirs.
    groups = sorted(shared.items(), key=lambda group: -len(group[1]))
    said = [f"- {len(names)} of {len(found)} pages: `{text}`" for text, names in groups]
    tables = sum(len(list(tables_of(text))) for _, text in found)
    numbers = sum(len(values) for _, text in found for _, columns in tables_of(text) for _, values in columns)
    head = f"**{numbers:,} numbers in {tables} tables on {len(found)} pages.** They were measured with:"
    lines = [head, "", *said]
    order = sorted(found, key=lambda pair: (SECTIONS.index(pair[0].name.split("/")[0]), pair[0].name))
    for section in dict.fromkeys(page.name.split("/")[0] for page, _ in order):
        lines += ["", f"## {section.replace('-', ' ').capitalize()}"]
        for page, text in order:
            if page.name.startswith(f"{section}/"):
                lines += ["", *_page(page, text, conditions[page.name])]
    return {"measurements": "\n".join(lines)}


def _page(page: Page, text: str, conditions: dict[str, str]) -> list[str]:
    link = f"../../{page.name}"
    lines = [
        f"### {title(page.folder)}",
        "",
        f"[The page]({link}/README.md) and its [results]({link}/results.txt), measured on {conditions['date']}.",
        "",
        "| What | Numbers, row by row |",
        "| --- | --- |",
    ]
    for name, columns in tables_of(text):
        numbers = "; ".join(f"{column} {' · '.join(values)}" for column, values in columns)
        lines.append(f"| {_plain(name)} | {_plain(numbers)} |")
    return lines


def _plain(text: str) -> str:
    """Return text for a cell of a table: what Markdown would read as a mark is written as a character."""
    return "".join(f"&#{ord(mark)};" if mark in "|<*`[\\" else mark for mark in text)


def title(folder: Path) -> str:
    """Return the heading of a page."""
    heading = re.search(r"^# +(.+?)\s*$", (folder / "README.md").read_text("utf-8"), re.M)
    return heading[1] if heading else folder.name


def foot(results: str) -> dict[str, str]:
    """Return what stands below the tables: data, machine, versions, date and so on, each on one line."""
    _, _, below = results.partition(FOOT)
    found: dict[str, str] = {}
    name = "data"
    for line in f"{'':{LABEL}}{below}".split("\n"):
        name = line[:LABEL].strip() or name
        found[name] = f"{found.get(name, '')} {line[LABEL:].strip()}".strip()
    return found


def tables_of(results: str) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Return (title, columns) of each table; a column is its name and its values; spreads and data are left out."""
    tables = []
    for block in results.partition(FOOT)[0].split("\n\n\n"):
        name, _, body = block.strip("\n").partition("\n\n")
        head, *rows = body.split("\n")
        names = NUMBERED.split(head.strip())
        cells = [NUMBERED.split(row.rstrip()) for row in rows]
        cells = [row[1:] for row in cells if len(row) == len(names) + 1 and row[0]]
        columns = [(column, [row[n] for row in cells if row[n] != "-"]) for n, column in enumerate(names)]
        kept = [(column, values) for column, values in columns if column != "data" and not column.startswith("spread")]
        tables.append((" ".join(name.split()), kept))
    return tables
