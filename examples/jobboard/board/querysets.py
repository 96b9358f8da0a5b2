"""Questions about many rows. Each returns a queryset, so they chain."""

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q


class CompanyQuerySet(models.QuerySet):
    def managed_by(self, user):
        """Keep the companies the user may act for."""
        if user.is_superuser:
            return self
        # An anonymous user has the key None, which is on nobody's staff.
        return self.filter(staff=user.pk) if user.pk else self.none()

    def with_open_jobs(self):
        """Add `open_jobs`, the number of open jobs."""
        is_open = Q(jobs__is_open=True)
        return self.annotate(open_jobs=Count("jobs", filter=is_open))


class JobQuerySet(models.QuerySet):
    def open(self):
        """Keep the jobs that take applications."""
        return self.filter(is_open=True)

    def visible_to(self, user):
        """Keep open jobs, and closed ones of companies the user acts for."""
        if user.is_superuser:
            return self
        if not user.is_authenticated:
            return self.open()
        # Keys first: an OR with a subquery keeps the planner off the index
        # of open jobs, and hardly anybody is on the staff of a company.
        managed = list(user.companies.values_list("pk", flat=True))
        if not managed:
            return self.open()
        return self.filter(Q(is_open=True) | Q(company__in=managed))

    def needing(self, skill):
        """Keep the jobs that ask for the skill of this name.

        EXISTS, not a join: a join would repeat a job for each match.
        """
        through = self.model.skills.through.objects
        matches = through.filter(job=OuterRef("pk"), skill__name__iexact=skill)
        return self.filter(Exists(matches))

    def matching(self, text):
        """Keep the jobs whose title holds every word of the text."""
        for word in text.split():
            self = self.filter(title__icontains=word)
        return self

    def paying(self, amount):
        """Keep the jobs that may pay the amount; unknown pay does not count."""
        return self.filter(
            Q(salary_max__gte=amount)
            | Q(salary_max=None, salary_min__gte=amount)
        )

    def with_company(self):
        """Load the company with each job: one JOIN, no query per row."""
        return self.select_related("company")

    def for_display(self):
        """Load all that a job's representation shows: two queries in all."""
        return self.with_company().prefetch_related("skills")


class ApplicationQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Keep the user's own and those for companies the user acts for."""
        if user.is_superuser:
            return self
        if not user.is_authenticated:
            return self.none()
        managed = Q(job__company__in=user.companies.all())
        return self.filter(Q(user=user) | managed)

    def for_display(self):
        """Load all that an application's representation shows: two queries."""
        related = self.select_related("user", "job__company")
        return related.prefetch_related("job__skills")

    def unconfirmed(self, before):
        """Keep those from before a moment whose confirmation was not sent."""
        return self.filter(confirmation_sent_at=None, created_at__lt=before)
