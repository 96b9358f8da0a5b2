"""What the tasks do; how they are delivered is in test_worker.py."""

import smtplib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.core import mail
from django.db import OperationalError, connection
from django.utils import timezone

from board import services, tasks
from board.models import (
    Application,
    DailyStatistics,
    IdempotencyKey,
    Job,
)
from config import celery_app

pytestmark = pytest.mark.django_db


def test_a_confirmation_is_sent_once(world):
    for _ in range(2):
        tasks.send_confirmation(world.application.pk)
    assert [mail.to for mail in mail.outbox] == [["applicant@example.com"]]
    world.application.refresh_from_db()
    assert world.application.confirmation_sent_at


@pytest.fixture
def during_the_mail(monkeypatch):
    """Return a list; what is added to it is called while a mail is sent."""
    todo = []
    send = mail.EmailMessage.send

    def send_slowly(message):
        if todo:
            todo.pop()()
        send(message)

    monkeypatch.setattr(mail.EmailMessage, "send", send_slowly)
    return todo


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_at_once_are_one_mail(world, during_the_mail):
    application = world.application

    def deliver():
        try:
            tasks.send_confirmation(application.pk)
        finally:
            connection.close()

    def deliver_again():
        with ThreadPoolExecutor(1) as another_worker:
            with pytest.raises(OperationalError, match="obtain lock on row"):
                another_worker.submit(deliver).result()

    during_the_mail.append(deliver_again)
    tasks.send_confirmation(application.pk)
    assert during_the_mail == [], "no mail was sent"
    assert [mail.to for mail in mail.outbox] == [["applicant@example.com"]]
    application.refresh_from_db()
    assert application.confirmation_sent_at


def test_the_lock_lasts_as_long_as_the_task_may(world, during_the_mail):
    lasts = []

    def ask():
        with connection.cursor() as cursor:
            name = "idle_in_transaction_session_timeout"
            cursor.execute("SELECT current_setting(%s)::interval", [name])
            lasts.extend(cursor.fetchone())

    during_the_mail.append(ask)
    tasks.send_confirmation(world.application.pk)
    assert lasts == [timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)]


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_fails_leaves_no_mark(world, during_the_mail):
    def fail():
        raise smtplib.SMTPServerDisconnected

    during_the_mail.append(fail)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        tasks.send_confirmation(world.application.pk)
    tasks.send_confirmation(world.application.pk)
    assert len(mail.outbox) == 1


def test_an_application_that_is_gone_is_no_error(world):
    tasks.send_confirmation(world.application.pk + 1)
    assert mail.outbox == []


def test_only_what_may_pass_is_tried_again():
    retried = tasks.send_confirmation.autoretry_for
    assert not issubclass(smtplib.SMTPRecipientsRefused, retried)
    assert issubclass(smtplib.SMTPServerDisconnected, retried)
    assert issubclass(ConnectionRefusedError, retried)
    assert issubclass(OperationalError, retried)


def test_a_rolled_back_application_enqueues_nothing(
    world, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as callbacks:
        with pytest.raises(services.Conflict):
            services.apply(user=world.applicant, job=world.job)
    assert callbacks == []
    with django_capture_on_commit_callbacks() as callbacks:
        services.apply(user=world.outsider, job=world.job)
    assert len(callbacks) == 1


def test_statistics_count_a_day_and_can_be_written_again(world):
    day = datetime(2026, 11, 22, tzinfo=UTC)
    jobs = list(Job.objects.order_by("pk"))
    for job, moment in zip(
        jobs,
        (day - timedelta(seconds=1), day, day + timedelta(hours=24)),
        strict=True,
    ):
        Job.objects.filter(pk=job.pk).update(created_at=moment)
    Application.objects.update(created_at=day + timedelta(hours=23))
    for _ in range(2):
        tasks.record_statistics("2026-11-22")
    row = DailyStatistics.objects.get()
    assert str(row) == "2026-11-22"
    assert (row.open_jobs, row.new_jobs, row.new_applications) == (2, 1, 1)


def test_statistics_are_of_yesterday_unless_a_day_is_given(world):
    tasks.record_statistics()
    yesterday = timezone.now().astimezone(UTC).date() - timedelta(days=1)
    assert DailyStatistics.objects.get().day == yesterday
    with pytest.raises(ValueError, match="Invalid isoformat"):
        tasks.record_statistics("yesterday")


def test_keys_are_forgotten_after_a_day(world):
    for age in (23, 25):
        key = IdempotencyKey.objects.create(
            user=world.applicant, key=uuid4(), fingerprint=str(age)
        )
        moment = timezone.now() - timedelta(hours=age)
        IdempotencyKey.objects.filter(pk=key.pk).update(created_at=moment)
    tasks.forget_expired()
    (left,) = IdempotencyKey.objects.all()
    assert left.fingerprint == "23"
    assert str(left) == str(left.key)


def test_tasks_that_change_something_survive_the_death_of_a_worker():
    for task in (tasks.send_confirmation, tasks.record_statistics):
        assert task.acks_late
        assert task.retry_on_worker_lost
        assert task.reject_on_worker_lost
        assert task.max_retries in range(1, 11), "or it starts for ever"
    longest = tasks.send_confirmation.retry_backoff_max
    options = celery_app.conf.broker_transport_options
    assert longest < options["visibility_timeout"], "or it is delivered twice"
