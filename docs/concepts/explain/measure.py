"""A plan node by node with stale statistics, the same query after ANALYZE, and three ways to read rows."""

from datetime import timedelta

from board.models import Job
from django.db import models
from test_explain import LAST_DAY, NIGHT, add, applied_since, import_jobs, nodes, own_buffers

from tools.measure.instruments import RUNS, timing_of

MEASURES = [
    "docs/concepts/explain/test_explain.py::applied_since",
    "docs/concepts/explain/test_explain.py::import_jobs",
]
GIVEN = {"8 KiB": "the size of a page that PostgreSQL is built with"}
NODES = "The plan after an import of 50,000 jobs, node by node"
SAME = "The same query, before and after ANALYZE"
READ = "The jobs of the last 1, 10, 100 and 500 days, of 1,000 days"
ITSELF = "What EXPLAIN itself costs, on the plan of the first table"
WAYS = {
    "whole table": "SET enable_bitmapscan = off; SET enable_indexscan = off; SET enable_seqscan = on",
    "Bitmap": "SET enable_seqscan = off; SET enable_indexscan = off; SET enable_bitmapscan = on",
    "Index Scan": "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexscan = on",
}


def measure(lab):
    with lab.dataset("L"):
        lab.sql("ALTER TABLE board_job SET (autovacuum_enabled = false)")
        import_jobs(50_000)
        found = twice(lab, "stale statistics")
        for depth, node in deep(found.tree):
            name = f"{'· ' * depth}{node['Node Type']}"
            counts = {"guess": node["Plan Rows"], "rows": round(node["Actual Rows"] * node["Actual Loops"])}
            counts |= {"loops": node["Actual Loops"], "own buffers": own_buffers(node)}
            lab.record(NODES, name, counts=counts)
        query = applied_since(NIGHT).values("id")
        lab.compare(
            ITSELF,
            {
                "the query alone": lambda: list(query.all()),
                "ANALYZE": lambda: query.explain(analyze=True),
                "ANALYZE, TIMING OFF": lambda: query.explain(analyze=True, timing=False),
            },
        )
        lab.sql("ANALYZE board_job")
        fresh = twice(lab, "after ANALYZE")
        assert found.buffers > 20 * fresh.buffers
        assert fresh.types[0] == "Hash Join", fresh.nodes
    with lab.dataset("L"):
        add(models.Index(fields=("created_at",), name="by_date"))
        lab.sql("SET max_parallel_workers_per_gather = 0")
        reading(lab)
    lab.picture(READ, "buffers")


def deep(node, depth=0):
    yield depth, node
    for child in node.get("Plans", []):
        yield from deep(child, depth + 1)


def twice(lab, what):
    """Record a row of the table that compares; returns the plan."""
    lab.say(what)
    query = applied_since(NIGHT)
    lab.explain(query)
    found = [lab.explain(query) for _ in range(RUNS)]
    last = found[-1]
    jobs = next(node for node in nodes(last.tree) if node.get("Index Name") == "job_open_newest")
    counts = {"cost": round(last.tree["Total Cost"]), "guess": jobs["Plan Rows"], "buffers": last.buffers}
    lab.record(SAME, what, counts=counts, timing=timing_of([plan.seconds for plan in found]))
    return last


def reading(lab):
    for days in (1, 10, 100, 500):
        query = Job.objects.filter(created_at__gte=LAST_DAY - timedelta(days=days)).values("views")
        lab.sql("RESET enable_seqscan; RESET enable_indexscan; RESET enable_bitmapscan")
        chosen = lab.explain(query).types[0]
        for name, setting in WAYS.items():
            lab.say(f"{READ}: {name}, {days} days")
            lab.sql(setting)
            lab.explain(query)
            found = [lab.explain(query) for _ in range(RUNS)]
            last = found[-1]
            kind = {"whole table": "Seq Scan", "Bitmap": "Bitmap Heap Scan"}.get(name, name)
            assert last.types[0] == kind, last.nodes
            counts = {"buffers": last.buffers, "rows": last.rows, "chosen": int(chosen == kind)}
            timing = timing_of([plan.seconds for plan in found])
            lab.record(READ, f"{name}, {days}", counts=counts, timing=timing, line=name, x=days)
    lab.tables[READ].x_label = "days"
