"""The job endpoints, as a client sees them."""

import json
from datetime import UTC, datetime

import pytest

from board.models import Job
from board.tests.world import assert_problem


def titles(response):
    assert response.status_code == 200, response.content
    return [job["title"] for job in response.json()["results"]]


def test_a_job_looks_like_this(world):
    body = world.client().get(f"/api/jobs/{world.job.pk}/").json()
    assert body.pop("created_at")
    assert body == {
        "id": world.job.pk,
        "title": "Backend developer",
        "company": {"name": "Acme", "slug": "acme"},
        "skills": ["Python", "SQL"],
        "salary_min": None,
        "salary_max": "5000.00",
        "is_open": True,
        "description": "",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Baker", "Backend developer"]),
        ("sort=oldest", ["Backend developer", "Baker"]),
        ("sort=title", ["Backend developer", "Baker"]),
        ("company=ACME", ["Backend developer"]),
        ("skill=python", ["Backend developer"]),
        ("skill=cobol", []),
        ("pays=4000", ["Backend developer"]),
        ("pays=6000", []),
        ("search=backend dev", ["Backend developer"]),
        ("search=100%25", []),
        ("is_open=false", []),
    ],
)
def test_the_list_filters_searches_and_sorts(world, query, expected):
    assert titles(world.client().get(f"/api/jobs/?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("sort=salary_min", "/sort"),
        ("salry=4000", "/salry"),
        ("pays=lots", "/pays"),
        ("cursor=made-up", "/cursor"),
        ("search=%00", "/search"),
        (f"search={'a' * 81}", "/search"),
    ],
)
def test_a_malformed_query_is_a_400_that_names_the_parameter(
    world, query, pointer
):
    response = world.client().get(f"/api/jobs/?{query}")
    errors = assert_problem(response, 400)["errors"]
    assert [error["pointer"] for error in errors] == [pointer]


@pytest.mark.parametrize("sort", ["newest", "oldest", "title"])
def test_pages_neither_skip_nor_repeat_while_jobs_are_added(world, sort):
    for number in range(45):
        world.add_job(f"Job {number}")
    # The same moment for all: only the id tells them apart.
    Job.objects.update(created_at=datetime(2026, 11, 1, tzinfo=UTC))
    client, address, seen = world.client(), f"/api/jobs/?sort={sort}", []
    while address:
        response = client.get(address)
        seen += titles(response)
        address = response.json()["next"]
        world.add_job(f"Added on page {len(seen)}")
    # What was added may be ahead, in some orders; nothing comes twice.
    assert len(seen) == len(set(seen))
    assert sum(not title.startswith("Added") for title in seen) == 47


def test_a_cursor_is_good_for_its_own_list_and_order_only(world):
    for number in range(25):
        world.add_job(f"Job {number}")
    client = world.client()
    link = client.get("/api/jobs/?search=job").json()["next"]
    assert "search=job" in link
    cursor = link.split("cursor=")[1].split("&")[0]
    for address in ("/api/jobs/?sort=title&", "/api/companies/?"):
        response = client.get(f"{address}cursor={cursor}")
        assert_problem(response, 400, "not a cursor of this list")


def test_staff_create_a_job_and_get_its_address(world):
    client = world.client(world.staff)
    body = {
        "company": "acme",
        "title": "Tester",
        "skills": ["Python"],
        "salary_min": "3000.00",
        "salary_max": "4000.00",
    }
    response = client.post("/api/jobs/", body, format="json")
    assert response.status_code == 201
    assert client.get(response.headers["Location"]).json() == response.json()
    assert response.json()["salary_min"] == "3000.00"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"salary_min": "2", "salary_max": "1"}, "/salary_max"),
        ({"salary_min": "-1"}, "/salary_min"),
        ({"salary_min": "NaN"}, "/salary_min"),
        ({"title": ""}, "/title"),
        ({"title": "a\0b"}, "/title"),
        ({"skills": ["Cobol"]}, "/skills/0"),
        ({"skills": ["a\0b"]}, "/skills/0"),
        ({"skills": ["\ud800"]}, "/skills/0"),
        ({"skills": [{}]}, "/skills/0"),
        ({"skills": ["Python", "Cobol"]}, "/skills/1"),
        ({"skills": ["Python"] * 21}, "/skills"),
        ({"skills": "Python"}, "/skills"),
        ({"company": "\0"}, "/company"),
        ({"company": "nowhere"}, "/company"),
        ({"views": 1000}, "/views"),
        ({"\ud800": 1}, "/\ud800"),
    ],
)
def test_a_job_that_breaks_a_rule_is_a_422(world, changes, pointer):
    body = json.dumps({"company": "acme", "title": "Tester"} | changes)
    client = world.client(world.staff)
    response = client.generic("POST", "/api/jobs/", body, "application/json")
    errors = assert_problem(response, 422)["errors"]
    assert {error["pointer"] for error in errors} == {pointer}


def test_bodies_that_are_not_json_are_400_or_415(world):
    client = world.client(world.staff)
    for body, kind, status in (
        (b"{", "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 415),
    ):
        response = client.generic("POST", "/api/jobs/", body, kind)
        assert_problem(response, status)
    body = {"title": "x" * 100_000}
    response = client.post("/api/jobs/", body, format="json")
    assert_problem(response, 400)


def test_a_second_open_job_of_a_title_is_a_409_and_a_closed_one_is_none(world):
    client = world.client(world.staff)
    body = {"company": "acme", "title": "Backend developer"}
    response = client.post("/api/jobs/", body, format="json")
    assert_problem(response, 409, "open job of this title")

    body["title"] = "Archivist"
    response = client.post("/api/jobs/", body, format="json")
    assert response.status_code == 201

    response = patch(client, world.closed, {"is_open": True})
    assert_problem(response, 409, "open job of this title")
    world.closed.refresh_from_db()
    assert not world.closed.is_open


def patch(client, job, body, etag=None):
    address = f"/api/jobs/{job.pk}/"
    etag = etag or client.get(address).headers["ETag"]
    return client.patch(
        address, body, format="json", headers={"If-Match": etag}
    )


def test_an_update_answers_with_the_new_job_and_its_etag(world):
    client = world.client(world.staff)
    body = {"title": "Developer", "skills": ["SQL"]}
    response = patch(client, world.job, body)
    assert response.json()["title"] == "Developer"
    assert response.json()["skills"] == ["SQL"]
    again = client.get(f"/api/jobs/{world.job.pk}/")
    assert again.headers["ETag"] == response.headers["ETag"]


def test_an_update_needs_the_present_etag(world):
    client = world.client(world.staff)
    address = f"/api/jobs/{world.job.pk}/"
    old = client.get(address).headers["ETag"]
    response = client.patch(address, {"title": "A"}, format="json")
    assert_problem(response, 428, "If-Match")

    assert patch(client, world.job, {"title": "A"}, old).status_code == 200
    assert_problem(patch(client, world.job, {"title": "B"}, old), 412)
    assert_problem(patch(client, world.job, {"title": "B"}, "W/" + old), 412)
    assert patch(client, world.job, {"title": "B"}, "*").status_code == 200
    world.job.refresh_from_db()
    assert (world.job.title, world.job.version) == ("B", 3)


def test_the_salaries_are_compared_as_they_will_be(world):
    client = world.client(world.staff)
    response = patch(client, world.job, {"salary_min": "6000"})
    errors = assert_problem(response, 422)["errors"]
    assert errors == [
        {"pointer": "/salary_max", "detail": "This is below salary_min."}
    ]
    body = {"salary_min": "6000", "salary_max": None}
    assert patch(client, world.job, body).json()["salary_max"] is None


def test_what_the_client_has_is_not_sent_again(world):
    client = world.client()
    for address in (
        f"/api/jobs/{world.job.pk}/",
        "/api/jobs/",
        "/api/statistics/",
    ):
        etag = client.get(address).headers["ETag"]
        for known in (etag, f"W/{etag}", "*"):
            headers = {"If-None-Match": known}
            response = client.get(address, headers=headers)
            assert (response.status_code, response.content) == (304, b"")
        headers = {"If-None-Match": '"other"'}
        assert client.get(address, headers=headers).status_code == 200


def test_answers_stay_out_of_shared_caches(world):
    client = world.client(world.staff)
    job = client.get("/api/jobs/")
    assert job.headers["Cache-Control"] == "private, no-cache"
    for header in ("Authorization", "Cookie"):
        assert header in job.headers["Vary"]
    assert client.get("/api/me/").headers["Cache-Control"] == "no-store"


def test_a_frontend_of_another_origin_may_send_what_the_api_asks_for(
    world, settings
):
    settings.CORS_ALLOWED_ORIGINS = ["http://localhost:5173"]

    def preflight(origin):
        return world.client().options(
            f"/api/jobs/{world.job.pk}/",
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "PATCH",
                "Access-Control-Request-Headers": "if-match",
            },
        )

    headers = preflight("http://localhost:5173").headers
    assert headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    allowed = headers["Access-Control-Allow-Headers"].split(", ")
    needed = {"authorization", "idempotency-key", "if-match", "if-none-match"}
    assert needed <= set(allowed)
    headers = preflight("http://evil.example").headers
    assert "Access-Control-Allow-Origin" not in headers


def test_a_view_is_counted_by_a_post_and_loses_nothing(world):
    client, address = world.client(), f"/api/jobs/{world.job.pk}/"
    client.get(address)
    for _ in range(3):
        assert client.post(f"{address}views/").status_code == 204
    world.job.refresh_from_db()
    assert (world.job.views, world.job.version) == (3, 1)


def test_there_is_no_put_and_no_delete(world):
    client = world.client(world.root)
    for method in (client.put, client.delete):
        assert_problem(method(f"/api/jobs/{world.job.pk}/"), 405)


def test_companies_skills_and_statistics(world):
    client = world.client()
    companies = client.get("/api/companies/").json()["results"]
    assert companies == [
        {"name": "Acme", "slug": "acme", "open_jobs": 1},
        {"name": "Other", "slug": "other", "open_jobs": 1},
    ]
    assert client.get("/api/companies/acme/").json() == companies[0]
    skills = client.get("/api/skills/").json()["results"]
    assert skills == [{"name": "Python"}, {"name": "SQL"}]
    assert client.get("/api/statistics/").json() == {
        "open_jobs": 2,
        "hiring_companies": 2,
        "top_skills": [
            {"name": "Python", "open_jobs": 1},
            {"name": "SQL", "open_jobs": 1},
        ],
    }


def test_a_body_that_nests_too_deeply_is_refused(world):
    response = world.client(world.staff).generic(
        "POST", "/api/jobs/", "[" * 60_000, "application/json"
    )
    assert_problem(response, 400, "nests too deeply")
