"""Servers and settings for every test; both exist before Django is imported."""

import os
import tempfile
from contextlib import ExitStack

import pytest
import redis

import local
from tools.services import ServiceError, services

running = ExitStack()


def pytest_configure(config):
    """Start servers, or take those of the environment; set up Django.

    With `-n`, each worker has servers of its own, so that no test meets another
    one's keys or queue; the process that deals out the tests needs none.
    """
    if config.getoption("numprocesses", 0) and not hasattr(
        config, "workerinput"
    ):
        return
    config.add_cleanup(running.close)
    try:
        lent = running.enter_context(services())
    except ServiceError as error:
        raise SystemExit(f"services: {error}") from None
    static = running.enter_context(tempfile.TemporaryDirectory())
    # A test says what a query does, not how busy the machine is.
    patient = {"STATIC_ROOT": static, "STATEMENT_TIMEOUT_MS": "60000"}
    os.environ.update(local.environment(lent, **patient))
    import django

    django.setup()
    from django.contrib.auth.hashers import Argon2PasswordHasher

    # Slow on purpose; in a test it has only to be Argon2.
    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost = 1, 64


# Pages whose threads queue for one row: on a busy machine the last of them
# waits longer than the three seconds that a request of the board may.
QUEUE_FOR_A_ROW = ("transactions-and-locks",)


@pytest.fixture(scope="module", autouse=True)
def patient_locks(request):
    """Let the tests of these pages wait half a minute for a lock."""
    if request.path.parent.name not in QUEUE_FOR_A_ROW:
        yield
        return
    from django.db import connection

    options = connection.settings_dict["OPTIONS"]
    strict = options["options"]
    patient = strict.replace("lock_timeout=3000", "lock_timeout=30000")
    assert patient != strict
    for now in (patient, strict):
        connection.close()
        connection.close_pool()
        options["options"] = now
        if now == patient:
            yield


@pytest.fixture(autouse=True)
def empty_cache():
    """Delete our keys, and only ours: the server may be somebody's own."""
    from django.conf import settings

    client = redis.Redis.from_url(settings.CACHE_URL)
    for key in client.scan_iter("jobboard:*"):
        client.delete(key)
    client.close()


@pytest.fixture
def world(db):
    """Return a small board: two companies, three jobs, one application."""
    from board.tests.world import World

    return World()
