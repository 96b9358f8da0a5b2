"""A task that is sent inside a transaction, and one that is sent after it: the claims."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import local
import pytest
import redis
from board import services, tasks
from board.models import Application, Job
from celery import Celery, Task, shared_task
from celery.signals import task_failure, task_prerun, task_retry, task_success
from config import celery_app
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

HERE = Path(__file__).parent
counters = redis.Redis.from_url(settings.CACHE_URL)
HASH = "jobboard:page"  # the prefix that conftest.py deletes


@shared_task(name="page.confirm")
def confirm(application_id):
    """Mark an application as confirmed; the mail is left out."""
    application = Application.objects.get(pk=application_id)
    application.confirmation_sent_at = timezone.now()
    application.save(update_fields=["confirmation_sent_at"])


confirm_or_retry = shared_task(
    name="page.confirm_or_retry",
    autoretry_for=(Application.DoesNotExist,),
    retry_kwargs={"countdown": 0.2, "max_retries": 3},
)(confirm.run)


@shared_task(name="page.confirm_if_there")
def confirm_if_there(application_id):
    """Ask as the job board's task asks: a row that is gone is no error."""
    waiting = Application.objects.filter(pk=application_id, confirmation_sent_at=None)
    waiting.update(confirmation_sent_at=timezone.now())


@transaction.atomic
def apply_too_early(user, job, task=confirm, then=None):
    """Apply for a job, and confirm it. Or so it says."""
    application = Application.objects.create(user=user, job=job)
    task.delay(application.pk)  # the worker may look from here on
    rest_of_the_work(then)
    return application  # COMMIT comes after this line


def apply_after_the_block(user, job, task=confirm, then=None):
    """Send the task after the transaction. After which one?"""
    with transaction.atomic():
        application = Application.objects.create(user=user, job=job)
    task.delay(application.pk)
    rest_of_the_work(then)
    return application


@transaction.atomic
def apply_on_commit(user, job, task=confirm, then=None):
    application = Application.objects.create(user=user, job=job)
    task.delay_on_commit(application.pk)
    rest_of_the_work(then)
    return application


def rest_of_the_work(then):
    if then:
        then()


@transaction.atomic
def confirm_all(applications):
    """Send one task for each application, after the commit."""
    for application in applications:
        transaction.on_commit(lambda: confirm.delay(application.pk))  # noqa: B023


if "PAGE_WORKER" in os.environ:  # in the worker: count how tasks begin and end
    for name, event in {
        "runs": task_prerun,
        "done": task_success,
        "errors": task_failure,
        "retries": task_retry,
    }.items():
        event.connect(lambda name=name, **_: counters.hincrby(HASH, name), weak=False)


def counted():
    """Return how many tasks the worker began, and how they ended."""
    found = {name.decode(): int(n) for name, n in counters.hgetall(HASH).items()}
    return {name: found.get(name, 0) for name in ("runs", "done", "errors", "retries")}


def ended(number):
    """Wait until so many tasks have ended, with an error or without; return the counts."""

    def enough():
        found = counted()
        return found if found["done"] + found["errors"] >= number else None

    return wait_for(enough)


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)
    return value


@contextlib.contextmanager
def worker(log):
    """Run a Celery worker with two child processes."""
    db = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**db)
    environment = os.environ | {
        "DATABASE_URL": url,
        "PAGE_WORKER": "1",
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ["PYTHONPATH"]]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency=2"]
    command += ["--include=test_task_ran_before_commit", "--without-gossip", "--without-mingle", "--loglevel=INFO"]
    celery_app.control.purge()
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=local.HERE, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: celery_app.control.ping(timeout=0.2))
            yield log
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


@pytest.fixture(scope="module")
def log(django_db_setup, tmp_path_factory):
    with worker(tmp_path_factory.mktemp("worker") / "log") as log:
        yield log


def unconfirmed():
    return Application.objects.filter(confirmation_sent_at=None).count()


real_commit = pytest.mark.django_db(transaction=True)


@pytest.fixture
def board(world):
    Application.objects.all().delete()
    return world


# The race. The rest of the work waits for the worker here, so that the unlucky case is the only one.


@real_commit
def test_sent_inside_the_task_finds_no_row(board, log):
    apply_too_early(board.outsider, board.job, then=partial(ended, 1))
    assert counted() == {"runs": 1, "done": 0, "errors": 1, "retries": 0}
    assert unconfirmed() == 1
    wait_for(lambda: "raised unexpected" in log.read_text())
    said = log.read_text()
    assert "Task page.confirm[" in said
    assert "raised unexpected: DoesNotExist('Application matching query does not exist.')" in said
    assert "board.models.Application.DoesNotExist: Application matching query does not exist." in said


@real_commit
def test_a_careful_task_says_nothing(board, log):
    apply_too_early(board.outsider, board.job, confirm_if_there, then=partial(ended, 1))
    assert counted() == {"runs": 1, "done": 1, "errors": 0, "retries": 0}
    assert unconfirmed() == 1


@real_commit
def test_the_job_boards_own_task_says_nothing_either(board, log):
    apply_too_early(board.outsider, board.job, tasks.send_confirmation, then=partial(ended, 1))
    assert counted()["errors"] == 0
    assert unconfirmed() == 1


@real_commit
def test_a_retry_hides_it(board, log):
    retried = partial(wait_for, lambda: counted()["retries"])
    apply_too_early(board.outsider, board.job, confirm_or_retry, then=retried)
    assert ended(1) == {"runs": 2, "done": 1, "errors": 0, "retries": 1}
    assert unconfirmed() == 0


@real_commit
@pytest.mark.parametrize("apply", [apply_on_commit, apply_after_the_block])
def test_sent_after_the_commit_it_finds_the_row(board, log, apply):
    apply(board.outsider, board.job)
    assert ended(1)["errors"] == 0
    assert unconfirmed() == 0


@real_commit
def test_a_transaction_that_you_did_not_write(board, log):
    with transaction.atomic():  # what ATOMIC_REQUESTS puts around a view
        apply_after_the_block(board.outsider, board.job, then=partial(ended, 1))
    assert counted()["errors"] == 1
    with transaction.atomic():
        apply_on_commit(board.rival, board.job)
        assert counted()["runs"] == 1
    assert ended(2)["errors"] == 1


@real_commit
def test_atomic_requests_is_such_a_transaction(board, monkeypatch):
    seen = []
    monkeypatch.setattr(
        tasks.send_confirmation, "delay_on_commit", lambda _: seen.append(len(connection.atomic_blocks))
    )
    for setting, user in {False: board.outsider, True: board.rival}.items():
        monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", setting)
        board.client(user).post("/api/applications/", {"job": board.job.pk}, format="json")
    without, with_it = seen
    assert with_it == without + 1


@real_commit
def test_a_rolled_back_application(board, log):
    def fail():
        raise ZeroDivisionError

    for apply in (apply_on_commit, apply_too_early):
        with pytest.raises(ZeroDivisionError):
            apply(board.outsider, board.job, then=fail)
    assert ended(1) == {"runs": 1, "done": 0, "errors": 1, "retries": 0}  # of the second


# What on_commit does and does not.


@pytest.fixture
def sent(monkeypatch):
    """Return the ids with which confirm.delay was called; nothing is sent."""
    ids = []
    monkeypatch.setattr(confirm, "delay", ids.append)
    return ids


@real_commit
def test_a_lambda_in_a_loop_sends_the_last_one_each_time(board, sent):
    made = [Application.objects.create(user=u, job=board.job) for u in (board.outsider, board.rival, board.staff)]
    confirm_all(made)
    assert sent == [made[-1].pk] * 3
    sent.clear()
    with transaction.atomic():
        for application in made:
            transaction.on_commit(partial(confirm.delay, application.pk))
    assert sent == [application.pk for application in made]


@real_commit
def test_a_savepoint_that_is_rolled_back_takes_its_callbacks_along(board, sent):
    with transaction.atomic():
        transaction.on_commit(partial(confirm.delay, 1))
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            transaction.on_commit(partial(confirm.delay, 2))
            raise ZeroDivisionError
    assert sent == [1]
    transaction.on_commit(partial(confirm.delay, 3))  # no transaction: at once
    assert sent == [1, 3]


def fail():
    raise ConnectionError


@real_commit
def test_a_callback_that_fails_stops_the_next_unless_it_is_robust(board, sent):
    for robust, after in {False: [], True: [1]}.items():
        with contextlib.suppress(ConnectionError), transaction.atomic():
            Application.objects.create(user=board.outsider if robust else board.rival, job=board.job)
            transaction.on_commit(fail, robust=robust)
            transaction.on_commit(partial(confirm.delay, 1))
        assert sent == after
    assert Application.objects.count() == 2  # both stay: the commit came first


@real_commit
def test_delay_on_commit_returns_no_result(board, log):
    assert confirm.delay_on_commit(0) is None
    assert confirm.delay(0).id
    ended(2)


def test_in_a_test_case_callbacks_wait_for_ever(world, sent, django_capture_on_commit_callbacks):
    apply_on_commit(world.outsider, world.job, confirm_by_hand)
    assert sent == []
    with django_capture_on_commit_callbacks(execute=True):
        apply_on_commit(world.rival, world.job, confirm_by_hand)
    assert len(sent) == 1


class confirm_by_hand:
    """What Celery's own delay_on_commit does."""

    @staticmethod
    def delay_on_commit(*arguments):
        transaction.on_commit(partial(confirm.delay, *arguments))


@real_commit
def test_a_robust_callback_is_logged(board, monkeypatch, caplog):
    monkeypatch.setattr(tasks.send_confirmation, "delay", lambda _: fail())
    services.apply(user=board.outsider, job=board.job)
    assert "Error calling Task.delay_on_commit.<locals>.enqueue in on_commit()" in caplog.text


def test_a_task_without_django_has_no_delay_on_commit():
    @Celery(set_as_current=False, fixups=[]).task
    def elsewhere():
        pass

    with pytest.raises(AttributeError) as refused:
        elsewhere.delay_on_commit()
    assert str(refused.value) == "'elsewhere' object has no attribute 'delay_on_commit'"


# The guard.


@pytest.fixture
def no_task_before_its_commit(monkeypatch):
    """Fail a test in which a task is sent inside a transaction."""
    send = Task.apply_async

    def checked(task, *args, **kwargs):
        blocks = connection.atomic_blocks  # not public, but stable
        ours = [block for block in blocks if not block._from_testcase]
        assert not ours, f"{task.name} is sent before the commit"
        return send(task, *args, **kwargs)

    monkeypatch.setattr(Task, "apply_async", checked)


@pytest.fixture
def nothing_is_sent(monkeypatch):
    """Let the guard be the only one that looks; the message goes nowhere."""
    monkeypatch.setattr(Task, "apply_async", lambda *_, **__: None)


def test_the_guard_sees_what_is_sent_too_early(world, nothing_is_sent, no_task_before_its_commit):
    with pytest.raises(AssertionError, match=r"page\.confirm is sent before the commit"):
        apply_too_early(world.outsider, world.job)


def test_the_guard_lets_the_job_board_pass(
    world, nothing_is_sent, no_task_before_its_commit, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        services.apply(user=world.outsider, job=world.job)
    assert len(callbacks) == 1
    Application.objects.update(created_at=timezone.now() - timedelta(days=1))
    tasks.sweep_confirmations()


# The gap that is left.

KILLED = """
import os, sys, django; django.setup()
from accounts.models import User; from board import models, services, tasks
tasks.send_confirmation.delay = lambda *_: os._exit(9)  # between COMMIT and send
user = User.objects.get(email="outsider@example.com")
services.apply(user=user, job=models.Job.objects.get(title="Baker"))
"""


@real_commit
def test_killed_between_the_commit_and_the_send(board, sent, monkeypatch):
    db = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**db)
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=local.HERE, env=os.environ | {"DATABASE_URL": url})
    assert done.returncode == 9
    assert unconfirmed() == 1
    monkeypatch.setattr(tasks.send_confirmation, "delay", sent.append)
    tasks.sweep_confirmations()
    assert sent == []  # it may only be late
    Application.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    tasks.sweep_confirmations()
    assert sent == [Job.objects.get(title="Baker").applications.get().pk]
