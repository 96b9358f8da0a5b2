"""Fifty readers miss the same key at once: who computes, who waits, and what a lock must not do."""

import contextlib
import heapq
import math
import random
import secrets
import threading
import time
from unittest import mock

import pytest
from board import caching
from board.caching import LOCK_SECONDS, MISSING
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.db import OperationalError, connection

READERS = 50

# --- the ways to remember ----------------------------------------------------


def get_then_set(key, compute, seconds):
    """Return the cached value, or compute and cache it."""
    value = cache.get(key, MISSING)
    if value is MISSING:
        value = compute()  # and so does everybody else who missed
        cache.set(key, value, seconds)
    return value


def get_or_set(key, compute, seconds):
    return cache.get_or_set(key, compute, seconds)


@contextlib.contextmanager
def the_lock(key):
    """Wait for the lock, and for nothing else."""
    token = secrets.token_hex(8)
    while not cache.add(f"lock:{key}", token, LOCK_SECONDS):
        time.sleep(0.02)
    try:
        yield
    finally:
        caching.release(f"lock:{key}", token)


def lock_then_compute(key, compute, seconds):
    """Let one caller compute at a time. And the next one, and the next."""
    value = cache.get(key, MISSING)
    if value is MISSING:
        with the_lock(key):
            value = compute()
            cache.set(key, value, seconds)
    return value


def lock_and_look_again(key, compute, seconds):
    """Let one caller compute; the others find its value. One after another."""
    value = cache.get(key, MISSING)
    if value is MISSING:
        with the_lock(key):
            value = cache.get(key, MISSING)  # it may be there by now
            if value is MISSING:
                value = compute()
                cache.set(key, value, seconds)
    return value


def wait_for_the_value(key, compute, seconds):
    """What the job board does."""
    return caching.remember(lambda: key, compute, seconds)


def old_while_one_computes(key, compute, seconds, keep=600):
    """Return the value; one caller renews it when it is no longer fresh.

    The others get the old one meanwhile. Nobody releases the lock: it ends
    by itself, so it needs no token, and a failure is not repeated sooner.
    """

    def entry():
        return {"value": compute(), "fresh until": time.time() + seconds}

    found = cache.get(key, MISSING)
    if found is MISSING:  # nothing old to show: wait for one
        found = caching.remember(lambda: key, entry, seconds + keep)
    is_old = found["fresh until"] < time.time()
    if is_old and cache.add(f"renewing:{key}", 1, LOCK_SECONDS):
        found = entry()
        caching.store(key, found, seconds + keep)
    return found["value"]


def without_a_token(key, compute, seconds):
    """Let one caller compute while the others wait. Or so it says."""
    while (value := cache.get(key, MISSING)) is MISSING:
        if cache.add(f"lock:{key}", "locked", caching.LOCK_SECONDS):
            try:
                value = compute()
                cache.set(key, value, seconds)
                return value
            finally:
                cache.delete(f"lock:{key}")
        time.sleep(0.02)
    return value


WAYS = {
    "get, then set": get_then_set,
    "get_or_set()": get_or_set,
    "lock": lock_then_compute,
    "lock, look again": lock_and_look_again,
    "the job board": wait_for_the_value,
}

# --- a stampede --------------------------------------------------------------


class Counted:
    """A computation that counts how often it runs, how many run at once, and the locks that were taken."""

    def __init__(self, compute):
        self.compute, self.lock = compute, threading.Lock()
        self.calls = self.running = self.at_once = self.locks = 0

    def __call__(self):
        with self.lock:
            self.calls += 1
            self.running += 1
            self.at_once = max(self.at_once, self.running)
        try:
            return self.compute()
        finally:
            with self.lock:
                self.running -= 1


@contextlib.contextmanager
def watched(counted, readers, *, held):
    """Count the locks. Held, every reader waits after its first look until all have looked."""
    met, meeting, look, add = threading.local(), threading.Barrier(readers), RedisCache.get, RedisCache.add

    def get(self, key, *arguments, **options):
        value = look(self, key, *arguments, **options)
        if held and not hasattr(met, "yes"):
            met.yes = True
            meeting.wait(30)
        return value

    def add_and_count(self, key, *arguments, **options):
        added = add(self, key, *arguments, **options)
        if added and key.startswith("lock:"):
            with counted.lock:
                counted.locks += 1
        return added

    with mock.patch.multiple(RedisCache, get=get, add=add_and_count):
        yield


def stampede(remember, compute, *, readers=READERS, held=True, first=None):
    """Have so many threads ask for one key; return what was counted, and the seconds of the slowest."""
    counted, ready, taken, failed = Counted(compute), threading.Barrier(readers, first), [], []

    def read():
        try:
            ready.wait(30)
            began = time.perf_counter()
            remember("statistics", counted, 300)
            taken.append(time.perf_counter() - began)
        except RuntimeError as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=read) for _ in range(readers)]
    with watched(counted, readers, held=held):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(taken) + len(failed) == readers
    return counted, max(taken, default=0)


def briefly():
    time.sleep(0.005)
    return "value"


# --- a simulation of many expiries -------------------------------------------


def simulate(way, *, per_second=100, computing=0.5, lifetime=60, lifetimes=100):
    """Let requests come at random while a value expires again and again.

    Return how many computed, and how many had to wait for a value: for their
    own computation, or for somebody else's.
    """
    drawn = random.Random(2026)  # noqa: S311  not for secrets
    now, expires, running = 0.0, lifetime, []  # running: when each computation ends
    computed = waited = 0
    while now < lifetime * lifetimes:
        now += drawn.expovariate(per_second)
        while running and running[0] <= now:
            expires = heapq.heappop(running) + lifetime
        early = -computing * math.log(1 - drawn.random()) if way == "early" else 0
        if now + early < expires:
            continue
        computes = way in ("alone", "early") or not running
        if computes:
            computed += 1
            heapq.heappush(running, now + computing)
        waited += computes or way == "lock"
    return {"computed": computed, "waited": waited}


# --- the claims --------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "computed", "locks"),
    [
        ("get, then set", 20, range(1)),
        ("get_or_set()", 20, range(1)),
        ("lock", 20, range(20, 21)),
        ("lock, look again", 1, range(20, 21)),
        ("the job board", 1, range(1, 10)),  # more than 1: who asks just after the release
    ],
)
def test_who_computes_when_all_have_missed(way, computed, locks):
    counted, _ = stampede(WAYS[way], lambda: time.sleep(0.02), readers=20)
    assert counted.calls == computed
    assert counted.locks in locks
    assert counted.at_once == 1 or way.startswith("get")


def test_readers_who_all_missed_compute_once():
    counted, _ = stampede(wait_for_the_value, briefly)
    assert counted.calls == 1


def test_the_lock_alone_makes_a_queue():
    counted, slowest = stampede(lock_then_compute, briefly, readers=10)
    assert (counted.calls, counted.at_once) == (10, 1)
    assert slowest >= 10 * 0.005


@contextlib.contextmanager
def an_old_value(key="statistics"):
    cache.set(key, {"value": "old", "fresh until": time.time() - 1}, 60)
    yield
    cache.delete(f"renewing:{key}")


def test_the_old_value_while_one_computes():
    seen = []

    def remember(*arguments):
        seen.append(old_while_one_computes(*arguments))

    with an_old_value():
        counted, _ = stampede(remember, briefly)
    assert counted.calls == 1
    assert (seen.count("old"), seen.count("value")) == (READERS - 1, 1)


def test_cold_it_waits_for_one():
    counted, _ = stampede(old_while_one_computes, briefly)
    assert counted.calls == 1


def test_nobody_renews_again_after_a_failure():
    def fail():
        raise RuntimeError

    with an_old_value():
        with pytest.raises(RuntimeError):
            old_while_one_computes("statistics", fail, 300)
        assert old_while_one_computes("statistics", fail, 300) == "old"


def test_an_error_is_computed_by_everybody_in_turn():
    def fail():
        raise RuntimeError

    counted, _ = stampede(wait_for_the_value, fail, readers=20)
    assert (counted.calls, counted.at_once) == (20, 1)


def lock_after_overtaking(remember):
    """A computes for longer than its lock lives, and B takes the lock. Return the lock after A's end."""

    def compute():
        cache.set("lock:key", "B's", 60)
        return "A's value"

    cache.delete("key")
    assert remember("key", compute, 60) == "A's value"
    return cache.get("lock:key")


def test_without_a_token_the_first_frees_the_lock_of_the_second():
    assert lock_after_overtaking(without_a_token) is None
    assert lock_after_overtaking(wait_for_the_value) == "B's"


def behind_a_dead_holder(*, wait, readers=READERS):
    """The holder died right after it took a lock of a second; return what the readers behind it counted."""

    def die():
        cache.delete("statistics")
        cache.set("lock:statistics", "of a process that was killed", 1)

    with mock.patch.multiple(caching, LOCK_SECONDS=1, WAIT_SECONDS=wait):
        return stampede(wait_for_the_value, lambda: time.sleep(0.2), readers=readers, first=die)


def test_who_waits_only_as_long_as_the_lock_lives_computes_beside_the_next():
    counted, _ = behind_a_dead_holder(wait=1, readers=10)
    assert counted.calls >= 5
    assert counted.at_once > 1


def test_who_waits_longer_gets_the_value_of_the_next():
    counted, _ = behind_a_dead_holder(wait=5, readers=10)
    assert counted.calls == 1


def test_a_lock_below_a_second_is_no_lock():
    assert cache.add("lock:key", "mine", 0.9)
    assert cache.add("lock:key", "mine too", 0.9)


def test_parentheses_compute_on_every_hit():
    counted = Counted(lambda: "value")
    for _ in range(10):
        cache.get_or_set("statistics", counted(), 300)
    assert counted.calls == 10
    for _ in range(10):
        cache.get_or_set("statistics", counted, 300)
    assert counted.calls == 10


@pytest.mark.django_db(transaction=True)
def test_the_others_find_no_connection():
    """Ten computations hold all ten connections; the eleventh reader, of anything, fails."""
    connection.close()
    done, busy = threading.Event(), threading.Barrier(11)

    def compute():
        try:
            connection.ensure_connection()
            busy.wait(20)
            done.wait(20)
        finally:
            connection.close()

    threads = [threading.Thread(target=compute) for _ in range(10)]
    for thread in threads:
        thread.start()
    busy.wait(20)
    try:
        with mock.patch.object(connection.pool, "timeout", 0.2), pytest.raises(OperationalError) as error:
            connection.ensure_connection()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert str(error.value) == "couldn't get a connection after 0.20 sec"


def test_the_message_of_a_query_that_is_slow_in_company(db):
    with pytest.raises(OperationalError) as error, connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 10")
        cursor.execute("SELECT pg_sleep(5)")
    assert str(error.value) == "canceling statement due to statement timeout"


def test_a_simulated_stampede_is_as_large_as_what_comes_during_one_computation():
    alone = simulate("alone", lifetimes=20)
    assert alone["computed"] == alone["waited"] == pytest.approx(20 * 100 * 0.5, rel=0.15)
    lock = simulate("lock", lifetimes=20)
    assert lock["computed"] <= 20
    assert lock["waited"] == pytest.approx(20 * 100 * 0.5, rel=0.15)
    old = simulate("old", lifetimes=20)
    assert old["computed"] == old["waited"] <= 20
    assert simulate("early", lifetimes=20)["computed"] < alone["computed"] / 5


def busiest_second(jitter):
    """Store 1,000 keys at one moment for about 60 s; return how many expire in the same second."""
    seconds = []

    def store(self, key, value, timeout):
        seconds.append(int(timeout))

    with mock.patch.object(RedisCache, "set", store), contextlib.ExitStack() as stack:
        if not jitter:
            stack.enter_context(mock.patch("random.uniform", lambda low, high: 1))
        for number in range(1000):
            caching.store(f"key{number}", 1, 60)
    return max(seconds.count(second) for second in set(seconds))


def test_jitter_spreads_what_expires_together():
    assert busiest_second(jitter=False) == 1000
    assert busiest_second(jitter=True) < 200
