"""What the services promise to every caller, whoever it is."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from board import services
from board.models import Application, Job
from board.tests.world import assert_problem

pytestmark = pytest.mark.django_db


def test_a_stale_version_writes_nothing(world):
    with pytest.raises(services.StaleVersion):
        services.update_job(job_id=world.job.pk, version=7, title="Lost")
    world.job.refresh_from_db()
    assert world.job.title == "Backend developer"


@pytest.mark.django_db(transaction=True)
def test_of_writers_who_read_the_same_version_one_wins(world):
    def write(number):
        try:
            return services.update_job(
                job_id=world.job.pk, version=1, title=f"Title {number}"
            )
        except services.StaleVersion:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as threads:
        results = list(threads.map(write, range(5)))
    assert len([job for job in results if job]) == 1
    world.job.refresh_from_db()
    assert world.job.version == 2


def test_other_rules_of_the_database_are_bugs_of_the_caller(world):
    with pytest.raises(IntegrityError, match="job_salary_range"):
        services.create_job(
            company=world.company, title="T", salary_min=2, salary_max=1
        )


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (lambda w: w.company.__class__(name="A", slug="ACME"), "company_slug"),
        (lambda w: Application(user=w.applicant, job=w.job), "once_per_job"),
        (
            lambda w: Application(user=w.rival, job=w.job, status="lost"),
            "status_known",
        ),
    ],
)
def test_the_database_refuses_what_no_code_checked(world, change, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        change(world).save()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_busy_is_a_503(world):
    client = world.client(world.applicant)
    address = f"/api/applications/{world.application.pk}/withdrawal/"

    def withdraw():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = 100")
            return client.post(address)
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as threads:
        Application.objects.select_for_update().get()
        response = threads.submit(withdraw).result()
    assert_problem(response, 503, "busy")


def test_a_bug_is_a_500_that_tells_nothing(world, monkeypatch):
    def fail():
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("board.caching.count_everything", fail)
    response = world.client().get("/api/statistics/")
    assert_problem(response, 500, "It is logged")
    assert b"hunter2" not in response.content


@pytest.mark.django_db(transaction=True)
def test_no_view_is_lost(world):
    def count(_):
        try:
            services.count_view(job_id=world.job.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(80)))
    assert Job.objects.get(pk=world.job.pk).views == 80
