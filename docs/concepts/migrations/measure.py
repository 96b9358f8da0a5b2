"""What an operation builds and for how long, which code survives it, and three ways to fill a column."""

import contextlib
import time

from django.apps import apps
from django.db import connection
from django.db.migrations.state import ProjectState
from test_migrations import (
    CHANGES,
    DropDescription,
    ForgetDescription,
    built,
    fill_at_once,
    fill_from_row_1,
    fill_remote,
    migrate,
    ready,
    survivors,
    who_waits,
)

from tools.measure.instruments import RUNS, timing_of

MEASURES = [
    "docs/concepts/migrations/test_migrations.py::CHANGES",
    "docs/concepts/migrations/test_migrations.py::fill_remote",
    "docs/concepts/migrations/test_migrations.py::fill_from_row_1",
    "examples/jobboard/board/models.py::Job",
]
GIVEN = {}
COST = "Operations on 1,000,000 jobs: 1 means that they wait; files built, of 6"
CODE = "Old code after it, new code before it: 1 means that a query fails"
FILL = "Fill a new column of 100,000 jobs, at once or 1,000 at a time"
LOCKED = "The longest UPDATE of these: so long other writers may wait"
COSTLY = ["add null=True", "add default=uuid4", "add Now()", "add RandomUUID()", "rename", "remove"]
COSTLY += ["longer description", "longer title", "add an index", "null=False"]
TOLD = ["add null=True", "add default=False", "add db_default=False", "null=False", "rename", "remove"]
BATCH = 1000
FROM_ROW_1, AFTER_LAST = "batches, from row 1", "batches, by key"


def measure(lab):
    with lab.dataset("L"):
        lab.sql("SET statement_timeout = 0")
        lab.sql("UPDATE board_job SET salary_min = 0 WHERE salary_min IS NULL")
        lab.sql("VACUUM ANALYZE board_job")
        for name in COSTLY:
            cost(lab, name, name)
        lab.sql("ALTER TABLE board_job ADD CONSTRAINT filled CHECK (salary_min IS NOT NULL)")
        cost(lab, "null=False, proven", "null=False")
    with lab.dataset("S"):
        for name in TOLD:
            with lab.undone():
                settle(lab, name)
                lab.record(CODE, name, counts=survivors([CHANGES[name]]))
        with lab.undone():
            settle(lab)
            first = ForgetDescription.operations
            lab.record(CODE, "release 1: forget it", counts=survivors(first))
            state = ProjectState.from_apps(apps)
            for operation in first:
                operation.state_forwards("board", state)
            lab.record(CODE, "release 2: drop it", counts=survivors(DropDescription.operations, state))
    with lab.dataset("L"):
        lab.sql("SET statement_timeout = 0")
        filling(lab)
    lab.picture(COST, "time")


def settle(lab, name=""):
    ready(name)
    lab.sql("SET CONSTRAINTS ALL IMMEDIATE")


def cost(lab, what, name):
    taken = []
    for _ in range(RUNS + 1):
        lab.say(f"{COST}: {what}")
        with lab.undone(), clock(of=("ALTER", "CREATE")) as spent:
            files = built([CHANGES[name]])
            taken.append(sum(seconds for _, seconds in spent))
            waits = who_waits()
    timing = timing_of(taken[1:]) if any(taken) else None
    lab.record(COST, what, counts=waits | {"built": files}, timing=timing)


def filling(lab):
    """Fill a table of 100,000 jobs; each way is undone, and its dead rows are swept."""
    lab.sql("CREATE TABLE kept AS SELECT * FROM board_job ORDER BY id LIMIT 100000")
    lab.sql("TRUNCATE board_job CASCADE")
    lab.sql("INSERT INTO board_job SELECT * FROM kept")
    after = migrate([CHANGES["add null=True"]])
    lab.sql("ALTER TABLE board_job SET (autovacuum_enabled = false)")
    ways = {
        "one UPDATE": lambda: fill_at_once(after.apps, None),
        FROM_ROW_1: lambda: fill_from_row_1(after.apps, None, BATCH),
        AFTER_LAST: lambda: fill_remote(after.apps, None, BATCH),
    }
    found = {name: [] for name in ways}
    for turn in range(RUNS + 1):
        for name, way in ways.items():
            lab.say(f"{FILL}: {name}, {turn} of {RUNS}")
            lab.sql("VACUUM ANALYZE board_job")
            with lab.undone():
                with clock(of=("SELECT", "UPDATE")) as spent:
                    began = time.perf_counter()
                    way()
                    total = time.perf_counter() - began
                found[name].append((total, spent))
                assert lab.sql("SELECT count(*) FROM board_job WHERE remote IS NULL") == [(0,)]
    looked = looked_for(lab, after)
    for name, runs in found.items():
        counts = {"statements": len(runs[-1][1])} | ({"last look-up": looked[name]} if name in looked else {})
        lab.record(FILL, name, counts=counts, timing=timing_of([total for total, _ in runs[1:]]))
        lab.record(LOCKED, name, timing=timing_of([longest_update(spent) for _, spent in runs[1:]]))


def longest_update(spent):
    return max(seconds for kind, seconds in spent if kind == "UPDATE")


def looked_for(lab, after):
    """Return the buffers that it takes to find the last 1,000 rows that are empty."""
    job = after.apps.get_model("board", "Job")
    lab.sql("VACUUM ANALYZE board_job")
    with lab.undone():
        last = job.objects.order_by("pk")[99_000]
        job.objects.filter(pk__lt=last.pk).update(remote=False)
        todo = job.objects.filter(remote=None).values("pk")
        return {
            FROM_ROW_1: lab.explain(todo[:BATCH]).buffers,
            AFTER_LAST: lab.explain(todo.order_by("pk").filter(pk__gte=last.pk)[:BATCH]).buffers,
        }


@contextlib.contextmanager
def clock(of):
    """Yield a list that gets the kind and the seconds of each statement of some kinds."""
    spent = []

    def timed(execute, statement, *arguments):
        began = time.perf_counter()
        try:
            return execute(statement, *arguments)
        finally:
            if statement.startswith(of):
                spent.append((statement[:6], time.perf_counter() - began))

    with connection.execute_wrapper(timed):
        yield spent
