"""The types of the GraphQL schema: which fields there are and who may see them.

Rows are limited in `get_queryset`, which the optimizer applies wherever the
type appears: at the root and nested below any other type.
"""

import datetime
import decimal

import strawberry
import strawberry_django
from django.db.models import Count, Q
from graphql import GraphQLError
from strawberry import relay
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry_django.optimizer import is_optimized_by_prefetching
from strawberry_django.relay import DjangoCursorConnection

from board import models


class NoQueryPerRow(FieldExtension):
    """Refuses a nested page that would be a query for each row around it.

    The optimizer loads the pages of all rows at once, but leaves out those of
    two aliases, and those without a node, such as `totalCount` alone.
    """

    def resolve(self, next_, source, info, **arguments):
        page = next_(source, info, **arguments)
        if not is_optimized_by_prefetching(page):
            raise GraphQLError(
                "Ask for a nested page once, and for its edges { node }."
            )
        return page


class IsCompanyStaff(BasePermission):
    """Lets the staff of the job's company read a field; others get null."""

    message = "Only the company's staff may see this."

    def has_permission(self, source, info, **kwargs):
        user = info.context.request.user
        if not hasattr(user, "managed_company_ids"):
            # Once for each request, however many jobs ask.
            managed = models.Company.objects.managed_by(user)
            user.managed_company_ids = set(managed.values_list("pk", flat=True))
        return source.company_id in user.managed_company_ids


@strawberry_django.type(models.Skill)
class Skill(relay.Node):
    name: strawberry.auto

    @classmethod
    def get_queryset(cls, queryset, info, **kwargs):
        return queryset.order_by("name")


@strawberry_django.type(models.Company)
class Company(relay.Node):
    name: strawberry.auto
    slug: strawberry.auto
    open_jobs: int = strawberry_django.field(
        annotate=Count("jobs", filter=Q(jobs__is_open=True))
    )
    jobs: DjangoCursorConnection["Job"] = strawberry_django.connection(
        extensions=[NoQueryPerRow()]
    )


@strawberry_django.type(models.Job)
class Job(relay.Node):
    title: strawberry.auto
    description: strawberry.auto
    salary_min: decimal.Decimal | None
    salary_max: decimal.Decimal | None
    is_open: strawberry.auto
    created_at: datetime.datetime
    company: Company
    skills: list[Skill]
    applications: DjangoCursorConnection["Application"] = (
        strawberry_django.connection(extensions=[NoQueryPerRow()])
    )
    views: int | None = strawberry_django.field(
        permission_classes=[IsCompanyStaff]
    )

    @classmethod
    def get_queryset(cls, queryset, info, **kwargs):
        visible = queryset.visible_to(info.context.request.user)
        return visible.order_by("-created_at", "-id")


@strawberry_django.type(models.Job)
class JobSummary:
    """A job as an application shows it, also after it was closed.

    A type of its own, because who may see the application may see this much.
    """

    title: strawberry.auto
    is_open: strawberry.auto
    company: Company


@strawberry_django.type(models.Application)
class Application(relay.Node):
    status: str
    cover_note: strawberry.auto
    created_at: datetime.datetime
    job: JobSummary

    @strawberry_django.field(select_related=["user"])
    def applicant(self) -> str:
        return self.user.email

    @classmethod
    def get_queryset(cls, queryset, info, **kwargs):
        visible = queryset.visible_to(info.context.request.user)
        return visible.order_by("-created_at", "-id")
