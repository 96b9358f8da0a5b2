"""The claims of the page, counted on PostgreSQL; the slow code stands here."""

import io

import django
import pytest
from board.api.serializers import JobSummarySerializer
from board.models import Application, Company, Job, Skill
from board.querysets import JobQuerySet
from django.core.cache import cache
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection, models
from django.db.models import Prefetch
from django.test.utils import CaptureQueriesContext


def names_of(skills):
    return ", ".join(skill.name for skill in skills)


def company_lines(jobs):
    """Return a line for each job."""
    lines = []
    for job in jobs:  # the first query: all jobs
        name = job.company.name  # one more query, for this job alone
        lines.append(f"{job.title}, {name}")
    return lines


def skill_lines(jobs):
    """Return the skills of each job."""
    return [names_of(job.skills.all()) for job in jobs]


def sorted_skills_with_a_bug(jobs):
    """Return the skills of each job by name, in two queries. Or so it says."""
    jobs = jobs.prefetch_related("skills")
    return [names_of(job.skills.order_by("name")) for job in jobs]


def sorted_skills(jobs):
    """Return the skills of each job by name, in two queries."""
    in_order = Prefetch(
        "skills",
        queryset=Skill.objects.order_by("name"),
        to_attr="skills_by_name",  # a plain list on each job
    )
    jobs = jobs.prefetch_related(in_order)
    return [names_of(job.skills_by_name) for job in jobs]


def as_the_api_shows(jobs):
    """Return what the list endpoint sends: company and skills of each job."""
    return JobSummarySerializer(jobs, many=True).data


def queries_for(rows, jobs, show=as_the_api_shows):
    """Count the queries that it takes to show so many jobs."""
    with CaptureQueriesContext(connection) as queries:
        assert len(show(jobs[:rows])) == rows
    return len(queries)


@pytest.fixture
def board(db):
    """Dataset S: 200 jobs of 20 companies, three skills each."""
    call_command("seed", size="S", stdout=io.StringIO())


def test_the_list_asks_as_often_for_50_jobs_as_for_10(board):
    counts = []
    for rows in (10, 50):
        jobs = Job.objects.for_display()[:rows]
        with CaptureQueriesContext(connection) as queries:
            as_the_api_shows(jobs)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 2


def test_without_the_fix_the_count_grows_with_the_rows(board):
    jobs = Job.objects.all()
    assert [queries_for(rows, jobs) for rows in (10, 50, 200)] == [21, 101, 401]


def test_a_foreign_key_costs_a_query_for_each_row(board):
    def counted(jobs):
        return queries_for(200, jobs, company_lines)

    assert Company.objects.count() == 20
    assert counted(Job.objects.all()) == 201
    assert counted(Job.objects.with_company()) == 1
    assert counted(Job.objects.prefetch_related("company")) == 2


def test_the_queries_differ_in_the_key_alone(board):
    with CaptureQueriesContext(connection) as queries:
        company_lines(Job.objects.all())
    first, *repeated = (query["sql"] for query in queries)
    assert "JOIN" not in first
    assert len(repeated) == 200
    texts = {sql.partition('WHERE "board_company"."id" = ')[0] for sql in repeated}
    assert len(texts) == 1
    assert len(set(repeated)) == 20  # each company is fetched ten times
    assert all(sql.endswith(" LIMIT 21") for sql in repeated)


def test_no_index_is_missing(board):
    """The key has one; a table of one page is read faster without it."""
    company = Company.objects.filter(pk=Company.objects.first().pk)
    assert company.explain().startswith("Seq Scan on board_company")
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "board_company")
    assert constraints["board_company_pkey"]["primary_key"]


@pytest.mark.parametrize(
    ("jobs", "objects"),
    [
        (Job.objects.all(), 200),
        (Job.objects.with_company(), 200),
        (Job.objects.prefetch_related("company"), 20),
    ],
)
def test_only_a_prefetch_shares_the_related_objects(board, jobs, objects):
    companies = [job.company for job in jobs]
    assert len({id(company) for company in companies}) == objects


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda job: list(job.skills.all()), 2),
        (lambda job: job.skills.all()[0], 2),
        (lambda job: len(job.skills.all()), 2),
        (lambda job: job.skills.count(), 2),
        (lambda job: job.skills.exists(), 2),
        (lambda job: job.skills.first(), 202),
        (lambda job: list(job.skills.order_by("name")), 202),
        (lambda job: list(job.skills.filter(name="SQL")), 202),
        (lambda job: list(job.skills.values_list("name")), 202),
    ],
)
def test_what_a_prefetch_answers(board, ask, expected):
    def show(jobs):
        return [ask(job) for job in jobs]

    jobs = Job.objects.prefetch_related("skills")
    assert queries_for(200, jobs, show) == expected


def test_first_is_free_where_the_prefetch_has_an_order(board):
    in_order = Prefetch("skills", queryset=Skill.objects.order_by("name"))
    jobs = Job.objects.prefetch_related(in_order)
    assert queries_for(200, jobs, lambda jobs: [job.skills.first() for job in jobs]) == 2


def test_shared_objects_change_together(board):
    def rename_the_first(jobs):
        first, *others = jobs
        first.company.name = "Renamed"
        return [job.company.name for job in others].count("Renamed")

    assert rename_the_first(Job.objects.with_company()) == 0
    assert rename_the_first(Job.objects.prefetch_related("company")) == 9


def test_reverse_and_counted_and_nested(board):
    def titles(companies):
        return [[job.title for job in company.jobs.all()] for company in companies]

    def employers(applications):
        return [application.job.company.name for application in applications]

    assert queries_for(20, Company.objects.all(), titles) == 21
    assert queries_for(20, Company.objects.prefetch_related("jobs"), titles) == 2
    assert queries_for(20, Company.objects.all(), lambda rows: [row.jobs.open().count() for row in rows]) == 21
    assert queries_for(20, Company.objects.with_open_jobs(), lambda rows: [row.open_jobs for row in rows]) == 1
    assert queries_for(50, Application.objects.select_related("job"), employers) == 51
    assert queries_for(50, Application.objects.select_related("job__company"), employers) == 1


def test_skills_and_the_bug_and_its_fix(board):
    jobs = Job.objects.all()
    assert queries_for(200, jobs, skill_lines) == 201
    assert queries_for(200, Job.objects.for_display(), skill_lines) == 2
    assert queries_for(200, jobs, sorted_skills_with_a_bug) == 202
    assert queries_for(200, jobs, sorted_skills) == 2
    assert sorted_skills(jobs) == sorted_skills_with_a_bug(jobs)


def test_sizes_beyond_one_page_blind_the_guard(world, monkeypatch):
    """A page holds 20 jobs: the bug shows at 5 and 15 jobs, not at 25 and 50."""
    monkeypatch.setattr(JobQuerySet, "for_display", lambda self: self)
    counts = {}
    for number in range(Job.objects.open().count() + 1, 51):
        world.add_job(f"Job {number}").skills.add(world.sql)
        cache.delete("jobs:generation")
        with CaptureQueriesContext(connection) as queries:
            assert world.client().get("/api/jobs/").status_code == 200
        counts[number] = len(queries)
    assert counts[15] - counts[5] == 20
    assert counts[25] == counts[50]


def test_messages(world):
    with pytest.raises(FieldError) as error:
        list(Job.objects.select_related("skills"))
    assert str(error.value) == ("Invalid field name(s) given in select_related: 'skills'. Choices are: company")
    with pytest.raises(ValueError, match="chunk_size must be") as error:
        Job.objects.for_display().iterator()
    assert str(error.value) == ("chunk_size must be provided when using QuerySet.iterator() after prefetch_related().")
    skills = Prefetch("skills", queryset=Skill.objects.order_by("name"))
    with pytest.raises(ValueError, match="already seen") as error:
        list(Job.objects.for_display().prefetch_related(skills))
    assert str(error.value) == (
        "'skills' lookup was already seen with a different queryset. "
        "You may need to adjust the ordering of your lookups."
    )


def test_the_message_of_a_broken_budget(world, django_assert_num_queries):
    with pytest.raises(pytest.fail.Exception) as error, django_assert_num_queries(1):
        company_lines(Job.objects.all())
    assert str(error.value).startswith("Expected to perform 1 queries but 4 were done")


@pytest.mark.skipif(django.VERSION < (6, 1), reason="fetch modes: Django 6.1")
def test_fetch_modes(board):
    peers = Job.objects.fetch_mode(models.FETCH_PEERS)
    assert queries_for(200, peers, company_lines) == 2
    assert queries_for(200, peers, skill_lines) == 201
    blocked = Job.objects.fetch_mode(models.FETCH_RAISE)
    with pytest.raises(Exception, match=r"Fetching of Job\.company blocked\."):
        company_lines(blocked)
    assert queries_for(200, blocked.all(), skill_lines) == 201
