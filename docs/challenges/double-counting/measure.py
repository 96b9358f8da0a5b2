"""What joins do to totals, and what each way to the right total costs."""

from board.models import Company, Job, Skill
from django.db.models import Count
from test_double_counting import (
    asking_for,
    busy_job,
    totals_of,
    with_counts,
    with_counts_alone,
    with_distinct_counts,
    with_distinct_totals,
    with_totals,
    with_totals_alone,
    with_totals_by_table,
)

from tools.measure.instruments import RUNS, timing_of

MEASURES = ["docs/challenges/double-counting/test_double_counting.py"]
GIVEN = {"8 KiB": "the size of a page that PostgreSQL is built with"}

JOB = "One job with 3 skills and 4 applications"
GROWTH = "Applications counted, for a job with as many skills as applications"
TOTALS = "Views and average pay by company: the sum of all, and how many are wrong"
REPORT = "The same for all 200 companies of 1,000,000 jobs"
PAGE = "The newest 20 open jobs of 1,000,000"
WAYS = {
    "joins": with_totals,
    "distinct=True": with_distinct_totals,
    "Subquery": with_totals_alone,
    "a query for each table": with_totals_by_table,
}


def measure(lab):
    with lab.dataset("S"):
        company = Company.objects.earliest("pk")
        one_job(lab, busy_job(company, 3, 4))
        growth(lab, company)
    with lab.dataset("S"):
        totals(lab)
    with lab.dataset("L"):
        totals(lab)
        report = ("joins", "Subquery", "a query for each table")
        lab.compare(REPORT, {name: lambda way=WAYS[name]: list(way(Company.objects.all())) for name in report})
        page(lab)


def one_job(lab, job):
    """Record what each way counts."""
    one = job.annotate(applied=Count("applications"))
    four = {"applications__status": "sent"}
    ways = {
        "two Counts": with_counts(job),
        "two Counts, .distinct()": with_counts(job).distinct(),
        "two Counts, distinct=True": with_distinct_counts(job),
        "two Subqueries": with_counts_alone(job),
        "one Count, filtered afterwards": one.filter(**four),
    }
    for name, jobs in ways.items():
        found = jobs.get()
        counts = {"skills": found.needed} if hasattr(found, "needed") else {}
        lab.record(JOB, name, counts=counts | {"applications": found.applied})


def growth(lab, company):
    """Record what a Count says while both sides grow alike."""
    for n in (1, 5, 40):
        job = busy_job(company, n, n)
        for name, way in {"two Counts": with_counts, "Subquery": with_counts_alone}.items():
            counts = {"applications": way(job).get().applied}
            lab.record(GROWTH, f"{name}, {n} of each", counts=counts, line=name, x=n)
    lab.tables[GROWTH].x_label = "skills, and as many applications"
    lab.picture(GROWTH, "applications")


def totals(lab):
    """Record how many companies each way gets wrong; the truth is counted table by table."""
    companies = Company.objects.order_by("pk")
    truth = [totals_of(company) for company in with_totals_by_table(companies.all())]
    for name in ("joins", "distinct=True", "Subquery"):
        found = [totals_of(company) for company in WAYS[name](companies.all())]
        pairs = list(zip(found, truth, strict=True))
        counts = {
            "views": sum(views for views, _, _ in found),
            "wrong sums": sum(ours[0] != true[0] for ours, true in pairs),
            "wrong averages": sum(ours[1] != true[1] for ours, true in pairs),
        }
        assert all(ours[2] == true[2] for ours, true in pairs)
        lab.record(TOTALS, name, counts=counts)


def page(lab):
    """Record what the first page touches, by how its jobs are counted or filtered."""
    newest = Job.objects.open().order_by("-created_at", "-id")
    ten = list(Skill.objects.order_by("pk")[:10])
    joined = newest.filter(skills__in=ten)
    queries = {
        "counted by distinct=True": with_distinct_counts(newest)[:20],
        "counted by Subquery": with_counts_alone(newest)[:20],
        "ten skills: join": joined[:20],
        "ten skills: .distinct()": joined.distinct()[:20],
        "ten skills: Exists": asking_for(newest, ten)[:20],
    }
    for name, query in queries.items():
        lab.say(f"{PAGE}: {name}")
        lab.explain(query)
        found = [lab.explain(query) for _ in range(RUNS)]
        counts = {"buffers": found[-1].buffers, "different": len({job.pk for job in query})}
        lab.record(PAGE, name, counts=counts, timing=timing_of([plan.seconds for plan in found]))
