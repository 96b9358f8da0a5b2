"""What one question costs by how it is asked, and what 1,000 writes and 100,000 reads cost."""

import os
import subprocess
import sys

from board.models import Company, Job
from django.db import transaction
from test_django_orm import READS, first_job, store

from tools.measure.results import Bytes

MEASURES = [
    "docs/technologies/django-orm/test_django_orm.py::store",
    "docs/technologies/django-orm/test_django_orm.py::READS",
    "docs/technologies/django-orm/test_django_orm.py::memory_of",
    "docs/technologies/django-orm/test_django_orm.py::first_job",
]
GIVEN = {}
WRITE = "Write 1,000 jobs, in one transaction"
ANY = "Is there one? Asked of 1,000,000 jobs"
SERVER = "The same two questions where nothing matches, on the server"
READ = "Read 100,000 jobs, each way in a process of its own"
FIRST = "iterator(): the first of 1,000,000 jobs"
READER = """
import sys
import django

django.setup()
from test_django_orm import memory_of

print(memory_of(sys.argv[1], 100_000))
"""


def measure(lab):
    with lab.dataset("S"):
        writing(lab)
    with lab.dataset("L"):
        lab.sql("SET statement_timeout = 0")
        asking(lab)
        reading(lab)
        waiting(lab)
    lab.picture(WRITE, "queries", "time")


def writing(lab):
    company = Company.objects.earliest("pk")

    def new():
        return [Job(company=company, title=f"Imported {n}", is_open=False) for n in range(1000)]

    lab.compare(
        WRITE,
        {
            "new: save() each": lambda: store(new()),
            "new: bulk_create()": lambda: Job.objects.bulk_create(new()),
        },
        undo=True,
    )
    jobs = Job.objects.bulk_create(new())
    pks = [job.pk for job in jobs]

    def retitled():
        for job in jobs:
            job.title = f"{job.title[:50]}!"
        return jobs

    lab.compare(
        WRITE,
        {
            "old: save() each": lambda: store(retitled()),
            "old: bulk_update()": lambda: Job.objects.bulk_update(retitled(), ["title"]),
            "old: update()": lambda: Job.objects.filter(pk__in=pks).update(title="Imported"),
        },
        undo=True,
    )


def asking(lab):
    def filled(jobs, fill):
        fill(jobs)
        return jobs

    found, missed = Job.objects.open(), Job.objects.filter(views__gt=5000)
    lab.compare(
        ANY,
        {
            "some match: exists()": lambda: filled(found.all(), lambda jobs: jobs.exists()),
            "some match: count() > 0": lambda: filled(found.all(), lambda jobs: jobs.count()),
            "some match: if jobs": lambda: filled(found.all(), bool),
            "none: exists()": lambda: filled(missed.all(), lambda jobs: jobs.exists()),
            "none: count() > 0": lambda: filled(missed.all(), lambda jobs: jobs.count()),
        },
        counts=lambda jobs: {"objects": len(jobs._result_cache or ())},
    )
    lab.plan(SERVER, "exists()", 'SELECT 1 AS "a" FROM board_job WHERE views > 5000 LIMIT 1')
    lab.plan(SERVER, "count()", "SELECT COUNT(*) FROM board_job WHERE views > 5000")


def reading(lab):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for name in READS:
        lab.say(f"{READ}: {name}")
        command = [sys.executable, "-c", READER, name]
        found = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        lab.record(READ, name, counts={"peak memory": Bytes(found.stdout)})


def waiting(lab):
    jobs = Job.objects.all()

    def in_a_transaction():
        with transaction.atomic():
            first_job(jobs)

    for name, ask in {"outside a transaction": lambda: first_job(jobs), "inside atomic()": in_a_transaction}.items():
        before = spilled(lab)
        ask()
        size = Bytes(spilled(lab) - before)
        lab.record(FIRST, name, counts={"temporary file": size}, timing=lab.time(ask))


def spilled(lab):
    """Return how many bytes the database has put into temporary files so far."""
    lab.sql("SELECT pg_stat_force_next_flush()")
    return lab.sql("SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()")[0][0]
