"""What the tasks do; how they are delivered is in test_worker.py."""

import smtplib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core import mail
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


def test_an_application_that_is_gone_is_no_error(world):
    tasks.send_confirmation(world.application.pk + 1)
    assert mail.outbox == []


def test_only_what_may_pass_is_tried_again():
    retried = tasks.send_confirmation.autoretry_for
    assert not issubclass(smtplib.SMTPRecipientsRefused, retried)
    assert issubclass(smtplib.SMTPServerDisconnected, retried)
    assert issubclass(ConnectionRefusedError, retried)


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
        assert task.reject_on_worker_lost
    longest = tasks.send_confirmation.retry_backoff_max
    options = celery_app.conf.broker_transport_options
    assert longest < options["visibility_timeout"], "or it is delivered twice"
