"""What a crash, a second delivery and a thousand retries leave behind."""

import contextlib
import tempfile
from pathlib import Path

from board.models import Application
from board.tasks import send_confirmation
from test_reliable_tasks import (
    Server,
    beside_a_lock,
    busiest_second,
    by_default,
    checked,
    counted,
    endless,
    kill_in_the_middle,
    late,
    marked_first,
    requeued,
    skipping,
    starts,
    twice,
    worker,
)

from tools.measure.instruments import timing_of

MEASURES = [
    "docs/concepts/reliable-tasks/test_reliable_tasks.py",
    "examples/jobboard/board/tasks.py::SURVIVES",
    "examples/jobboard/board/tasks.py::send_confirmation",
]
PACKAGES = ["celery", "kombu", "billiard"]
GIVEN = {
    "5 s": "celery/concurrency/asynpool.py looks after the pool every 5.0 s",
    "0.1 s": "how often the worker of the counts looks",
    "1 s": "retry_backoff=True: the limit of the first wait",
    "3 s": "lock_timeout in the job board's settings",
    "10 s": "idle_in_transaction_session_timeout, there too",
    "60 s": "CELERY_TASK_TIME_LIMIT, there too",
}

KILLED = "A child killed during its task, 10 times: calls to the mail server, mails"
NOTICED = "From the kill until the work is done again, by a worker as shipped"
TWICE = "Delivered twice, or once beside somebody's lock, 10 times: 10 mails are right"
POISON = "A task that kills its process at each start, until we cure it"
STORM = "1,000 tasks fail at once: how many come back in the same second"
ROUNDS = 10


@contextlib.contextmanager
def running(children, **options):
    """Run a worker; yield its mail server and one application's id."""
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        with worker(server, Path(folder, "log"), children, **options):
            yield server, Application.objects.earliest("pk").pk
        server.shutdown()


def killed(lab, server, pk, what, task, moment="hang"):
    calls = mails = 0
    for _ in range(ROUNDS):
        kill_in_the_middle(task, pk, server, moment)
        calls += server.connections
        mails += len(server.mails)
    lab.record(KILLED, what, counts={"killed": ROUNDS, "calls": calls, "mails": mails})


def measure(lab):
    with lab.dataset("S"):
        with running(children=1) as (server, pk):
            killed(lab, server, pk, "default", by_default)
            killed(lab, server, pk, "acks_late", late)
            both = "acks_late + reject_on_worker_lost"
            killed(lab, server, pk, both, requeued)
            killed(lab, server, pk, "both, marked before the mail", marked_first)
            killed(lab, server, pk, "the job board's", send_confirmation)
            after = "the job board's, killed after the mail"
            killed(lab, server, pk, after, send_confirmation, "silent")
            for name, task in {"": endless, "retry_": counted}.items():
                which = f"{name or 'reject_'}on_worker_lost, max_retries=2"
                lab.record(POISON, which, counts={"starts": starts(task)})
        with running(children=2, look_every="5") as (server, pk):
            seconds = [kill_in_the_middle(requeued, pk, server) for _ in range(ROUNDS)]
            timing = timing_of(seconds)
            lab.record(NOTICED, "two children", timing=timing)
        with running(children=2) as (server, pk):
            for name, task in {
                "no check": requeued,
                "check, then send": checked,
                "lock, skip_locked": skipping,
                "lock, nowait: the job board's": send_confirmation,
            }.items():
                mails = {
                    "in turn": sum(twice(task, pk, server, at_once=False) for _ in range(ROUNDS)),
                    "at once": sum(twice(task, pk, server, at_once=True) for _ in range(ROUNDS)),
                    "row held": sum(beside_a_lock(task, pk, server) for _ in range(ROUNDS)),
                }
                lab.record(TWICE, name, counts=mails)
    for name, jitter in {"backoff alone": False, "with jitter": True}.items():
        for retry in (1, 3, 5):
            lab.record(
                STORM,
                f"{name}, retry {retry}",
                counts={"tasks": busiest_second(retry, jitter)},
                line=name,
                x=retry,
            )
    lab.tables[STORM].x_label = "retry"
    lab.picture(STORM, "tasks")
