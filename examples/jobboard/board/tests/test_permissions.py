"""Who may do what: every endpoint, asked by everybody.

The endpoints come from the OpenAPI document, so a new one fails here until
its row is written.
"""

import pytest
from drf_spectacular.generators import SchemaGenerator

from board.models import Application

ROLES = ("nobody", "applicant", "outsider", "staff", "rival", "root")

# Statuses in the order of ROLES. The job is Acme's and open; "staff" works
# there, "rival" at another company, and "applicant" has applied for it.
MATRIX = {
    "GET /api/jobs/": (200, 200, 200, 200, 200, 200),
    "POST /api/jobs/": (401, 403, 403, 201, 403, 201),
    "GET /api/jobs/{id}/": (200, 200, 200, 200, 200, 200),
    "PATCH /api/jobs/{id}/": (401, 403, 403, 200, 403, 200),
    "POST /api/jobs/{id}/views/": (204, 204, 204, 204, 204, 204),
    "GET /api/applications/": (401, 200, 200, 200, 200, 200),
    "POST /api/applications/": (401, 409, 201, 201, 201, 201),
    "GET /api/applications/{id}/": (401, 200, 404, 200, 404, 200),
    "POST /api/applications/{id}/withdrawal/": (401, 200, 404, 403, 404, 403),
    "POST /api/applications/{id}/decision/": (401, 403, 404, 200, 404, 200),
    "GET /api/companies/": (200, 200, 200, 200, 200, 200),
    "GET /api/companies/{slug}/": (200, 200, 200, 200, 200, 200),
    "GET /api/skills/": (200, 200, 200, 200, 200, 200),
    "GET /api/statistics/": (200, 200, 200, 200, 200, 200),
    "GET /api/me/": (401, 200, 200, 200, 200, 200),
    "PATCH /api/me/": (401, 200, 200, 200, 200, 200),
    "GET /api/auth/session/": (200, 200, 200, 200, 200, 200),
    "DELETE /api/auth/session/": (204, 204, 204, 204, 204, 204),
    # Whoever they are, what counts is the body; this one is empty.
    "POST /api/auth/session/": (422, 422, 422, 422, 422, 422),
    "POST /api/auth/sign-up/": (422, 422, 422, 422, 422, 422),
    "POST /api/auth/token/": (422, 422, 422, 422, 422, 422),
    "POST /api/auth/token/refresh/": (422, 422, 422, 422, 422, 422),
    "POST /api/auth/token/revoke/": (422, 422, 422, 422, 422, 422),
}

# What each role sees of the rows there are.
ALL = {"Backend developer", "Archivist", "Baker"}
OPEN = {"Backend developer", "Baker"}
LISTS = {
    "jobs": (OPEN, OPEN, OPEN, ALL, OPEN, ALL),
    "applications": (None, 1, 0, 1, 0, 1),
}


def client_of(world, role):
    return world.client(getattr(world, role, None))


def send(world, client, endpoint):
    method, path = endpoint.split()
    number = world.application.pk if "applications" in path else world.job.pk
    path = path.replace("{id}", str(number)).replace("{slug}", "acme")
    bodies = {
        "POST /api/jobs/": {"company": "acme", "title": "Tester"},
        "POST /api/applications/": {"job": world.job.pk},
        "POST /api/applications/{id}/decision/": {"status": "reviewed"},
    }
    body = bodies.get(endpoint, {})
    headers = {"If-Match": "*"} if method == "PATCH" else {}
    return client.generic(
        method,
        path,
        client._encode_data(body, "json")[0],
        "application/json",
        headers=headers,
    )


def test_every_endpoint_has_a_row(db):
    paths = SchemaGenerator().get_schema(public=True)["paths"]
    endpoints = {
        f"{method.upper()} {path}"
        for path, operations in paths.items()
        for method in operations
    }
    assert endpoints == set(MATRIX)


def test_the_document_says_who_needs_no_token(db):
    paths = SchemaGenerator().get_schema(public=True)["paths"]
    for endpoint, statuses in MATRIX.items():
        method, path = endpoint.split()
        open_to_all = {} in paths[path][method.lower()]["security"]
        assert open_to_all == (statuses[0] != 401), endpoint


@pytest.mark.parametrize("endpoint", MATRIX)
def test_endpoint(world, endpoint):
    statuses = []
    for role in ROLES:
        Application.objects.update(status="sent")
        world.company.jobs.filter(title="Tester").delete()
        response = send(world, client_of(world, role), endpoint)
        statuses.append(response.status_code)
    assert dict(zip(ROLES, statuses, strict=True)) == dict(
        zip(ROLES, MATRIX[endpoint], strict=True)
    )


@pytest.mark.parametrize("role", ROLES)
def test_lists_show_what_the_role_may_see(world, role):
    column, client = ROLES.index(role), client_of(world, role)
    jobs = client.get("/api/jobs/").json()["results"]
    assert {job["title"] for job in jobs} == LISTS["jobs"][column]
    page = client.get("/api/applications/").json()
    count = len(page["results"]) if "results" in page else None
    assert count == LISTS["applications"][column]


@pytest.mark.parametrize("role", ROLES)
def test_a_closed_job_is_hidden_from_those_who_may_not_see_it(world, role):
    response = client_of(world, role).get(f"/api/jobs/{world.closed.pk}/")
    seen = "Archivist" in LISTS["jobs"][ROLES.index(role)]
    assert response.status_code == (200 if seen else 404)
