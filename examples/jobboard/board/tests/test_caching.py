"""The cached reads: quick, right for everybody, and alive without a cache."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from board import caching, services
from board.models import Job
from board.tests.world import assert_problem
from tools.services import free_port

pytestmark = pytest.mark.django_db


def titles(client, query=""):
    response = client.get(f"/api/jobs/{query}")
    return {job["title"] for job in response.json()["results"]}


def queries_of(call):
    with CaptureQueriesContext(connection) as queries:
        call()
    return len(queries)


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    """Return what runs a block and then what it left for after the commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def no_cache(settings):
    """Have the cache at an address where nobody answers."""
    location = f"redis://127.0.0.1:{free_port()}/0"
    default = settings.CACHES["default"] | {"LOCATION": location}
    settings.CACHES = {"default": default}


def test_the_second_reader_asks_no_query(world):
    client = world.client()
    for address in ("/api/jobs/", "/api/statistics/"):
        assert queries_of(lambda: client.get(address)) >= 2  # noqa: B023
        assert queries_of(lambda: client.get(address)) == 0  # noqa: B023


def test_a_commit_begins_a_new_generation_and_a_rollback_does_not(
    world, commit
):
    client = world.client()
    before = titles(client)
    with commit():
        with pytest.raises(RuntimeError), transaction.atomic():
            services.create_job(company=world.company, title="Never")
            raise RuntimeError
    Job.objects.filter(title="Baker").update(title="Behind the cache's back")
    assert titles(client) == before

    with commit():
        services.create_job(company=world.company, title="Tester")
        assert titles(client) == before, "not before the commit"
    assert "Tester" in titles(client)

    with commit():
        job = Job.objects.get(title="Tester")
        services.update_job(job_id=job.pk, version=1, title="Lead tester")
    assert "Lead tester" in titles(client)


def test_nobody_gets_a_page_that_was_made_for_others(world):
    everybody = {"Backend developer", "Baker"}
    staff, rival = world.client(world.staff), world.client(world.rival)
    for _ in range(2):  # the second time, every page comes from the cache
        assert titles(staff) == everybody | {"Archivist"}
        assert titles(rival) == everybody
        assert titles(world.client(world.outsider)) == everybody
        assert titles(world.client()) == everybody
        assert titles(world.client(world.root), "?is_open=false") == {
            "Archivist"
        }


def test_those_who_see_the_same_share_an_entry(world):
    titles(world.client())
    outsider = world.client(world.outsider)
    with CaptureQueriesContext(connection) as queries:
        titles(outsider)
    assert not any("board_job" in query["sql"] for query in queries)


def test_links_keep_the_host_that_was_asked(world):
    for number in range(25):
        world.add_job(f"Job {number}")
    for host in ("localhost", "127.0.0.1"):
        response = world.client().get("/api/jobs/", HTTP_HOST=host)
        assert response.json()["next"].startswith(f"http://{host}/api/jobs/")


def test_an_evicted_generation_is_never_used_again():
    first = caching.generation()
    assert caching.generation() == first
    cache.delete(caching.GENERATION)
    assert caching.generation() != first


def test_none_can_be_cached():
    calls = []

    def compute():
        calls.append(1)

    for _ in range(2):
        assert caching.remember(lambda: "nothing", compute, 60) is None
    assert len(calls) == 1


def test_entries_expire_at_different_moments():
    lifetimes = set()
    for number in range(20):
        caching.store(f"key{number}", 1, 1000)
        raw = cache._cache.get_client().pttl(cache.make_key(f"key{number}"))
        lifetimes.add(raw // 1000)
    assert len(lifetimes) > 5
    assert min(lifetimes) >= 890
    assert max(lifetimes) <= 1100


def test_thirty_readers_of_a_missing_key_compute_it_once():
    calls = []

    def compute():
        calls.append(1)
        time.sleep(0.2)
        return "value"

    def read(_):
        return caching.remember(lambda: "key", compute, 60)

    with ThreadPoolExecutor(30) as threads:
        assert set(threads.map(read, range(30))) == {"value"}
    assert len(calls) == 1


def test_who_waits_goes_on_when_the_value_is_there():
    def store():
        cache.set("key", "value", 60)

    cache.add("lock:key", "somebody else", 60)
    with ThreadPoolExecutor(1) as thread:
        read = thread.submit(caching.remember, lambda: "key", list, 60)
        assert not read.done()
        threading.Timer(0.1, store).start()
        assert read.result(5) == "value"
    assert cache.get("lock:key") == "somebody else"


def test_who_waited_long_enough_computes_and_leaves_the_lock(monkeypatch):
    monkeypatch.setattr(caching, "WAIT_SECONDS", 0.1)
    cache.add("lock:key", "somebody else", 60)
    assert caching.remember(lambda: "key", lambda: "value", 60) == "value"
    assert cache.get("lock:key") == "somebody else"


def test_after_a_holder_died_one_of_those_who_waited_computes():
    assert caching.WAIT_SECONDS > caching.LOCK_SECONDS
    calls = []

    def compute():
        calls.append(1)
        time.sleep(0.2)
        return "value"

    def read(_):
        return caching.remember(lambda: "key", compute, 60)

    cache.add("lock:key", "of a process that was killed", 1)
    with ThreadPoolExecutor(10) as threads:
        assert set(threads.map(read, range(10))) == {"value"}
    assert len(calls) == 1


def test_a_lock_that_expired_meanwhile_is_not_taken_from_its_new_holder():
    def compute():
        cache.set("lock:key", "somebody else", 60)
        return "value"

    assert caching.remember(lambda: "key", compute, 60) == "value"
    assert cache.get("lock:key") == "somebody else"


def test_an_error_is_not_cached_and_frees_the_lock():
    def fail():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        caching.remember(lambda: "key", fail, 60)
    assert caching.remember(lambda: "key", lambda: "value", 60) == "value"


def test_without_a_cache_reads_are_right_and_quick_to_give_up(
    world, no_cache, caplog
):
    began = time.monotonic()
    for _ in range(2):
        assert titles(world.client()) == {"Backend developer", "Baker"}
        response = world.client().get("/api/statistics/")
        assert response.json()["open_jobs"] == 2
    assert time.monotonic() - began < 10
    assert "cache is down" in caplog.text


def test_without_a_cache_writes_succeed(world, no_cache, commit, caplog):
    client = world.client(world.staff)
    body = {"company": "acme", "title": "Tester"}
    with caplog.at_level(logging.ERROR), commit():
        response = client.post("/api/jobs/", body, format="json")
    assert response.status_code == 201
    assert "begin_generation" in caplog.text


def test_without_a_cache_guessing_passwords_is_refused(world, no_cache):
    body = {"email": "staff@example.com", "password": "guess"}
    response = world.client().post("/api/auth/token/", body, format="json")
    assert_problem(response, 503, "Try again")


def test_a_cache_that_dies_in_the_middle_costs_nothing_but_the_entry(
    settings, caplog
):
    def compute():
        location = f"redis://127.0.0.1:{free_port()}/0"
        default = settings.CACHES["default"] | {"LOCATION": location}
        settings.CACHES = {"default": default}
        return "value"

    assert caching.remember(lambda: "key", compute, 60) == "value"
    assert "not stored" in caplog.text
    assert "lock not released" in caplog.text
    with caching.one_at_a_time("key"):
        assert caching.cache_or_missing("key") is caching.MISSING


def test_nothing_in_the_cache_is_a_pickle(world):
    world.client(world.outsider).get("/api/jobs/")
    client = cache._cache.get_client()
    keys = list(client.scan_iter("jobboard:*"))
    assert len(keys) >= 3
    for key in keys:
        assert client.get(key)[:1] in b'"[{0123456789n', key
