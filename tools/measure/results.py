"""What was measured: rows in tables, and how they are printed in 80 columns."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, field
from typing import Any

from tools.measure import MeasureError

COLUMNS = 80
NARROWEST = 18  # columns that a row's name needs at least


class Bytes(int):
    """A size; printed as PostgreSQL's \\di+ does, in powers of 1024, but with units that say so."""

    def __str__(self) -> str:
        for power, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
            if self >= power:
                return f"{digits(self / power)} {unit}"
        return f"{int(self)} bytes"


@dataclass(frozen=True)
class Timing:
    """Seconds: the median of the runs, the fastest and the slowest."""

    median: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True)
class Row:
    """One thing that was measured. A row of a curve also has the name of its line and its place on the axis."""

    what: str
    data: str = "-"
    counts: dict[str, int] = field(default_factory=dict)
    timing: Timing | None = None
    note: str = ""
    line: str = ""
    x: float = 0


@dataclass
class Table:
    """Rows that belong together; `x_label` is set for curves."""

    title: str
    rows: list[Row] = field(default_factory=list)
    x_label: str = ""

    def count_names(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row.counts))

    def text(self) -> str:
        """Return the table; counts first, then times. Raises MeasureError if it does not fit 80 columns."""
        names = self.count_names()
        timed = [row.timing for row in self.rows if row.timing]
        runs = {timing.runs for timing in timed}
        head = ["data", *names]
        if timed:
            head += ["median", f"spread of {runs.pop()} runs" if len(runs) == 1 else "spread"]
        cells = [head] + [[row.data, *(_count(row.counts.get(name)) for name in names)] for row in self.rows]
        if timed:
            for row, out in zip(self.rows, cells[1:], strict=True):
                out += [time_text(row.timing.median), span_text(row.timing)] if row.timing else ["-", "-"]
        widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
        numbers = ["".join(f"  {cell:>{w}}" for cell, w in zip(row, widths, strict=True)) for row in cells]
        room = COLUMNS - len(numbers[0])
        if room < NARROWEST:
            raise MeasureError(
                f"the table '{self.title}' is wider than {COLUMNS} columns; give it fewer or shorter counts"
            )
        width = min(room, max(len(row.what) for row in self.rows))
        lines = [*textwrap.wrap(self.title, COLUMNS), "", f"{'':{width}}{numbers[0]}"]
        for row, shown in zip(self.rows, numbers[1:], strict=True):
            first, *rest = textwrap.wrap(row.what, width)
            lines += [f"{first:{width}}{shown}", *rest]
            if row.note:
                lines += textwrap.wrap(row.note, COLUMNS, initial_indent="  ", subsequent_indent="    ")
        return "\n".join(lines)


def time_text(seconds: float) -> str:
    """Return a time with three digits, in ms as far as that is readable: 0.013 ms, 3.60 ms, 4,342 ms, 21.3 s.

    Never more than three decimals of a millisecond: PostgreSQL gives no more.
    """
    if seconds >= 10:
        return f"{digits(seconds)} s"
    if seconds < 1e-5:
        return f"{digits(seconds * 1e6)} µs"
    return f"{seconds * 1e3:.3f} ms" if seconds < 1e-3 else f"{digits(seconds * 1e3)} ms"


def span_text(timing: Timing) -> str:
    """Return the fastest and the slowest run, with one unit if they share it: 3.50 to 4.10 ms."""
    (low, unit), (high, other) = (time_text(value).split() for value in (timing.low, timing.high))
    return f"{low} to {high} {unit}" if unit == other else f"{low} {unit} to {high} {other}"


def digits(value: float) -> str:
    """Return a number with three significant digits, all of them before the point if it is large."""
    places = 2 - math.floor(math.log10(abs(value))) if value else 0
    places = 2 - math.floor(math.log10(abs(round(value, places)))) if round(value, places) else 0
    return f"{value:,.{max(0, places)}f}"


def count_text(value: int, name: str) -> str:
    """Return a count with its noun: 201 queries, 1 query; a size needs none."""
    if isinstance(value, Bytes):
        return str(value)
    one = f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
    return f"{value:,} {one if value == 1 else name}"


def _count(value: Any) -> str:
    return "-" if value is None else str(value) if isinstance(value, Bytes) else f"{value:,}"
