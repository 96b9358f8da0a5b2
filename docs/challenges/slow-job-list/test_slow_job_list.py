"""The claims of the page on real plans and endpoints; the slow pages stand here."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from board.api.pagination import after
from board.api.views import JobViewSet
from board.models import Job
from django.core import signing
from django.core.paginator import Paginator, UnorderedObjectListWarning
from django.db import OperationalError, connection, models, transaction
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL
from django.test.utils import CaptureQueriesContext
from rest_framework.pagination import CursorPagination as StockCursorPagination
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from tools.measure.plans import explain

NEWEST = ("-created_at", "-id")
PAGE = 20
ROWS = 5_000
LAST_DAY = datetime(2026, 11, 1, tzinfo=UTC)

# The list of all jobs has no index of its own on the job board: it lists open
# ones. This is the one that a list of all would need.
INDEX = models.Index(fields=NEWEST, name="job_newest")


def by_offset(jobs, depth):
    """Return a page by its number: so many rows, then 20 more."""
    return jobs.order_by(*NEWEST)[depth : depth + 20]


def after_or(jobs, last):
    """Return the page behind a job: right, and no faster."""
    older = Q(created_at__lt=last.created_at)
    same_moment = Q(created_at=last.created_at, pk__lt=last.pk)
    return jobs.filter(older | same_moment).order_by(*NEWEST)[:20]


def after_bounded(jobs, last):
    """Return the same page; the first condition is for the planner."""
    bound = Q(created_at__lte=last.created_at)  # true of both below
    older = Q(created_at__lt=last.created_at)
    same_moment = Q(created_at=last.created_at, pk__lt=last.pk)
    rest = jobs.filter(bound & (older | same_moment))
    return rest.order_by(*NEWEST)[:20]


def after_pair(jobs, last):
    """Return the same page by comparing pairs, which is SQL's own way."""
    pair = RawSQL(
        "(board_job.created_at, board_job.id) < (%s, %s)",
        [last.created_at, last.pk],
        output_field=BooleanField(),
    )
    return jobs.filter(pair).order_by(*NEWEST)[:20]


def by_offset_of_keys(jobs, depth):
    """Return a page by its number; only keys are skipped, not rows."""
    keys = jobs.order_by(*NEWEST).values("pk")[depth : depth + 20]
    return jobs.filter(pk__in=keys).order_by(*NEWEST)


def before(jobs, moment):
    """Return the page that begins at a moment: a jump without a count."""
    return jobs.filter(created_at__lt=moment).order_by(*NEWEST)[:20]


def at_most(jobs, limit):
    """Count up to a limit; 'limit or more' is all that the reader gets."""
    return jobs.values("pk")[:limit].count()


def by_pay(jobs, last=None):
    """Return a page of jobs, best paid first. Or so it says."""
    if last:
        jobs = jobs.filter(
            Q(salary_max__lte=last.salary_max)
            & (Q(salary_max__lt=last.salary_max) | Q(salary_max=last.salary_max, pk__lt=last.pk))
        )
    return jobs.order_by(models.F("salary_max").desc(nulls_last=True), "-pk")[:20]


class Uncached(JobViewSet):
    """The job list without its cache, for whoever may see all jobs."""

    def list(self, request):
        return Response(self.page(request))


class Numbered(PageNumberPagination):
    page_size = 20
    parameters = frozenset({"page"})


class ByNumber(Uncached):
    """The same list in numbered pages, as REST framework makes them."""

    pagination_class = Numbered

    def get_queryset(self):
        return super().get_queryset().order_by(*NEWEST)


class Stock(StockCursorPagination):
    page_size = 20
    ordering = ("-created_at",)
    parameters = frozenset({"cursor"})


class ByStockCursor(Uncached):
    pagination_class = Stock


def get(view, user, **query):
    """Ask a view for a page as a user, without the rest of the site."""
    request = APIRequestFactory(SERVER_NAME="localhost").get("/api/jobs/", query)
    force_authenticate(request, user)
    response = view.as_view({"get": "list"}, basename="job")(request)
    return response.render()


def cursor_behind(job):
    """Return the job board's cursor of the page behind a job."""
    value = Job._meta.get_field("created_at").value_to_string(job)
    return signing.dumps([value, job.pk], salt="cursor of job by newest")


def follow(view, user):
    """Return the keys that a client meets, and the link at which it gives up.

    It gives up at a link that it has followed before.
    """
    query, seen, asked = {}, [], set()
    while True:
        data = get(view, user, **query).data
        seen += [job["id"] for job in data["results"]]
        link = data["next"]
        if link is None or link in asked:
            return seen, link
        asked.add(link)
        query = dict(parse_qsl(urlsplit(link).query))


def walk(next_page, between):
    """Read a list page by page while something happens between the pages.

    Returns how many rows came twice, and how many that were there all the
    time never came.
    """
    there = set(Job.objects.open().values_list("pk", flat=True))
    seen, last, full = [], None, True
    while full:
        page = list(next_page(Job.objects.open(), len(seen), last))
        seen += [job.pk for job in page]
        full, last = len(page) == PAGE, page[-1] if page else last
        between()
    stayed = there & set(Job.objects.open().values_list("pk", flat=True))
    return {"repeated": len(seen) - len(set(seen)), "missed": len(stayed - set(seen))}


WALKS = {
    "OFFSET": lambda jobs, depth, last: by_offset(jobs, depth),
    "keyset": lambda jobs, depth, last: after_bounded(jobs, last) if last else by_offset(jobs, 0),
}


def post_one():
    company = Job.objects.order_by("pk").values("company")[0]["company"]
    Job.objects.create(company_id=company, title=f"New {Job.objects.count()}")


def close_one():
    newest = Job.objects.open().order_by(*NEWEST).values("pk")[:1]
    Job.objects.filter(pk__in=newest).update(is_open=False)


def sql(statement, params=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def add(index):
    with connection.schema_editor() as editor:
        editor.add_index(Job, index)
    sql("ANALYZE board_job")


def insert_jobs(company, rows, apart="1 minute"):
    """Insert open jobs, so far apart: all of one moment if apart is nothing."""
    sql(
        """INSERT INTO board_job (company_id, title, description, is_open, views, version, created_at)
           SELECT %s, 'Backend developer ' || n, '', true, n, 1, %s - n * %s::interval
           FROM generate_series(1, %s) AS n""",
        [company.pk, LAST_DAY, apart, rows],
    )
    sql("SET CONSTRAINTS ALL IMMEDIATE")


def plan(query):
    return explain(connection, query)


def rows_read(found):
    """Return how many rows the scan met, shown or not."""
    node = found.tree
    while "Plans" in node:
        node = node["Plans"][0]
    return int(node["Actual Rows"] + node.get("Rows Removed by Filter", 0))


@pytest.fixture
def empty(world):
    """Companies and people, and no job."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("TRUNCATE board_job CASCADE")
    return world


@pytest.fixture
def board(empty):
    """5,000 open jobs, one a minute, and the index of their list."""
    insert_jobs(empty.company, ROWS)
    add(INDEX)
    # So few rows are quickly sorted; of a million, the planner does not.
    sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    return empty


@pytest.fixture
def one_moment(empty):
    """1,100 jobs of one moment, as one INSERT with DEFAULT now() leaves them."""
    insert_jobs(empty.company, 1_100, apart="0")
    add(INDEX)
    sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    return empty


def keys(jobs):
    return [job.pk for job in jobs]


# The cost of depth.


@pytest.mark.parametrize("way", [after_or, after_bounded, after_pair])
@pytest.mark.parametrize("depth", [20, 1_000, 1_080])
def test_every_way_shows_the_same_page(board, way, depth):
    insert_jobs(board.other_company, 1_100, apart="0")
    jobs = Job.objects.all()
    expected = keys(by_offset(jobs, depth))
    assert len(expected) == 20
    last = jobs.order_by(*NEWEST)[depth - 1]
    assert keys(way(jobs, last)) == expected
    assert keys(by_offset_of_keys(jobs, depth)) == expected


def test_a_date_finds_the_page_behind_it(board):
    jobs = Job.objects.all()
    last = jobs.order_by(*NEWEST)[1_999]
    assert keys(before(jobs, last.created_at)) == keys(by_offset(jobs, 2_000))
    assert rows_read(plan(before(jobs, last.created_at))) == 20


@pytest.mark.parametrize("depth", [0, 2_000, 4_000])
def test_offset_reads_what_it_skips(board, depth):
    found = plan(by_offset(Job.objects.all(), depth))
    assert found.nodes == ("Limit", "Index Scan using job_newest")
    assert found.rows == 20
    assert rows_read(found) == depth + 20


READ = {after_or: 2_020, after_bounded: 21, after_pair: 20}


@pytest.mark.parametrize("way", READ)
def test_what_a_page_behind_2000_jobs_reads(board, way):
    jobs = Job.objects.all()
    last = jobs.order_by(*NEWEST)[1_999]
    found = plan(way(jobs, last))
    assert found.nodes == ("Limit", "Index Scan using job_newest")
    assert rows_read(found) == READ[way]
    scan = found.tree["Plans"][0]
    assert ("Index Cond" in scan) is (way is not after_or)


def test_the_bounded_or_reads_the_jobs_of_the_same_moment(one_moment):
    jobs = Job.objects.all()
    last = jobs.order_by(*NEWEST)[999]
    assert rows_read(plan(after_bounded(jobs, last))) == 1_020
    assert rows_read(plan(after_pair(jobs, last))) == 20


def test_a_tie_breaker_of_the_other_direction_is_sorted_again(board):
    sql("SET LOCAL enable_sort = on")
    assert "Incremental Sort" not in plan(Job.objects.order_by("-created_at", "-id")[:20]).types
    assert "Incremental Sort" in plan(Job.objects.order_by("-created_at", "id")[:20]).types


def test_the_last_page_reads_as_little_as_the_first(board):
    jobs = Job.objects.open().order_by("-created_at", "-pk")
    last = jobs[ROWS - 100]
    page = jobs.filter(after("-created_at", last.created_at, last.pk))
    found = plan(page[:20])
    assert "Sort" not in found.types
    assert rows_read(found) <= 21  # rows, not milliseconds


def test_an_order_without_an_index_reads_everything(board):
    sql("SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on")
    found = plan(Job.objects.order_by("-views", "-id")[:20])
    assert found.types == ["Limit", "Sort", "Seq Scan"]
    assert rows_read(found) == ROWS


# Rows that come twice, or never.


@pytest.fixture
def hundred(empty):
    insert_jobs(empty.company, 100)
    return empty


WALKED = [
    ("OFFSET", post_one, {"repeated": 5, "missed": 0}),
    ("OFFSET", close_one, {"repeated": 0, "missed": 4}),
    ("keyset", post_one, {"repeated": 0, "missed": 0}),
    ("keyset", close_one, {"repeated": 0, "missed": 0}),
]


@pytest.mark.parametrize(("way", "between", "found"), WALKED)
def test_what_a_reader_meets_while_others_write(hundred, way, between, found):
    assert walk(WALKS[way], between) == found


def test_a_job_that_changes_its_place_is_missed_by_a_keyset_too(hundred):
    by_views = Job.objects.order_by("-views", "-pk")
    page = list(by_views[:20])
    unseen = by_views[50]
    Job.objects.filter(pk=unseen.pk).update(views=1_000_000)
    seen = set(keys(page))
    while page:
        page = list(by_views.filter(after("-views", page[-1].views, page[-1].pk))[:20])
        seen.update(keys(page))
    assert unseen.pk not in seen
    assert len(seen) == 99


def test_unknown_pay_never_comes(hundred):
    Job.objects.filter(views__gt=14).update(salary_max=models.F("views"))
    seen, page = set(), list(by_pay(Job.objects.all()))
    while page:
        seen.update(keys(page))
        page = list(by_pay(Job.objects.all(), page[-1]))
    assert len(seen) == 86
    assert Job.objects.filter(salary_max=None).count() == 14


def test_a_page_of_numbers_counts_each_time(hundred):
    def sent(view, **query):
        with CaptureQueriesContext(connection) as queries:
            get(view, hundred.root, **query)
        return sum("COUNT(" in query["sql"] for query in queries), len(queries)

    assert sent(ByNumber, page=1) == sent(ByNumber, page=5) == (1, 3)
    assert sent(Uncached) == (0, 2)
    assert sent(Uncached, cursor=cursor_behind(Job.objects.order_by(*NEWEST)[50])) == (0, 2)


def test_a_count_can_stop(board):
    assert at_most(Job.objects.open(), 1_001) == 1_001
    with CaptureQueriesContext(connection) as queries:
        at_most(Job.objects.open(), 1_001)
    found = explain(connection, queries[0]["sql"])
    assert found.tree["Plans"][0]["Node Type"] == "Limit"
    assert found.tree["Plans"][0]["Actual Rows"] == 1_001


# REST framework's own cursor.


def test_the_stock_cursor_never_ends_behind_1000_jobs_of_one_moment(one_moment):
    seen, link = follow(ByStockCursor, one_moment.root)
    assert link is not None  # the same link as before, and so on for ever
    assert len(set(seen)) == 1_020


def test_the_cursor_of_the_job_board_ends(one_moment):
    seen, link = follow(Uncached, one_moment.root)
    assert link is None
    assert len(seen) == len(set(seen)) == 1_100


# Messages.


def test_messages(hundred):
    with pytest.warns(UnorderedObjectListWarning) as warned:
        Paginator(Job.objects.all(), 20).page(1)
    assert str(warned[0].message) == (
        "Pagination may yield inconsistent results with an unordered object_list: "
        "<class 'board.models.Job'> JobQuerySet."
    )
    with pytest.raises(TypeError) as refused:
        Job.objects.all()[:20].filter(is_open=True)
    assert str(refused.value) == "Cannot filter a query once a slice has been taken."
    with pytest.raises(ValueError, match="Cannot use None") as refused:
        list(by_pay(Job.objects.all(), Job(salary_max=None)))
    assert str(refused.value) == "Cannot use None as a query value"
    for view, query, answer in (
        (ByNumber, {"page": 45_000}, "Invalid page."),
        (ByStockCursor, {"cursor": "made-up"}, "Invalid cursor"),
        (Uncached, {"cursor": "made-up"}, "This is not a cursor of this list in this order."),
    ):
        assert answer in str(get(view, hundred.root, **query).data)


def test_a_page_too_deep_for_the_time_limit(board):
    sql("SET LOCAL statement_timeout = 1")
    slow = by_offset(Job.objects.annotate(wait=RawSQL("pg_sleep(0.01)::text", [])), 100)
    with pytest.raises(OperationalError) as stopped, transaction.atomic():
        list(slow)
    assert str(stopped.value).startswith("canceling statement due to statement timeout")
