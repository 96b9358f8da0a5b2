"""The cached reads: their keys, how they expire, and what a dead cache means.

Two reads are cached: a page of the job list and the statistics. Each answer
stays right without a cache; only slower. So an error of the cache is logged
and the value computed.

A key names everything the value depends on: the shape of the value (SHAPE),
the state of the jobs (the generation), who may see it (the scope), and what
was asked. Writers do not delete keys, which they could not list: after their
commit they begin a new generation, and nobody asks for the old one again.
"""

import hashlib
import logging
import random
import secrets
import time
from contextlib import contextmanager

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count
from redis.exceptions import RedisError

from board.models import Company, Job, Skill

logger = logging.getLogger(__name__)

SHAPE = 1  # raise it when the shape of a cached value changes
GENERATION = "jobs:generation"
MISSING = object()  # None is a value that can be cached
LOCK_SECONDS = 10  # a holder that died keeps others waiting for so long;
WAIT_SECONDS = 12  # then one of them computes, and the rest wait for it


def job_list(*, user, url, compute):
    """Return a page of the job list as the user may see it.

    The URL is in the key as a whole: the page links to its neighbours by
    host name. `compute` makes the page when it is not cached.
    """
    digest = hashlib.sha256(url.encode()).hexdigest()
    scope = scope_of(user)
    return remember(
        lambda: f"jobs:{SHAPE}:{generation()}:{scope}:{digest}", compute, 60
    )


def scope_of(user):
    """Return whom a cached job list may be shown to.

    Everybody sees the open jobs, so everybody shares one entry, except those
    who also see closed ones.
    """
    if user.is_superuser or Company.objects.managed_by(user).exists():
        return f"user-{user.pk}"
    return "public"


def statistics():
    """Return the numbers of the whole board; the same for everybody."""
    return remember(
        lambda: f"statistics:{SHAPE}:{generation()}", count_everything, 300
    )


def count_everything():
    """Count open jobs, companies that have one, and the ten top skills."""
    is_open = Job.objects.open()
    skills = Skill.objects.filter(jobs__in=is_open).annotate(
        jobs_open=Count("jobs")
    )
    return {
        "open_jobs": is_open.count(),
        "hiring_companies": is_open.values("company").distinct().count(),
        "top_skills": [
            {"name": skill.name, "open_jobs": skill.jobs_open}
            for skill in skills.order_by("-jobs_open", "name")[:10]
        ],
    }


def forget_jobs_on_commit():
    """Begin a new generation after the commit.

    Not before it: a reader in between would store the old rows under the new
    generation. If the cache is down then, Django logs it, and old pages live
    until they expire.
    """
    transaction.on_commit(begin_generation, robust=True)


def begin_generation():
    cache.set(GENERATION, secrets.token_hex(8), timeout=None)


def generation():
    """Return the present generation; one that was evicted is not used again."""
    return cache.get_or_set(
        GENERATION, lambda: secrets.token_hex(8), timeout=None
    )


def remember(make_key, compute, seconds):
    """Return the cached value, or compute and cache it: one at a time."""
    try:
        key = make_key()
        value = cache.get(key, MISSING)
    except RedisError as error:
        logger.warning("cache is down, computing: %s", error)
        return compute()
    if value is not MISSING:
        return value
    with one_at_a_time(key):
        value = cache_or_missing(key)  # again: it may be there by now
        if value is MISSING:
            value = compute()
            store(key, value, seconds)
    return value


def cache_or_missing(key):
    try:
        return cache.get(key, MISSING)
    except RedisError:
        return MISSING


def store(key, value, seconds):
    """Cache a value for about so many seconds: not all must expire at once."""
    try:
        cache.set(key, value, seconds * random.uniform(0.9, 1.1))  # noqa: S311
    except RedisError as error:
        logger.warning("cache is down, not stored: %s", error)


@contextmanager
def one_at_a_time(key):
    """Let one caller compute a key while the others wait for its value.

    This saves work; nothing becomes wrong when two compute. So who waited
    for WAIT_SECONDS goes on, and the release need not be atomic.
    """
    lock, token = f"lock:{key}", secrets.token_hex(8)
    held = acquire(lock, token, key)
    try:
        yield
    finally:
        if held:
            release(lock, token)


def acquire(lock, token, key):
    """Wait for the lock, or for the value of the key; say if we hold the lock.

    Who waited for the lock alone would wait for all who did so before.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    try:
        while not cache.add(lock, token, LOCK_SECONDS):
            if cache.has_key(key) or time.monotonic() > deadline:
                return False
            time.sleep(0.02)
    except RedisError:
        return False
    return True


def release(lock, token):
    """Delete the lock if it is still ours: it may have expired."""
    try:
        if cache.get(lock) == token:
            cache.delete(lock)
    except RedisError as error:
        logger.warning("cache is down, lock not released: %s", error)
