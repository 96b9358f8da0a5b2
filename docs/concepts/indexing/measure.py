"""Plans of one list under five indexes, column order, spelling, and what a write pays."""

from board.models import Company, Job
from test_indexing import (
    CANDIDATES,
    ORDERS,
    SPELLINGS,
    add,
    dates_since,
    newest_open,
    only_the_primary_key,
    searches,
)

from tools.measure.instruments import RUNS, timing_of

MEASURES = [
    "examples/jobboard/board/models.py::Job",
    "examples/jobboard/board/querysets.py::JobQuerySet.open",
    "docs/concepts/indexing/test_indexing.py::CANDIDATES",
    "docs/concepts/indexing/test_indexing.py::ORDERS",
    "docs/concepts/indexing/test_indexing.py::SPELLINGS",
    "docs/concepts/indexing/test_indexing.py::newest_open",
    "docs/concepts/indexing/test_indexing.py::dates_since",
]
GIVEN = {"8 KiB": "the size of a page that PostgreSQL is built with"}
LIST = "The newest 20 open jobs of 1,000,000, by the index on the table"
ALONE = "Dates of jobs, answered from the index alone"
SPELLING = "title__iexact, by the index on the table"
WRITE = "Insert 50,000 jobs"
INSERT = """INSERT INTO {table} (id, company_id, title, description, is_open,
    views, version, created_at)
SELECT id + 2000000, company_id, title || ' again', '', false, views, 1,
    created_at
FROM board_job WHERE id % 20 = 0"""


def measure(lab):
    with lab.dataset("L"):
        the_list(lab)
        the_order(lab)
        covering(lab)
    with lab.dataset("L"):
        the_spelling(lab)
        writing(lab)
    lab.picture(LIST, "buffers", "index size")


def row(lab, title, what, query, **counts):
    """Record buffers and times of a plan, with more counts of its last run."""
    lab.say(f"{title}: {what}")
    lab.explain(query)
    found = [lab.explain(query) for _ in range(RUNS)]
    last = found[-1]
    timing = timing_of([plan.seconds for plan in found])
    note = f"plan: {', '.join(last.nodes)}" if title == LIST else ""
    lab.record(title, what, counts={"buffers": last.buffers, **counts}, timing=timing, note=note)
    return last


def alone(lab, what, query):
    """Record the counts of an index-only scan; they are what its rows differ in."""
    lab.say(f"{ALONE}: {what}")
    lab.explain(query)
    last = lab.explain(query)
    assert last.types == ["Index Only Scan"], last.nodes
    counts = {"buffers": last.buffers, "searches": searches(last), "heap fetches": last.tree["Heap Fetches"]}
    lab.record(ALONE, what, counts=counts)


def the_list(lab):
    with lab.undone():
        only_the_primary_key()
        none = row(lab, LIST, "no index", newest_open())
    for name, index in CANDIDATES.items():
        with lab.undone():
            only_the_primary_key()
            add(index)
            found = row(lab, LIST, name, newest_open(), **{"index size": lab.size(index.name)})
    assert none.buffers > 100 * found.buffers


def the_order(lab):
    company = Company.objects.order_by("pk")[0]
    for name, index in ORDERS.items():
        with lab.undone():
            only_the_primary_key()
            add(index)
            alone(lab, f"a company's month: ({name})", dates_since(30, company=company))
            alone(lab, f"everybody's day: ({name})", dates_since(1))


def the_spelling(lab):
    query = Job.objects.filter(title__iexact="senior TESTER 77")
    for name, index in SPELLINGS.items():
        with lab.undone():
            only_the_primary_key()
            add(index)
            row(lab, SPELLING, name, query, **{"index size": lab.size(index.name)})


def covering(lab):
    """An index-only scan before and after its rows change, and after VACUUM."""
    add(ORDERS["company, created_at"])
    company = Company.objects.order_by("pk")[0]
    query = dates_since(1000, company=company)
    lab.sql("ALTER TABLE board_job SET (autovacuum_enabled = false)")
    alone(lab, "a company's jobs, all days", query)
    Job.objects.filter(company=company).update(views=1)
    alone(lab, "the same after an update of these rows", query)
    for what in ("after VACUUM", "after a second VACUUM"):
        lab.sql("VACUUM board_job")
        alone(lab, what, query)


def writing(lab):
    """Insert the same rows into three copies of the table, in turns."""
    tables = {"as the job board has them": copy(lab, "job_copy_board")}
    only_the_primary_key()
    tables["primary key only"] = copy(lab, "job_copy_bare")
    for index in CANDIDATES.values():
        add(index)
    tables["and the four of the first table"] = copy(lab, "job_copy_four")
    found = {what: [] for what in reversed(tables)}
    for turn in range(RUNS + 1):  # the first one warms up
        for what, plans in found.items():
            lab.say(f"{WRITE}: {what}, {turn} of {RUNS}")
            with lab.undone():
                plans.append(lab.explain(INSERT.format(table=tables[what])))
            lab.sql(f"VACUUM {tables[what]}")  # the undone rows leave no trace
    for what in ("primary key only", "and the four of the first table", "as the job board has them"):
        plans = found[what][1:]
        lab.record(
            WRITE,
            what,
            counts={"buffers": plans[-1].buffers},
            timing=timing_of([plan.seconds for plan in plans]),
        )


def copy(lab, table):
    """Copy the table with the indexes that it has now; returns the copy's name."""
    lab.say(f"{WRITE}: a copy of the table")
    lab.sql(f"CREATE TABLE {table} (LIKE board_job INCLUDING ALL) WITH (autovacuum_enabled = false)")
    lab.sql(f"INSERT INTO {table} SELECT * FROM board_job ORDER BY id")  # noqa: S608  our own names
    lab.sql(f"VACUUM ANALYZE {table}")
    return table
