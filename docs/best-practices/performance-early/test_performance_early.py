"""The budget of each list, kept; and what an answer and a connection cost."""

import contextlib
import gzip
import io
import itertools

import psycopg
import pytest
from accounts.models import User
from board.api.serializers import JobSerializer
from board.models import Application, Job, Skill
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg_pool import ConnectionPool
from rest_framework.test import APIClient

# What one page may cost: queries, and bytes before compression.
BUDGET = {
    "/api/jobs/": (4, 10_000),
    "/api/companies/": (2, 4_000),
    "/api/skills/": (1, 1_000),
    "/api/applications/": (4, 12_000),
}


def spent(client, address):
    """Return how many queries a page sends and how many bytes it has."""
    cache.clear()
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return len(asked), len(answer.content)


def over_budget(client, address):
    """Return what a page spends too much, in words; '' if it keeps to it."""
    queries, size = spent(client, address)
    most, largest = BUDGET[address]
    words = []
    if queries > most:
        words.append(f"{queries} queries, {most} are planned")
    if size > largest:
        words.append(f"{size:,} bytes, {largest:,} are planned")
    return "; ".join(words)


def everything(jobs):
    """The list without pages, as a first version often is."""
    return JobSerializer(jobs.for_display(), many=True).data


def busy_client():
    """A client of the company that gets most applications."""
    jobs = Application.objects.values_list("job__company", flat=True)
    user = User.objects.filter(companies__in=jobs).first()
    client = APIClient(SERVER_NAME="localhost")
    client.force_authenticate(user)
    return client


@pytest.fixture
def board(db):
    call_command("seed", size="S", stdout=io.StringIO())


@pytest.mark.parametrize("address", BUDGET)
def test_a_list_keeps_to_its_budget(board, address):
    assert over_budget(busy_client(), address) == ""


def test_a_list_over_its_budget_is_told_by_how_much(board, monkeypatch):
    monkeypatch.setitem(BUDGET, "/api/jobs/", (1, 100))
    said = over_budget(busy_client(), "/api/jobs/")
    assert said.endswith("bytes, 100 are planned") and "queries, 1 are planned; " in said


def test_a_page_costs_the_same_on_a_larger_board(board):
    before = spent(busy_client(), "/api/jobs/")[0]
    skill = Skill.objects.first()
    for number in range(40):
        job = Job.objects.create(company_id=Job.objects.first().company_id, title=f"New {number}")
        job.skills.add(skill)
    assert spent(busy_client(), "/api/jobs/")[0] == before


def test_the_whole_list_is_many_pages(board):
    whole = str(everything(Job.objects.open())).encode()
    page = spent(busy_client(), "/api/jobs/")[1]
    assert len(whole) > 5 * page


def address():
    """Return the address of the database as psycopg wants it."""
    found = settings.DATABASES["default"]
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    return psycopg.conninfo.make_conninfo(**{to: found[name] for name, to in names.items()})


def test_three_ways_to_a_connection_ask_the_same(db):
    with ways(address()) as found:
        assert [ask(way) for way in found.values()] == [1, 1, 1]


@contextlib.contextmanager
def ways(conninfo):
    """Three ways to a connection: a new one, one from a pool, one kept open."""
    with psycopg.connect(conninfo) as kept, ConnectionPool(conninfo, min_size=1, max_size=2, open=True) as pool:
        pool.wait()
        yield {
            "a new connection": lambda: psycopg.connect(conninfo),
            "one from a pool": pool.connection,
            "one that is kept": lambda: Kept(kept),
        }


class Kept:
    """A connection that stays open after its block."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        return self.connection

    def __exit__(self, *error):
        self.connection.rollback()


def ask(way):
    with way() as connection:
        return connection.execute("SELECT 1").fetchone()[0]


def compressed(data):
    return len(gzip.compress(data, 6))


def percentiles(seconds):
    """Return the mean, the median and the 95th percentile of waits."""
    ordered = sorted(seconds)
    middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return sum(ordered) / len(ordered), middle, late


def test_a_mean_hides_who_waits():
    waits = list(itertools.chain([0.05] * 94, [2.0] * 6))
    mean, median, late = percentiles(waits)
    assert (round(mean, 3), median, late) == (0.167, 0.05, 2.0)
