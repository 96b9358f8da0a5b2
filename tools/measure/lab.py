"""What measure(lab) of a page gets: datasets, instruments, and tables to record in."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tools.measure import MeasureError
from tools.measure.databases import Databases
from tools.measure.instruments import RUNS, Instruments, Variant, timing_of
from tools.measure.plans import Plan
from tools.measure.results import Row, Table

Counter = Callable[[Any], Mapping[str, int]]


class Lab(Instruments):
    """One page's measurement. `tables` is what it recorded, `facts` the datasets it used."""

    def __init__(self, databases: Databases, say: Callable[[str], None]) -> None:
        self.databases, self.say = databases, say
        self.tables: dict[str, Table] = {}
        self.facts: dict[str, str] = {}
        self.pictured: tuple[str, tuple[str, ...]] | None = None  # title of a table, what to draw of it
        self._data = "-"

    @contextlib.contextmanager
    def dataset(self, size: str) -> Iterator[None]:
        """Work on a fresh copy of dataset S or L; change what you like. DATABASE_URL names it for child processes."""
        with self.databases.copy(size) as facts:
            self.facts[size], self._data = facts, size
            try:
                yield
            finally:
                self._data = "-"

    @property
    def redis(self) -> Any:
        """A client of the cache's server."""
        import redis

        return redis.Redis.from_url(self.databases.services.redis_url)

    def compare(
        self,
        title: str,
        variants: Mapping[str, Variant],
        *,
        runs: int = RUNS,
        undo: bool = False,
        counts: Counter | None = None,
        picture: str | Sequence[str] = (),
    ) -> dict[str, Row]:
        """Record a table of variants: first their queries (in the warm-up), then their times, in turns.

        counts gets what a variant returned and gives more counts, such as {"rows": 188}. picture names what to draw:
        counts, or "time". Returns the rows by name, for assertions.
        """
        self.say(title)
        found: dict[str, dict[str, int]] = {}
        for name, variant in variants.items():
            with self.undone() if undo else contextlib.nullcontext():
                found[name] = self._counted(variant, counts)
        timings = self.in_turns(variants, runs, undo)
        if picture:
            self.picture(title, *([picture] if isinstance(picture, str) else picture))
        return {n: self.record(title, n, counts=found[n], timing=timings[n]) for n in variants}

    def plan(self, title: str, what: str, query: Any, params: Any = None, *, runs: int = RUNS) -> Plan:
        """Record a row with the buffers, time and nodes of a plan; the times are the server's."""
        self.say(f"{title}: {what}")
        self.explain(query, params)  # the warm-up
        found = [self.explain(query, params) for _ in range(max(runs, RUNS))]
        last = found[-1]
        timing = timing_of([plan.seconds for plan in found])
        self.record(title, what, counts={"buffers": last.buffers}, timing=timing, note=f"plan: {', '.join(last.nodes)}")
        return last

    def curve(
        self,
        title: str,
        x_label: str,
        points: Sequence[float],
        variants: Mapping[str, Callable[[Any], Any]],
        *,
        runs: int = RUNS,
        counts: Counter | None = None,
        picture: str | Sequence[str] = (),
    ) -> None:
        """Record a table of variants at several points, such as {"OFFSET": page_at} at 0, 10,000 and 900,000 rows."""
        for x in points:
            self.say(f"{title}: {x:,} {x_label}")
            calls = {name: lambda variant=variant, x=x: variant(x) for name, variant in variants.items()}
            found = {name: self._counted(call, counts) for name, call in calls.items()}
            for name, timing in self.in_turns(calls, runs, False).items():
                row = {"counts": found[name], "timing": timing, "line": name, "x": x}
                self.record(title, f"{name}, {x:,} {x_label}", **row)
        self.tables[title].x_label = x_label
        if picture:
            self.picture(title, *([picture] if isinstance(picture, str) else picture))

    def record(self, title: str, what: str, **measured: Any) -> Row:
        """Record a row in the table of this title: counts={"lost": 625}, timing=lab.time(…), note="…"."""
        for name, count in measured.get("counts", {}).items():
            if not isinstance(count, int | float) or not 0 <= count < math.inf:
                raise MeasureError(f"'{title}', {what}: {name} is {count!r}; a count is a number from 0 up")
        row = Row(what=what, data=self._data, **measured)
        self.tables.setdefault(title, Table(title)).rows.append(row)
        return row

    def picture(self, title: str, *what: str) -> None:
        """Draw this table: counts, or "time". Without a call: of the first table, the first count and the times."""
        if self.pictured:
            raise MeasureError(f"a page has one picture, and '{self.pictured[0]}' is drawn already")
        self.pictured = (title, what)

    def _counted(self, variant: Variant, counts: Counter | None) -> dict[str, int]:
        sent, returned = self.queries(variant)
        return {"queries": sent} | dict(counts(returned) if counts else {})
