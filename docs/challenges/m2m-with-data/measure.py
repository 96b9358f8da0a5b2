"""What each way of moving 5,000 links keeps, how long it holds the table, and what reads and writes of a link do."""

import contextlib
import time

from accounts.models import User
from board.models import Job
from django.db import connection
from test_m2m_with_data import (
    WAYS,
    Migration,
    go_back,
    lines_from_the_link,
    lines_from_the_people,
    links_of,
    migrate,
    offered_in_one_filter,
    offered_with_a_bug,
    offers,
    still_works,
)

from tools.measure.instruments import RUNS, timing_of

MEASURES = [
    "docs/challenges/m2m-with-data/test_m2m_with_data.py::Migration",
    "examples/jobboard/board/models.py::Application",
]
MOVE = "Move 5,000 links; 1 means that the old code can still store a link"
TIME = "What the migration spends in the database"
SAVE = "One job, 40 people with a status each: save the list without one of them"
ASK = "Jobs offered to each of 40 people, counted together; 36 are right"
SHOW = "Who applied for one job, and how it stands: 40 people"


def measure(lab):
    with lab.dataset("S"):
        moving(lab)
        saving(lab)
    with lab.dataset("S"):
        asking(lab)
    with lab.dataset("L"):
        lab.sql("SET statement_timeout = 0")
        timing(lab)
    lab.picture(MOVE, "links after")


@contextlib.contextmanager
def began_with(lab, links, people=40):
    """The job board as it began, with so many links: so many people for each job. Undone at the end."""
    with lab.undone():
        before = go_back()
        lab.sql(
            "INSERT INTO board_job_applicants (job_id, user_id) SELECT j.id, u.id"
            " FROM (SELECT id FROM board_job ORDER BY id LIMIT %s) j,"
            " (SELECT id FROM accounts_user ORDER BY id LIMIT %s) u",
            [links // people, people],
        )
        yield before


def moving(lab):
    job, newcomer = Job.objects.latest("pk"), User.objects.latest("pk")
    for name, way in WAYS.items():
        with began_with(lab, 5000) as before:
            was = links_of(before)
            found = links_of(migrate(way, before))
            assert found == was or not found  # the very same pairs, or none
            works = still_works(before, job, newcomer)
        counts = {"links before": len(was), "links after": len(found), "old code works": int(works)}
        lab.record(MOVE, name, counts=counts)


def saving(lab):
    keys = [user.pk for user in User.objects.order_by("pk")[:39]]
    ways = {
        "set(39)": lambda people: people.set(keys),
        "set(39, clear=True)": lambda people: people.set(keys, clear=True),
        "clear(), add(39)": lambda people: (people.clear(), people.add(*keys)),
    }
    for name, way in ways.items():
        with began_with(lab, 40) as before:
            after = migrate(Migration, before)
            job = after.apps.get_model("board", "Job").objects.get(applicants=keys[0])
            job.applications.update(status="reviewed")
            sent, _ = lab.queries(lambda way=way, job=job: way(job.applicants))
            kept = job.applications.filter(status="reviewed").count()
            counts = {"people": job.applications.count(), "statuses kept": kept, "statements": sent}
        lab.record(SAVE, name, counts=counts)


def asking(lab):
    people = User.objects.filter(applications__isnull=False).distinct()
    ways = {
        "two filter() calls": offered_with_a_bug,
        "one filter() call": offered_in_one_filter,
        "from the link": offers,
    }
    for name, way in ways.items():
        lab.record(ASK, name, counts={"jobs": sum(way(user).count() for user in people)})
    job = Job.objects.earliest("pk")
    job.applications.all().delete()
    job.applications.bulk_create(job.applications.model(user=user, job=job) for user in people)
    lab.compare(
        SHOW,
        {
            "from the people": lambda: lines_from_the_people(job),
            "from the link": lambda: lines_from_the_link(job),
        },
        counts=lambda lines: {"lines": len(lines)},
    )


def timing(lab):
    for links in (5_000, 50_000, 200_000):
        with began_with(lab, links, people=10) as before:
            for name in ("copy", "rename", "keep the table"):
                lab.say(f"{name}: {links:,} links")
                taken = [seconds_in_the_database(lab, WAYS[name], before) for _ in range(RUNS + 1)]
                lab.record(TIME, f"{name}, {links:,} links", timing=timing_of(taken[1:]), line=name, x=links)
    lab.tables[TIME].x_label = "links"


def seconds_in_the_database(lab, migration, before):
    spent = 0.0

    def timed(execute, *arguments):
        nonlocal spent
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            spent += time.perf_counter() - began

    with lab.undone(), connection.execute_wrapper(timed):
        migrate(migration, before)
    return spent
