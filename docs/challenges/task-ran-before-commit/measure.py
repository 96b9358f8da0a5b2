"""How many of fifty tasks find no row, by when they are sent and how much work follows."""

import contextlib
import tempfile
import time
from pathlib import Path

from accounts.models import User
from board.models import Application, Company, Job
from board.tasks import send_confirmation
from django.db import transaction
from test_task_ran_before_commit import (
    HASH,
    apply_after_the_block,
    apply_on_commit,
    apply_too_early,
    confirm,
    confirm_if_there,
    confirm_or_retry,
    counted,
    counters,
    ended,
    unconfirmed,
    worker,
)

MEASURES = [
    "docs/challenges/task-ran-before-commit/test_task_ran_before_commit.py",
    "examples/jobboard/board/tasks.py::send_confirmation",
    "examples/jobboard/config/celery.py::Task",
]
PACKAGES = ["celery", "kombu"]
GIVEN = {
    "200 ms": "how long the transaction goes on after the task was sent",
}
NUMBER = 50
RACE = "Of 50 tasks, how many find no row, by the ms of work that follow"
WAYS = "50 applications, 200 ms of work before the commit"
UNDONE = "50 transactions that are rolled back"
COST = "One call, without the work that follows"


class Rollback(Exception):
    pass


def measure(lab):
    with lab.dataset("S"), tempfile.TemporaryDirectory() as folder, worker(Path(folder, "log")):
        company = Company.objects.earliest("pk")
        Job.objects.bulk_create(Job(company=company, title=f"Tester {n}") for n in range(NUMBER))
        jobs = list(Job.objects.filter(title__startswith="Tester"))
        user = User.objects.earliest("pk")
        race(lab, user, jobs)
        ways(lab, user, jobs)
        undone(lab, user, jobs)
        cost(lab)
    lab.picture(RACE, "no row")


def fifty(apply, task, user, jobs, pause, around=contextlib.nullcontext, fails=False):
    """Apply for all jobs; return what the worker counted."""
    Application.objects.all().delete()
    counters.delete(HASH)

    def then():
        if pause:
            time.sleep(pause)
        if fails:
            raise Rollback

    sent = 0
    for job in jobs:
        with contextlib.suppress(Rollback), around():
            apply(user, job, task, then)
        sent += 1
        if not fails:  # the next one finds an idle worker
            ended(sent)
    return ended(0 if fails and apply is apply_on_commit else sent)


def race(lab, user, jobs):
    for pause in (0, 20, 50, 100, 200):
        for line, apply in {"delay()": apply_too_early, "delay_on_commit()": apply_on_commit}.items():
            lab.say(f"{RACE}: {line}, {pause} ms")
            found = fifty(apply, confirm, user, jobs, pause / 1000)
            assert found["errors"] == unconfirmed()
            lab.record(RACE, f"{line}, {pause} ms", counts={"no row": found["errors"]}, line=line, x=pause)
    lab.tables[RACE].x_label = "ms"


def ways(lab, user, jobs):
    for name, (apply, task, around) in {
        "delay() inside": (apply_too_early, confirm, contextlib.nullcontext),
        "the same, the job board's": (apply_too_early, send_confirmation, contextlib.nullcontext),
        "the same, retried": (apply_too_early, confirm_or_retry, contextlib.nullcontext),
        "delay() after the block": (apply_after_the_block, confirm, contextlib.nullcontext),
        "delay() after an inner block": (apply_after_the_block, confirm, transaction.atomic),
        "delay_on_commit()": (apply_on_commit, confirm, contextlib.nullcontext),
        "delay_on_commit(), inner block": (apply_on_commit, confirm, transaction.atomic),
    }.items():
        lab.say(f"{WAYS}: {name}")
        found = fifty(apply, task, user, jobs, 0.2, around)
        counts = {"runs": found["runs"], "errors": found["errors"], "not confirmed": unconfirmed()}
        lab.record(WAYS, name, counts=counts)


def undone(lab, user, jobs):
    for name, (apply, task) in {
        "delay() inside": (apply_too_early, confirm),
        "the same, retried": (apply_too_early, confirm_or_retry),
        "delay_on_commit()": (apply_on_commit, confirm),
    }.items():
        lab.say(f"{UNDONE}: {name}")
        found = fifty(apply, task, user, jobs, 0, fails=True)
        time.sleep(0.5)  # nothing else arrives
        found = counted()
        assert Application.objects.count() == 0
        lab.record(UNDONE, name, counts={"runs": found["runs"], "errors": found["errors"]})


def cost(lab):
    """What sending costs the request, and what waiting for the commit adds."""

    def now():
        with transaction.atomic():
            confirm_if_there.delay(0)

    def later():
        with transaction.atomic():
            confirm_if_there.delay_on_commit(0)

    for name, timing in lab.times({"delay()": now, "delay_on_commit()": later}, runs=51).items():
        lab.record(COST, name, timing=timing)
    ended(0)
