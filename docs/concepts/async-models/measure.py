"""What 20 requests, 50 calls and 8 queries take, by the way in which they wait."""

import asyncio
import threading
import time

import test_async_models as page
from asgiref.sync import sync_to_async
from board.models import Job
from django.db import connection
from django.db.models.expressions import RawSQL
from test_async_models import (
    SERVERS,
    Meter,
    all_at_once,
    in_threads,
    one_by_one,
    serve,
    ten_at_a_time,
)

from tools.measure.instruments import RUNS, timing_of

MEASURES = ["docs/concepts/async-models/test_async_models.py"]
PACKAGES = ["gunicorn"]
GIVEN = {"100 ms": "the wait in each view", "50 ms": "the wait in each call and query"}
REQUESTS, CALLS, QUERIES = 20, 50, 8
SERVED = "20 requests at once that wait 100 ms each, one gunicorn process"
NEIGHBOUR = "Meanwhile, somebody asks for /ping: the slowest answer of a round"
CALLED = "50 calls that wait 50 ms each"
ASKED = "8 queries that wait 50 ms each, for one request"
WAYS = {
    "WSGI, 1 thread": ("WSGI, 1 thread", "waits"),
    "WSGI, 1 thread, async def": ("WSGI, 1 thread", "awaits"),
    "WSGI, 4 threads": ("WSGI, 4 threads", "waits"),
    "ASGI, def": ("ASGI", "waits"),
    "ASGI, async def, await": ("ASGI", "awaits"),
    "ASGI, async def, time.sleep": ("ASGI", "stalls"),
    "ASGI, async def, to_thread": ("ASGI", "hands_over"),
}


def measure(lab):
    serving(lab)
    calling(lab)
    with lab.dataset("S"):
        asking(lab)
    lab.picture(SERVED, "time")


def serving(lab):
    neighbours = {}
    for name, (server, view) in WAYS.items():
        lab.say(name)
        with serve(SERVERS[server]) as running:
            rounds = [one_round(running, view) for _ in range(RUNS + 1)][1:]
        lab.record(SERVED, name, counts=rounds[-1][0], timing=timing_of([taken for _, taken, _ in rounds]))
        neighbours[name] = timing_of([slowest for _, _, slowest in rounds])
    for name, timing in neighbours.items():
        lab.record(NEIGHBOUR, name, timing=timing)


def one_round(server, view):
    """Return what was counted, the seconds for all, and the slowest ping."""
    pings, over = [], threading.Event()

    def neighbour():
        while not over.is_set():
            began = time.perf_counter()
            server.ask("ping")
            pings.append(time.perf_counter() - began)
            over.wait(0.01)

    other = threading.Thread(target=neighbour)
    other.start()
    began = time.perf_counter()
    counts = server.ask_at_once(view, REQUESTS)
    taken = time.perf_counter() - began
    over.set()
    other.join()
    return counts, taken, max(pings)


def slow(item):
    with page.meter.running():
        time.sleep(0.05)


async def slow_async(item):
    with page.meter.running():
        await asyncio.sleep(0.05)


async def slow_and_blocking(item):
    slow(item)


def calling(lab):
    items = range(CALLS)
    ways = {
        "one by one": lambda: one_by_one(slow, items),
        "10 threads": lambda: in_threads(slow, items, 10),
        "50 threads": lambda: in_threads(slow, items, 50),
        "gather": lambda: asyncio.run(all_at_once(slow_async, items)),
        "ten at a time": lambda: asyncio.run(ten_at_a_time(slow_async, items)),
        "gather, with time.sleep": lambda: asyncio.run(all_at_once(slow_and_blocking, items)),
    }
    counts = {}
    for name, way in ways.items():
        lab.say(name)
        page.meter = Meter()
        way()
        counts[name] = {"at once": page.meter.peak, "threads": len(page.meter.threads)}
    for name, timing in lab.in_turns(ways, RUNS, False).items():
        lab.record(CALLED, name, counts=counts[name], timing=timing)


def backends():
    """Jobs whose first row the server sends after 50 ms: the number of its process."""
    wait = RawSQL("(SELECT pg_sleep(0.05))::text", [])
    return Job.objects.annotate(wait=wait).values_list(RawSQL("pg_backend_pid()", []), flat=True)


def asking(lab):
    async def gathered(call):
        return await asyncio.gather(*(call() for _ in range(QUERIES)))

    def in_a_thread():
        try:
            return backends().filter(wait="").first()
        finally:
            connection.close()

    ways = {
        "first(), one by one": lambda: [backends().filter(wait="").first() for _ in range(QUERIES)],
        "afirst(), gathered": lambda: asyncio.run(gathered(lambda: backends().filter(wait="").afirst())),
        "first(), in 8 threads": lambda: asyncio.run(gathered(sync_to_async(in_a_thread, thread_sensitive=False))),
    }
    lab.say(ASKED)
    counts = {name: {"connections": len(set(way()))} for name, way in ways.items()}
    for name, timing in lab.in_turns(ways, RUNS, False).items():
        lab.record(ASKED, name, counts=counts[name], timing=timing)
