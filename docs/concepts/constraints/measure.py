"""What eight threads leave behind, what a new rule blocks, and what each kind costs an insert."""

import contextlib
import time

from board.models import Company, Job
from django.db import transaction
from test_constraints import (
    Interview,
    at_once,
    book,
    get_or_post_job,
    hour,
    interviews,
    post_job,
    post_job_in_a_transaction,
    who_waits,
    without_the_rule,
)

from tools.measure.instruments import RUNS, timing_of

MEASURES = [
    "docs/concepts/constraints/test_constraints.py::RULES",
    "docs/concepts/constraints/test_constraints.py::post_job",
    "docs/concepts/constraints/test_constraints.py::post_job_in_a_transaction",
    "docs/concepts/constraints/test_constraints.py::get_or_post_job",
    "docs/concepts/constraints/test_constraints.py::book",
    "docs/concepts/constraints/test_constraints.py::at_once",
    "docs/concepts/constraints/test_constraints.py::who_waits",
    "examples/jobboard/board/models.py::Job",
]
GIVEN = {"8 KiB": "the size of a page that PostgreSQL is built with"}
ROUNDS, BOOKINGS = 10, 100  # more bookings: a deadlock is rare
TITLE = "The same job posted by 8 threads at once, 10 times: 10 rows are right"
ROOM = "The same hour booked by 8 threads at once, 100 times: 100 rows are right"
LIVE = "Add a rule to 1,000,000 jobs: 1 means that they wait"
COST = "Insert 50,000 rows into an empty table that has one rule"

WRITERS = {
    "full_clean(), save()": (post_job, True),
    "the same, not held": (post_job, False),
    "the same, in atomic()": (post_job_in_a_transaction, True),
    "get_or_create()": (get_or_post_job, True),
}
CHECK = "CHECK (salary_min >= 0)"
ADDING = {
    "ADD CHECK": ("", f"ALTER TABLE board_job ADD CONSTRAINT added {CHECK}"),
    "ADD CHECK NOT VALID": ("", f"ALTER TABLE board_job ADD CONSTRAINT added {CHECK} NOT VALID"),
    "VALIDATE that CHECK": (
        f"ALTER TABLE board_job ADD CONSTRAINT added {CHECK} NOT VALID",
        "ALTER TABLE board_job VALIDATE CONSTRAINT added",
    ),
    "CREATE UNIQUE INDEX": ("", "CREATE UNIQUE INDEX added ON board_job (company_id, title) WHERE is_open"),
}
KINDS = {
    "no rule": "CHECK (true) NOT VALID",
    "CHECK": "CHECK (low <= high)",
    "foreign key": "FOREIGN KEY (company_id) REFERENCES board_company (id)",
    "UNIQUE": "UNIQUE (company_id, low)",
    "EXCLUDE": "EXCLUDE USING gist (company_id WITH =, int8range(low, high) WITH &&)",
}
ROWS = """INSERT INTO bill (company_id, low, high)
SELECT company_id, row_number() OVER (ORDER BY id) * 10, row_number() OVER (ORDER BY id) * 10 + 5
FROM board_job ORDER BY id LIMIT 50000"""


def measure(lab):
    with lab.dataset("S"):
        with without_the_rule():
            posted(lab, "no rule")
        posted(lab, "rule")
        booked(lab)
    with lab.dataset("L"):
        lab.sql("SET statement_timeout = 0")
        adding(lab)
        paying(lab)
    lab.picture(TITLE, "rows")


def posted(lab, rule):
    company = Company.objects.earliest("pk")
    for name, (write, held) in WRITERS.items():
        lab.say(f"{rule}: {name}")
        ends = sum_of(lambda n, write=write, held=held: at_once(write, company, f"Tester {n}", held=held), ROUNDS)
        rows = Job.objects.filter(title__startswith="Tester")
        counts = {
            "rows": rows.count(),
            "refused in Python": ends["ValidationError"],
            "by PostgreSQL": ends["UniqueViolation"],
        }
        lab.record(TITLE, f"{rule}: {name}", counts=counts)
        rows.delete()


def booked(lab):
    for name, rule in {"full_clean(), save()": False, "with the exclusion": True}.items():
        with interviews(rule=rule):
            ends = sum_of(lambda n: at_once(book, f"Room {n}", hour(9)), BOOKINGS)
            counts = {
                "rows": Interview.objects.count(),
                "refused": ends["ExclusionViolation"],
                "deadlocks": ends["DeadlockDetected"],
                "timeouts": ends["QueryCanceled"] + ends["LockNotAvailable"],
            }
            assert ends["returned"] == counts["rows"]
            assert sum(ends.values()) == 8 * BOOKINGS
            lab.record(ROOM, name, counts=counts)


def sum_of(one_round, rounds):
    ends = one_round(0)
    for n in range(1, rounds):
        ends += one_round(n)
    return ends


def adding(lab):
    for name, (before, statement) in ADDING.items():
        lab.say(name)
        if before:
            lab.sql(before)
        taken = []
        for _ in range(RUNS + 1):
            with lab.undone():
                began = time.perf_counter()
                lab.sql(statement)
                taken.append(time.perf_counter() - began)
                waits = who_waits()
        lab.record(LIVE, name, counts=waits, timing=timing_of(taken[1:]))
        lab.sql("ALTER TABLE board_job DROP CONSTRAINT IF EXISTS added")


@contextlib.contextmanager
def bill(lab, rule):
    """An empty table with one rule."""
    with lab.undone():
        lab.sql("CREATE EXTENSION IF NOT EXISTS btree_gist")
        lab.sql("CREATE TABLE bill (id bigserial, company_id bigint, low bigint, high bigint)")
        lab.sql(f"ALTER TABLE bill ADD {rule}")
        yield


def paying(lab):
    for name, rule in KINDS.items():
        lab.say(f"{COST}: {name}")
        found = []
        for _ in range(RUNS + 1):
            with bill(lab, rule), transaction.atomic():
                found.append(lab.explain(ROWS))
        timing = timing_of([plan.seconds for plan in found[1:]])
        lab.record(COST, name, counts={"buffers": found[-1].buffers}, timing=timing)
