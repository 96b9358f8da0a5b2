"""GraphQL: the same rows as REST, in a bounded number of queries."""

import json
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from board.graphql import limits
from board.graphql.schema import schema
from board.graphql.view import MEDIA_TYPE
from board.models import Application, Company, Job, Skill
from board.tests.world import assert_problem

pytestmark = pytest.mark.django_db

SCREEN = """
query Screen($first: Int = 20, $search: String = "") {
  jobs(first: $first, search: $search) {
    edges { node { title salaryMax company { name openJobs }
      skills { name } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""


def execute(client, query, **variables):
    body = {"query": query, "variables": variables}
    return client.post("/graphql/", body, format="json")


def data(client, query, **variables):
    body = execute(client, query, **variables).json()
    assert "errors" not in body, body
    return body["data"]


def error(client, query, **variables):
    body = execute(client, query, **variables).json()
    assert body["data"] is None, body
    return body["errors"][0]["message"]


def titles(connection):
    return [edge["node"]["title"] for edge in connection["edges"]]


def test_a_screen_is_one_request(world):
    jobs = data(world.client(), SCREEN, search="BACK")["jobs"]
    assert jobs["edges"] == [
        {
            "node": {
                "title": "Backend developer",
                "salaryMax": "5000.00",
                "company": {"name": "Acme", "openJobs": 1},
                "skills": [{"name": "Python"}, {"name": "SQL"}],
            }
        }
    ]
    assert jobs["pageInfo"]["hasNextPage"] is False


def test_pages_follow_on_each_other(world):
    query = """query ($after: String) { jobs(first: 1, after: $after) {
        edges { node { title } } pageInfo { endCursor hasNextPage } } }"""
    first = data(world.client(), query)["jobs"]
    after = first["pageInfo"]["endCursor"]
    second = data(world.client(), query, after=after)["jobs"]
    assert titles(first) + titles(second) == ["Baker", "Backend developer"]
    assert not second["pageInfo"]["hasNextPage"]


def test_single_job_skill_filter_and_statistics(world):
    query = """query ($id: ID!) {
        job(id: $id) { title isOpen description createdAt }
        jobs(first: 5, skill: "sql") { edges { node { title } } }
        statistics { openJobs hiringCompanies topSkills { name openJobs } } }"""
    result = data(world.client(), query, id=world.job.pk)
    assert result["job"]["title"] == "Backend developer"
    assert titles(result["jobs"]) == ["Backend developer"]
    assert result["statistics"]["openJobs"] == 2
    assert result["statistics"]["topSkills"][0]["name"] == "Python"
    for hidden in (world.closed.pk, 0, "x", "9" * 30):
        assert data(world.client(), query, id=hidden)["job"] is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["Baker", "Archivist", "Backend developer"]),
        ({"company": "OTHER"}, ["Baker"]),
        ({"isOpen": False}, ["Archivist"]),
        ({"pays": 5000}, ["Backend developer"]),
        ({"pays": 5001}, []),
        ({"search": "dev", "skill": "sql"}, ["Backend developer"]),
    ],
)
def test_the_list_filters_as_the_one_of_rest_does(world, arguments, expected):
    query = """query ($search: String = "", $skill: String, $company: String,
        $pays: Int, $isOpen: Boolean) { jobs(first: 9, search: $search,
        skill: $skill, company: $company, pays: $pays, isOpen: $isOpen) {
        edges { node { title } } } }"""
    result = data(world.client(world.staff), query, **arguments)
    assert titles(result["jobs"]) == expected


def test_the_other_reads_of_rest(world):
    query = """query ($slug: String!, $id: ID!) {
        company(slug: $slug) { name openJobs }
        application(id: $id) { status applicant job { title } }
        skills(first: 9) { edges { node { name } } } }"""
    number = world.application.pk
    client = world.client(world.applicant)
    result = data(client, query, slug="ACME", id=number)
    assert result["company"] == {"name": "Acme", "openJobs": 1}
    assert result["application"]["applicant"] == "applicant@example.com"
    skills = [edge["node"]["name"] for edge in result["skills"]["edges"]]
    assert skills == ["Python", "SQL"]
    result = data(world.client(world.outsider), query, slug="-", id=number)
    assert (result["company"], result["application"]) == (None, None)


NESTED = """{ companies(first: 20) { edges { node { name openJobs
    jobs(first: 5) { edges { node { title skills { name }
      applications(first: 5) { edges { node { status applicant } } }
    } } } } } } }"""


@pytest.mark.parametrize("query", [SCREEN, NESTED])
def test_the_number_of_queries_does_not_grow_with_the_rows(world, query):
    def count():
        client = world.client(world.staff)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            data(client, query)
        return len(queries)

    def grow(rows):
        for number in range(rows):
            job = world.add_job(f"Job {Job.objects.count()} {number}")
            job.skills.set(Skill.objects.all())
            Application.objects.create(user=world.outsider, job=job)

    grow(2)
    few = count()
    grow(15)
    assert count() == few <= 8


@pytest.mark.parametrize(
    "fields",
    [
        "jobs(first: 5) { totalCount }",
        "jobs(first: 5) { edges { cursor } }",
        "jobs(first: 5) { edges @include(if: false) { node { title } } }",
        "a: jobs(first: 1) { edges { node { title } } }"
        " b: jobs(first: 2) { edges { node { title } } }",
    ],
)
def test_a_nested_page_is_never_a_query_for_each_row(world, fields):
    query = f"{{ companies(first: 20) {{ edges {{ node {{ {fields} }} }} }} }}"
    for number in range(10):
        Company.objects.create(name="C", slug=f"c{number}")
    with CaptureQueriesContext(connection) as queries:
        assert "nested page once" in error(world.client(), query)
    assert len(queries) <= 4


def test_rows_follow_the_rules_of_rest_wherever_they_nest(world):
    query = """{ companies(first: 9) { edges { node { jobs(first: 9) { edges {
        node { title applications(first: 9) { edges { node { applicant
        } } } } } } } } } }"""

    def seen(user):
        jobs, applicants = set(), []
        for company in data(world.client(user), query)["companies"]["edges"]:
            for edge in company["node"]["jobs"]["edges"]:
                jobs.add(edge["node"]["title"])
                for item in edge["node"]["applications"]["edges"]:
                    applicants.append(item["node"]["applicant"])
        return jobs, applicants

    open_jobs = {"Backend developer", "Baker"}
    applicant = ["applicant@example.com"]
    assert seen(None) == (open_jobs, [])
    assert seen(world.outsider) == (open_jobs, [])
    assert seen(world.applicant) == (open_jobs, applicant)
    assert seen(world.staff) == (open_jobs | {"Archivist"}, applicant)
    assert seen(world.rival) == (open_jobs, [])


def test_own_applications_and_a_field_of_their_jobs(world):
    query = """{ applications(first: 9) { edges { node { status coverNote
        createdAt job { title company { name } } } } } }"""

    def own():
        result = data(world.client(world.applicant), query)
        return [edge["node"] for edge in result["applications"]["edges"]]

    job = {"title": "Backend developer", "company": {"name": "Acme"}}
    assert own()[0]["job"] == job
    Job.objects.update(is_open=False)
    assert own()[0]["job"] == job, "also once it is closed"
    assert data(world.client(), query)["applications"]["edges"] == []


def test_a_field_can_have_readers_of_its_own(world):
    query = "{ jobs(first: 9) { edges { node { title views } } } }"
    Job.objects.update(views=7)
    body = execute(world.client(world.staff), query).json()
    views = {
        edge["node"]["title"]: edge["node"]["views"]
        for edge in body["data"]["jobs"]["edges"]
    }
    assert views == {"Backend developer": 7, "Archivist": 7, "Baker": None}
    assert [e["message"] for e in body["errors"]] == [
        "Only the company's staff may see this."
    ]
    assert "errors" not in execute(world.client(world.root), query).json()


def nested(depth):
    inner = "{ title }"
    for _ in range(depth):
        inner = (
            f"{{ company {{ jobs(first: 1) {{ edges {{ node {inner} }} }} }} }}"
        )
    return f"{{ jobs(first: 1) {{ edges {{ node {inner} }} }} }}"


def doubling(fragments):
    """Return a short document that is 2**fragments spreads when walked."""
    lines = ["{ jobs(first: 1) { edges { node { ...f0 } } } }"]
    for n in range(fragments):
        lines.append(f"fragment f{n} on Job {{ ...f{n + 1} ...f{n + 1} }}")
    lines.append(f"fragment f{fragments} on Job {{ title }}")
    return "\n".join(lines)


def many_aliases(count):
    fields = [f"a{n}: statistics {{ openJobs }}" for n in range(count)]
    return f"{{ {' '.join(fields)} }}"


BOMBS = {
    "depth": (nested(4), "The depth is 19; at most 10."),
    "depth in a fragment": (
        "{ ...a } fragment a on Query " + nested(4),
        "The depth is 19; at most 10.",
    ),
    "aliases": (
        many_aliases(16),
        "The number of aliases is 16; at most 15.",
    ),
    "aliases in fragments": (
        "{ ...a ...a } fragment a on Query " + many_aliases(8),
        "The number of aliases is 16; at most 15.",
    ),
    "cost": (
        """{ companies(first: 50) { edges { node { jobs(first: 50) {
            edges { node { title } } } } } } }""",
        "The cost is 2550; at most 2000.",
    ),
    "cost of two operations": (
        """query a { statistics { openJobs } }
        query b { companies(first: 50) { edges { node {
          ... on Company { jobs(first: 50) { edges { node { title } } } }
          ... { name } } } } }""",
        "The cost is 2550; at most 2000.",
    ),
    "tokens": ("{ %s }" % ("__typename " * 1001), "more than 1000 tokens"),
    "no first": ("{ jobs { edges { node { title } } } }", "Give first"),
    "first too large": (
        "{ jobs(first: 51) { edges { node { title } } } }",
        "Give first, from 1 to 50.",
    ),
    "backwards": (
        "{ jobs(first: 1, last: 1) { edges { node { title } } } }",
        "Page forwards",
    ),
    "cycle": (
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "Cannot spread fragment",
    ),
    "unknown": ("{ secrets { key } ...none }", "Cannot query field 'secrets'"),
    "introspection": (
        "{ __schema { types { fields { type { fields { type { fields {"
        " name } } } } } } } }",
        "Maximum introspection depth exceeded",
    ),
    "syntax": ("{ jobs(", "Syntax Error"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_document_is_refused_before_it_costs_anything(world, name):
    query, message = BOMBS[name]
    client = world.client()
    with CaptureQueriesContext(connection) as queries:
        assert message in error(client, query)
    assert len(queries) == 0


@pytest.mark.parametrize("first", [None, 0, -1, 51, 10**9, "20", True])
def test_a_variable_cannot_ask_for_more_than_a_literal(world, first):
    query = "query ($n: Int) { jobs(first: $n) { edges { node { title } } } }"
    assert "Give first" in error(world.client(), query, n=first)


def test_a_document_that_doubles_is_refused_in_a_moment(world):
    began = time.monotonic()
    message = error(world.client(), doubling(60))
    assert message.startswith("The number of fragments is 2305843009213693951")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"search": "a\0"}, "80 printable characters"),
        ({"search": "\ud800"}, "80 printable characters"),
        ({"search": "a" * 81}, "80 printable characters"),
        ({"skill": "a\0"}, "80 printable characters"),
        ({"company": "a\0"}, "80 printable characters"),
        ({"after": "made up"}, "not a cursor of this list"),
        ({"after": "b3JkZXJlZGN1cnNvcjpbXQ=="}, "not a cursor of this list"),
        ({"below": "made up"}, "not a cursor of this list"),
    ],
)
def test_a_mistake_of_the_client_is_named_and_is_no_bug(
    world, caplog, arguments, message
):
    query = """query ($search: String = "", $skill: String, $company: String,
        $after: String, $below: String) { jobs(first: 1, search: $search,
        skill: $skill, company: $company, after: $after) { edges { node {
        applications(first: 1, after: $below) { edges { node { id } } }
        } } } }"""
    body = json.dumps({"query": query, "variables": arguments})
    response = world.client().generic(
        "POST", "/graphql/", body, "application/json"
    )
    assert message in response.json()["errors"][0]["message"]
    assert caplog.records == []


def test_many_operations_in_one_request_are_refused(world):
    body = [{"query": "{ statistics { openJobs } }"}] * 2
    response = world.client().post("/graphql/", body, format="json")
    assert response.status_code == 400


def test_the_limits_let_the_screens_through(world):
    assert data(world.client(), NESTED)
    introspection = (
        "{ __schema { types { name fields { name type { name } } } } }"
    )
    assert data(world.client(), introspection)["__schema"]


def test_the_media_type_decides_about_the_status_of_a_refusal(world):
    client, query = world.client(), {"query": "{ nothing }"}
    assert execute(client, "{ nothing }").status_code == 200
    for accept, status, media_type in (
        (MEDIA_TYPE, 400, MEDIA_TYPE),
        ("application/json", 200, "application/json"),
    ):
        response = client.post(
            "/graphql/", query, format="json", headers={"Accept": accept}
        )
        assert response.status_code == status
        assert response.headers["Content-Type"] == media_type


def test_an_answer_has_the_new_media_type_too(world):
    response = world.client().post(
        "/graphql/",
        {"query": "{ __typename }"},
        format="json",
        headers={"Accept": MEDIA_TYPE},
    )
    assert response.status_code == 200
    assert response.headers["Content-Type"] == MEDIA_TYPE
    assert response.json() == {"data": {"__typename": "Query"}}


def test_a_bug_does_not_show_its_text(world, monkeypatch):
    def fail():
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("board.caching.count_everything", fail)
    assert error(world.client(), "{ statistics { openJobs } }") == (
        "Unexpected error."
    )


def test_a_bad_token_and_a_missing_csrf_token_are_refused(world):
    client = world.client()
    response = client.post(
        "/graphql/",
        {"query": "{ __typename }"},
        format="json",
        headers={"Authorization": "Bearer bad"},
    )
    assert_problem(response, 401)

    from rest_framework.test import APIClient

    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(world.applicant)
    response = execute(browser, "{ __typename }")
    assert_problem(response, 403, "CSRF")


def test_it_only_reads():
    assert schema._schema.mutation_type is None
    assert schema.config.relay_max_results == limits.MAX_PAGE


def test_a_body_that_nests_too_deeply_is_refused(world):
    body = '{"query": "{ me { email } }", "variables": '
    body += "[" * 60_000
    response = world.client().generic(
        "POST", "/graphql/", body, "application/json"
    )
    assert response.status_code == 400
