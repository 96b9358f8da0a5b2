"""Work that nobody waits for. A task takes ids and may run more than once.

A message is delivered at least once: a worker that dies before it
acknowledges leaves the message to the next. So each task looks at what is
already done before it does it.
"""

from datetime import UTC, date, datetime, time, timedelta
from smtplib import SMTPConnectError, SMTPServerDisconnected

from celery import shared_task
from django.core.mail import EmailMessage
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from accounts import tokens
from board.models import Application, DailyStatistics, IdempotencyKey, Job

# Worth another try. A refused address, for instance, is not: it would be
# refused again.
TRANSIENT = (
    ConnectionError,
    TimeoutError,
    SMTPConnectError,
    SMTPServerDisconnected,
    OperationalError,  # another worker has the row, or PostgreSQL restarts
)

# A task whose process was killed runs again, max_retries times at most.
SURVIVES = {
    "acks_late": True,  # acknowledge when done, not when taken
    "retry_on_worker_lost": True,  # send it again, and count it
    "reject_on_worker_lost": True,  # requeue it, if sending fails
    "default_retry_delay": 2,  # seconds; three minutes unless set
}


@shared_task(
    **SURVIVES,
    autoretry_for=TRANSIENT,
    retry_backoff=True,  # after up to 1, 2, 4 … seconds,
    retry_jitter=True,  # drawn, so that a thousand do not return at once,
    retry_backoff_max=600,  # ten minutes at most, far below the hour after
    max_retries=10,  # which the queue delivers a message again
)
@transaction.atomic
def send_confirmation(application_id):
    """Mail the applicant once, however many workers have the message.

    Killed between the mail and the commit, it mails again: no order of the
    two is safe. The Message-ID stays, so mail programs can drop the copy.
    """
    outlast_a_slow_mail_server()
    locked = Application.objects.select_for_update(
        of=("self",),  # not the user and the job, which are joined
        no_key=True,  # rows that point to it may still be written
        nowait=True,  # an error, which is transient: no worker waits
    ).select_related("user", "job__company")
    application = locked.filter(
        pk=application_id, confirmation_sent_at=None
    ).first()
    if application is None:  # sent before, or deleted since
        return
    confirmation(application).send()
    application.confirmation_sent_at = timezone.now()
    application.save(update_fields=["confirmation_sent_at"])


def outlast_a_slow_mail_server():
    """Keep the transaction open for as long as the task may run.

    Each of a mail's steps may take five seconds. PostgreSQL would end a
    transaction that is idle for ten: the mail sent, the mark lost.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '60s'")


def confirmation(application):
    """Return the mail that confirms an application."""
    job = application.job
    return EmailMessage(
        subject=f"Your application: {job.title}",
        body=f"{job.company} has received your application for {job.title}.",
        to=[application.user.email],
        headers={
            "Message-ID": f"<application-{application.pk}@jobboard.invalid>"
        },
    )


@shared_task
def sweep_confirmations():
    """Enqueue the confirmations that a queue which was down never got.

    One that is only late is enqueued twice; the second run finds it sent,
    or finds the row locked and comes back.
    """
    before = timezone.now() - timedelta(minutes=10)
    missed = Application.objects.unconfirmed(before).order_by("created_at")
    for application_id in missed.values_list("pk", flat=True)[:500]:
        send_confirmation.delay(application_id)


@shared_task(**SURVIVES)
def record_statistics(day=None):
    """Write the row of a day, such as "2026-11-22"; by default yesterday.

    Run twice, it writes the same row: the day is unique.
    """
    today = timezone.now().astimezone(UTC).date()
    day = date.fromisoformat(day) if day else today - timedelta(days=1)
    begin = datetime.combine(day, time.min, UTC)
    during = {
        "created_at__gte": begin,
        "created_at__lt": begin + timedelta(days=1),
    }
    DailyStatistics.objects.update_or_create(
        day=day,
        defaults={
            "open_jobs": Job.objects.open().count(),
            "new_jobs": Job.objects.filter(**during).count(),
            "new_applications": Application.objects.filter(**during).count(),
        },
    )


@shared_task
def forget_expired():
    """Delete day-old idempotency keys and expired refresh tokens."""
    yesterday = timezone.now() - timedelta(days=1)
    IdempotencyKey.objects.filter(created_at__lt=yesterday).delete()
    tokens.forget_expired()
