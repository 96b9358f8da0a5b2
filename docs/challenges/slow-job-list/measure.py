"""Page 45,000 by its number and by its cursor, what a count costs, and which rows a reader misses."""

from board.models import Job
from django.contrib.auth import get_user_model
from test_slow_job_list import (
    INDEX,
    NEWEST,
    WALKS,
    ByNumber,
    Uncached,
    add,
    after_bounded,
    after_or,
    after_pair,
    at_most,
    before,
    by_offset,
    by_offset_of_keys,
    close_one,
    cursor_behind,
    get,
    post_one,
    rows_read,
    walk,
)

from tools.measure.instruments import RUNS, timing_of

MEASURES = [
    "docs/challenges/slow-job-list/test_slow_job_list.py",
    "examples/jobboard/board/api/pagination.py",
]
GIVEN = {"8 KiB": "the size of a page that PostgreSQL is built with", "5 s": "the job board's statement_timeout"}
DEPTHS = (20, 30_000, 899_980)
DEEP = DEPTHS[-1]
LIST = "20 of 1,000,000 jobs, newest first, behind so many others"
WAYS = "More questions to 1,000,000 jobs"
ENDPOINT = "The whole endpoint, for somebody who sees all jobs"
WALK = "A list read in pages of 20 while others write after each page"


def measure(lab):
    with lab.dataset("S"):
        for way, next_page in WALKS.items():
            for what, between in {"a job is posted": post_one, "the newest closes": close_one}.items():
                with lab.undone():
                    lab.record(WALK, f"{way}, {what}", counts=walk(next_page, between))
    with lab.dataset("L"):
        jobs = Job.objects.all()
        add(INDEX)
        lab.sql("VACUUM board_job")  # or an index-only scan asks the table
        for depth in DEPTHS:
            line(lab, "OFFSET", depth, by_offset(jobs, depth))
        for depth in DEPTHS:
            last = jobs.order_by(*NEWEST)[depth - 1]
            line(lab, "keyset, OR", depth, after_or(jobs, last))
        for depth in DEPTHS:
            last = jobs.order_by(*NEWEST)[depth - 1]
            line(lab, "keyset, bounded", depth, after_bounded(jobs, last))
        row(lab, WAYS, "page 45,000, pairs", after_pair(jobs, last))
        row(lab, WAYS, "page 45,000, OFFSET of keys", by_offset_of_keys(jobs, DEEP))
        row(lab, WAYS, "the page behind a date", before(jobs, last.created_at))
        counting(lab, jobs)
        endpoint(lab, jobs)
        lab.sql(f"DROP INDEX {INDEX.name}")
        for depth in (DEPTHS[0], DEEP):
            line(lab, "OFFSET, no index", depth, by_offset(jobs, depth))
        row(lab, WAYS, "the first 20 by views, no index", jobs.order_by("-views", "-id")[:20])
    lab.tables[LIST].x_label = "jobs skipped"
    lab.picture(LIST, "buffers")


def found_in(lab, query):
    lab.explain(query)  # the warm-up
    plans = [lab.explain(query) for _ in range(RUNS)]
    return plans[-1], timing_of([plan.seconds for plan in plans])


def line(lab, name, depth, query):
    lab.say(f"{name}, {depth:,}")
    plan, timing = found_in(lab, query)
    counts = {"buffers": plan.buffers}
    if "no index" not in name:  # there it is all of them, in shares of several processes
        counts = {"rows read": rows_read(plan), **counts}
    lab.record(LIST, f"{name}, {depth:,}", counts=counts, timing=timing, line=name, x=depth)


def row(lab, title, what, query):
    lab.say(what)
    plan, timing = found_in(lab, query)
    lab.record(title, what, counts={"buffers": plan.buffers}, timing=timing)


def counting(lab, jobs):
    estimate = "SELECT reltuples FROM pg_class WHERE oid = 'board_job'::regclass"
    few = "SELECT count(*) FROM (SELECT id FROM board_job WHERE is_open LIMIT 1001) AS few"
    row(lab, WAYS, "how many in all", "SELECT count(*) FROM board_job")
    row(lab, WAYS, "how many are open", "SELECT count(*) FROM board_job WHERE is_open")
    row(lab, WAYS, "how many are open, up to 1,001", few)
    row(lab, WAYS, "how many in all, estimated", estimate)
    assert at_most(jobs, 1_001) == 1_001
    (((estimated),),) = lab.sql(estimate)
    assert abs(estimated - jobs.count()) < 50_000


def endpoint(lab, jobs):
    user = get_user_model().objects.get(email="admin@example.com")
    cursors = {depth: cursor_behind(jobs.order_by(*NEWEST)[depth - 1]) for depth in DEPTHS}

    def shown(response):
        assert len(response.data["results"]) == 20
        return response

    lab.curve(
        ENDPOINT,
        "skipped",
        (DEPTHS[0], DEEP),
        {
            "number": lambda depth: shown(get(ByNumber, user, page=depth // 20 + 1)),
            "cursor": lambda depth: shown(get(Uncached, user, cursor=cursors[depth])),
        },
        runs=7,
    )
