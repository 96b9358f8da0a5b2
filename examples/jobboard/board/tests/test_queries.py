"""How many queries an endpoint asks: as many for fifty rows as for five."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from board.models import Application, Skill

pytestmark = pytest.mark.django_db

# At most so many, the one that loads the signed-in user included.
BUDGETS = {
    "/api/jobs/": 5,
    "/api/applications/": 3,
    "/api/companies/": 2,
    "/api/skills/": 2,
    "/api/statistics/": 4,
    "/admin/board/job/": 8,
    "/admin/board/application/": 8,
    "/admin/board/company/": 8,
    "/admin/accounts/user/": 8,
}


def grow(world, rows):
    for number in range(rows):
        user = world.user(f"user{rows}-{number}@example.com")
        job = world.add_job(f"Job {rows}-{number}")
        job.skills.set(Skill.objects.all())
        Application.objects.create(user=user, job=job)


@pytest.mark.parametrize("address", BUDGETS)
def test_queries_do_not_grow_with_the_rows(world, address):
    world.root.is_staff = True
    world.root.save()
    client = world.client(world.root)
    client.force_login(world.root)

    def count():
        from django.core.cache import cache

        cache.delete_many(["jobs:generation"])
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    grow(world, 3)
    few = count()
    grow(world, 15)
    assert count() == few <= BUDGETS[address]


def test_naming_more_skills_asks_no_more(world):
    """A related field with many=True looks each name up on its own."""
    Skill.objects.bulk_create(Skill(name=f"Skill {n}") for n in range(20))
    client = world.client(world.staff)

    def count(skills):
        names = [f"Skill {n}" for n in range(skills)]
        body = {"company": "acme", "title": f"{skills}", "skills": names}
        with CaptureQueriesContext(connection) as queries:
            response = client.post("/api/jobs/", body, format="json")
        assert set(response.json()["skills"]) == set(names)
        return len(queries)

    assert count(1) == count(20)


def test_an_answer_from_the_cache_asks_for_the_user_only(world):
    client = world.client(world.outsider)
    client.get("/api/jobs/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/api/jobs/")
    tables = [query["sql"].split(" FROM ")[1].split()[0] for query in queries]
    assert tables == ['"accounts_user"', '"board_company"']


@pytest.mark.parametrize(
    ("queryset", "index"),
    [
        (
            "Job.objects.open().order_by('-created_at', '-pk')[:20]",
            "job_open_newest",
        ),
        ("Job.objects.matching('develop')", "job_title_trigrams"),
        (
            "Application.objects.unconfirmed(timezone.now())",
            "application_unconfirmed",
        ),
    ],
)
def test_an_index_serves_the_query_that_it_was_made_for(db, queryset, index):
    from django.utils import timezone

    from board.models import Job

    names = {"Job": Job, "Application": Application, "timezone": timezone}
    with connection.cursor() as cursor:
        # A table of three rows is read as a whole, unless that is forbidden.
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert index in eval(queryset, names).explain()  # noqa: S307
