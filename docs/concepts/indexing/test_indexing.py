"""What the page says of indexes, on 20,000 jobs of which 5 % are open."""

from datetime import UTC, datetime, timedelta

import pytest
from board.models import Company, Job
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.functions import Lower, Upper
from django.db.utils import NotSupportedError, ProgrammingError

from tools.measure.plans import explain

NEWEST = ("-created_at", "-id")
CANDIDATES = {
    "is_open": models.Index(fields=("is_open",), name="flag"),
    "created_at": models.Index(fields=("-created_at",), name="date"),
    "is_open, created_at": models.Index(
        fields=("is_open", *NEWEST),
        name="flag_then_date",
    ),
    "created_at if is_open": models.Index(
        fields=NEWEST,
        condition=models.Q(is_open=True),
        name="open_by_date",
    ),
}
ORDERS = {
    "company, created_at": models.Index(
        fields=("company", "created_at"),
        name="equality_first",
    ),
    "created_at, company": models.Index(
        fields=("created_at", "company"),
        name="range_first",
    ),
}
SPELLINGS = {
    "title": models.Index(fields=("title",), name="title_as_written"),
    "Lower(title)": models.Index(Lower("title"), name="title_lower"),
    "Upper(title)": models.Index(Upper("title"), name="title_upper"),
}
LAST_DAY = datetime(2026, 11, 1, tzinfo=UTC)


def newest_open():
    """Return the question of the first page: the newest 20 open jobs."""
    return Job.objects.open().order_by("-created_at", "-id")[:20]


def dates_since(days, **more):
    """Ask for dates alone, which both indexes of ORDERS can answer."""
    since = LAST_DAY - timedelta(days=days)
    return Job.objects.filter(created_at__gte=since, **more).values("created_at")


def posted_on(day):
    return Job.objects.filter(created_at__date=day)


def posted_between(day):
    end = day + timedelta(days=1)
    return Job.objects.filter(created_at__gte=day, created_at__lt=end)


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY cannot run inside a transaction

    dependencies = (("board", "0001_initial"),)
    operations = (
        AddIndexConcurrently(
            "job",
            models.Index(
                fields=("company", "-created_at"),
                name="job_company_newest",
            ),
        ),
    )


def sql(statement, params=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def only_the_primary_key():
    """Drop every other index of the jobs; a rollback brings them back."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    found = sql("SELECT indexname FROM pg_indexes WHERE tablename = 'board_job'")
    for (name,) in found:
        if name != "board_job_pkey":
            sql(f'DROP INDEX "{name}"')


def add(index):
    with connection.schema_editor() as editor:
        editor.add_index(Job, index)
    sql("ANALYZE board_job")


def plan(query):
    return explain(connection, query)


def searches(found):
    """Return how often the plan descended from the root of an index."""
    return leaf(found).get("Index Searches", 0)


def leaf(found):
    """Return the lowest node of a plan without branches."""
    node = found.tree
    while "Plans" in node:
        (node,) = node["Plans"]
    return node


def index_pages(found):
    """Return the pages that the lowest node, a bitmap's index, touched."""
    node = leaf(found)
    return node["Shared Hit Blocks"] + node["Shared Read Blocks"]


@pytest.fixture
def clean(db):
    """No dead rows of earlier tests; a rollback takes this back too."""
    sql("TRUNCATE board_job CASCADE")


@pytest.fixture
def board(clean):
    """20,000 jobs in any order of dates; every twentieth is open."""
    companies = Company.objects.bulk_create(Company(name=f"Company {n}", slug=f"company-{n}") for n in range(21))
    sql(
        """INSERT INTO board_job (company_id, title, description, is_open,
               views, version, created_at)
           SELECT %s + n %% 21, 'Backend developer ' || n, 'We build.',
               n %% 20 = 0, 0, 1,
               %s - n * 7919 %% 1440000 * interval '1 minute'
           FROM generate_series(1, 20000) AS n""",
        [companies[0].pk, LAST_DAY],
    )
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("ANALYZE board_job")
    return companies


@pytest.fixture
def bare(board):
    only_the_primary_key()
    return board


def test_without_an_index_the_whole_table_is_read_and_sorted(bare):
    found = plan(newest_open())
    assert found.types[-1] == "Seq Scan"
    assert "Sort" in found.types
    assert found.buffers >= pages_of_the_table()


def pages_of_the_table():
    return sql("SELECT pg_relation_size('board_job') / 8192")[0][0]


def test_an_index_on_the_flag_is_used_and_saves_next_to_nothing(bare):
    add(CANDIDATES["is_open"])
    found = plan(newest_open())
    assert leaf(found)["Index Name"] == "flag"
    assert "Sort" in found.types
    assert found.buffers > 0.8 * pages_of_the_table()


@pytest.mark.parametrize("name", ["is_open, created_at", "created_at if is_open"])
def test_an_index_in_the_order_of_the_list_stops_after_20_rows(bare, name):
    add(CANDIDATES[name])
    found = plan(newest_open())
    assert found.types == ["Limit", "Index Scan"]
    assert found.rows == 20
    assert found.buffers < 40


def test_the_list_of_the_job_board_keeps_its_index(board):
    found = plan(newest_open())
    assert found.nodes == ("Limit", "Index Scan using job_open_newest")
    assert found.buffers < 40  # pages, not milliseconds: no flaky test


def test_a_partial_index_is_smaller_and_serves_only_its_condition(bare):
    full = CANDIDATES["is_open, created_at"]
    part = CANDIDATES["created_at if is_open"]
    add(part)
    anything = Job.objects.order_by(*NEWEST)[:20]
    assert plan(anything).types[-1] == "Seq Scan"
    add(full)
    size = "SELECT pg_relation_size(%s::regclass)"
    assert sql(size, [full.name])[0][0] > 8 * sql(size, [part.name])[0][0]


def test_equality_first_reads_a_few_pages_and_range_first_reads_more(bare):
    query = dates_since(300, company=bare[0])
    pages = {}
    for name, index in ORDERS.items():
        add(index)
        sql("SET LOCAL enable_seqscan = off")
        pages[name] = index_pages(plan(query))
        sql(f"DROP INDEX {index.name}")
    assert pages["created_at, company"] > 3 * pages["company, created_at"]


def test_skip_scan_descends_once_or_more_for_each_company(bare):
    if connection.pg_version < 180000:
        pytest.skip("skip scan exists since PostgreSQL 18")
    add(ORDERS["company, created_at"])
    found = plan(dates_since(1))
    assert any("equality_first" in node for node in found.nodes)
    assert searches(found) >= 21
    assert searches(plan(dates_since(30, company=bare[0]))) == 1


@pytest.mark.parametrize(
    ("spelling", "used"),
    [("title", False), ("Lower(title)", False), ("Upper(title)", True)],
)
def test_iexact_uses_an_index_on_upper_only(bare, spelling, used):
    add(SPELLINGS[spelling])
    query = Job.objects.filter(title__iexact="backend DEVELOPER 77")
    assert "UPPER(" in str(query.query)
    found = plan(query)
    assert found.rows == 1
    assert ("Seq Scan" not in found.types) is used


def test_icontains_needs_the_trigram_index(board):
    query = Job.objects.filter(title__icontains="loper 777")
    sql("SET LOCAL enable_seqscan = off")  # 20,000 rows are quickly read
    assert "Bitmap Index Scan on job_title_trigrams" in plan(query).nodes
    only_the_primary_key()
    add(SPELLINGS["Upper(title)"])
    assert plan(query).types == ["Seq Scan"]


def test_a_function_on_the_column_hides_it_from_the_index(bare):
    add(CANDIDATES["created_at"])
    day = LAST_DAY - timedelta(days=5)
    assert plan(posted_on(day.date())).types == ["Seq Scan"]
    assert "Seq Scan" not in plan(posted_between(day)).types
    assert set(posted_on(day.date())) == set(posted_between(day)) != set()


def test_three_rows_are_read_as_a_whole(clean, world):
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("ANALYZE board_job")
    assert Job.objects.count() == 3
    assert plan(newest_open()).types[-1] == "Seq Scan"


@pytest.mark.parametrize(("indexed", "hot"), [(False, 1), (True, 0)])
def test_an_index_on_the_counter_ends_hot_updates(world, indexed, hot):
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    if indexed:
        add(models.Index(fields=("views",), name="by_views"))
    count = """SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables
               WHERE relname = 'board_job'"""
    job = on_a_new_page(world)
    ((before,),) = sql(count)
    Job.objects.filter(pk=job.pk).update(views=models.F("views") + 1)
    assert sql(count) == [(before + hot,)]


def on_a_new_page(world):
    """Return a job on a page of its own: a page full of earlier tests' dead rows has no room for the new version."""
    size = "SELECT pg_relation_size('board_job')"
    before, number = sql(size), 0
    while sql(size) == before:
        number += 1
        job = world.add_job(f"Filler {number}")
    return job


def test_django_indexes_a_foreign_key_and_postgresql_does_not(db):
    found = "SELECT indexdef FROM pg_indexes WHERE tablename = %s"
    made = [row[0] for row in sql(found, ["board_job"])]
    assert any(line.endswith("USING btree (company_id)") for line in made)
    sql("CREATE TABLE by_hand (job_id bigint REFERENCES board_job)")
    assert sql(found, ["by_hand"]) == []


def test_concurrently_inside_a_transaction_is_refused(db):
    (operation,) = Migration.operations
    state = ProjectState()
    state.add_model(ModelState.from_model(Company))
    with pytest.raises(NotSupportedError) as refused, connection.schema_editor(atomic=True) as editor:
        operation.database_forwards("board", editor, state, state)
    assert str(refused.value) == (
        "The AddIndexConcurrently operation cannot be executed inside a "
        "transaction (set atomic = False on the migration)."
    )


def test_gin_on_text_needs_an_operator_class(db):
    with pytest.raises(ProgrammingError) as refused:
        add(GinIndex(fields=["title"], name="words"))
    assert str(refused.value).startswith(
        'data type character varying has no default operator class for access method "gin"'
    )
