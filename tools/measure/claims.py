"""Numbers in the prose of a page that nobody measured.

The rule. A claim is a number followed by a unit that looks measured:

- a time in ns, µs, ms or s, or a size in kB, MB, GB, KiB, MiB or GiB: it must stand, digit for digit, in results.txt;
- a number of queries, statements or buffers, or of what a column of results.txt counts: it must stand in results.txt or
  be a number in the page's test_*.py.

`201 → 2 queries`, `201 queries → 2` and `3.5 to 4.1 ms` are two claims each; 12 731, 12,731 and 12731 are one number.
A claim also holds if it is in GIVEN of measure.py, or in the results of a page that the same paragraph, list item or
table row links to. A page that has neither measure.py nor test_*.py, such as the list of a section, is held only to the
results of the pages it links to. The words of a diagram are prose. Not prose, and never looked at: front matter, code
in fences and backticks, addresses, comments. Not claims: rows and jobs (a dataset's size), words ("ten queries"),
ratios, percentages, minutes and hours.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache, reduce
from operator import or_
from pathlib import Path

from tools.measure import report
from tools.measure.pages import Page, declaration
from tools.portable.source import MAX_PAGE

NUMBER = r"(?<![\w.,$#§/-])\d{1,3}(?:[ ,\u00a0\u202f]\d{3})+(?![\d.]*\d)(?:\.\d+)?|(?<![\w.,$#§/-])\d+(?:\.\d+)?"
ARROW = r"\s*(?:→|–|to)\s*"
UNITS = ("ns", "µs", "μs", "us", "ms", "s", "kB", "KB", "MB", "GB", "KiB", "MiB", "GiB")
COUNTS = ("queries", "statements", "buffers")
NOT_PROSE = re.compile(
    r"\A---\n.*?\n---\n|^[ >]*(`{3,}|~{3,}).*?^[ >]*\1[`~]*[ ]*$|<!--.*?(?:-->|\Z)|(`+)(?!`).*?(?<!`)\2(?!`)|"
    r"(?<=\]\()[^()\s]*|<[^<>\s][^<>]*>|https?://\S+",
    re.S | re.M,
)
BLOCK = re.compile(r"\n\s*\n|\n(?=[ >]*(?:[-*+]|\d+\.) )|\n(?=[ >]*\|)|\n(?=#)")
LINK = re.compile(r"\]\(([^()\s#\x00]{1,200})(?=[)\s#])")


@dataclass
class Facts:
    """What a page may say: measured (number, unit), plain numbers, and the nouns that its results count."""

    measured: set[tuple[Decimal, str]] = field(default_factory=set)
    numbers: set[Decimal] = field(default_factory=set)
    counts: set[str] = field(default_factory=set)

    def __or__(self, other: Facts) -> Facts:
        return Facts(self.measured | other.measured, self.numbers | other.numbers, self.counts | other.counts)

    def hold(self, value: Decimal, unit: str) -> bool:
        return (value, unit) in self.measured or (unit not in UNITS and value in self.numbers)


def facts_of(folder: Path) -> Facts:
    """Return what the results and the tests of a page folder say."""
    files = sorted(path for path in (folder / "results.txt", *folder.glob("test_*.py")) if path.exists())
    stats = [(path.name, path.stat()) for path in files]
    return _facts_of(folder, tuple((name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in stats))


@lru_cache(maxsize=1024)
def _facts_of(folder: Path, _unchanged: tuple) -> Facts:
    """The same, kept until one of the files changes: many pages link to a few."""
    found = Facts()
    results = folder / "results.txt"
    if results.exists():
        table, _, foot = results.read_text("utf-8").partition(report.FOOT)
        table += foot.partition("\nmachine ")[0]
        found.measured = {(value, unit) for value, unit, _ in claims(table, set(UNITS))}
        found.numbers = {_decimal(number) for number in re.findall(NUMBER, table)}
        for head in re.findall(r"^ +data  +(.*)$", table, re.M):
            found.counts |= {name.strip() for name in re.split(r"  +", head.partition("median")[0]) if name.strip()}
    for test in folder.glob("test_*.py"):
        nodes = ast.walk(ast.parse(test.read_text("utf-8")))
        constants = [node.value for node in nodes if isinstance(node, ast.Constant)]
        found.numbers |= {Decimal(str(value)) for value in constants if type(value) in (int, float)}
    return found


def check(root: Path, path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, claim) for each claim of a README.md that nothing carries. Raises MeasureError, SyntaxError."""
    source = path.read_text("utf-8")
    if len(source) > MAX_PAGE:
        return  # tools.portable refuses it
    text = NOT_PROSE.sub(_blank, source)
    page = Page(path.parent.relative_to(root / "docs").as_posix(), root)
    own = page.script.exists() or any(page.folder.glob("test_*.py"))
    facts = facts_of(page.folder) if own else Facts()
    given = " ; ".join(declaration(page, "GIVEN")) if page.script.exists() else ""
    start = 0
    for end in [*(match.start() for match in BLOCK.finditer(text)), len(text)]:
        linked = [facts_of(folder) for folder in _linked(path, source[start:end])]
        allowed = reduce(or_, linked, facts)
        units = {*UNITS, *COUNTS, *allowed.counts}
        exempt = {(value, unit) for value, unit, _ in claims(given, units)}
        for value, unit, offset in claims(text[start:end], units) if own or linked else ():
            if not allowed.hold(value, unit) and (value, unit) not in exempt:
                yield 1 + text.count("\n", 0, start + offset), f"{value:f} {unit}"
        start = end


def _linked(path: Path, text: str) -> list[Path]:
    """Return the folders of other pages with results that a piece of Markdown links to."""
    targets = [(path.parent / target).resolve() for target in LINK.findall(text)]
    folders = {target.parent if target.suffix else target for target in targets} - {path.parent.resolve()}
    return sorted(folder for folder in folders if (folder / "results.txt").exists())


def claims(text: str, units: set[str]) -> Iterator[tuple[Decimal, str, int]]:
    """Yield (value, unit, offset) of every claim; a unit that counts comes in the plural."""
    plural = {form: unit for unit in units for form in (unit, _singular(unit))}
    names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(plural, key=len, reverse=True))
    pattern = (
        rf"((?:{NUMBER})(?:{ARROW}(?:{NUMBER}))*)(?:[ \u00a0\u202f]|\n[ >]*)({names})\b(?:\s*→\s*({NUMBER})(?!\s*\w))?"
    )
    for found in re.finditer(pattern, text):
        name = " ".join(found[2].split())
        unit = "µs" if name in ("us", "μs") else plural[name]
        for group in (1, 3):
            for number in re.finditer(NUMBER, found[group] or ""):
                yield _decimal(number[0]), unit, found.start(group) + number.start()


def _singular(name: str) -> str:
    if name in UNITS:
        return name
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


def _decimal(number: str) -> Decimal:
    return Decimal(re.sub(r"[ ,\u00a0\u202f]", "", number))


def _blank(found: re.Match[str]) -> str:
    """Keep the lines, so that the place of what follows stays the same; and all of a diagram, whose words are read."""
    if found[1] and found[0].lstrip("`~ >").startswith("mermaid"):
        return found[0]
    return re.sub(r"[^\n]", "\0", found[0])
