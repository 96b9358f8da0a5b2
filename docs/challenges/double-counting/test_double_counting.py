"""The claims of the page, counted on PostgreSQL; the code that counts too much stands here."""

import io
from decimal import Decimal

import pytest
from accounts.models import User
from board.models import Application, Company, Job, Skill
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import ProgrammingError, connection
from django.db.models import Avg, Count, Exists, Max, Min, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.test.utils import CaptureQueriesContext


def with_counts(jobs):
    """Add how many skills a job needs and how many people applied."""
    return jobs.annotate(
        needed=Count("skills"),  # joins the skills
        applied=Count("applications"),  # and joins the applications
    )


def with_distinct_counts(jobs):
    """Add the same, each skill and each application once."""
    return jobs.annotate(
        needed=Count("skills", distinct=True),
        applied=Count("applications", distinct=True),
    )


def alone(rows, key, aggregate):
    """Return an aggregate of the rows whose key is the outer row's."""
    mine = rows.order_by().filter(**{key: OuterRef("pk")})
    total = mine.values(key).annotate(total=aggregate)  # GROUP BY the key
    return Subquery(total.values("total"))


def with_counts_alone(jobs):
    """Add the same, each counted in a subquery of its own."""
    pairs = Job.skills.through.objects.all()
    sent = Application.objects.all()
    return jobs.annotate(
        # No row makes no group: NULL, where Count gave 0.
        needed=Coalesce(alone(pairs, "job", Count("pk")), 0),
        applied=Coalesce(alone(sent, "job", Count("pk")), 0),
    )


def with_totals(companies):
    """Add the views, the average pay and the applications of all jobs."""
    return companies.annotate(
        viewed=Sum("jobs__views"),
        pay=Avg("jobs__salary_min"),
        applied=Count("jobs__applications"),
    )


def with_distinct_totals(companies):
    """Add the same with distinct=True, and hope."""
    return companies.annotate(
        viewed=Sum("jobs__views", distinct=True),
        pay=Avg("jobs__salary_min", distinct=True),
        applied=Count("jobs__applications", distinct=True),
    )


def with_totals_alone(companies):
    """Add the same, each in a subquery of its own."""
    jobs, sent = Job.objects.all(), Application.objects.all()
    return companies.annotate(
        viewed=Coalesce(alone(jobs, "company", Sum("views")), 0),
        pay=alone(jobs, "company", Avg("salary_min")),
        applied=Coalesce(alone(sent, "job__company", Count("pk")), 0),
    )


def with_totals_by_table(companies):
    """Return a list with the same: one query for each table."""
    jobs = Job.objects.order_by().values_list("company")
    jobs = jobs.annotate(Sum("views"), Avg("salary_min"))
    sent = Application.objects.order_by().values_list("job__company")
    totals = {key: total for key, *total in jobs}
    applied = dict(sent.annotate(Count("pk")))
    companies = list(companies)
    for company in companies:
        company.viewed, company.pay = totals.get(company.pk, (0, None))
        company.applied = applied.get(company.pk, 0)
    return companies


def with_staff_and_jobs(companies):
    """Add the number of open jobs and of people on the staff."""
    return companies.with_open_jobs().annotate(people=Count("staff"))


def asking_for(jobs, skills):
    """Keep the jobs that ask for one of the skills, each of them once."""
    pairs = Job.skills.through.objects.filter(skill__in=skills)
    return jobs.filter(Exists(pairs.filter(job=OuterRef("pk"))))


def busy_job(company, skills, applications):
    """Add a job with so many skills and applications; return it as a queryset."""
    job = Job.objects.create(company=company, title=f"Busy {skills} {applications}")
    job.skills.set(Skill.objects.order_by("pk")[:skills])
    users = User.objects.order_by("pk")[:applications]
    sent = Application.objects.bulk_create(Application(user=user, job=job) for user in users)
    assert (job.skills.count(), len(sent)) == (skills, applications)
    return Job.objects.filter(pk=job.pk)


def counts_of(jobs):
    """Return how many skills and applications the only job of a queryset shows."""
    job = jobs.get()
    return job.needed, job.applied


def totals_of(company):
    return company.viewed, company.pay and round(company.pay, 6), company.applied


@pytest.fixture
def board(db):
    """Dataset S: 200 jobs of 20 companies, three skills each, 160 applications."""
    call_command("seed", size="S", stdout=io.StringIO())
    return Company.objects.order_by("pk")


@pytest.fixture
def by_hand(world):
    """A company: 250 views, an average pay of 2000, 3 applications."""
    company = Company.objects.create(name="By hand", slug="by-hand")
    # Two jobs alike, so that DISTINCT loses one of them ...
    first = world.add_job("A", company=company, views=100, salary_min=1000)
    world.add_job("B", company=company, views=100, salary_min=1000)
    world.add_job("C", company=company, views=50, salary_min=4000)
    # ... and three applications for one, so that a join triples it.
    for user in (world.applicant, world.outsider, world.rival):
        Application.objects.create(user=user, job=first)
    return Company.objects.filter(pk=company.pk)


def test_totals_are_those_of_a_count_by_hand(by_hand):
    company = with_totals_alone(by_hand).get()
    assert totals_of(company) == (250, 2000, 3)


@pytest.mark.parametrize(
    ("way", "totals"),
    [
        (with_totals, (450, 1600, 3)),
        (with_distinct_totals, (150, 2500, 3)),
        (with_totals_by_table, (250, 2000, 3)),
    ],
)
def test_the_other_ways_by_hand(by_hand, way, totals):
    (company,) = way(by_hand)
    assert totals_of(company) == totals


@pytest.mark.parametrize(
    ("way", "counts"),
    [
        (with_counts, (12, 12)),
        (lambda jobs: with_counts(jobs).distinct(), (12, 12)),
        (with_distinct_counts, (3, 4)),
        (with_counts_alone, (3, 4)),
    ],
)
def test_three_skills_and_four_applications(board, way, counts):
    assert counts_of(way(busy_job(board[0], 3, 4))) == counts


@pytest.mark.parametrize(
    ("skills", "applications", "needed", "applied"),
    [(1, 4, 4, 4), (0, 4, 0, 4), (3, 0, 3, 0), (1, 1, 1, 1), (5, 5, 25, 25)],
)
def test_the_product_is_right_where_a_side_is_empty(board, skills, applications, needed, applied):
    job = busy_job(board[0], skills, applications)
    assert counts_of(with_counts(job)) == (needed, applied)
    assert counts_of(with_counts_alone(job)) == (skills, applications)


def test_the_subquery_needs_a_zero(board):
    job = busy_job(board[0], 3, 0)
    bare = job.annotate(applied=alone(Application.objects.all(), "job", Count("pk")))
    assert bare.get().applied is None
    assert not bare.filter(applied=0).exists()
    assert with_counts_alone(job).filter(applied=0).exists()


def test_twelve_rows(board):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.skill_id, a.id FROM board_job AS j LEFT JOIN board_job_skills AS s ON s.job_id = j.id"
            " LEFT JOIN board_application AS a ON a.job_id = j.id WHERE j.id = %s",
            [busy_job(board[0], 3, 4).get().pk],
        )
        rows = cursor.fetchall()
    assert len(rows) == len(set(rows)) == 12  # no two are equal: nothing for DISTINCT to remove
    assert len({skill for skill, _ in rows}) == 3


def test_no_application_is_stored_twice(board):
    pairs = Application.objects.values("user", "job").annotate(times=Count("pk"))
    assert not pairs.filter(times__gt=1).exists()


def test_one_join_is_enough_for_a_sum(board):
    assert Job.objects.aggregate(views=Sum("views"))["views"] == 92_690
    both = Job.objects.aggregate(Count("applications"), views=Sum("views"))
    assert both == {"applications__count": 160, "views": 120_450}


@pytest.mark.parametrize(
    ("way", "sums", "averages"),
    [
        (with_totals, 18, 16),
        (with_distinct_totals, 1, 2),
        (with_totals_alone, 0, 0),
        (with_totals_by_table, 0, 0),
    ],
)
def test_how_many_of_20_companies_are_wrong(board, way, sums, averages):
    wrong_sums = wrong_averages = 0
    for company in way(board):
        jobs = Job.objects.filter(company=company)
        views = sum(job.views for job in jobs)
        pays = [job.salary_min for job in jobs if job.salary_min is not None]
        pay = sum(pays) / Decimal(len(pays)) if pays else None
        sent = Application.objects.filter(job__company=company).count()
        viewed, paid, applied = totals_of(company)
        wrong_sums += viewed != views
        wrong_averages += paid != (pay and round(pay, 6))
        assert applied == sent  # the end of the chain is counted right
    assert (wrong_sums, wrong_averages) == (sums, averages)


def test_an_even_fan_out_multiplies_a_sum_and_spares_an_average(board):
    joined = board.annotate(Count("jobs__skills"), viewed=Sum("jobs__views"), pay=Avg("jobs__salary_min"))
    for company, true in zip(joined, with_totals_alone(board), strict=True):
        assert company.viewed == 3 * true.viewed
        assert company.pay == true.pay


def test_smallest_and_largest_do_not_mind(board):
    jobs = board.annotate(low=Min("jobs__views"), high=Max("jobs__views"))
    joined = jobs.annotate(Count("jobs__applications"))
    assert list(jobs.values_list("low", "high")) == list(joined.values_list("low", "high"))


def test_a_later_filter_multiplies_a_count(board):
    job = busy_job(board[0], 3, 4)
    one = job.annotate(applied=Count("applications"))
    assert one.get().applied == 4
    assert one.filter(applications__status="sent").get().applied == 16
    assert one.filter(skills__in=Skill.objects.order_by("pk")[:3]).get().applied == 12
    repeated = with_counts_alone(job).filter(applications__status="sent")
    assert [row.applied for row in repeated] == [4, 4, 4, 4]
    sent = Application.objects.filter(job=OuterRef("pk"), status="sent")
    assert counts_of(with_counts_alone(job).filter(Exists(sent))) == (3, 4)


def test_two_right_methods_are_wrong_together(world):
    companies = Company.objects.filter(pk=world.other_company.pk)
    company = with_staff_and_jobs(companies).get()
    assert (company.open_jobs, company.people) == (1, 1)
    world.other_company.staff.add(world.outsider)
    world.add_job("Cook", company=world.other_company)
    world.add_job("Driver", company=world.other_company)
    company = with_staff_and_jobs(companies).get()
    assert (company.open_jobs, company.people) == (6, 6)
    assert companies.with_open_jobs().get().open_jobs == 3


def test_a_filter_over_many_repeats_the_row(board):
    ten = list(Skill.objects.order_by("pk")[:10])
    joined = Job.objects.open().filter(skills__in=ten)
    assert (joined.count(), joined.distinct().count(), asking_for(Job.objects.open(), ten).count()) == (109, 89, 89)
    views = {job.pk: job.views for job in joined}
    assert joined.aggregate(views=Sum("views"))["views"] > sum(views.values())
    assert asking_for(Job.objects.open(), ten).aggregate(views=Sum("views"))["views"] == sum(views.values())


def test_an_order_splits_the_groups(board):
    groups = Job.objects.values("company").annotate(jobs=Count("pk"))
    assert len(groups.order_by()) == 20
    assert len(groups.order_by("-created_at")) == 200
    ordered = alone(Job.objects.order_by("-created_at"), "company", Count("pk"))
    assert {company.jobs_in_all for company in board.annotate(jobs_in_all=ordered)} == {10}


def test_queries(board):
    def sent(way):
        with CaptureQueriesContext(connection) as queries:
            list(way(board.all()))
        return len(queries)

    assert (sent(with_totals_alone), sent(with_totals_by_table)) == (1, 3)


def test_messages(board):
    mine = Application.objects.filter(job=OuterRef("pk"))
    with pytest.raises(ValueError, match="outer query") as error:
        mine.count()
    assert str(error.value) == (
        "This queryset contains a reference to an outer query and may only be used in a subquery."
    )
    with pytest.raises(ValueError, match="conflicts") as error:
        Job.objects.annotate(applications=Count("applications"))
    assert str(error.value) == "The annotation 'applications' conflicts with a field on the model."
    pay = alone(Job.objects.all(), "company", Avg("salary_min"))
    with pytest.raises(FieldError) as error:
        list(board.annotate(pay=Coalesce(pay, 0)))
    assert str(error.value) == (
        "Expression contains mixed types: DecimalField, IntegerField. You must set output_field."
    )
    board.annotate(pay=Coalesce(pay, Decimal(0))).get(pk=board[0].pk)
    busy_job(board[0], 3, 4)
    with pytest.raises(ProgrammingError) as error:
        list(Job.objects.annotate(applied=Subquery(mine.annotate(total=Count("pk")).values("total"))))
    assert str(error.value) == "more than one row returned by a subquery used as an expression"
