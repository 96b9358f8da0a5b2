"""What following a relation sends, and what deleting one end reads and sends."""

import contextlib
import time

from accounts.models import Profile, User
from board.models import Application, Company, Job, Skill
from test_relationships import (
    built,
    cascading,
    cascading_in_the_database,
    company_with,
    drop_indexes_that_begin_with,
    listening,
    log_refusal,
    refusal,
    refused,
    rows_read,
)

from tools.measure.instruments import RUNS, timing_of

MEASURES = [
    "docs/concepts/relationships/test_relationships.py::cascading_in_the_database",
    "docs/concepts/relationships/test_relationships.py::company_with",
    "examples/jobboard/board/models.py::Job",
    "examples/jobboard/board/models.py::Application",
]

FOLLOW = "Queries for one access, and for the same access again"
DELETE = "Delete a company; each job has an application and two skills"
REFUSE = "Refuse to delete the same company"
INDEX = "Delete a company of 500 jobs among 40,000 applications: rows of these read"


def measure(lab):
    with lab.dataset("S"):
        following(lab)
    with lab.dataset("S"):
        deleting(lab)
    with lab.dataset("L"):
        lab.sql("SET statement_timeout = 0")
        unindexed(lab)
    lab.picture(REFUSE, "statements")


def following(lab):
    job, company, skill = Job.objects.earliest("pk"), Company.objects.earliest("pk"), Skill.objects.earliest("pk")
    user, profile = User.objects.earliest("pk"), Profile.objects.latest("pk")
    without = User.objects.get(profile=None)
    ways = {
        "job.company_id": lambda: job.company_id,
        "job.company": lambda: job.company,
        "list(company.jobs.all())": lambda: list(company.jobs.all()),
        "profile.user": lambda: profile.user,
        "user.profile": lambda: user.profile,
        "user.profile, there is none": lambda: hasattr(without, "profile"),
        "list(job.skills.all())": lambda: list(job.skills.all()),
        "list(skill.jobs.all())": lambda: list(skill.jobs.all()),
    }
    for name, way in ways.items():
        first, again = (lab.queries(way)[0] for _ in range(2))
        lab.record(FOLLOW, name, counts={"first": first, "again": again})


@contextlib.contextmanager
def cascading_and_heard():
    with cascading(), listening(Application):
        yield


def deleting(lab):
    nothing_changed = contextlib.nullcontext
    ways = {
        "CASCADE": (cascading, Company.delete),
        "CASCADE, with a receiver": (cascading_and_heard, Company.delete),
        "PostgreSQL's cascade": (cascading_in_the_database, Company.delete),
        "PROTECT": (nothing_changed, refused),
        "PROTECT, error printed": (nothing_changed, log_refusal),
        "count() first": (nothing_changed, refusal),
    }
    for name, (rule, way) in ways.items():
        for jobs in (100, 1000):
            lab.say(f"{name}: {jobs:,} jobs")
            with lab.undone():
                company = company_with(jobs)
                with rule(), built() as instances:
                    sent, _ = lab.queries(lambda way=way, company=company: way(company))
            counts = {"statements": sent, "objects built": len(instances)}
            title = DELETE if rule is not nothing_changed else REFUSE
            lab.record(title, f"{name}, {jobs:,} jobs", counts=counts, line=name, x=jobs)
    for title in (DELETE, REFUSE):
        lab.tables[title].x_label = "jobs of the company"


def unindexed(lab):
    for name, rule in {"CASCADE": cascading, "PostgreSQL's": cascading_in_the_database}.items():
        with rule():
            for indexed in (True, False):
                what = f"{name}, {'an' if indexed else 'no'} index"
                lab.say(what)
                read, taken = zip(*(one_delete(lab, indexed) for _ in range(RUNS + 1)), strict=True)
                assert len(set(read)) == 1
                lab.record(INDEX, what, counts={"rows read": read[0]}, timing=timing_of(list(taken[1:])))


def one_delete(lab, indexed):
    """Return how many applications one delete read, and its seconds; undo it."""
    with lab.undone():
        company = company_with(500)
        if not indexed:
            lab.sql("SET CONSTRAINTS ALL IMMEDIATE")
            drop_indexes_that_begin_with("board_application", "job_id")
            lab.sql("SET CONSTRAINTS ALL DEFERRED")
        before, began = rows_read("board_application"), time.perf_counter()
        company.delete()
        lab.sql("SET CONSTRAINTS ALL IMMEDIATE")  # the checks of the commit
        return rows_read("board_application") - before, time.perf_counter() - began
