"""What 50 readers do to PostgreSQL when one key expires, and what each way of holding them back costs."""

import time

from board import caching
from django.core.cache import cache
from test_cache_stampede import (
    WAYS,
    behind_a_dead_holder,
    busiest_second,
    old_while_one_computes,
    simulate,
    stampede,
)

from tools.measure.instruments import timing_of

MEASURES = [
    "docs/challenges/cache-stampede/test_cache_stampede.py::stampede",
    "docs/challenges/cache-stampede/test_cache_stampede.py::old_while_one_computes",
    "docs/challenges/cache-stampede/test_cache_stampede.py::simulate",
    "examples/jobboard/board/caching.py::remember",
    "examples/jobboard/board/caching.py::acquire",
]
GIVEN = {
    "300 s": "the lifetime of the statistics in board/caching.py",
    "60 s": "the lifetime of a page there, and of the simulation",
    "10 s": "LOCK_SECONDS there",
    "12 s": "WAIT_SECONDS there",
    "5 s": "the pool's timeout in the job board's settings",
    "0.5 s": "how long a computation of the simulation takes",
}
ROUNDS = 10
HERD = "50 readers miss the statistics at once, 10 times: 10 counts are right"
DEAD = "50 readers behind a holder that died, 10 times; its lock lives for 1 s"
MANY = "A simulation: 100 lifetimes of 60 s, 100 requests a second, 0.5 s to compute"
TOGETHER = "1,000 keys stored at one moment for 60 s"

MORE = """INSERT INTO board_job (company_id, title, description, is_open, views, version, created_at)
SELECT c.id, 'More ' || n, '', true, 0, 1, now()
FROM generate_series(1, 1000) n, board_company c"""
SKILLS = """INSERT INTO board_job_skills (job_id, skill_id)
SELECT j.id, s.id FROM board_job j JOIN board_skill s ON (j.id + s.id) % 17 = 0 WHERE j.title LIKE 'More %'"""


def measure(lab):
    with lab.dataset("S"):
        for statement in (MORE, SKILLS, "ANALYZE board_job", "ANALYZE board_job_skills"):
            lab.sql(statement)
        lab.record(HERD, "one reader alone", timing=lab.time(caching.count_everything, runs=ROUNDS))
        for name, remember in WAYS.items():
            herd(lab, name, remember)
        for name in ("get, then set", "get_or_set()", "the job board"):
            herd(lab, f"{name}, free", WAYS[name], held=False)
        herd(lab, "old while one counts", old_while_one_computes, before=expired)
    for name, wait in {"wait as long": 1, "wait 2 s longer": 3}.items():
        lab.say(name)
        rounds = [behind_a_dead_holder(wait=wait) for _ in range(ROUNDS)]
        record(lab, DEAD, name, rounds)
    for name, way in {
        "each for itself": "alone",
        "the job board": "lock",
        "early, by chance": "early",
        "old while one counts": "old",
    }.items():
        lab.record(MANY, name, counts=simulate(way))
    for name, jitter in {"fixed": False, "a tenth more or less": True}.items():
        lab.record(TOGETHER, name, counts={"expire in the busiest second": busiest_second(jitter=jitter)})
    lab.picture(HERD, "counts", "time")


def expired():
    cache.delete("renewing:statistics")
    old = {"value": "old", "fresh until": time.time() - 1}
    cache.set("statistics", old, 60)


def herd(lab, name, remember, *, held=True, before=lambda: cache.delete("statistics")):
    lab.say(name)
    rounds = []
    for _ in range(ROUNDS + 1):  # the first is the warm-up
        before()
        rounds.append(stampede(remember, caching.count_everything, held=held))
    record(lab, HERD, name, rounds[1:])


def record(lab, title, name, rounds):
    counts = {
        "counts": sum(counted.calls for counted, _ in rounds),
        "at once": max(counted.at_once for counted, _ in rounds),
        "locks": sum(counted.locks for counted, _ in rounds),
    }
    lab.record(title, name, counts=counts, timing=timing_of([slowest for _, slowest in rounds]))
