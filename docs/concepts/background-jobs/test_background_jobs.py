"""Work after the answer: what the request saves, what waits in the queue, and why a task never runs."""

import contextlib
import os
import signal
import smtplib
import subprocess
import sys
import threading
import time
from pathlib import Path

import django
import local
import pytest
import redis
from board import services
from board.models import Application
from board.tasks import confirmation, send_confirmation
from board.tests.mail import MailServer, Session
from celery import Celery, shared_task
from celery.app import trace
from celery.result import AsyncResult, denied_join_result
from celery.signals import task_success
from config import celery_app
from django.conf import settings
from django.db import connection, transaction
from kombu.exceptions import EncodeError, OperationalError

from tools.services import free_port

try:
    from django.tasks import task
except ImportError:  # before Django 6.0

    def task(function):
        return function


HERE = Path(__file__).parent
shared = redis.Redis.from_url(settings.CACHE_URL)
DONE, GO = "jobboard:page:done", "jobboard:page:go"  # the prefix that conftest.py deletes


# Before the answer, and after it.


@transaction.atomic
def apply_and_mail(user, job, send):
    """Store an application and mail its confirmation, then answer."""
    application = Application.objects.create(user=user, job=job)
    send(confirmation(application))  # how long this takes is up to others
    return application


def smtp(server_address):
    """Return a function that sends a mail to this server."""

    def send(mail):
        with smtplib.SMTP(*server_address, timeout=5) as server:
            server.send_message(mail.message())

    return send


@shared_task(name="page.wait")
def wait(seconds):
    """Stand for a task that waits for somebody else."""
    time.sleep(seconds)


@shared_task(name="page.compute")
def compute(seconds):
    """Stand for a task that keeps a core busy."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def until_told():
    """Stand for a long task: it ends when it is told to."""
    shared.hincrby(DONE, "began")
    wait_for(lambda: shared.exists(GO), seconds=120)


NO_LIMIT = {"soft_time_limit": 600, "time_limit": 600}
report = shared_task(name="page.report", **NO_LIMIT)(until_told)
report_late = shared_task(name="page.report_late", acks_late=True, **NO_LIMIT)(until_told)


@shared_task(name="page.mail")
def mail():
    """Stand for a short task."""


@task
def confirm_later(application_id):
    """Send the confirmation of an application, wherever the backend says."""
    application = Application.objects.get(pk=application_id)
    confirmation(application).send()


if "PAGE_WORKER" in os.environ:  # in the worker: count the tasks that ended
    task_success.connect(lambda sender, **_: shared.hincrby(DONE, sender.name), weak=False)


def done(name):
    return int(shared.hget(DONE, name) or 0)


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return value


def queued(name="celery"):
    """Return how many messages wait in a queue on the broker."""
    with celery_app.connection_for_read() as broker:
        return broker.default_channel.client.llen(name)


class Server(MailServer):
    """A mail server that takes its time: so many seconds, or until it is told to go on."""

    def __init__(self, seconds=0.0):
        super().__init__()
        self.RequestHandlerClass = Slow
        self.seconds = seconds
        self.go_on = threading.Event()


class Slow(Session):
    def take_mail(self, behaviour):
        if behaviour == "hold":
            self.server.hanging.set()
            self.server.go_on.wait(20)
        time.sleep(self.server.seconds)
        super().take_mail("accept")


@contextlib.contextmanager
def workers(folder, mail_url="console://", **options):
    """Run Celery workers, each with its options; yield their logs by name."""
    db = connection.settings_dict
    environment = os.environ | {
        "DATABASE_URL": "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**db),
        "MAIL_URL": mail_url,
        "PAGE_WORKER": "1",
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ["PYTHONPATH"]]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--include=test_background_jobs"]
    command += ["--without-gossip", "--without-mingle", "--loglevel=INFO"]
    celery_app.control.purge()
    logs = {name: Path(folder, f"{name}.log") for name in options}
    running = []
    try:
        for name, log in logs.items():
            with log.open("wb") as output:
                here = [*command, f"--hostname={name}@page", *options[name]]
                running.append(
                    subprocess.Popen(here, cwd=local.HERE, env=environment, stdout=output, stderr=subprocess.STDOUT)
                )
        wait_for(lambda: len(celery_app.control.ping(timeout=0.3)) == len(logs))
        yield logs
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(30)


def left_behind(number, *, long=report, mails_queue="celery"):
    """Start a long task, then send short ones; return how many of them wait until it has ended.

    The worker that runs the long task may have taken them along, while another is idle.
    """
    shared.delete(DONE, GO)
    long.delay()
    wait_for(lambda: done("began"))
    for _ in range(number):
        mail.apply_async(queue=mails_queue)
    at_rest(lambda: (queued(), queued(mails_queue), done(mail.name)))
    waiting = number - done(mail.name)
    shared.set(GO, 1)
    wait_for(lambda: done(mail.name) == number and done(long.name) == 1)
    return waiting


def at_rest(look, seconds=0.5):
    """Return what look returns, when it has been the same for so long."""
    seen, since = look(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.01)
        if (now := look()) != seen:
            seen, since = now, time.monotonic()
    return seen


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def log(django_db_setup, server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("worker")
    with workers(folder, server.url, one=["--concurrency=1", "--prefetch-multiplier=4"]) as logs:
        yield logs["one"]


real_commit = pytest.mark.django_db(transaction=True)


def sent(application):
    application.refresh_from_db()
    return application.confirmation_sent_at


@real_commit
def test_the_answer_does_not_wait_for_the_mail_server(world, server, log):
    server.plan[:] = ["hold"]
    application = services.apply(user=world.outsider, job=world.job)  # returns, and the mail
    assert server.hanging.wait(15)  # has not been taken yet
    assert not sent(application)
    server.go_on.set()
    wait_for(lambda: sent(application))


@real_commit
def test_without_a_mail_server_only_the_task_stores_the_application(world):
    nobody = ("127.0.0.1", free_port())
    with pytest.raises(ConnectionRefusedError):
        apply_and_mail(world.outsider, world.job, smtp(nobody))
    assert not world.outsider.applications.exists()


@real_commit
def test_inline_the_mail_is_sent_before_the_answer(world, server):
    before = len(server.mails)
    apply_and_mail(world.outsider, world.job, smtp(server.server_address))
    assert len(server.mails) == before + 1


# A task that never runs.


@real_commit
def test_another_queue_is_a_queue_that_nobody_reads(world, log):
    try:
        mail.apply_async(queue="mails")
        mail.delay()
        wait_for(lambda: done("page.mail") == 1)
        assert queued("mails") == 1
    finally:
        celery_app.control.purge()
        with celery_app.connection_for_write() as broker:
            broker.default_channel.client.delete("mails")


@real_commit
def test_an_unknown_task_is_thrown_away(world, log):
    celery_app.send_task("page.forgotten")
    wait_for(lambda: "Received unregistered task" in log.read_text())
    wait_for(lambda: not queued())
    said = log.read_text()
    assert "Received unregistered task of type 'page.forgotten'." in said
    assert "The message has been ignored and discarded." in said
    assert "Did you remember to import the module containing this task?" in said
    (known,) = celery_app.control.inspect(timeout=1).registered().values()
    assert "board.tasks.send_confirmation" in known
    assert "page.forgotten" not in known


def test_without_a_worker_the_message_waits():
    before = queued("nobody")
    try:
        mail.apply_async(queue="nobody")
        assert queued("nobody") == before + 1
    finally:
        with celery_app.connection_for_write() as broker:
            broker.default_channel.client.delete("nobody")


def test_a_broker_that_is_not_there():
    away = Celery(broker=f"redis://127.0.0.1:{free_port()}/0", set_as_current=False)
    away.conf.broker_transport_options = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
    away.conf.task_publish_retry = False
    with pytest.raises(OperationalError, match=r"Error \d+ connecting to 127\.0\.0\.1:\d+\. Connection refused\."):
        away.send_task("page.mail")


ORPHAN = """
from celery import shared_task
@shared_task
def orphan(): pass
print(orphan.app.connection().as_uri())
"""


def test_a_project_that_does_not_import_its_app_asks_rabbitmq():
    alone = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, check=True)
    assert alone.stdout.strip() == "amqp://guest:**@localhost:5672//"
    imported = subprocess.run(
        [sys.executable, "-c", "import config\n" + ORPHAN], cwd=local.HERE, capture_output=True, text=True, check=True
    )
    assert imported.stdout.startswith("redis://")


def test_a_model_does_not_fit_into_a_message(world):
    with pytest.raises(EncodeError) as refused:
        compute.delay(world.job)
    assert str(refused.value) == "Object of type Job is not JSON serializable"


def test_there_is_no_result_unless_you_keep_one():
    try:
        assert mail.apply_async(queue="nobody").get(timeout=1) is None  # at once, and it never ran
        kept = mail.apply_async(queue="nobody", ignore_result=False)
        with pytest.raises(NotImplementedError) as refused:
            kept.get(timeout=1)
    finally:
        with celery_app.connection_for_write() as broker:
            broker.default_channel.client.delete("nobody")
    assert str(refused.value).startswith("No result backend is configured.")


def test_a_task_must_not_wait_for_a_task():
    with denied_join_result(), pytest.raises(RuntimeError, match=r"Never call result\.get\(\) within a task!"):
        AsyncResult("1", app=celery_app).get()


def test_a_child_that_was_spawned_knows_no_tasks():
    """What happens on Windows, where children are not forked: they begin with an empty table."""
    assert trace._localized == []
    with pytest.raises(RuntimeError) as refused:
        trace.fast_trace_task("page.mail", "id", {}, "", None, None)
    assert str(refused.value).startswith("fast_trace_task: worker task registry is empty (`_loc` was not populated).")
    assert "(e.g. the default prefork pool on Windows). Try `--pool=solo`" in str(refused.value)
    with pytest.raises(ValueError) as older:  # what Celery did with that table before it said so
        _tasks, _accept, _hostname = trace._localized
    assert str(older.value) == "not enough values to unpack (expected 3, got 0)"


# The worker that takes along more than it can do.


@real_commit
def test_a_busy_worker_takes_along_four_messages(world, log):
    """Four times its children: the default. Nobody else can have them any more."""
    shared.delete(DONE, GO)
    report.delay()
    wait_for(lambda: done("began"))
    for _ in range(20):
        mail.delay()
    wait_for(lambda: queued() == 16)
    assert at_rest(queued, 0.3) == 16
    shared.set(GO, 1)
    wait_for(lambda: done(mail.name) == 20)


# Django's own Tasks, in Django 6.0 and newer.

new_django = pytest.mark.skipif(django.VERSION < (6, 0), reason="Django 6.0 brought Tasks")


@new_django
def test_the_default_backend_runs_the_task_before_the_answer(world, mailoutbox):
    result = confirm_later.enqueue(world.application.pk)
    assert result.status == "SUCCESSFUL"
    assert len(mailoutbox) == 1


@new_django
def test_it_hides_the_error(world):
    result = confirm_later.enqueue(0)
    assert result.status == "FAILED"
    (error,) = result.errors
    assert error.exception_class_path == "board.models.Application.DoesNotExist"
    with pytest.raises(ModuleNotFoundError):  # a class inside a class cannot be imported by its path
        _ = error.exception_class


@new_django
def test_the_dummy_backend_runs_nothing(world, mailoutbox, settings):
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
    result = confirm_later.enqueue(world.application.pk)
    assert result.status == "READY"
    assert not mailoutbox


@new_django
def test_what_the_built_in_backends_do_not_offer(world):
    from django.core import management
    from django.tasks import default_task_backend
    from django.tasks.exceptions import InvalidTask
    from django.utils import timezone

    assert not default_task_backend.supports_defer
    assert not default_task_backend.supports_get_result
    with pytest.raises(InvalidTask, match=r"Backend does not support run_after\."):
        confirm_later.using(run_after=timezone.now())
    with pytest.raises(NotImplementedError, match="does not support retrieving or refreshing results"):
        default_task_backend.get_result("1")
    with pytest.raises(TypeError, match="Job"):
        confirm_later.enqueue(world.job)
    assert not [name for name, app in management.get_commands().items() if "task" in name or "worker" in name]


def test_the_job_boards_task_takes_an_id():
    assert send_confirmation.ignore_result
    assert settings.CELERY_WORKER_PREFETCH_MULTIPLIER == 1
