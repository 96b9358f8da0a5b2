"""What one GraphQL document costs by how its fields are loaded, and what it costs to refuse one."""

from graphql import parse, validate
from test_graphql_in_django import (
    COUNT_ALONE,
    PAGE_OF_JOBS,
    ROOT,
    SCREEN,
    asked,
    doubling,
    fast_schema,
    first_schema,
    lab_schema,
    loaded,
    measured_once,
    paged_schema,
    walked,
)

MEASURES = [
    "docs/technologies/graphql-in-django/test_graphql_in_django.py::first",
    "docs/technologies/graphql-in-django/test_graphql_in_django.py::LoadedJob",
    "docs/technologies/graphql-in-django/test_graphql_in_django.py::jobs_of",
    "docs/technologies/graphql-in-django/test_graphql_in_django.py::PagedCompany",
    "docs/technologies/graphql-in-django/test_graphql_in_django.py::count_spreads",
    "examples/jobboard/board/graphql/limits.py::Measure",
    "examples/jobboard/board/graphql/types.py::NoQueryPerRow",
]
GIVEN = {}
LOAD = "20 companies, their jobs, the skills of each job"
PAGE = "20 companies, each with a page of 5 jobs"
REFUSE = "The job board refuses a document"
DOUBLE = "Fragments that each spread the next one twice"
GUARDED = """{ companies(first: 20) { edges { node { name
    jobs(first: 5) { %s } } } } }"""
DEEP = "{ jobs(first: 1) { edges { node { company { jobs(first: 1) { edges { node { company { jobs(first: 1) { edges { \
node { title } } } } } } } } } } } }"
WIDE = "{ companies(first: 50) { edges { node { jobs(first: 50) { edges { node { title } } } } } } }"


def measure(lab):
    with lab.dataset("S"):
        lab.compare(
            LOAD,
            {
                "a query per row": lambda: asked(first_schema, SCREEN),
                "DataLoader": lambda: loaded(SCREEN, user=ROOT),
                "optimiser": lambda: asked(fast_schema, SCREEN),
            },
        )
        lab.compare(
            PAGE,
            {
                "optimiser: edges { node }": lambda: asked(paged_schema, PAGE_OF_JOBS),
                "optimiser: totalCount": lambda: asked(paged_schema, COUNT_ALONE),
                "guarded: edges { node }": lambda: asked(lab_schema, GUARDED % "edges { node { title } }"),
                "guarded: totalCount": lambda: asked(lab_schema, GUARDED % "totalCount"),
            },
        )
        lab.compare(
            REFUSE,
            {
                "too deep": lambda: refused(DEEP),
                "too many rows": lambda: refused(WIDE),
                "60 doubling fragments": lambda: refused(doubling(60)),
            },
        )
    lab.curve(
        DOUBLE,
        "fragments",
        [10, 14, 18],
        {
            "no limit": lambda n: validate(lab_schema._schema, parse(doubling(n))) and None,
            "each spread walked": lambda n: walked(doubling(n)),
            "each fragment once": lambda n: measured_once(doubling(n)),
        },
        picture="time",
    )


def refused(document):
    """Send a document that must not be executed."""
    result = asked(lab_schema, document)
    assert result.data is None
    return result
