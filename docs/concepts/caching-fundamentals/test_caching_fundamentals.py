"""How many reads a cache saves, by lifetime and by key, and what each mistake shows."""

import contextlib
import random
import secrets
import socket
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from unittest import mock

import pytest
from board import caching
from board.models import Company, Job
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.core.management import call_command
from django.db import connection, transaction
from django.http import HttpResponse, QueryDict
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.views.decorators.cache import cache_page
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer

from tools.services import free_port, start_servers

REQUESTS = 10_000
READERS = 1_000  # requests for the pages of the job list

# --- how many requests share a load ------------------------------------------


def loads(*, per_second, lifetime):
    """Count the loads for 10,000 requests, on a clock that we turn.

    They come at random moments, so many a second on average. The cache is
    Django's own, in memory.
    """
    drawn = random.Random(2026)  # noqa: S311  not for secrets
    memory = LocMemCache(f"{per_second} {lifetime}", {})
    memory.clear()
    clock, loaded = 1_800_000_000.0, 0
    with mock.patch("time.time", lambda: clock):
        for _ in range(REQUESTS):
            clock += drawn.expovariate(per_second)
            if memory.get("statistics") is None:
                loaded += 1
                memory.set("statistics", 1, lifetime)
    return loaded


# --- what a key leaves out ---------------------------------------------------

LISTS = ("", "is_open=true", "skill=Python", "skill=Django&is_open=true", "company=company-2&skill=SQL")


def by_url(user, url):
    return url


def by_user(user, url):
    return f"{url} {user.pk}"


def by_scope(user, url):
    """What the job board does: those who may see the same share an entry."""
    return f"{url} {caching.scope_of(user)}"


def by_scope_in_order(user, url):
    """The same; and the parameters sorted, since their order changes nothing."""
    return f"{'&'.join(sorted(url.split('&')))} {caching.scope_of(user)}"


KEYS = {"URL": by_url, "URL, user": by_user, "URL, scope": by_scope, "sorted URL, scope": by_scope_in_order}


def page(user, url):
    """Return the ids of the job list."""
    asked = QueryDict(url)
    jobs = Job.objects.visible_to(user)
    if skill := asked.get("skill"):
        jobs = jobs.needing(skill)
    if company := asked.get("company"):
        jobs = jobs.filter(company__slug=company)
    if asked.get("is_open"):
        jobs = jobs.open()
    return list(jobs.values_list("pk", flat=True))


def requests():
    """Draw 1,000 requests: most by nobody who signed in, a tenth by company staff."""
    drawn = random.Random(2026)  # noqa: S311
    users = list(get_user_model().objects.prefetch_related("companies").order_by("pk"))
    staff = [user for user in users if user.companies.all()]
    others = [user for user in users if not user.companies.all() and not user.is_superuser]
    for _ in range(READERS):
        kind = drawn.choices(("anonymous", "other", "staff"), (6, 3, 1))[0]
        user = AnonymousUser() if kind == "anonymous" else drawn.choice(staff if kind == "staff" else others)
        parts = drawn.choices(LISTS, (8, 4, 2, 2, 1))[0].split("&")
        drawn.shuffle(parts)  # two browsers, two orders
        yield user, "&".join(parts)


def replay(make_key):
    """Answer the requests from a cache with these keys, which forgets all after 100 requests.

    Count the loads, and the answers that show a job too many or too few.
    """
    truth, cached = {}, {}
    counted = Counter({"loads": 0, "too many": 0, "too few": 0})
    for number, (user, url) in enumerate(requests()):
        if number % 100 == 0:
            cached.clear()
        if (user.pk, url) not in truth:
            truth[user.pk, url] = set(page(user, url))
        key = make_key(user, url)
        if key not in cached:
            cached[key] = truth[user.pk, url]
            counted["loads"] += 1
        counted["too many"] += bool(cached[key] - truth[user.pk, url])
        counted["too few"] += bool(truth[user.pk, url] - cached[key])
    return dict(counted)


# --- a value that a slow reader brings back ----------------------------------


def in_another_thread(write):
    """Do it on a connection of its own, and wait until it is done."""

    def run():
        try:
            write()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


class Title:
    """The title of one job: a cached read, and three ways to end the cached value."""

    def __init__(self, job):
        self.pk = job.pk

    def in_the_database(self):
        return Job.objects.values_list("title", flat=True).get(pk=self.pk)

    def read(self, key, meanwhile=lambda: None):
        """Return it from the cache. `meanwhile` happens after the load, before the value is stored."""
        if (value := cache.get(key())) is not None:
            return value
        stored_as = key()
        value = self.in_the_database()
        meanwhile()
        cache.set(stored_as, value, 60)
        return value

    def fixed_key(self):
        return f"title:{self.pk}"

    def key_of_a_generation(self):
        return f"title:{caching.generation()}:{self.pk}"

    def forget(self):
        cache.delete(self.fixed_key())


def write_then_forget(title, forget, reader=lambda: None):
    """Change the title and end the cached value after the commit."""
    with transaction.atomic():
        Job.objects.filter(pk=title.pk).update(title="New")
        transaction.on_commit(forget)
        in_another_thread(reader)


def forget_then_commit(title, forget, reader=lambda: None):
    """The other way round: the cached value goes before others can see the new row."""
    with transaction.atomic():
        Job.objects.filter(pk=title.pk).update(title="New")
        forget()
        in_another_thread(reader)


WAYS = {
    "delete, then commit": (forget_then_commit, Title.fixed_key, Title.forget),
    "commit, then delete": (write_then_forget, Title.fixed_key, Title.forget),
    "new generation, then commit": (
        forget_then_commit,
        Title.key_of_a_generation,
        lambda title: caching.begin_generation(),
    ),
    "commit, then new generation": (
        write_then_forget,
        Title.key_of_a_generation,
        lambda title: caching.begin_generation(),
    ),
}


def stale(way, *, slow, rounds=10):
    """Count rounds after which readers still get the old title.

    A quick reader reads and stores between the two steps of the writer. A slow
    one loads before the writer begins, and stores when the writer is done.
    """
    write, key, forget = WAYS[way]
    found = 0
    for _ in range(rounds):
        cache.delete(caching.GENERATION)
        job = Job.objects.earliest("pk")
        Job.objects.filter(pk=job.pk).update(title="Old")
        title = Title(job)
        title.forget()

        def key_of(title=title):
            return key(title)

        def ended(title=title):
            forget(title)

        if slow:
            title.read(key_of, lambda title=title, ended=ended: in_another_thread(lambda: write(title, ended)))
        else:
            write(title, ended, lambda title=title, key_of=key_of: title.read(key_of))
        assert title.in_the_database() == "New"
        found += title.read(key_of) == "Old"
    return found


# --- nothing is a value ------------------------------------------------------


def company_name(slug):
    """Return the company's name, or None; cached. Or so it says."""
    name = cache.get(f"company:{slug}")
    if name is None:
        companies = Company.objects.filter(slug=slug)
        name = companies.values_list("name", flat=True).first()
        cache.set(f"company:{slug}", name, 60)
    return name


def company_name_or_none(slug):
    """The same with a default that no value equals."""
    name = cache.get(f"company:{slug}", caching.MISSING)
    if name is caching.MISSING:
        companies = Company.objects.filter(slug=slug)
        name = companies.values_list("name", flat=True).first()
        cache.set(f"company:{slug}", name, 60)
    return name


def company_name_get_or_set(slug):
    """Django's shortcut has such a default inside."""
    companies = Company.objects.filter(slug=slug)
    return cache.get_or_set(f"company:{slug}", lambda: companies.values_list("name", flat=True).first(), 60)


# --- a cache that is away ----------------------------------------------------


@contextlib.contextmanager
def server_that_never_answers():
    """Listen, take connections, and say nothing: what a stalled machine does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@contextlib.contextmanager
def own_server():
    """Start a Valkey of our own: what is done to it harms nobody."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        Path(folder).chmod(0o755)
        yield start_servers(["REDIS_URL"], Path(folder), stack)["REDIS_URL"].url


# --- the claims --------------------------------------------------------------


@pytest.fixture
def board(db):
    with open("/dev/null", "w") as nowhere:
        call_command("seed", size="S", stdout=nowhere)


def queries_of(call, times):
    with CaptureQueriesContext(connection) as queries:
        for _ in range(times):
            call()
    return len(queries)


@pytest.mark.parametrize("per_second", [0.1, 1, 100])
@pytest.mark.parametrize("lifetime", [1, 10, 60])
def test_loads_follow_the_requests_of_one_lifetime(per_second, lifetime):
    expected = REQUESTS / (1 + per_second * lifetime)
    assert loads(per_second=per_second, lifetime=lifetime) == pytest.approx(expected, rel=0.1, abs=1)


def test_one_second_is_enough_for_a_busy_key():
    assert 90 <= loads(per_second=100, lifetime=1) <= 110
    assert loads(per_second=100, lifetime=60) <= 4


def test_what_a_key_leaves_out_is_hits_or_leaks(board):
    found = {name: replay(make_key) for name, make_key in KEYS.items()}
    assert found["URL"]["too many"] > 10
    assert found["URL"]["too few"] > 10
    right = [found[name] for name in ("URL, user", "URL, scope", "sorted URL, scope")]
    assert not any(counts["too many"] + counts["too few"] for counts in right)
    loads = [counts["loads"] for counts in right]
    assert loads[0] > loads[1] > loads[2] > found["URL"]["loads"]


def test_two_users_one_key(world):
    """The leak, by hand: staff sees a closed job, and then everybody does."""
    cached = {}
    for user in (world.staff, AnonymousUser()):
        seen = cached.setdefault(by_url(user, ""), page(user, ""))
    assert world.closed.pk in seen
    assert world.closed.pk not in page(AnonymousUser(), "")
    assert by_scope(world.staff, "") != by_scope(AnonymousUser(), "") == by_scope(world.outsider, "")


@pytest.mark.django_db(transaction=True)
def test_who_ends_a_cached_value_and_when():
    company = Company.objects.create(name="Acme", slug="acme")
    Job.objects.create(company=company, title="Old")
    found = {way: (stale(way, slow=False, rounds=3), stale(way, slow=True, rounds=3)) for way in WAYS}
    assert found == {
        "delete, then commit": (3, 3),
        "commit, then delete": (0, 3),
        "new generation, then commit": (3, 0),
        "commit, then new generation": (0, 0),
    }


@pytest.mark.parametrize(
    ("read", "queries"),
    [(company_name, 100), (company_name_or_none, 1), (company_name_get_or_set, 1)],
)
def test_a_company_that_does_not_exist(world, read, queries):
    assert queries_of(lambda: read("nobody"), 100) == queries
    assert read("nobody") is None
    assert queries_of(lambda: read("acme"), 100) == 1
    assert read("acme") == "Acme"


def test_nothing_is_old_as_well(world):
    """A cached None outlives the row that appears."""
    assert company_name_or_none("new") is None
    Company.objects.create(name="New", slug="new")
    assert company_name_or_none("new") is None
    cache.delete("company:new")
    assert company_name_or_none("new") == "New"


def test_clear_deletes_everybodys_keys():
    with own_server() as url:
        ours = RedisCache(url, {"KEY_PREFIX": "ours"})
        theirs = RedisCache(url, {"KEY_PREFIX": "theirs"})
        theirs.set("key", 1)
        ours.clear()
        assert theirs.get("key") is None
        for backend in (ours, theirs):
            backend._cache.get_client().connection_pool.disconnect()


def test_a_lifetime_below_a_second_stores_nothing():
    cache.set("key", 1, 0.9)
    assert cache.get("key") is None
    cache.set("key", 1, 1.9)
    raw = cache._cache.get_client().pttl(cache.make_key("key"))
    assert 0 < raw <= 1000


def test_a_cache_that_is_away(settings):
    nobody = RedisCache(f"redis://127.0.0.1:{free_port()}/0", {})
    with pytest.raises(NoConnection, match=r"Error \d+ connecting to 127.0.0.1:\d+. Connection refused."):
        nobody.get("key")
    options = {**settings.CACHES["default"]["OPTIONS"], "socket_timeout": 0.05}
    with server_that_never_answers() as url:
        silent = RedisCache(url, {"OPTIONS": options})
        began = time.monotonic()
        with pytest.raises(NoAnswer, match="Timeout"):
            silent.get("key")
        assert time.monotonic() - began < 3
    defaults = RedisCache(url, {})._cache.get_client().connection_pool.make_connection()
    assert (defaults.socket_timeout, defaults.socket_connect_timeout) == (5, 5)


def test_what_json_refuses_and_pickle_stores(board, settings):
    with pytest.raises(TypeError) as error:
        cache.set("jobs", Job.objects.open(), 60)
    assert str(error.value) == "Object of type JobQuerySet is not JSON serializable"
    memory = LocMemCache("pickles", {})
    assert queries_of(lambda: memory.set("jobs", Job.objects.open(), 60), 1) == 1
    assert queries_of(lambda: list(memory.get("jobs")), 1) == 0
    assert queries_of(lambda: list(memory.get("jobs").order_by("pk")), 1) == 1


def shows_who_asks(request):
    return HttpResponse(request.headers.get("Authorization") or request.headers.get("X-User") or "anonymous")


@pytest.fixture
def cached_view(settings):
    memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": secrets.token_hex(4)}
    settings.CACHES = settings.CACHES | {"pages": memory}
    view = cache_page(60, cache="pages")(shows_who_asks)
    return lambda **headers: view(RequestFactory().get("/mine/", headers=headers)).content.decode()


def test_cache_page_separates_tokens_and_not_the_first_anonymous_answer(cached_view):
    assert cached_view(Authorization="Bearer a") == "Bearer a"
    assert cached_view(Authorization="Bearer b") == "Bearer b"


def test_cache_page_shows_the_anonymous_answer_to_all(cached_view):
    assert cached_view() == "anonymous"
    assert cached_view(Authorization="Bearer a") == "anonymous"


def test_cache_page_mixes_up_any_other_identity(cached_view):
    assert cached_view(**{"X-User": "one"}) == "one"
    assert cached_view(**{"X-User": "two"}) == "one"
