"""The GraphQL schema: what can be asked, and within which limits."""

import strawberry
import strawberry_django
from graphql import GraphQLError
from strawberry.extensions import MaskErrors, MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry_django.optimizer import DjangoOptimizerExtension
from strawberry_django.relay import DjangoCursorConnection

from board import caching, models
from board.graphql.limits import MAX_PAGE, MAX_TOKENS, DocumentLimits
from board.graphql.types import Application, Company, Job


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

    @strawberry_django.connection(DjangoCursorConnection[Job])
    def jobs(self, search: str = "", skill: str | None = None) -> list[Job]:
        """Jobs that the user may see, newest first."""
        jobs = models.Job.objects.matching(search[:80])
        return jobs.needing(skill) if skill else jobs

    @strawberry_django.field
    def job(self, id: strawberry.ID) -> Job | None:
        """One job, by the number that the REST API uses."""
        if not id.isdecimal():
            return models.Job.objects.none()
        return models.Job.objects.filter(pk=id)

    @strawberry.field
    def statistics(self) -> Statistics:
        """The numbers of the board; up to five minutes old."""
        numbers = caching.statistics()
        skills = [SkillCount(**skill) for skill in numbers["top_skills"]]
        return Statistics(**numbers | {"top_skills": skills})


def is_internal(error: GraphQLError):
    """Say whether an error is a bug of ours, not to be shown."""
    original = error.original_error
    return original is not None and not isinstance(original, GraphQLError)


class Schema(strawberry.Schema):
    """Logs bugs, not the mistakes of clients."""

    def process_errors(self, errors, execution_context=None):
        ours = [error for error in errors if is_internal(error)]
        super().process_errors(ours, execution_context)


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
        lambda: MaskErrors(should_mask_error=is_internal),
    ],
)
