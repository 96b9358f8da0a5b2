"""The GraphQL schema: what can be asked, and within which limits."""

import traceback

import strawberry
import strawberry_django
from graphql import GraphQLError
from strawberry.extensions import MaskErrors, MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry_django.optimizer import DjangoOptimizerExtension
from strawberry_django.relay import DjangoCursorConnection
from strawberry_django.relay.cursor_connection import OrderedCollectionCursor

from board import caching, models
from board.graphql.limits import MAX_PAGE, MAX_TOKENS, DocumentLimits
from board.graphql.types import Application, Company, Job, Skill

READS_CURSOR = OrderedCollectionCursor.from_cursor.__func__.__code__


@strawberry.type
class SkillCount:
    name: str
    open_jobs: int


@strawberry.type
class Statistics:
    open_jobs: int
    hiring_companies: int
    top_skills: list[SkillCount]


@strawberry.type
class Query:
    companies: DjangoCursorConnection[Company] = strawberry_django.connection()
    applications: DjangoCursorConnection[Application] = (
        strawberry_django.connection()
    )

    skills: DjangoCursorConnection[Skill] = strawberry_django.connection()

    @strawberry_django.connection(DjangoCursorConnection[Job])
    def jobs(
        self,
        search: str = "",
        skill: str | None = None,
        company: str | None = None,
        pays: int | None = None,
        is_open: bool | None = None,
    ) -> list[Job]:
        """Jobs that the user may see, newest first; `company` is a slug."""
        jobs = models.Job.objects.matching(text(search))
        if skill:
            jobs = jobs.needing(text(skill))
        if company:
            jobs = jobs.filter(company__slug__iexact=text(company))
        if pays is not None:
            jobs = jobs.paying(pays)
        return jobs if is_open is None else jobs.filter(is_open=is_open)

    @strawberry_django.field
    def job(self, id: strawberry.ID) -> Job | None:
        """One job, by the number that the REST API uses."""
        return numbered(models.Job, id)

    @strawberry_django.field
    def application(self, id: strawberry.ID) -> Application | None:
        """One application, by the number that the REST API uses."""
        return numbered(models.Application, id)

    @strawberry_django.field
    def company(self, slug: str) -> Company | None:
        return models.Company.objects.filter(slug__iexact=text(slug))

    @strawberry.field
    def statistics(self) -> Statistics:
        """The numbers of the board; up to five minutes old."""
        numbers = caching.statistics()
        skills = [SkillCount(**skill) for skill in numbers["top_skills"]]
        return Statistics(**numbers | {"top_skills": skills})


def text(value):
    """Return a text to look for. Raises GraphQLError.

    PostgreSQL holds neither NUL nor half of a surrogate pair.
    """
    if len(value) > 80 or not value.isprintable():
        raise GraphQLError("Look for at most 80 printable characters.")
    return value


def numbered(model, number):
    """Return the row of a number, or no row."""
    if not number.isdecimal():
        return model.objects.none()
    return model.objects.filter(pk=number)


def is_internal(error: GraphQLError):
    """Say whether an error is a bug of ours, not to be shown."""
    original = error.original_error
    return original is not None and not isinstance(original, GraphQLError)


def is_bad_cursor(error: GraphQLError):
    """Say whether an error is a cursor that the library could not read.

    It raises a plain ValueError then; only the place tells it from a bug.
    """
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code is READS_CURSOR for frame, _ in frames)


class Schema(strawberry.Schema):
    """Logs bugs, not the mistakes of clients."""

    def process_errors(self, errors, execution_context=None):
        ours = [
            error
            for error in errors
            if is_internal(error) and not is_bad_cursor(error)
        ]
        super().process_errors(ours, execution_context)


class HideBugs(MaskErrors):
    """Tells clients about their mistakes, not about ours."""

    def anonymise_error(self, error):
        masked = super().anonymise_error(error)
        if is_bad_cursor(error):
            masked.message = "This is not a cursor of this list."
        return masked


schema = Schema(
    Query,
    config=StrawberryConfig(relay_max_results=MAX_PAGE),
    # Functions: every request gets extensions of its own.
    extensions=[
        lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
        DocumentLimits,
        # Whole rows: with only the columns asked for, the cursor of a nested
        # page lacks its sort key and loads it, one query for each row.
        lambda: DjangoOptimizerExtension(enable_only_optimization=False),
        lambda: HideBugs(should_mask_error=is_internal),
    ],
)
