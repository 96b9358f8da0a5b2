"""What runs at once, and what stalls: the job board's Django below WSGI and ASGI."""

import asyncio
import contextlib
import gc
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from board.models import Job
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import SynchronousOnlyOperation
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import HttpResponse, JsonResponse
from django.test import RequestFactory
from django.urls import path

HERE = Path(__file__).parent
WAIT = float(os.environ.get("WAIT", "0.1"))  # seconds, as long as a slow service


class Meter:
    """Counts how many are inside at once, and in how many threads."""

    def __init__(self):
        self.inside = self.peak = self.alive = 0
        self.threads = set()
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def running(self):
        with self.lock:
            self.inside += 1
            self.peak = max(self.peak, self.inside)
            self.threads.add(threading.get_ident())
            self.alive = max(self.alive, threading.active_count())
        try:
            yield
        finally:
            with self.lock:
                self.inside -= 1


meter = Meter()


# The views. Each waits for the same time, as if for another service.


def waits(request):
    with meter.running():
        time.sleep(WAIT)
    return HttpResponse("done")


async def stalls(request):
    with meter.running():
        time.sleep(WAIT)  # the loop can do nothing else meanwhile
    return HttpResponse("done")


async def awaits(request):
    with meter.running():
        await asyncio.sleep(WAIT)  # the loop goes on with the others
    return HttpResponse("done")


async def hands_over(request):
    return await asyncio.to_thread(waits, request)  # a thread is stalled


def ping(request):
    return HttpResponse("pong")


def read_meter(request):
    """Show what was counted, and begin again."""
    global meter
    found, meter = meter, Meter()
    return JsonResponse({"at once": found.peak, "threads": len(found.threads)})


urlpatterns = [
    path("waits", waits),
    path("stalls", stalls),
    path("awaits", awaits),
    path("hands_over", hands_over),
    path("ping", ping),
    path("meter", read_meter),
]


# The servers: gunicorn with one process, the job board's settings, these views.


def asgi():
    settings.ROOT_URLCONF = sys.modules[__name__]
    return get_asgi_application()


def wsgi():
    settings.ROOT_URLCONF = sys.modules[__name__]
    return get_wsgi_application()


SERVERS = {
    "WSGI, 1 thread": ["test_async_models:wsgi()"],
    "WSGI, 4 threads": ["test_async_models:wsgi()", "--threads=4"],
    "ASGI": ["test_async_models:asgi()", "--worker-class=asgi"],
}
START = "import django; django.setup(); from gunicorn.app.wsgiapp import run; run()"


class Server:
    """A gunicorn process; `ask` sends a request and returns the answer."""

    def __init__(self, port):
        self.port = port

    def ask(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{name}", timeout=60) as answer:
            return answer.read().decode()

    def ask_at_once(self, name, times):
        """Send so many requests at once; return what the meter counted."""
        self.ask("meter")
        with ThreadPoolExecutor(times) as pool:
            assert list(pool.map(self.ask, [name] * times)) == ["done"] * times
        return json.loads(self.ask("meter"))


@contextlib.contextmanager
def serve(arguments):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", START, *arguments, f"--bind=127.0.0.1:{port}"]
    command += ["--log-level=error", "--no-control-socket"]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(command, cwd=HERE, env=environment, start_new_session=True)
    server = Server(port)
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                server.ask("ping")
                break
            time.sleep(0.05)
        assert process.poll() is None, "gunicorn did not start"
        yield server
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # nobody is being served
        process.wait()


# Many calls from one place.


def one_by_one(call, items):
    return [call(item) for item in items]


def in_threads(call, items, threads):
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(call, items))


async def all_at_once(call, items):
    return await asyncio.gather(*(call(item) for item in items))


async def ten_at_a_time(call, items, seconds=2):
    """Call for each item. Give up on all when one fails or time is up."""
    gate = asyncio.Semaphore(10)

    async def one(item):
        async with gate:
            return await call(item)

    async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


# The ORM in an async view.


async def totals(querysets):
    """Count several querysets at once. Or so it says."""
    counts = (queryset.acount() for queryset in querysets)
    return await asyncio.gather(*counts)


async def job_lines(request):
    jobs = Job.objects.open().order_by("-created_at")[:20]
    lines = [f"{job.title}, {job.company.name}" async for job in jobs]
    return HttpResponse("\n".join(lines))


async def job_lines_loaded(request):
    """Show the same; all that a row needs is loaded before it is read."""
    jobs = Job.objects.open().with_company().order_by("-created_at")[:20]
    lines = [f"{job.title}, {job.company.name}" async for job in jobs]
    return HttpResponse("\n".join(lines))


@sync_to_async
def close_and_tell(pk):
    """Do what belongs together in one transaction, in one thread."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=pk)
        job.is_open = False
        job.save()
    return job.title


# What runs at once, behind a real server.

BEHIND_A_SERVER = [
    ("WSGI, 4 threads", "waits", 8, 4),
    ("WSGI, 4 threads", "awaits", 8, 4),
    ("ASGI", "waits", 8, 8),
    ("ASGI", "awaits", 8, 8),
    ("ASGI", "hands_over", 8, min(8, (os.cpu_count() or 1) + 4)),
    ("ASGI", "stalls", 3, 1),
]


@pytest.fixture(scope="module")
def servers():
    """The two servers, started at the same time; a view waits for longer."""
    os.environ["WAIT"] = "0.3"
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        started = {name: serve(SERVERS[name]) for name in ("WSGI, 4 threads", "ASGI")}
        entered = pool.map(stack.enter_context, started.values())
        del os.environ["WAIT"]
        yield dict(zip(started, entered, strict=True))


@pytest.mark.parametrize(("server", "view", "requests", "at_once"), BEHIND_A_SERVER)
def test_how_many_requests_are_inside_a_view_at_once(servers, server, view, requests, at_once):
    assert servers[server].ask_at_once(view, requests)["at once"] == at_once


def test_an_await_leaves_the_loop_in_one_thread(servers):
    assert servers["ASGI"].ask_at_once("awaits", 4) == {"at once": 4, "threads": 1}
    assert servers["ASGI"].ask_at_once("waits", 4) == {"at once": 4, "threads": 4}


# The same without a server, to look inside.


async def ask(application, name):
    """Send one request to an ASGI application, as a server does."""
    sent, forever = [], asyncio.Event()
    scope = {"type": "http", "method": "GET", "path": f"/{name}", "headers": [(b"host", b"localhost")]}
    requests = iter([{"type": "http.request"}])

    async def receive():
        for message in requests:
            return message
        await forever.wait()  # the client stays

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    return sent[0]["status"]


@pytest.fixture
def application(settings):
    global meter
    settings.ROOT_URLCONF = sys.modules[__name__]
    meter = Meter()
    return ASGIHandler()


def ask_eight(application, name):
    async def all_of_them():
        return await asyncio.gather(*(ask(application, name) for _ in range(8)))

    assert asyncio.run(all_of_them()) == [200] * 8


@pytest.mark.parametrize(
    ("middleware", "receivers", "threads"),
    [("of the job board", True, 8), ("none", True, 8), ("none", False, 0)],
)
def test_a_request_holds_a_thread_even_if_its_view_awaits(
    application, settings, monkeypatch, middleware, receivers, threads
):
    if middleware == "none":
        settings.MIDDLEWARE = []
        application = ASGIHandler()
    sync_receivers, _ = request_started._live_receivers(None)
    assert {receiver.__name__ for receiver in sync_receivers} >= {"reset_queries", "close_old_connections"}
    if not receivers:
        monkeypatch.setattr(request_started, "receivers", [])
        request_started.sender_receivers_cache.clear()
    before = threading.active_count()
    ask_eight(application, "awaits")
    assert meter.peak == 8
    assert len(meter.threads) == 1  # the views themselves run in one
    assert meter.alive - before == threads


# Many calls.


@contextlib.contextmanager
def counted():
    global meter
    meter = Meter()
    yield meter


def slow(item):
    with meter.running():
        time.sleep(0.05)
    return item * 2


async def slow_async(item):
    with meter.running():
        await asyncio.sleep(0.05)
    return item * 2


async def slow_and_blocking(item):
    with meter.running():
        time.sleep(0.005)
    return item * 2


async def computes(item):
    with meter.running():
        sum(range(20_000))
    return item * 2


ITEMS = range(50)
ANSWERS = [item * 2 for item in ITEMS]
CALLS = {
    "one by one": (lambda: one_by_one(slow, range(5)), 1),
    "10 threads": (lambda: in_threads(slow, ITEMS, 10), 10),
    "gather": (lambda: asyncio.run(all_at_once(slow_async, ITEMS)), 50),
    "ten at a time": (lambda: asyncio.run(ten_at_a_time(slow_async, ITEMS)), 10),
    "gather, computing": (lambda: asyncio.run(all_at_once(computes, ITEMS)), 1),
    "gather, blocking": (lambda: asyncio.run(all_at_once(slow_and_blocking, ITEMS)), 1),
}


@pytest.mark.parametrize("way", CALLS)
def test_how_many_calls_are_made_at_once(way):
    call, at_once = CALLS[way]
    with counted() as found:
        answers = call()
    assert answers == ANSWERS[: len(answers)]
    assert found.peak == at_once


@pytest.mark.parametrize("broken", ["fails", "never answers"])
def test_a_group_leaves_no_call_behind(broken):
    ended = []

    async def call(item):
        if broken == "fails" and item == 3:
            raise ConnectionError
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item)

    async def main():
        kind = ExceptionGroup if broken == "fails" else TimeoutError
        with pytest.raises(kind):
            await ten_at_a_time(call, range(4), seconds=0.05)
        assert len(asyncio.all_tasks()) == 1  # this one

    asyncio.run(main())
    assert set(ended) >= {0, 1, 2}


def test_gather_leaves_the_others_running():
    async def call(item):
        if item == 3:
            raise ConnectionError
        await asyncio.Event().wait()

    async def main():
        with pytest.raises(ConnectionError):
            await all_at_once(call, range(4))
        assert len(asyncio.all_tasks()) == 4  # this one, and three that nobody waits for

    asyncio.run(main())


def test_debug_mode_names_what_held_the_loop(caplog):
    async def holds():
        loop = asyncio.get_running_loop()
        assert loop.slow_callback_duration == 0.1  # seconds
        loop.slow_callback_duration = 0.01
        time.sleep(0.02)

    asyncio.run(holds(), debug=True)
    assert re.search(r"Executing <Task .* took 0\.\d+ seconds", caplog.text)


# The database.


def test_gathered_queries_run_one_after_the_other(world):
    inside, where = Meter(), set()

    def watch(execute, *arguments):
        with inside.running():
            where.add(connection.connection.info.backend_pid)
            time.sleep(0.01)
            return execute(*arguments)

    with connection.execute_wrapper(watch):
        counts = async_to_sync(totals)([Job.objects.open(), Job.objects.all()] * 4)
    assert counts == [2, 3] * 4
    assert inside.peak == 1
    assert len(inside.threads) == len(where) == 1


ASYNC_CONTEXT = "You cannot call this from an async context - use a thread or sync_to_async."


def refused(coroutine):
    """Run a coroutine that Django refuses; return the message."""

    async def run():
        with pytest.raises(SynchronousOnlyOperation) as error:
            await coroutine()
        return str(error.value)

    return async_to_sync(run)()


def test_the_message_for_a_query_in_an_async_context(world):
    async def query():
        return Job.objects.count()

    async def loop():
        return [job.title for job in Job.objects.all()]

    async def in_a_transaction():
        with transaction.atomic():
            await Job.objects.acount()

    for wrong in (query, loop, in_a_transaction):
        assert refused(wrong) == ASYNC_CONTEXT


def test_a_relation_that_is_not_loaded_is_such_a_query(world):
    request = RequestFactory().get("/")
    assert refused(lambda: job_lines(request)) == ASYNC_CONTEXT
    shown = async_to_sync(job_lines_loaded)(request)
    assert b"Backend developer, Acme" in shown.content


def test_what_belongs_together_runs_in_one_thread(world):
    async def view():
        return await close_and_tell(world.job.pk)

    assert async_to_sync(view)() == "Backend developer"
    world.job.refresh_from_db()
    assert not world.job.is_open


def test_a_forgotten_await_saves_nothing(world):
    world.job.title = "Renamed"
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        world.job.asave()
        gc.collect()
    messages = {str(warning.message) for warning in warned}
    assert "coroutine 'Model.asave' was never awaited" in messages
    world.job.refresh_from_db()
    assert world.job.title == "Backend developer"


# More messages.


def test_a_view_that_returns_a_coroutine(client, settings):
    returned = []

    def forgot(request):
        returned.append(awaits(request))
        return returned[0]

    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("", forgot)]})
    with pytest.raises(ValueError, match="unawaited coroutine") as error:
        client.get("/")
    returned[0].close()
    assert str(error.value).endswith(
        "didn't return an HttpResponse object. It returned an unawaited coroutine instead. "
        "You may need to add an 'await' into your view."
    )


def test_loops_inside_loops():
    inner = asyncio.sleep(0)

    async def bridge():
        return async_to_sync(asyncio.sleep)(0)

    async def run():
        return asyncio.run(inner)

    messages = []
    for wrong in (bridge, run):
        with pytest.raises(RuntimeError) as error:
            asyncio.run(wrong())
        messages.append(str(error.value))
    inner.close()
    assert messages == [
        "You cannot use AsyncToSync in the same thread as an async event loop"
        " - just await the async function directly.",
        "asyncio.run() cannot be called from a running event loop",
    ]
