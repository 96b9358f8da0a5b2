"""What a list of 200 jobs costs, by how its relations are loaded."""

import contextlib
import time

from board.models import Company, Job
from django.db import connection
from test_n_plus_one import (
    as_the_api_shows,
    company_lines,
    skill_lines,
    sorted_skills,
    sorted_skills_with_a_bug,
)

MEASURES = [
    "docs/challenges/n-plus-one/test_n_plus_one.py::company_lines",
    "docs/challenges/n-plus-one/test_n_plus_one.py::sorted_skills",
    "examples/jobboard/board/querysets.py::JobQuerySet",
    "examples/jobboard/board/api/serializers.py::JobSummarySerializer",
]
GIVEN = {"1 ms": "the delay that the measurement adds to each statement"}

COMPANIES = "200 jobs, each with the name of its company"
SKILLS = "200 jobs, each with its skills"
GROWTH = "Jobs as the API shows them, with company and skills"


@contextlib.contextmanager
def far_away():
    """Add 1 ms to each statement, as a database across a network would."""

    def later(execute, *arguments):
        time.sleep(0.001)
        return execute(*arguments)

    with connection.execute_wrapper(later):
        yield


def with_companies(queryset):
    """Show the jobs of a queryset; return them, to look at what was made."""
    jobs = list(queryset.all())
    company_lines(jobs)
    return jobs


def with_companies_far_away(queryset):
    with far_away():
        return with_companies(queryset)


def measure(lab):
    plain, joined = Job.objects.all(), Job.objects.with_company()
    prefetched = Job.objects.prefetch_related("company")
    skills = Job.objects.prefetch_related("skills")
    with lab.dataset("S"):
        rows = lab.compare(
            COMPANIES,
            {
                "no fix": lambda: with_companies(plain),
                "select_related": lambda: with_companies(joined),
                "prefetch_related": lambda: with_companies(prefetched),
                "no fix +1 ms": lambda: with_companies_far_away(plain),
                "select_related +1 ms": lambda: with_companies_far_away(joined),
            },
            runs=15,
            picture=("queries", "time"),
            counts=lambda jobs: {"company objects": len({id(job.company) for job in jobs})},
        )
        assert rows["no fix"].counts["queries"] == 201
        lab.compare(
            SKILLS,
            {
                "no fix": lambda: skill_lines(plain.all()),
                "prefetch, .all()": lambda: skill_lines(skills.all()),
                "prefetch, .order_by()": lambda: sorted_skills_with_a_bug(plain),
                "Prefetch(to_attr)": lambda: sorted_skills(plain),
            },
            runs=15,
        )
        lab.curve(
            GROWTH,
            "jobs",
            [10, 50, 200],
            {
                "no fix": lambda n: as_the_api_shows(plain[:n]),
                "for_display": lambda n: as_the_api_shows(Job.objects.for_display()[:n]),
            },
            runs=15,
        )
        lab.compare(
            "200 titles and nothing else",
            {
                "no fix": lambda: [job.title for job in plain.all()],
                "for_display": lambda: [job.title for job in Job.objects.for_display()],
            },
            runs=15,
        )
        company = Company.objects.filter(pk=Company.objects.first().pk)
        lab.plan("One of the 200 repeated queries, on the server", "company by key", company, runs=15)
