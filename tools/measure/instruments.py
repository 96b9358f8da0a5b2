"""What a page measures with: a clock, a counter of queries, plans, sizes, and a way to undo a change."""

from __future__ import annotations

import contextlib
import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tools.measure import MeasureError
from tools.measure.plans import Plan, explain
from tools.measure.results import Bytes, Timing

RUNS = 5  # at least; one warm-up, then the median of these
SAVEPOINTS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
Variant = Callable[[], Any]


class Instruments:
    """They record nothing; every one works on Django's default connection, in this thread."""

    @contextlib.contextmanager
    def undone(self) -> Iterator[None]:
        """Undo at the end what happens in here, such as DROP INDEX: a transaction that is rolled back."""
        from django.db import transaction

        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    def sql(self, statement: str, params: Any = None) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, if it has any."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall() if cursor.description else []

    def size(self, relation: str) -> Bytes:
        """Return the size of a table or an index on the disk."""
        return Bytes(self.sql("SELECT pg_relation_size(%s::regclass)", [relation])[0][0])

    def queries(self, variant: Variant) -> tuple[int, Any]:
        """Return the number of statements that a call sends on this thread's connection, and what it returned.

        BEGIN, COMMIT and savepoints do not count: they depend on the transaction around the call.
        """
        from django.db import connection

        sent = 0

        def count(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
            nonlocal sent
            sent += not str(sql).lstrip().upper().startswith(SAVEPOINTS)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(count):
            returned = variant()
        return sent, returned

    def time(self, variant: Variant, runs: int = RUNS, undo: bool = False) -> Timing:
        """Return the seconds that a call takes: median and spread of the runs, after one warm-up.

        With undo, each run is rolled back; beginning and rolling back are not timed.
        """
        return self.times({"": variant}, runs, undo)[""]

    def times(self, variants: Mapping[str, Variant], runs: int = RUNS, undo: bool = False) -> dict[str, Timing]:
        """Time several calls in turns, forwards and backwards, so that a busy machine slows all of them alike."""
        _enough(runs)
        for variant in variants.values():
            self._once(variant, undo)
        return self.in_turns(variants, runs, undo)

    def in_turns(self, variants: Mapping[str, Variant], runs: int, undo: bool) -> dict[str, Timing]:
        """Time calls that have run once already. Raises MeasureError for too few runs."""
        _enough(runs)
        taken: dict[str, list[float]] = {name: [] for name in variants}
        for run in range(runs):
            for name in list(variants)[:: 1 if run % 2 == 0 else -1]:
                taken[name].append(self._once(variants[name], undo))
        return {name: timing_of(seconds) for name, seconds in taken.items()}

    def _once(self, variant: Variant, undo: bool) -> float:
        with self.undone() if undo else contextlib.nullcontext():
            gc.collect()
            gc.disable()  # a collection in the middle of a run would be another program's time
            try:
                began = time.perf_counter()
                variant()
                return time.perf_counter() - began
            finally:
                gc.enable()

    def explain(self, query: Any, params: Any = None) -> Plan:
        """Return the plan of a queryset or an SQL statement, with what it touched and how long it took."""
        from django.db import connection

        return explain(connection, query, params)


def timing_of(seconds: list[float]) -> Timing:
    """Return the median and the spread of runs."""
    return Timing(statistics.median(seconds), min(seconds), max(seconds), len(seconds))


def _enough(runs: int) -> None:
    if runs < RUNS:
        raise MeasureError(f"runs={runs}: a median needs at least {RUNS} runs")
