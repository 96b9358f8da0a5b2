"""Writes with effects: what changes together is written together.

Every function takes keywords only, is one transaction, and leaves mails and
caches to the moment after the commit. Who may do it is for the caller to ask.
"""

from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from board import caching, tasks
from board.models import Application, Job


class Conflict(Exception):
    """The write contradicts what is stored; the message says how."""


class StaleVersion(Exception):
    """Somebody has changed the row since the caller read it."""


@transaction.atomic
def create_job(*, company, skills=(), **fields):
    """Create a job and return it. Raises Conflict if its title is open."""
    with open_title_is_unique():
        job = Job.objects.create(company=company, **fields)
    job.skills.set(skills)
    caching.forget_jobs_on_commit()
    return job


@transaction.atomic
def update_job(*, job_id, version, skills=None, **fields):
    """Change a job and return it. Raises StaleVersion or Conflict.

    The version is the one the caller saw. The lock makes the comparison and
    the write one step: of two writers who saw the same version, one loses.
    """
    job = Job.objects.select_for_update(no_key=True).get(pk=job_id)
    if job.version != version:
        raise StaleVersion("the job has changed since it was read")
    for name, value in fields.items():
        setattr(job, name, value)
    job.version += 1
    with open_title_is_unique():
        job.save(update_fields=[*fields, "version"])
    if skills is not None:
        job.skills.set(skills)
    caching.forget_jobs_on_commit()
    return job


@transaction.atomic
def apply(*, user, job, cover_note=""):
    """Create an application and return it. Raises Conflict.

    Nothing is locked: that there is one application for each user and job is
    the constraint's business, which no race can pass.
    """
    if not job.is_open:
        raise Conflict("this job takes no more applications")
    try:
        # A savepoint, so that the transaction survives the refused row.
        with transaction.atomic():
            application = Application.objects.create(
                user=user, job=job, cover_note=cover_note
            )
    except IntegrityError as error:
        raise Conflict("you have applied for this job") from error
    tasks.send_confirmation.delay_on_commit(application.pk)
    return application


@transaction.atomic
def change_status(*, application_id, status):
    """Move an application to a status and return it. Raises Conflict.

    The row is locked while its status is compared: without the lock, a
    withdrawal and an offer at the same moment could both succeed.
    """
    application = (
        Application.objects.select_for_update(of=("self",), no_key=True)
        .for_display()
        .get(pk=application_id)
    )
    if not application.can_become(status):
        raise Conflict(f"{application.status} cannot become {status}")
    application.status = status
    application.status_changed_at = timezone.now()
    application.save(update_fields=["status", "status_changed_at"])
    return application


def count_view(*, job_id):
    """Add one to a job's views, in one statement that loses no increment."""
    Job.objects.filter(pk=job_id).update(views=F("views") + 1)


@contextmanager
def open_title_is_unique():
    """Turn the violation of that one constraint into a Conflict."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if error.__cause__.diag.constraint_name != "job_open_title_unique":
            raise
        raise Conflict("the company has an open job of this title") from error
