"""The tables: their fields, their rules, and facts about one row.

A rule that must always hold is a constraint: it also holds for the admin,
for a bulk update, and for two requests at the same moment.
"""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower, Upper

from board.querysets import ApplicationQuerySet, CompanyQuerySet, JobQuerySet


class Company(models.Model):
    """An employer; its staff write its jobs and decide on applications."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60)
    staff = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="companies", blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "companies"
        constraints = (
            models.UniqueConstraint(Lower("slug"), name="company_slug_unique"),
        )

    def __str__(self):
        return self.name

    def is_managed_by(self, user):
        """Say whether the user may act for the company."""
        return user.is_superuser or self.staff.filter(pk=user.pk).exists()


class Skill(models.Model):
    """Something a job asks for."""

    name = models.CharField(max_length=60, unique=True)

    def __str__(self):
        return self.name


class Job(models.Model):
    """A position that a company wants to fill."""

    # PROTECT: who deletes a company must first say what becomes of its jobs.
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="jobs"
    )
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=20_000, blank=True, default="")
    salary_min = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    salary_max = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    is_open = models.BooleanField(default=True)
    skills = models.ManyToManyField(Skill, related_name="jobs", blank=True)
    views = models.PositiveBigIntegerField(default=0, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        # The GraphQL optimizer loads relations by it, and calls visible_to.
        base_manager_name = "objects"
        constraints = (
            # A CHECK with NULL passes, so either end may be left open.
            models.CheckConstraint(
                condition=models.Q(salary_min__lte=models.F("salary_max")),
                name="job_salary_range",
                violation_error_message="The salary ends below its beginning.",
            ),
            # Partial: a closed job does not stop the next of the same title.
            models.UniqueConstraint(
                fields=("company", "title"),
                condition=models.Q(is_open=True),
                name="job_open_title_unique",
                violation_error_message="This title is open at this company.",
            ),
        )
        indexes = (
            # What the list asks for: open jobs, newest first. Partial, since
            # nearly all jobs of an old board are closed.
            models.Index(
                fields=("-created_at", "-id"),
                condition=models.Q(is_open=True),
                name="job_open_newest",
            ),
            # icontains asks for UPPER(title) LIKE '%…%': no B-tree helps.
            GinIndex(
                OpClass(Upper("title"), name="gin_trgm_ops"),
                name="job_title_trigrams",
            ),
        )

    def __str__(self):
        return self.title


class Application(models.Model):
    """A user's application for a job: the link between the two, with facts."""

    class Status(models.TextChoices):
        SENT = "sent"
        REVIEWED = "reviewed"
        OFFERED = "offered"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"

    # What may follow on what. A status that is missing here is final.
    TRANSITIONS = {
        Status.SENT: {Status.REVIEWED, Status.WITHDRAWN},
        Status.REVIEWED: {Status.OFFERED, Status.REJECTED, Status.WITHDRAWN},
    }

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="applications",
    )
    job = models.ForeignKey(
        Job, on_delete=models.PROTECT, related_name="applications"
    )
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.SENT
    )
    cover_note = models.TextField(max_length=4000, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    status_changed_at = models.DateTimeField(auto_now_add=True)
    confirmation_sent_at = models.DateTimeField(null=True, editable=False)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        constraints = (
            models.UniqueConstraint(
                fields=("user", "job"), name="application_once_per_job"
            ),
            # TextChoices bind forms and serializers; this binds everything.
            models.CheckConstraint(
                condition=models.Q(
                    status__in=(
                        "sent",
                        "reviewed",
                        "offered",
                        "rejected",
                        "withdrawn",
                    )
                ),
                name="application_status_known",
            ),
        )
        indexes = (
            # Small for ever: nearly every confirmation has been sent.
            models.Index(
                fields=("created_at",),
                condition=models.Q(confirmation_sent_at=None),
                name="application_unconfirmed",
            ),
        )

    def __str__(self):
        return f"Application {self.pk}"

    def can_become(self, status):
        """Say whether the status may follow on the present one."""
        return status in self.TRANSITIONS.get(self.status, ())


class DailyStatistics(models.Model):
    """What the board looked like at the end of a day."""

    day = models.DateField(unique=True)
    open_jobs = models.PositiveIntegerField()
    new_jobs = models.PositiveIntegerField()
    new_applications = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "daily statistics"

    def __str__(self):
        return str(self.day)


class IdempotencyKey(models.Model):
    """The answer to a request that its sender may send again."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    key = models.UUIDField()
    fingerprint = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "key"), name="idempotency_key_unique"
            ),
        )

    def __str__(self):
        return str(self.key)
