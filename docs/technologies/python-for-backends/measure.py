"""Cents that float gets wrong, what a test of a rule costs by where the rule stands, and what a list holds."""

import tempfile
from pathlib import Path

from accounts import tokens
from board.models import Company
from django.core.cache import cache
from django.test import override_settings
from rest_framework.test import APIClient
from test_python_for_backends import (
    RAISES,
    READS,
    peak,
    refused_by_the_api,
    refused_by_the_core,
    refused_by_the_model,
    wrong,
)

from tools.measure.results import Bytes

MEASURES = [
    "docs/technologies/python-for-backends/test_python_for_backends.py::Salary",
    "docs/technologies/python-for-backends/test_python_for_backends.py::parse_row",
    "docs/technologies/python-for-backends/test_python_for_backends.py::read_rows",
    "docs/technologies/python-for-backends/test_python_for_backends.py::RAISES",
    "docs/technologies/python-for-backends/test_python_for_backends.py::READS",
]
GIVEN = {}
MONEY = "100,000 salaries raised by 2.5 %: how many end a cent off"
RULE = "A salary that ends below its beginning, refused 10 times"
READ = "Read a file of 100,000 rows and check each"


def measure(lab):
    with lab.dataset("S"):
        lab.compare(MONEY, RAISES, counts=lambda results: {"wrong": wrong(results)}, picture=("wrong", "time"))
        with override_settings(ALLOWED_HOSTS=["testserver"]):
            ruling(lab)
    reading(lab)


def ruling(lab):
    company = Company.objects.get(slug="company-1")
    client = APIClient()
    access = tokens.issue(company.staff.get())["access"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")

    def ten_times(refused, *arguments):
        for _ in range(10):
            refused(*arguments)

    def ten_requests():
        cache.clear()  # the count of the throttle
        ten_times(refused_by_the_api, client, company.slug)

    lab.compare(
        RULE,
        {
            "Salary()": lambda: ten_times(refused_by_the_core),
            "Job.full_clean()": lambda: ten_times(refused_by_the_model, company),
            "POST /api/jobs/": ten_requests,
        },
        runs=15,
    )


def reading(lab):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.csv"
        path.write_text("".join(f"Job {n},{2000 + n % 50},{3000 + n % 70}.50\n" for n in range(100_000)))
        for name, read in READS.items():
            lab.say(f"{READ}: {name}")
            memory = Bytes(peak(lambda read=read: read(path)))
            lab.record(READ, name, counts={"peak memory": memory}, timing=lab.time(lambda read=read: read(path)))
