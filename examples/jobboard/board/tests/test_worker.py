"""Tasks in a real worker process, on the real queue, with a mail server."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

import local
from board import tasks
from board.models import Application
from board.tests.mail import MailServer
from config import celery_app
from tools.services import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return value


@pytest.fixture(scope="module")
def mail_server():
    with MailServer() as server:
        yield server
        server.shutdown()


def process_environment(**extra):
    """Return the environment of a process that works on the test database."""
    db = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**db)
    return os.environ | {"DATABASE_URL": url} | extra


@pytest.fixture(scope="module")
def worker(django_db_setup, mail_server, tmp_path_factory):
    """Run a worker with one child process until the tests of this file end."""
    log = tmp_path_factory.mktemp("worker") / "log"
    command = [sys.executable, "-m", "celery", "-A", "config", "worker"]
    command += ["--concurrency=1", "--loglevel=INFO", "--without-gossip"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=local.HERE,
            env=process_environment(MAIL_URL=mail_server.url),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: celery_app.control.ping(timeout=0.3), 30)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        print(log.read_text())


@pytest.fixture
def mails(mail_server, worker):
    """Return the server with no mails and no plan from the test before."""
    mail_server.mails.clear()
    mail_server.plan.clear()
    mail_server.connections = 0
    mail_server.hanging.clear()
    return mail_server


def sent(application):
    application.refresh_from_db()
    return application.confirmation_sent_at


def test_an_application_is_confirmed_by_mail(world, mails):
    client = world.client(world.outsider)
    body = {"job": world.job.pk}
    response = client.post("/api/applications/", body, format="json")
    application = world.outsider.applications.get(pk=response.json()["id"])
    wait_for(lambda: sent(application))
    (mail,) = mails.mails
    assert mail["To"] == "outsider@example.com"
    assert mail["Subject"] == "Your application: Backend developer"
    assert f"<application-{application.pk}@" in mail["Message-ID"]


def test_a_message_that_comes_three_times_is_one_mail(world, mails):
    for _ in range(3):
        tasks.send_confirmation.delay(world.application.pk)
    other = world.job.applications.create(user=world.outsider)
    tasks.send_confirmation.delay(other.pk)
    wait_for(lambda: sent(other))  # the queue keeps its order
    assert [mail["To"] for mail in mails.mails] == [
        "applicant@example.com",
        "outsider@example.com",
    ]


def test_a_row_that_is_locked_is_not_forgotten(world, mails):
    other = world.job.applications.create(user=world.outsider)
    with transaction.atomic():
        Application.objects.select_for_update().get(pk=world.application.pk)
        tasks.send_confirmation.delay(world.application.pk)
        tasks.send_confirmation.delay(other.pk)
        wait_for(lambda: sent(other))  # no worker waited for the lock
        assert len(mails.mails) == 1
    wait_for(lambda: sent(world.application), 30)
    assert len(mails.mails) == 2


def test_a_mail_server_that_drops_the_connection_is_tried_again(world, mails):
    mails.plan += ["drop", "drop"]
    tasks.send_confirmation.delay(world.application.pk)
    wait_for(lambda: sent(world.application), 30)
    assert mails.connections == 3
    assert len(mails.mails) == 1


def test_a_worker_killed_in_the_middle_loses_nothing(world, mails):
    mails.plan += ["hang"]
    tasks.send_confirmation.delay(world.application.pk)
    assert mails.hanging.wait(15)
    assert sent(world.application) is None

    (stats,) = celery_app.control.inspect().stats().values()
    (child,) = stats["pool"]["processes"]
    os.kill(child, signal.SIGKILL)

    wait_for(lambda: sent(world.application), 30)
    assert mails.connections == 2
    assert len(mails.mails) == 1


def test_a_queue_that_is_down_does_not_undo_the_application(world, mails):
    code = (
        "import django; django.setup()\n"
        "from accounts.models import User; from board import models, services\n"
        "user = User.objects.get(email='outsider@example.com')\n"
        "job = models.Job.objects.get(title='Baker')\n"
        "print(services.apply(user=user, job=job).pk)"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=local.HERE,
        env=process_environment(
            BROKER_URL=f"redis://127.0.0.1:{free_port()}/0"
        ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 30
    assert "Error calling Task.delay_on_commit" in done.stderr
    application = world.outsider.applications.get(pk=int(done.stdout))

    tasks.sweep_confirmations()
    assert sent(application) is None, "it may only be late"
    long_ago = timezone.now() - timedelta(minutes=11)
    world.elsewhere.applications.update(created_at=long_ago)
    tasks.sweep_confirmations()
    wait_for(lambda: sent(application))


def test_the_schedule_names_tasks_that_the_worker_knows(worker):
    (known,) = celery_app.control.inspect().registered().values()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in known
