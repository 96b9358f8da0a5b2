"""A full server, a slow command, a killed process: what is left, on Valkeys of our own."""

import contextlib
import os
import signal
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import pytest
import redis
from celery import Celery
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    MaxConnectionsError,
    NoPermissionError,
    OutOfMemoryError,
    ResponseError,
)
from redis.retry import Retry

from tools.services import free_port, start_one, unprivileged_account, valkey

PAGE = "x" * 10_000  # a cached page of the job list has half of that

# --- servers of our own ------------------------------------------------------


class Own:
    """A Valkey of our own, and clients of its databases."""

    def __init__(self, server):
        self.server, self.clients = server, []

    def url(self, database=0):
        return f"{self.server.url.rpartition('/')[0]}/{database}"

    def client(self, database=0):
        self.clients.append(redis.Redis.from_url(self.url(database)))
        return self.clients[-1]

    def stranger(self, **options):
        """Return a client that does not know the password."""
        address = urlsplit(self.server.url)
        return redis.Redis(host=address.hostname, port=address.port, retry=Retry(NoBackoff(), 0), **options)

    def says(self, command, *, password=True):
        """Send a command as plain text; return the answer as it comes over the wire."""
        address = urlsplit(self.server.url)
        lines = [f"AUTH {address.password}"] if password else []
        with socket.create_connection((address.hostname, address.port)) as wire, wire.makefile("rw") as file:
            file.write("".join(f"{line}\r\n" for line in [*lines, command]))
            file.flush()
            return [file.readline().strip() for _ in [*lines, command]][-1]

    def end(self, number):
        """Send the process a signal, and start it again where it was."""
        self.server.process.send_signal(number)
        self.server.process.wait(10)
        for client in self.clients:
            client.connection_pool.disconnect()
        self.server.start()


@contextlib.contextmanager
def own(*lines, maxmemory="64mb", policy="noeviction"):
    """Start a server that nobody else uses, with these lines in its configuration."""
    account = unprivileged_account()

    def recipe(home, account, port):
        server = valkey(home, account, port, maxmemory=maxmemory, policy=policy)
        with (home / "server.conf").open("a") as file:
            file.write("\n".join([*lines, ""]))
        return server

    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if account:
            os.chown(folder, *account)
        server = Own(start_one(recipe, Path(folder), account, stack))
        yield server
        for client in server.clients:
            client.close()


# --- a cache beside a queue --------------------------------------------------


def queue_mails(url, number):
    """Send tasks as the job board does, with nobody there to work."""
    with Celery(broker=url, set_as_current=False) as app:
        app.conf.task_publish_retry = False
        for n in range(number):
            app.send_task("board.tasks.send_confirmation", args=[n])


def fill(client, times, *, lifetime=60):
    """Cache pages until the memory has been filled so many times; count those that are refused."""
    room = int(client.config_get("maxmemory")["maxmemory"])
    refused = 0
    pages = iter(range(times * room // len(PAGE)))
    while batch := [n for _, n in zip(range(200), pages, strict=False)]:
        pipeline = client.pipeline(transaction=False)
        for n in batch:
            pipeline.set(f"page:{n}", PAGE, ex=lifetime)
        refused += sum(isinstance(answer, Exception) for answer in pipeline.execute(raise_on_error=False))
    return refused


def fill_up(client):
    """Cache a page, and give the server less memory than it has in use: near the limit, a short write may pass."""
    client.set("page:1", PAGE)
    client.config_set("maxmemory", client.info("memory")["used_memory"] // 2)


def waiting_beside_a_cache(policy, *, mails, maxmemory="4mb", lifetime=60, times=10):
    """Queue mails, stop working, fill the cache in another database; count what is left and what was refused."""
    with own(policy=policy, maxmemory=maxmemory) as server:
        queue_mails(server.url(1), mails)
        refused = fill(server.client(0), times, lifetime=lifetime)
        return {"mails left": server.client(1).llen("celery"), "pages refused": refused}


def pushed_among_writes(policy, *, mails, size, maxmemory="3mb"):
    """Push mails of a size and cache pages, in turns: the queue is always the key that was used last."""
    with own(policy=policy, maxmemory=maxmemory) as server:
        client, accepted = server.client(), 0
        for n in range(mails):
            with contextlib.suppress(OutOfMemoryError):
                client.lpush("celery", "m" * size)
                accepted += 1
            with contextlib.suppress(OutOfMemoryError):
                client.set(f"page:{n}", PAGE[:2000], ex=60)
        left = client.llen("celery")
        return {"accepted": accepted, "refused": mails - accepted, "lost": accepted - left}


# --- one thread --------------------------------------------------------------


def many_keys(client, number):
    pipeline = client.pipeline(transaction=False)
    for n in range(number):
        pipeline.set(f"page:{n}", "x")
        if n % 10_000 == 9_999:
            pipeline.execute()
    pipeline.execute()


def with_keys(client):
    return len(client.keys("page:1*"))


def with_scan(client):
    return len(set(client.scan_iter("page:1*", count=1000)))


def longest_wait(server, look):
    """Ask for one key again and again while somebody looks through all; return the longest wait, and how many asked."""
    done, waits = threading.Event(), []
    reader, looker = server.client(), server.client()
    looker.ping()
    reader.ping()

    def read():
        while not done.is_set():
            began = time.perf_counter()
            reader.get("page:1")
            waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=read)
    thread.start()
    look(looker)
    done.set()
    thread.join()
    return max(waits), len(waits)


def forget_company(client, slug):
    """Delete the cached pages of one company."""
    for key in client.keys(f"jobboard:*:{slug}:*"):
        client.delete(key)


def forget_company_in_steps(client, slug):
    for key in client.scan_iter(f"jobboard:*:{slug}:*", count=1000):
        client.unlink(key)


def only_its_own_keys(admin, password):
    """Add a user for the web process: its keys, and nothing dangerous."""
    admin.acl_setuser(
        "web",
        enabled=True,
        passwords=[f"+{password}"],
        keys=["jobboard:*"],
        commands=["+@all", "-@dangerous"],  # no KEYS, FLUSHDB, CONFIG
    )


# --- round trips -------------------------------------------------------------


def one_by_one(client, keys):
    return [client.get(key) for key in keys]


def pipelined(client, keys):
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.get(key)
        return pipeline.execute()


def in_one_command(client, keys):
    return client.mget(keys)


def reads_of(client, call):
    """Return how often the server read from a socket during a call."""
    before = client.info("stats")["total_reads_processed"]
    call()
    return client.info("stats")["total_reads_processed"] - before - 1


# --- what a killed server keeps ----------------------------------------------

KEEPS = {
    "nothing (a cache)": ('save ""', "appendonly no"),
    "snapshots (the default)": ("save 3600 1 300 100 60 10000",),
    "append-only, everysec": ("appendonly yes", "appendfsync everysec"),
    "append-only, always": ("appendonly yes", "appendfsync always"),
}


def left_after(number, lines, mails=1000):
    """Push mails, end the server with a signal, start it again; count the mails."""
    with own(*lines) as server:
        client = server.client()
        for n in range(mails):
            client.lpush("celery", f"{n}")
        server.end(number)
        return client.llen("celery")


# --- the claims --------------------------------------------------------------


@pytest.fixture
def server():
    with own() as server:
        yield server


@pytest.mark.parametrize(
    ("policy", "lifetime", "left", "refused"),
    [
        ("allkeys-lru", 60, 0, False),
        ("volatile-lru", 60, 100, False),
        ("volatile-lru", None, 100, True),
        ("noeviction", 60, 100, True),
    ],
)
def test_mails_that_wait_beside_a_cache(policy, lifetime, left, refused):
    found = waiting_beside_a_cache(policy, mails=100, lifetime=lifetime, times=2 if left else 10)
    assert found["mails left"] == left
    assert bool(found["pages refused"]) == refused


def test_a_full_queue_refuses_loudly():
    with own(policy="noeviction", maxmemory="4mb") as server:
        queue_mails(server.url(1), 10)
        fill_up(server.client())
        with pytest.raises(OperationalError) as error:
            queue_mails(server.url(1), 1)
        assert str(error.value) == "command not allowed when used memory > 'maxmemory'."
        assert isinstance(error.value.__cause__, OutOfMemoryError)
        assert server.client(1).llen("celery") == 10


def test_what_the_wire_says_when_the_memory_is_full():
    with own(policy="noeviction", maxmemory="4mb") as server:
        fill_up(server.client())
        assert server.says("SET key value") == "-OOM command not allowed when used memory > 'maxmemory'."
        assert server.client().get("page:1") == PAGE.encode()  # reads go on
        assert server.client().delete("page:1") == 1  # and deletions


def test_a_busy_queue_is_lost_when_it_outgrows_the_memory():
    outgrows = pushed_among_writes("allkeys-lru", mails=2000, size=2000)
    assert outgrows["accepted"] == 2000
    assert outgrows["lost"] > 500
    loud = pushed_among_writes("noeviction", mails=2000, size=2000)
    assert loud["refused"] > 500
    assert loud["lost"] == 0


def test_lfu_protects_a_queue_by_its_uses():
    assert waiting_beside_a_cache("allkeys-lfu", mails=100)["mails left"] == 100
    assert waiting_beside_a_cache("allkeys-lfu", mails=1)["mails left"] == 0


def test_what_celery_keeps_in_which_type(server):
    queue_mails(server.url(), 2)
    with Celery(broker=server.url(), set_as_current=False) as app, app.connection_for_read() as connection:
        queue = connection.SimpleQueue("celery")
        queue.get(timeout=5)  # taken, not acknowledged
        client = server.client()
        types = {key.decode(): client.type(key).decode() for key in client.scan_iter()}
        queue.close()
    assert types["celery"] == "list"
    assert types["_kombu.binding.celery"] == "set"
    assert types["unacked"] == "hash"
    assert types["unacked_index"] == "zset"


def test_one_command_is_atomic_and_two_are_not(server):
    first, second = server.client(), server.client()
    seen = [int(client.get("views") or 0) for client in (first, second)]
    for client, views in zip((first, second), seen, strict=True):
        client.set("views", views + 1)
    assert int(first.get("views")) == 1
    first.delete("views")
    for client in (first, second):
        client.incr("views")
    assert int(first.get("views")) == 2


def test_django_incr_wants_a_key_that_is_there():
    with pytest.raises(ValueError, match="not found") as error:
        cache.incr("views")
    assert str(error.value) == "Key 'jobboard:1:views' not found."
    assert cache.add("views", 0)
    assert cache.incr("views") == 1


def test_nobody_is_served_during_keys(server):
    """The server's own clock: how long it is busy with one command."""
    client = server.client()
    many_keys(client, 20_000)
    client.config_set("slowlog-log-slower-than", 0)
    client.config_set("slowlog-max-len", 1000)

    def single(look):
        client.slowlog_reset()
        found = look(client)
        entries = [entry for entry in client.slowlog_get(1000) if entry["command"].startswith((b"KEYS", b"SCAN"))]
        return found, len(entries), statistics.median(entry["duration"] for entry in entries)

    found, commands, at_once = single(with_keys)
    assert (found, commands) == (11_111, 1)
    found, commands, in_steps = single(with_scan)
    assert found == 11_111
    assert commands >= 20
    assert at_once > 5 * in_steps


def test_round_trips(server):
    client = server.client()
    keys = [f"page:{n}" for n in range(500)]
    many_keys(client, 500)
    answers = [way(client, keys) for way in (one_by_one, pipelined, in_one_command)]
    assert answers[0] == answers[1] == answers[2] == [b"x"] * 500
    assert reads_of(client, lambda: one_by_one(client, keys)) == 500
    assert reads_of(client, lambda: pipelined(client, keys)) < 20
    assert reads_of(client, lambda: in_one_command(client, keys)) < 20


@pytest.mark.parametrize(
    ("keeps", "killed", "stopped"),
    [
        ("nothing (a cache)", range(1), 0),
        ("snapshots (the default)", range(1), 100),
        ("append-only, everysec", range(101), 100),  # it holds a write back while it syncs the one before
        ("append-only, always", range(100, 101), 100),
    ],
)
def test_what_a_server_keeps(keeps, killed, stopped):
    assert left_after(signal.SIGKILL, KEEPS[keeps], mails=100) in killed
    assert left_after(signal.SIGTERM, KEEPS[keeps], mails=100) == stopped


def test_messages(server):
    client = server.client()
    client.lpush("celery", "message")
    with pytest.raises(ResponseError) as error:
        client.get("celery")
    assert str(error.value) == "WRONGTYPE Operation against a key holding the wrong kind of value"
    with server.stranger() as stranger, pytest.raises(AuthenticationError, match=r"^HELLO must be called with"):
        stranger.get("key")
    with (
        server.stranger(protocol=2) as stranger,
        pytest.raises(AuthenticationError, match=r"^Authentication required\.$"),
    ):
        stranger.get("key")
    assert server.says("GET key", password=False) == "-NOAUTH Authentication required."
    refused = "-WRONGPASS invalid username-password pair or user is disabled."
    assert server.says("AUTH guess", password=False) == refused
    wrong = "invalid username-password pair or user is disabled."
    with server.stranger(password="guess") as stranger, pytest.raises(AuthenticationError, match=wrong):  # noqa: S106
        stranger.get("key")
    with pytest.raises(redis.exceptions.ConnectionError, match=r"Error \d+ connecting to 127\.0\.0\.1:\d+\. "):
        RedisCache(f"redis://127.0.0.1:{free_port()}/0", {}).get("key")
    no_name = mock.patch("socket.getaddrinfo", side_effect=socket.gaierror(-2, "Name or service not known"))
    with no_name, pytest.raises(redis.exceptions.ConnectionError) as error:
        RedisCache("redis://redis:6379/0", {}).get("key")
    assert str(error.value) == "Error -2 connecting to redis:6379. Name or service not known."


def test_a_user_that_may_do_little(server):
    only_its_own_keys(server.client(), "secret")
    with server.stranger(username="web", password="secret") as web:  # noqa: S106
        assert web.set("jobboard:1:key", 1)
        for attempt in (lambda: web.set("celery", 1), web.flushdb, lambda: web.keys("*")):
            with pytest.raises(NoPermissionError):
                attempt()


def test_both_ways_forget_the_pages_of_one_company(server):
    client = server.client()
    for forget in (forget_company, forget_company_in_steps):
        client.mset({"jobboard:1:acme:1": 1, "jobboard:1:acme:2": 2, "jobboard:1:other:1": 3})
        forget(client, "acme")
        assert client.dbsize() == 1


def test_a_pool_that_is_too_small(server):
    pool = redis.ConnectionPool.from_url(server.url(), max_connections=1)
    client = redis.Redis(connection_pool=pool)
    taken = pool.get_connection()
    with pytest.raises(MaxConnectionsError) as error:
        client.get("key")
    assert str(error.value) == "Too many connections"
    pool.release(taken)
    pool.disconnect()
