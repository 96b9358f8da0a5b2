"""The tables of a page -> its results.svg."""

from __future__ import annotations

from tools import plot
from tools.measure import MeasureError
from tools.measure.results import Bytes, Row, Table, count_text, span_text, time_text


def draw(tables: list[Table], wanted: tuple[str, tuple[str, ...]] | None) -> str:
    """Return the SVG of the wanted table and quantities; by default the first table's. Raises MeasureError."""
    title, names = wanted or (tables[0].title, ())
    table = next((table for table in tables if table.title == title), None)
    if table is None:
        raise MeasureError(f"there is no table '{title}' to draw; there are: {', '.join(t.title for t in tables)}")
    drawn = names or _default(table)
    if unknown := set(drawn) - {"time", *table.count_names()}:
        raise MeasureError(f"'{title}' has no {', '.join(sorted(unknown))} to draw")
    try:
        if table.x_label:
            return _lines(table, names[0] if names else drawn[-1])
        return plot.bars(table.title, [_panel(table, name) for name in drawn], _description(table))
    except plot.PlotError as error:
        raise MeasureError(f"'{title}' cannot be drawn: {error}") from None


def _default(table: Table) -> tuple[str, ...]:
    """The first count that tells the rows apart, then the times."""
    differing = [n for n in table.count_names() if len({row.counts.get(n) for row in table.rows}) > 1]
    timed = ["time"] if any(row.timing for row in table.rows) else []
    return tuple(differing[:1] + timed) or tuple(table.count_names()[:1])


def _panel(table: Table, name: str) -> plot.Panel:
    if name != "time":
        found = [(row, row.counts[name]) for row in table.rows if name in row.counts]
        return plot.Panel(name.capitalize(), [plot.Bar(row.what, n, count_text(n, name)) for row, n in found])
    timed = [(row.what, row.timing) for row in table.rows if row.timing]
    drawn = [plot.Bar(what, t.median * 1e3, time_text(t.median), (t.low * 1e3, t.high * 1e3)) for what, t in timed]
    runs = min((timing.runs for _, timing in timed), default=0)
    return plot.Panel(f"Time: median and spread of {runs} runs", drawn)


def _lines(table: Table, name: str) -> str:
    def value(row: Row) -> float:
        return row.timing.median * 1e3 if name == "time" and row.timing else row.counts[name]

    def text(row: Row) -> str:
        return time_text(row.timing.median) if name == "time" and row.timing else f"{row.counts[name]:,}"

    series = []
    for label in dict.fromkeys(row.line for row in table.rows):
        rows = [row for row in table.rows if row.line == label]
        series.append(plot.Line(label, [(row.x, value(row)) for row in rows], text(rows[-1])))
    quantity = "Time, ms: median" if name == "time" else name.capitalize()
    return plot.lines(table.title, table.x_label, quantity, series, _description(table))


def _description(table: Table) -> str:
    """Say in words all that the picture shows."""
    said = []
    for row in table.rows:
        numbers = [str(n) if isinstance(n, Bytes) else count_text(n, name) for name, n in row.counts.items()]
        numbers += [f"{time_text(row.timing.median)} ({span_text(row.timing)})"] if row.timing else []
        said.append(f"{row.what}: {', '.join(numbers)}.")
    return " ".join(said)
