"""Kill a worker's child, send a message twice, retry a thousand: the claims."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import local
import pytest
from board import services
from board.models import Application
from board.tasks import confirmation, send_confirmation
from board.tests.mail import MailServer, Session
from celery import shared_task
from celery.utils.time import get_exponential_backoff_interval
from config import celery_app
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.utils import timezone


def send_mail(application_id):
    """Send the confirmation, and do not ask whether it was sent before."""
    application = Application.objects.for_display().get(pk=application_id)
    confirmation(application).send()


# The same work, three promises about a crash.
by_default = shared_task(name="page.by_default")(send_mail)
late = shared_task(name="page.late", acks_late=True)(send_mail)
requeued = shared_task(
    name="page.requeued",
    acks_late=True,  # acknowledge when the task has ended
    reject_on_worker_lost=True,  # and requeue if its process died
)(send_mail)


@shared_task(
    name="page.marked_first",
    acks_late=True,
    reject_on_worker_lost=True,
)
def marked_first(application_id):
    """Mark, then send: a crash between the two is a mail that never goes."""
    unsent = Application.objects.filter(
        pk=application_id,
        confirmation_sent_at=None,
    )
    if unsent.update(confirmation_sent_at=timezone.now()):
        send_mail(application_id)


@shared_task(
    name="page.checked",
    acks_late=True,
    reject_on_worker_lost=True,
)
def checked(application_id):
    """Look, send, mark: two that look at the same moment both send."""
    unsent = Application.objects.filter(
        pk=application_id,
        confirmation_sent_at=None,
    )
    if not unsent.exists():
        return
    send_mail(application_id)
    Application.objects.filter(pk=application_id).update(
        confirmation_sent_at=timezone.now(),
    )


@shared_task(
    name="page.skipping",
    acks_late=True,
    reject_on_worker_lost=True,
)
@transaction.atomic
def skipping(application_id):
    """Leave without an error when somebody else has locked the row."""
    rows = Application.objects.select_for_update(
        no_key=True,
        skip_locked=True,
    ).filter(pk=application_id, confirmation_sent_at=None)
    if rows.first() is None:  # sent, or locked: it cannot say which
        return
    send_mail(application_id)
    Application.objects.filter(pk=application_id).update(
        confirmation_sent_at=timezone.now(),
    )


if "LOOK_EVERY" in os.environ:
    # The worker looks for dead children every 5 s. Tests look more often;
    # it changes when a loss is noticed, and nothing else.
    from celery.concurrency.asynpool import AsynPool

    every = float(os.environ["LOOK_EVERY"])
    AsynPool.timers = property(lambda pool: {pool.maintain_pool: every})

ENOUGH = 8  # starts, after which we cure the poison


def poison():
    """Kill the own process, as the kernel does when memory runs out."""
    if cache.incr("starts") < ENOUGH:
        os.kill(os.getpid(), signal.SIGKILL)


LATE = {"acks_late": True, "reject_on_worker_lost": True}
endless = shared_task(name="page.endless", max_retries=2, **LATE)(poison)
counted = shared_task(
    name="page.counted",
    retry_on_worker_lost=True,  # each loss counts as a retry
    max_retries=2,
    default_retry_delay=0,  # the default is three minutes
    **LATE,
)(poison)


class Server(MailServer):
    """A mail server that also goes silent, or waits for a second client."""

    def __init__(self):
        super().__init__()
        self.RequestHandlerClass = Slow
        self.expect()

    def expect(self, *plan):
        self.mails.clear()
        self.plan[:] = plan
        self.connections = 0
        self.hanging.clear()
        self.two = threading.Barrier(2)


class Slow(Session):
    def take_mail(self, behaviour):
        if behaviour == "silent":  # take the mail, but never say so
            self.say = lambda text: self.server.hanging.set()
            super().take_mail("accept")
            self.rfile.readline()  # until the client is gone
            return
        if behaviour == "meet":
            with contextlib.suppress(threading.BrokenBarrierError):
                self.server.two.wait(0.5)
        super().take_mail(behaviour)


@contextlib.contextmanager
def worker(server, log, children, look_every="0.1"):
    """Run a Celery worker with so many child processes."""
    db = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**db)
    here = str(Path(__file__).parent)
    environment = os.environ | {
        "DATABASE_URL": url,
        "MAIL_URL": server.url,
        "LOOK_EVERY": look_every,
        "PYTHONPATH": os.pathsep.join([here, os.environ["PYTHONPATH"]]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "celery", "-A", "config", "worker"]
    command += [f"--concurrency={children}", "--include=test_reliable_tasks"]
    command += ["--without-gossip", "--without-mingle", "--loglevel=INFO"]
    celery_app.control.purge()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=local.HERE,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(lambda: celery_app.control.ping(timeout=0.2))
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


def active():
    """Return what the worker is running."""
    answers = celery_app.control.inspect(limit=1).active() or {}
    return [task for tasks in answers.values() for task in tasks]


def idle():
    """Say whether nothing is queued, unacknowledged or running."""
    with celery_app.connection_for_read() as broker:
        client = broker.default_channel.client
        waiting = client.llen("celery") + client.hlen("unacked")
    return not waiting and not active()


def worked_off():
    wait_for(lambda: idle() and idle())


def kill_in_the_middle(task, application_id, server, moment="hang"):
    """Kill the child at a moment of its mail; return the seconds until idle.

    hang: before the mail server takes the mail; silent: right after.
    """
    Application.objects.update(confirmation_sent_at=None)
    server.expect(moment)
    task.delay(application_id)
    assert server.hanging.wait(15)
    ((child,),) = [[task["worker_pid"] for task in active()]]
    began = time.monotonic()
    os.kill(child, signal.SIGKILL)
    worked_off()
    return time.monotonic() - began


def twice(task, application_id, server, *, at_once):
    """Deliver the same work twice; return the number of mails."""
    Application.objects.update(confirmation_sent_at=None)
    server.expect(*["meet"] * 2 * at_once)
    task.delay(application_id)
    if not at_once:
        worked_off()
    task.delay(application_id)
    worked_off()
    return len(server.mails)


def beside_a_lock(task, application_id, server):
    """Deliver while somebody else holds the row; return the number of mails."""
    Application.objects.update(confirmation_sent_at=None)
    server.expect()
    before = started(task)

    def tried():
        return server.mails or started(task) > before + 1 or (idle() and idle())

    with transaction.atomic():
        Application.objects.select_for_update().get(pk=application_id)
        task.delay(application_id)
        wait_for(tried)
    worked_off()
    return len(server.mails)


def started(task):
    """Return how many messages of this task the worker has begun."""
    (stats,) = celery_app.control.inspect(limit=1).stats().values()
    return stats["total"].get(task.name, 0)


def withdraw(application_id):
    """Withdraw as the API does, with less patience; say whether it succeeded."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 500")
            services.change_status(application_id=application_id, status=Application.Status.WITHDRAWN)
    except OperationalError:
        return False
    return True


def starts(task):
    """Run a poisonous task; return how often it was started."""
    cache.set("starts", 0)
    task.delay()
    worked_off()
    return cache.get("starts")


def busiest_second(retry, jitter, tasks=1000):
    """Return how many of the tasks come back in the same second.

    All fail at moment 0, and at each retry; the waits are Celery's own.
    """
    dice = random.getstate()
    random.seed(retry)
    moments = Counter(
        sum(get_exponential_backoff_interval(1, number, 600, jitter) for number in range(retry)) for _ in range(tasks)
    )
    random.setstate(dice)
    return max(moments.values())


@pytest.fixture(scope="module")
def server(request, django_db_setup, tmp_path_factory):
    log = tmp_path_factory.mktemp("worker") / "log"
    with Server() as server, worker(server, log, request.param):
        server.log = log
        yield server
        server.shutdown()


def real_worker(children):
    def mark(test):
        test = pytest.mark.django_db(transaction=True)(test)
        return pytest.mark.parametrize("server", [children], indirect=True)(test)

    return mark


@real_worker(children=1)
@pytest.mark.parametrize(
    ("task", "moment", "tries", "mails"),
    [
        (by_default, "hang", 1, 0),
        (late, "hang", 1, 0),
        (requeued, "hang", 2, 1),
        (marked_first, "hang", 1, 0),
        (send_confirmation, "hang", 2, 1),
        (send_confirmation, "silent", 2, 2),
    ],
)
def test_a_killed_child(world, server, task, moment, tries, mails):
    kill_in_the_middle(task, world.application.pk, server, moment)
    assert (server.connections, len(server.mails)) == (tries, mails)
    lost = "WorkerLostError('Worker exited prematurely: signal 9 (SIGKILL)"
    assert lost in server.log.read_text()


@real_worker(children=2)
@pytest.mark.parametrize(
    ("task", "one_after_the_other", "at_once", "locked"),
    [
        (requeued, 2, 2, 1),
        (checked, 1, 2, 1),
        (skipping, 1, 1, 0),
        (send_confirmation, 1, 1, 1),
    ],
)
def test_two_deliveries(world, server, task, one_after_the_other, at_once, locked):
    pk = world.application.pk
    assert twice(task, pk, server, at_once=False) == one_after_the_other
    assert twice(task, pk, server, at_once=True) == at_once
    assert beside_a_lock(task, pk, server) == locked


@real_worker(children=1)
def test_who_withdraws_during_the_mail_is_refused(world, server):
    server.expect("hang")
    send_confirmation.delay(world.application.pk)
    assert server.hanging.wait(15)
    assert not withdraw(world.application.pk)
    worked_off()
    assert withdraw(world.application.pk)


@real_worker(children=1)
def test_max_retries_does_not_count_redeliveries(server):
    assert starts(endless) == ENOUGH
    assert starts(counted) == 3  # the first start and max_retries=2


def test_jitter_spreads_little_at_first_and_more_later():
    assert [busiest_second(n, False) for n in (1, 6)] == [1000, 1000]
    assert 480 < busiest_second(1, True) < 560  # waits of 0 or 1 s
    assert busiest_second(6, True) < 50


def test_the_job_boards_own_task_keeps_the_rules():
    task = send_confirmation
    assert task.acks_late and task.retry_on_worker_lost
    assert task.retry_backoff and task.retry_jitter
    visibility = celery_app.conf.broker_transport_options["visibility_timeout"]
    assert task.retry_backoff_max < visibility == 3600
    assert celery_app.conf.task_time_limit == 60
