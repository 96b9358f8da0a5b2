"""What the request saves, how fast a queue drains, and which mails wait behind a report."""

import contextlib
import tempfile
import time

from accounts.models import User
from board import services
from board.models import Application, Company, Job
from board.tasks import send_confirmation
from test_background_jobs import (
    DONE,
    Server,
    apply_and_mail,
    compute,
    done,
    left_behind,
    report_late,
    shared,
    smtp,
    wait,
    wait_for,
    workers,
)

from tools.measure.instruments import timing_of
from tools.services import free_port

MEASURES = [
    "docs/concepts/background-jobs/test_background_jobs.py",
    "examples/jobboard/board/services.py::apply",
    "examples/jobboard/board/tasks.py::send_confirmation",
]
PACKAGES = ["celery", "kombu", "billiard"]
GIVEN = {
    "300 ms": "how long the page's mail server takes",
    "50 ms": "how long each task of the second table takes",
    "30 s": "CELERY_TASK_SOFT_TIME_LIMIT in the job board's settings",
    "60 s": "CELERY_TASK_TIME_LIMIT, there too",
}
REQUEST = "20 applications: stored, mailed in the end, and one call"
DRAIN = "20 tasks of 50 ms, until the queue is empty"
BEHIND = "100 mails sent during a long task: how many wait for its end"
CALLS, TASKS, ROUNDS, MAILS = 20, 20, 5, 20


def measure(lab):
    with lab.dataset("S"):
        user = User.objects.earliest("pk")
        Job.objects.bulk_create(Job(company=Company.objects.earliest("pk"), title=f"Tester {n}") for n in range(CALLS))
        jobs = Job.objects.filter(title__startswith="Tester")
        requests(lab, user, list(jobs))
        drain(lab)
        behind(lab)
    lab.picture(DRAIN, "time")


@contextlib.contextmanager
def running(mail_url="console://", **options):
    with tempfile.TemporaryDirectory() as folder, workers(folder, mail_url, **options):
        yield


def requests(lab, user, jobs):
    """Apply with a mail server that is quick, slow, or away; in the end it is back."""
    for state, seconds in {"quick": 0.0, "300 ms": 0.3, "away": None}.items():
        with Server(seconds or 0.0) as server:
            address = server.server_address if seconds is not None else ("127.0.0.1", free_port())
            url = f"smtp://{address[0]}:{address[1]}"
            for how in ("inline", "task"):
                lab.say(f"{REQUEST}: {how}, mail server {state}")
                Application.objects.all().delete()
                server.mails.clear()
                with running(url, one=["--concurrency=4"]) if how == "task" else contextlib.nullcontext():
                    taken = []
                    for job in jobs:
                        began = time.perf_counter()
                        with contextlib.suppress(ConnectionError):
                            if how == "inline":
                                apply_and_mail(user, job, smtp(address))
                            else:
                                services.apply(user=user, job=job)
                        taken.append(time.perf_counter() - began)
                    stored = Application.objects.count()
                    if how == "task" and seconds is not None:
                        wait_for(lambda: not Application.objects.filter(confirmation_sent_at=None).exists())
                if how == "task" and seconds is None:  # the mail server comes back; the sweep sends again
                    with running(server.url, one=["--concurrency=4"]):
                        for pk in Application.objects.values_list("pk", flat=True):
                            send_confirmation.delay(pk)
                        wait_for(lambda: not Application.objects.filter(confirmation_sent_at=None).exists())
                counts = {"stored": stored, "mails": len(server.mails)}
                lab.record(REQUEST, f"{how}, mail server {state}", counts=counts, timing=timing_of(taken))
            server.shutdown()


def drain(lab):
    pools = [("prefork", n) for n in (1, 2, 8)] + [("threads", 8)]
    found = {}
    for pool, children in pools:
        with running(one=[f"--pool={pool}", f"--concurrency={children}"]):
            for kind, work in {"waits": wait, "computes": compute}.items():
                lab.say(f"{DRAIN}: {kind}, {pool} {children}")
                drained(work)  # the warm-up
                found[kind, pool, children] = timing_of([drained(work) for _ in range(ROUNDS)])
    for (kind, pool, children), timing in sorted(found.items(), key=lambda item: (item[0][0], item[0][1:])):
        what = f"{kind}, {children} {'child' if children == 1 else 'children'}"
        if pool == "threads":
            what = f"{kind}, {children} threads"
        lab.record(DRAIN, what, timing=timing)


def drained(work):
    shared.delete(DONE)
    began = time.perf_counter()
    for _ in range(TASKS):
        work.delay(0.05)
    wait_for(lambda: done(work.name) == TASKS)
    return time.perf_counter() - began


def behind(lab):
    one = ["--concurrency=1"]
    for name, (a, b, options) in {
        "prefetch 4, the default": (["--prefetch-multiplier=4"], ["--prefetch-multiplier=4"], {}),
        "prefetch 1": (["--prefetch-multiplier=1"], ["--prefetch-multiplier=1"], {}),
        "prefetch 1, acks_late": (["--prefetch-multiplier=1"], ["--prefetch-multiplier=1"], {"long": report_late}),
        "--disable-prefetch": (["--disable-prefetch"], ["--disable-prefetch"], {}),
        "a queue for each": ([], ["--queues=mails"], {"mails_queue": "mails"}),
    }.items():
        lab.say(f"{BEHIND}: {name}")
        with running(a=[*one, *a], b=[*one, *b]):
            waited = sum(left_behind(MAILS, **options) for _ in range(ROUNDS))
        lab.record(BEHIND, f"two workers, {name}", counts={"waiting mails": waited})
