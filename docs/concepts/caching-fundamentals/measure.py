"""What a lifetime saves, what a key leaves out, who brings back old values, and what a cached read costs."""

import math

from board import caching
from board.api.serializers import JobSummarySerializer
from board.models import Company, Job
from django.core.cache import cache
from test_caching_fundamentals import KEYS, WAYS, loads, replay, stale

MEASURES = [
    "docs/concepts/caching-fundamentals/test_caching_fundamentals.py::loads",
    "docs/concepts/caching-fundamentals/test_caching_fundamentals.py::replay",
    "docs/concepts/caching-fundamentals/test_caching_fundamentals.py::stale",
    "examples/jobboard/board/caching.py::remember",
    "examples/jobboard/board/caching.py::scope_of",
]
GIVEN = {
    "60 s": "the lifetime of a page in board/caching.py",
    "300 s": "the lifetime of the statistics there",
    "0.5 s": "socket_timeout in the job board's settings",
    "5 s": "DEFAULT_SOCKET_TIMEOUT of redis-py",
}

LOADS = "Loads for 10,000 requests of one key, by how long a value lives"
ENTRIES = "The same 1,000 requests for job lists, by what the key holds"
STALE = "Old value left behind, of 10 writes that meet a reader"
COST = "One read, by where it comes from; hits of 100 that the cache needs to pay"
RATES = {"100 a second": 100, "1 a second": 1, "1 a minute": 1 / 60}
RUNS = 51


def measure(lab):
    for name, per_second in RATES.items():
        for lifetime in (1, 60, 300):
            counts = {"loads": loads(per_second=per_second, lifetime=lifetime)}
            lab.record(LOADS, f"{name}, {lifetime} s", counts=counts, line=name, x=lifetime)
    lab.tables[LOADS].x_label = "lifetime, s"
    lab.picture(LOADS, "loads")
    with lab.dataset("S"):
        for name, make_key in KEYS.items():
            lab.record(ENTRIES, name, counts=replay(make_key))
        for way in WAYS:
            lab.say(way)
            lab.record(
                STALE, way, counts={"quick reader": stale(way, slow=False), "slow reader": stale(way, slow=True)}
            )
        costs(lab)


def company():
    found = Company.objects.earliest("pk")
    return {"id": found.pk, "name": found.name, "slug": found.slug}


def first_page():
    return JobSummarySerializer(Job.objects.open().for_display()[:20], many=True).data


def costs(lab):
    """Time each read without a cache, from it, and past it; count what is sent to both servers."""
    server = lab.redis

    def commands():
        return server.info("stats")["total_commands_processed"]

    for name, load in {"page of jobs": first_page, "company": company}.items():

        def key(name=name):
            return f"{name}:{caching.generation()}".replace(" ", "-")

        def read(load=load, key=key):
            return caching.remember(key, load, 600)

        def expire(key=key):
            cache.delete(key())

        def miss(expire=expire, read=read):
            """Expire the value beforehand: what a clock does, and is taken off below."""
            expire()
            read()

        # In turns, forwards and backwards: so a hit comes after a miss that filled the cache.
        timings = lab.times({"load": load, "hit": read, "miss": miss, "expire": expire}, runs=RUNS)
        # Of the fastest runs: whatever else the machine does makes the others slower, the hits above all.
        without, found, missed, expiring = (timing.low for timing in timings.values())
        missed -= expiring
        needed = math.ceil(100 * (missed - without) / (missed - found))
        for way in ("load", "hit", "miss"):
            {"load": load, "hit": read, "miss": expire}[way]()
            before = commands()
            sent, _ = lab.queries(load if way == "load" else read)
            counts = {"queries": sent, "commands": commands() - before - 1}
            if way == "hit":
                counts["needs"] = needed
            lab.record(COST, f"{name}: {way}", counts=counts, timing=timings[way])
