"""How many queries a document sends, whom a nested row reaches, and what a limit costs."""

import gc
import io
import json
import warnings
from contextvars import ContextVar
from types import SimpleNamespace

import pytest
import strawberry
import strawberry_django
from asgiref.sync import async_to_sync, sync_to_async
from board import models
from board.graphql.limits import Measure
from board.graphql.schema import schema as lab_schema
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphql import FragmentDefinitionNode, FragmentSpreadNode, GraphQLError, parse, validate
from strawberry.dataloader import DataLoader
from strawberry.extensions import DisableIntrospection
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig
from strawberry_django.optimizer import DjangoOptimizerExtension
from strawberry_django.relay import DjangoCursorConnection

SCREEN = "{ companies { name jobs { title skills { name } } } }"
PAGE_OF_JOBS = "{ companies { name jobs(first: 5) { edges { node { title } } } } }"
COUNT_ALONE = "{ companies { name jobs(first: 5) { totalCount } } }"
TWO_PAGES = """{ companies { a: jobs(first: 1) { edges { node { title } } }
    b: jobs(first: 2) { edges { node { title } } } } }"""
LEAK = "{ companies { jobs { applications { applicant } } } }"


def first(**options):
    """Return a schema of three types and one question."""

    @strawberry_django.type(models.Skill)
    class Skill:
        name: strawberry.auto

    @strawberry_django.type(models.Job)
    class Job:
        title: strawberry.auto
        skills: list[Skill]

    @strawberry_django.type(models.Company)
    class Company:
        name: strawberry.auto
        jobs: list[Job]

    @strawberry.type
    class Query:
        companies: list[Company] = strawberry_django.field()

    return strawberry.Schema(Query, **options)


first_schema = first()
fast_schema = first(extensions=[DjangoOptimizerExtension])


# The same answer with loaders.

VIEWER = ContextVar("viewer")
ROOT = SimpleNamespace(is_superuser=True)


async def jobs_of(companies):
    """Return a list of jobs for each key, in the order of the keys."""
    found = {key: [] for key in companies}
    visible = await sync_to_async(models.Job.objects.visible_to)(VIEWER.get())
    async for job in visible.filter(company__in=companies).order_by("pk"):
        found[job.company_id].append(job)
    return list(found.values())


async def skills_of(jobs):
    """Return a list of names for each key."""
    found = {key: [] for key in jobs}
    names = models.Job.skills.through.objects.filter(job__in=jobs).order_by("pk")
    async for job, name in names.values_list("job", "skill__name"):
        found[job].append(name)
    return list(found.values())


@strawberry.type(name="Skill")
class LoadedSkill:
    name: str


@strawberry.type(name="Job")
class LoadedJob:
    title: str
    pk: strawberry.Private[int]

    @strawberry.field
    async def skills(self, info: strawberry.Info) -> list[LoadedSkill]:
        return [LoadedSkill(name=name) for name in await info.context.skills.load(self.pk)]


@strawberry.type(name="Company")
class LoadedCompany:
    name: str
    pk: strawberry.Private[int]

    @strawberry.field
    async def jobs(self, info: strawberry.Info) -> list[LoadedJob]:
        return [LoadedJob(title=job.title, pk=job.pk) for job in await info.context.jobs.load(self.pk)]


@strawberry.type(name="Query")
class LoadedQuery:
    @strawberry.field
    async def companies(self) -> list[LoadedCompany]:
        return [LoadedCompany(name=row.name, pk=row.pk) async for row in models.Company.objects.order_by("pk")]


loading_schema = strawberry.Schema(LoadedQuery)


def loaders():
    """Return the loaders of one request."""
    return SimpleNamespace(jobs=DataLoader(jobs_of), skills=DataLoader(skills_of))


LOADERS = {}


def context_of(request):
    """Return what resolvers find in info.context."""
    VIEWER.set(request.user)
    if not LOADERS:
        LOADERS["jobs"] = DataLoader(jobs_of)
        LOADERS["skills"] = DataLoader(skills_of)
    return SimpleNamespace(request=request, **LOADERS)


def loaded(document, context=None, user=None):
    """Execute a document on an event loop, as an async view does."""
    VIEWER.set(user or AnonymousUser())
    return async_to_sync(loading_schema.execute)(document, context_value=context or loaders())


# Pages of jobs, without the guard of the job board.


@strawberry_django.type(models.Job, name="Job")
class PagedJob(strawberry.relay.Node):
    title: strawberry.auto

    @classmethod
    def get_queryset(cls, queryset, info, **kwargs):
        return queryset.order_by("-created_at", "-id")


@strawberry_django.type(models.Company, name="Company")
class PagedCompany(strawberry.relay.Node):
    name: strawberry.auto
    jobs: DjangoCursorConnection[PagedJob] = strawberry_django.connection()


@strawberry.type(name="Query")
class PagedQuery:
    companies: list[PagedCompany] = strawberry_django.field()


paged_schema = strawberry.Schema(
    PagedQuery, extensions=[lambda: DjangoOptimizerExtension(enable_only_optimization=False)]
)


# A permission at the root, and nowhere else.


class IsSignedIn(BasePermission):
    message = "Sign in."

    def has_permission(self, source, info, **kwargs):
        return info.context.request.user.is_authenticated


@strawberry_django.type(models.Application, name="Application")
class OpenApplication:
    @strawberry_django.field(select_related=["user"])
    def applicant(self) -> str:
        return self.user.email


@strawberry_django.type(models.Job, name="Job")
class OpenJob:
    title: strawberry.auto
    applications: list[OpenApplication]


@strawberry_django.type(models.Company, name="Company")
class OpenCompany:
    jobs: list[OpenJob]


@strawberry.type(name="Query")
class OpenQuery:
    companies: list[OpenCompany] = strawberry_django.field()
    applications: list[OpenApplication] = strawberry_django.field(permission_classes=[IsSignedIn])


open_schema = strawberry.Schema(OpenQuery, extensions=[DjangoOptimizerExtension])


# A limit that walks.


def doubling(fragments):
    """Return a document in which each fragment spreads the next one twice."""
    lines = ["{ companies(first: 1) { edges { node { ...f0 } } } }"]
    lines += [f"fragment f{n} on Company {{ ...f{n + 1} ...f{n + 1} }}" for n in range(fragments)]
    return "\n".join([*lines, f"fragment f{fragments} on Company {{ name }}"])


def count_spreads(node, fragments):
    """Count the spreads that a node leads to, as many limiters do."""
    total = 0
    selected = node.selection_set
    for child in selected.selections if selected else ():
        if isinstance(child, FragmentSpreadNode):
            fragment = fragments[child.name.value]
            total += 1 + count_spreads(fragment, fragments)
        else:
            total += count_spreads(child, fragments)
    return total


def walked(document):
    """Measure a document with the limiter that walks."""
    nodes = parse(document).definitions
    fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
    return count_spreads(nodes[0], fragments)


def measured_once(document):
    """Measure it as the job board does."""
    try:
        Measure(lab_schema._schema, parse(document), {}).check()
    except GraphQLError as error:
        return error.message


def asked(schema, document, user=None, **variables):
    """Execute a document as a view does."""
    context = SimpleNamespace(request=SimpleNamespace(user=user or AnonymousUser()))
    return schema.execute_sync(document, variable_values=variables, context_value=context)


def queries_of(call, *arguments):
    """Return the number of statements that a call sends, and what it returns."""
    with CaptureQueriesContext(connection) as captured:
        result = call(*arguments)
    return len(captured), result


@pytest.fixture
def board(db):
    """Dataset S: 20 companies with 200 jobs, of which 161 are open."""
    call_command("seed", size="S", stdout=io.StringIO())


# Queries.


def test_one_document_is_221_queries_then_3(board):
    sent, slow = queries_of(asked, first_schema, SCREEN)
    assert sent == 221
    sent, fast = queries_of(asked, fast_schema, SCREEN)
    assert sent == 3
    assert slow.data == fast.data
    assert sum(len(company["jobs"]) for company in fast.data["companies"]) == 200


def test_loaders_send_3_and_need_an_event_loop(board):
    sent, result = queries_of(loaded, SCREEN, None, ROOT)
    assert sent == 3
    assert sum(len(company["jobs"]) for company in result.data["companies"]) == 200
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # before Python 3.14 a loop is made, with a warning
        result = loading_schema.execute_sync(SCREEN, context_value=loaders())
        said = result.errors[0].message
        del result
        gc.collect()  # the coroutine that nobody awaited warns when it goes
    # Python 3.14 makes no loop by itself, and so the loader says it first.
    assert said == "GraphQL execution failed to complete synchronously." or "no current event loop" in said


def test_the_lab_sends_3_for_what_may_be_seen(board):
    document = """{ companies(first: 20) { edges { node { name jobs(first: 40) { edges { node {
        title skills { name } } } } } } } }"""
    sent, result = queries_of(asked, lab_schema, document)
    assert sent == 3
    edges = result.data["companies"]["edges"]
    assert sum(len(edge["node"]["jobs"]["edges"]) for edge in edges) == 161


def test_the_optimiser_gives_up_without_a_word(board):
    sent, result = queries_of(asked, paged_schema, PAGE_OF_JOBS)
    assert (sent, result.errors) == (2, None)
    sent, result = queries_of(asked, paged_schema, COUNT_ALONE)
    assert (sent, result.errors) == (21, None)
    sent, result = queries_of(asked, paged_schema, TWO_PAGES)
    assert (sent, result.errors) == (41, None)
    sent, result = queries_of(
        asked, lab_schema, COUNT_ALONE.replace("companies {", "companies(first: 20) { edges { node {", 1) + " } }"
    )
    assert sent <= 2
    assert result.errors[0].message == "Ask for a nested page once, and for its edges { node }."


# Rows.


def test_a_check_at_the_root_leaves_the_way_round(world):
    result = asked(open_schema, "{ applications { applicant } }")
    assert result.errors[0].message == "Sign in."
    result = asked(open_schema, LEAK)
    assert result.errors is None
    assert "applicant@example.com" in json.dumps(result.data)
    document = """{ companies(first: 9) { edges { node { jobs(first: 9) { edges { node {
        applications(first: 9) { edges { node { applicant } } } } } } } } } }"""
    for user, seen in ((None, False), (world.outsider, False), (world.staff, True)):
        result = asked(lab_schema, document, user)
        assert ("applicant@example.com" in json.dumps(result.data)) is seen


def test_loaders_of_the_process_show_one_user_what_another_may_see(world):
    LOADERS.clear()

    def seen(user, context_for):
        request = SimpleNamespace(user=user)
        context = context_for(request)
        result = loaded("{ companies { jobs { title } } }", context, user)
        return "Archivist" in json.dumps(result.data)

    assert seen(world.staff, context_of)
    assert seen(AnonymousUser(), context_of)
    assert not seen(AnonymousUser(), lambda request: loaders())
    LOADERS.clear()


# Limits.


def test_a_limiter_that_walks_takes_2_to_the_n_steps():
    assert [walked(doubling(n)) for n in (4, 8, 12, 18)] == [2**5 - 1, 2**9 - 1, 2**13 - 1, 524_287]
    document = doubling(60)
    assert len(document) == 2577
    assert measured_once(document) == "The number of fragments is 2305843009213693951; at most 50."


def test_without_a_limit_the_doubling_document_is_harmless(board):
    document = doubling(60)
    assert validate(lab_schema._schema, parse(document)) == []
    plain = document.replace("companies(first: 1) { edges { node { ...f0 } } }", "companies { ...f0 }")
    result = asked(fast_schema, plain)
    assert result.errors is None
    assert len(result.data["companies"]) == 20


def test_the_messages_of_the_page(world):
    @strawberry.type(name="Query")
    class Blocking:
        @strawberry.field
        async def companies(self) -> list[str]:
            return [row.name for row in models.Company.objects.all()]

    result = async_to_sync(strawberry.Schema(Blocking).execute)("{ companies }")
    assert result.errors[0].message == "You cannot call this from an async context - use a thread or sync_to_async."


def test_without_introspection_a_wrong_name_still_tells_the_right_one(world):
    closed = first(extensions=[DisableIntrospection])
    result = asked(closed, "{ __schema { types { name } } }")
    assert "GraphQL introspection has been disabled" in result.errors[0].message
    result = asked(closed, "{ companies { nam } }")
    assert result.errors[0].message == "Cannot query field 'nam' on type 'Company'. Did you mean 'name'?"
    silent = first(config=StrawberryConfig(disable_field_suggestions=True))
    assert asked(silent, "{ companies { nam } }").errors[0].message == "Cannot query field 'nam' on type 'Company'."


# Basics.


def test_null_climbs_to_the_next_field_that_may_be_null(world):
    models.Job.objects.update(views=7)
    result = asked(lab_schema, "{ jobs(first: 9) { edges { node { title views } } } }")
    assert [edge["node"]["views"] for edge in result.data["jobs"]["edges"]] == [None, None]
    assert {tuple(error.path) for error in result.errors} == {("jobs", "edges", n, "node", "views") for n in range(2)}

    @strawberry.type
    class Strict:
        @strawberry.field
        def views(self) -> int:
            raise GraphQLError("Only the company's staff may see this.")

    @strawberry.type(name="Query")
    class StrictQuery:
        @strawberry.field
        def job(self) -> Strict | None:
            return Strict()

        @strawberry.field
        def title(self) -> str:
            return "kept"

    result = asked(strawberry.Schema(StrictQuery), "{ title job { views } }")
    assert result.data == {"title": "kept", "job": None}
