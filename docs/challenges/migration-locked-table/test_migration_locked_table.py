"""A transaction that idles, an ALTER TABLE that waits for it, and all who wait behind."""

import contextlib
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest
from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.core.management import call_command
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.utils import OperationalError, ProgrammingError
from psycopg.errors import (
    ActiveSqlTransaction,
    IdleInTransactionSessionTimeout,
    LockNotAvailable,
    QueryCanceled,
)

ALTER = "ALTER TABLE board_job ADD COLUMN remote boolean"
READ = "SELECT title FROM board_job WHERE id = 1"

WHO_STANDS_IN_THE_WAY = """
SELECT blocker.pid, blocker.state, left(blocker.query, 60) AS last_query,
       now() - blocker.xact_start AS age, count(*) AS waiting
FROM pg_stat_activity AS waiter
CROSS JOIN unnest(pg_blocking_pids(waiter.pid)) AS blocked_by (pid)
JOIN pg_stat_activity AS blocker ON blocker.pid = blocked_by.pid
WHERE waiter.wait_event_type = 'Lock'
GROUP BY blocker.pid, blocker.state, blocker.query, blocker.xact_start
ORDER BY cardinality(pg_blocking_pids(blocker.pid)), waiting DESC
"""


def patiently(migrate, wait="100ms", tries=100):
    """Give up each wait for a lock early, let the readers go, try again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [wait])
    for tried in range(1, tries + 1):
        try:
            migrate()
            return tried
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise  # another trouble; a second try would hide it
            time.sleep(random.uniform(0.2, 0.6))  # noqa: S311
    raise TimeoutError(f"no lock within {wait}, {tries} times")


ADVICE = {
    migrations.AddIndex: "use AddIndexConcurrently, with atomic = False",
    migrations.AddConstraint: "AddConstraintNotValid, later ValidateConstraint",
    migrations.AlterField: "read sqlmigrate: another type is a new table",
    migrations.RenameField: "old code asks for the old name",
    migrations.RemoveField: "old code asks for it; two releases",
}


def complaints(migration):
    """Say what could stop the site; a migration may answer `safe_because`."""
    if migration.initial or getattr(migration, "safe_because", ""):
        return []
    changes = [o for o in migration.operations if hasattr(o, "model_name")]
    found = [
        f"{type(change).__name__} on {change.model_name}: {ADVICE[type(change)]}"
        for change in changes
        if type(change) in ADVICE
    ]
    if migration.atomic and len({change.model_name for change in changes}) > 1:
        found.append("two tables: the first stays locked while the second waits")
    return found


class Migration(migrations.Migration):
    atomic = False

    dependencies = (("board", "0001_initial"),)
    operations = (
        # It waits for others, and nobody waits for it: let it wait.
        migrations.RunSQL(
            "SET lock_timeout = 0; SET statement_timeout = 0",
            "SET lock_timeout = '100ms'; RESET statement_timeout",
        ),
        AddIndexConcurrently(
            "job",
            models.Index(fields=("views",), name="job_views"),
        ),
        # The next migration has the same connection: give up early again.
        migrations.RunSQL(
            "SET lock_timeout = '100ms'; RESET statement_timeout",
            "SET lock_timeout = 0; SET statement_timeout = 0",
        ),
    )


class TimedIndex(migrations.Migration):
    atomic = False

    dependencies = (("board", "0001_initial"),)
    operations = (
        migrations.RunSQL("SET lock_timeout = '60ms'"),
        AddIndexConcurrently(
            "job",
            models.Index(fields=("views",), name="job_views"),
        ),
    )


@pytest.fixture
def session(db):
    """Return a function that opens a connection of its own to the test database."""
    with contextlib.ExitStack() as opened:
        yield lambda *statements: opened.enter_context(connect(*statements))


def elsewhere(act, *arguments):
    """Call it in a thread, whose Django connection is in no test's transaction."""

    def call():
        try:
            return act(*arguments)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()


@contextlib.contextmanager
def connect(*statements):
    at = connection.settings_dict
    address = {"host": at["HOST"], "port": at["PORT"], "user": at["USER"], "password": at["PASSWORD"]}
    with psycopg.connect(**address, dbname=at["NAME"], autocommit=True) as opened:
        for statement in statements:
            opened.execute(statement)
        try:
            yield opened
        finally:
            with contextlib.suppress(psycopg.Error):
                opened.execute("ROLLBACK")


def behind(act):
    """Run it in a thread; return the thread, and a list for what it ends with."""
    ends = []

    def run():
        try:
            ends.append(act() or "done")
        except psycopg.Error as error:
            ends.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, ends


def until_it_waits(watcher, pid):
    deadline = time.monotonic() + 60
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
    while watcher.execute(waiting, [pid]).fetchone() != (1,):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.005)


def blockers(watcher, waiter):
    return watcher.execute("SELECT pg_blocking_pids(%s)", [waiter.info.backend_pid]).fetchone()[0]


class Jam:
    """A has read the table and idles; B wants to alter it; C wants to read it."""

    def __init__(self, session):
        self.watcher = session()
        self.a = session("BEGIN", READ)
        self.b = session("BEGIN", "SET LOCAL lock_timeout = 0")
        self.c = session()
        self.alter, self.altered = behind(lambda: self.b.execute(ALTER))
        until_it_waits(self.watcher, self.b.info.backend_pid)
        self.read, self.was_read = behind(lambda: self.c.execute(READ))
        until_it_waits(self.watcher, self.c.info.backend_pid)

    def end(self):
        self.a.execute("ROLLBACK")
        self.alter.join()
        self.b.execute("ROLLBACK")
        self.read.join()


@pytest.fixture
def jam(session):
    made = Jam(session)
    yield made
    made.end()


def test_without_the_alter_the_reader_does_not_wait(session):
    session("BEGIN", READ)
    session("SET lock_timeout = '5s'", READ)


def test_the_reader_waits_for_the_alter_and_the_alter_for_the_one_who_idles(jam):
    assert blockers(jam.watcher, jam.c) == [jam.b.info.backend_pid]
    assert blockers(jam.watcher, jam.b) == [jam.a.info.backend_pid]
    assert jam.altered == jam.was_read == []


def test_the_query_names_the_one_who_idles_first(jam):
    rows = jam.watcher.execute(WHO_STANDS_IN_THE_WAY).fetchall()
    assert [(row[0], row[1], row[4]) for row in rows] == [
        (jam.a.info.backend_pid, "idle in transaction", 1),
        (jam.b.info.backend_pid, "active", 1),
    ]
    assert rows[0][2] == READ
    assert rows[1][2] == ALTER


def test_to_end_a_reader_helps_nobody_and_to_end_the_alter_helps_all(jam):
    jam.watcher.execute("SELECT pg_cancel_backend(%s)", [jam.c.info.backend_pid])
    jam.read.join()
    assert isinstance(jam.was_read[0], QueryCanceled)
    assert jam.altered == []
    jam.read, jam.was_read = behind(lambda: jam.c.execute(READ))
    until_it_waits(jam.watcher, jam.c.info.backend_pid)
    jam.watcher.execute("SELECT pg_cancel_backend(%s)", [jam.b.info.backend_pid])
    jam.alter.join()
    jam.read.join()
    assert str(jam.altered[0]) == "canceling statement due to user request"
    assert not isinstance(jam.was_read[0], Exception)
    assert jam.a.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS  # A never noticed


@pytest.mark.parametrize(
    ("setting", "error", "message"),
    [
        ("lock_timeout", LockNotAvailable, "canceling statement due to lock timeout"),
        ("statement_timeout", QueryCanceled, "canceling statement due to statement timeout"),
    ],
)
def test_the_innocent_get_the_error(jam, session, setting, error, message):
    innocent = session(f"SET {setting} = '30ms'")
    with pytest.raises(error) as refused:
        innocent.execute(READ)
    assert refused.value.diag.message_primary == message


def test_what_the_job_board_promises(session):
    options = settings.DATABASES["default"]["OPTIONS"]["options"]
    assert "-c lock_timeout=3000" in options
    assert "-c idle_in_transaction_session_timeout=10000" in options


def test_a_session_that_idles_is_ended(session):
    idle = session("SET idle_in_transaction_session_timeout = '30ms'", "BEGIN", READ)
    watcher = session()
    gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
    deadline = time.monotonic() + 60
    while watcher.execute(gone, [idle.info.backend_pid]).fetchone() == (1,):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    with pytest.raises(IdleInTransactionSessionTimeout) as ended:
        idle.execute(READ)
    assert ended.value.diag.message_primary == "terminating connection due to idle-in-transaction timeout"


# Give up early, and try again.


def test_it_tries_until_it_gets_the_lock(session, tmp_path, monkeypatch, settings):
    a_migration_that_adds_remote(tmp_path, monkeypatch, settings)
    holder = session("BEGIN", READ)
    tries = []

    def migrate():
        tries.append(1)
        if len(tries) == 3:
            holder.execute("ROLLBACK")
        call_command("migrate", "board", verbosity=0)

    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    try:
        assert elsewhere(patiently, migrate, "30ms") == len(tries) >= 3
        assert session().execute("SELECT remote FROM board_job").fetchall() == []
    finally:
        elsewhere(partial(call_command, "migrate", "board", "0001", verbosity=0))


def a_migration_that_adds_remote(tmp_path, monkeypatch, settings):
    folder = tmp_path / "board_patient"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "0001_initial.py").write_text(
        "from importlib import import_module\nMigration = import_module('board.migrations.0001_initial').Migration\n"
    )
    (folder / "0002_job_remote.py").write_text("""from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("board", "0001_initial")]
    operations = [migrations.AddField("job", "remote", models.BooleanField(null=True))]
""")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings.MIGRATION_MODULES = {"board": "board_patient"}


def test_it_stops_at_another_error_and_at_last(session, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(ProgrammingError, match="already exists"):
        elsewhere(patiently, partial(run, "CREATE TABLE board_job ()"))
    session("BEGIN", READ)
    with pytest.raises(TimeoutError, match="no lock within 10ms, 2 times"):
        elsewhere(patiently, partial(run, ALTER), "10ms", 2)


def run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


# What holds which lock, and for how long.


def test_two_tables_in_one_transaction(session):
    """The first table is altered, and stays locked while the second waits."""
    watcher = session()
    holder = session("BEGIN", "SELECT 1 FROM board_application")
    both = session("BEGIN", "SET LOCAL lock_timeout = 0", ALTER)
    second, _ = behind(lambda: both.execute("ALTER TABLE board_application ADD COLUMN remote boolean"))
    until_it_waits(watcher, both.info.backend_pid)
    reader = session()
    read, ends = behind(lambda: reader.execute(READ))
    until_it_waits(watcher, reader.info.backend_pid)
    assert blockers(watcher, reader) == [both.info.backend_pid]
    holder.execute("ROLLBACK")
    second.join()
    both.execute("ROLLBACK")
    read.join()
    assert not isinstance(ends[0], Exception)


OPEN = {  # what another transaction did before it went idle
    "read this table": ("BEGIN", READ),
    "wrote to this table": ("BEGIN", "UPDATE board_job SET views = 0 WHERE false"),
    "read another table": ("BEGIN", "SELECT 1 FROM board_skill"),
    "read another, REPEATABLE READ": ("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1 FROM board_skill"),
}
WANTED = {
    "ALTER TABLE": ALTER,
    "CREATE INDEX": "CREATE INDEX waited ON board_job (views)",
    "CONCURRENTLY": "CREATE INDEX CONCURRENTLY waited ON board_job (views)",
}
WAITS = {
    "read this table": (1, 0, 0),
    "wrote to this table": (1, 1, 1),
    "read another table": (0, 0, 0),
    "read another, REPEATABLE READ": (0, 0, 1),
}


def waits_for(opened, wanted, patience="60ms"):
    """Say whether a statement waits for an open transaction: 1 or 0. Nothing stays."""
    with connect(f"SET lock_timeout = '{patience}'") as other:
        try:
            with connect(*OPEN[opened]):
                if wanted != "CONCURRENTLY":
                    other.execute("BEGIN")
                other.execute(WANTED[wanted])
        except LockNotAvailable:
            return 1
        finally:
            other.execute("ROLLBACK")
            other.execute("DROP INDEX IF EXISTS waited")
    return 0


@pytest.mark.parametrize("opened", OPEN)
def test_who_waits_for_an_open_transaction(session, opened):
    for wanted, waits in zip(WANTED, WAITS[opened], strict=True):
        # Where nobody should wait, a busy machine must not look like a lock.
        assert waits_for(opened, wanted, "60ms" if waits else "10s") == waits, wanted


def test_what_an_alter_locks(session):
    altering = session("BEGIN", ALTER)
    found = "SELECT mode FROM pg_locks WHERE relation = 'board_job'::regclass AND pid = pg_backend_pid()"
    assert altering.execute(found).fetchall() == [("AccessExclusiveLock",)]


# The index that is built beside the traffic.


@pytest.fixture
def left_invalid(session):
    """Build an index concurrently with a lock_timeout, beside somebody who dumps."""
    other = session(*OPEN["read another, REPEATABLE READ"])
    try:
        with pytest.raises(OperationalError) as error:
            elsewhere(migrate, *TimedIndex.operations)
        assert str(error.value).startswith("canceling statement due to lock timeout")
        other.execute("ROLLBACK")
        yield
    finally:
        session("DROP INDEX IF EXISTS job_views")


def build_it():
    run("SET lock_timeout = '60ms'; SET statement_timeout = '60ms'")  # the migration takes them off
    migrate(*Migration.operations)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("100ms",)


def migrate(*operations):
    state = ProjectState()
    state.add_model(job_state())
    with connection.schema_editor(atomic=False) as editor:
        for operation in operations:
            after = state.clone()
            operation.state_forwards("board", after)
            operation.database_forwards("board", editor, state, after)
            state = after


def job_state():
    from django.apps import apps
    from django.db.migrations.state import ModelState

    job = ModelState.from_model(apps.get_model("board", "Job"))
    plain = {name: field for name, field in job.fields.items() if name in ("id", "views")}
    return ModelState("board", "Job", list(plain.items()))


FLAGS = """SELECT indisvalid, indisready FROM pg_index
           WHERE indexrelid = to_regclass('job_views')"""


def test_lock_timeout_leaves_an_invalid_index(left_invalid, session):
    assert session().execute(FLAGS).fetchall() == [(False, True)]
    with pytest.raises(ProgrammingError) as again:
        elsewhere(migrate, Migration.operations[1])
    assert str(again.value).strip() == 'relation "job_views" already exists'


def test_a_statement_timeout_leaves_one_too(session):
    session(*OPEN["read another, REPEATABLE READ"])
    builder = session("SET statement_timeout = '500ms'")
    try:
        with pytest.raises(QueryCanceled) as ended:
            builder.execute("CREATE INDEX CONCURRENTLY job_views ON board_job (views)")
        assert ended.value.diag.message_primary == "canceling statement due to statement timeout"
        assert session().execute("SELECT indisvalid FROM pg_index WHERE NOT indisvalid").fetchall() == [(False,)]
    finally:
        session("DROP INDEX IF EXISTS job_views")


def test_an_invalid_index_serves_no_query_and_costs_every_write(left_invalid, session):
    other = session("BEGIN", "SET LOCAL enable_seqscan = off")
    plan = other.execute("EXPLAIN SELECT 1 FROM board_job WHERE views = 7").fetchall()
    assert "job_views" not in str(plan)
    assert hot_updates(other) == 0
    other.execute("ROLLBACK")
    other.execute("DROP INDEX job_views")
    other.execute("BEGIN")
    assert hot_updates(other) == 1


def hot_updates(other):
    """Count updates of a counter that left all indexes alone."""
    other.execute("INSERT INTO board_company (id, name, slug, created_at) VALUES (-1, 'A', 'a', now())")
    other.execute(
        """INSERT INTO board_job (id, company_id, title, description, is_open, views, version, created_at)
           VALUES (-1, -1, 'Tester', '', true, 0, 1, now())"""
    )
    count = "SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'board_job'"
    before = other.execute(count).fetchone()[0]
    other.execute("UPDATE board_job SET views = views + 1 WHERE id = -1")
    return other.execute(count).fetchone()[0] - before


def test_drop_it_and_build_it_without_a_lock_timeout(left_invalid, session):
    session("DROP INDEX job_views")
    beside = session(*OPEN["read another, REPEATABLE READ"])
    watcher = session()
    pids = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CREATE INDEX CONC%%'"

    def let_go():
        deadline = time.monotonic() + 60
        while not watcher.execute(pids).fetchall() and time.monotonic() < deadline:
            time.sleep(0.005)
        beside.execute("ROLLBACK")

    thread, _ = behind(let_go)
    elsewhere(build_it)
    thread.join()
    assert session().execute(FLAGS).fetchall() == [(True, True)]


def test_concurrently_in_a_transaction(session):
    with pytest.raises(ActiveSqlTransaction) as refused:
        session("BEGIN", WANTED["CONCURRENTLY"])
    assert refused.value.diag.message_primary == "CREATE INDEX CONCURRENTLY cannot run inside a transaction block"


# The guard.


def test_no_migration_can_stop_the_site():
    loader = MigrationLoader(None)
    ours = [loader.disk_migrations[key] for key in loader.disk_migrations if key[0] in ("board", "accounts")]
    assert len(ours) >= 2
    assert [complaint for one in ours for complaint in complaints(one)] == []


VIEWS = models.Index(fields=("views",), name="job_views")
POSITIVE = models.CheckConstraint(condition=models.Q(salary_min__gte=0), name="job_salary_not_negative")
UNSAFE = {
    "AddIndex": migrations.AddIndex("job", VIEWS),
    "AddConstraint": migrations.AddConstraint("job", POSITIVE),
    "AlterField": migrations.AlterField("job", "views", models.BigIntegerField()),
    "RenameField": migrations.RenameField("job", "views", "seen"),
    "RemoveField": migrations.RemoveField("job", "views"),
}
SAFE = {
    "AddField": migrations.AddField("job", "remote", models.BooleanField(null=True)),
    "AddIndexConcurrently": AddIndexConcurrently("job", VIEWS),
    "RemoveIndexConcurrently": RemoveIndexConcurrently("job", "job_views"),
    "AddConstraintNotValid": AddConstraintNotValid("job", POSITIVE),
    "ValidateConstraint": ValidateConstraint("job", "job_salary_not_negative"),
}


def complaints_of(*operations, **attributes):
    migration = migrations.Migration("0002_change", "board")
    migration.operations = operations
    vars(migration).update(attributes)
    return complaints(migration)


@pytest.mark.parametrize("name", UNSAFE)
def test_it_complains(name):
    (complaint,) = complaints_of(UNSAFE[name])
    assert complaint.startswith(f"{name} on job: ")
    assert complaints_of(UNSAFE[name], safe_because="nobody reads this table yet") == []


@pytest.mark.parametrize("name", SAFE)
def test_it_lets_pass(name):
    assert complaints_of(SAFE[name]) == []


def test_it_looks_at_no_field_that_is_added():
    token = models.UUIDField(db_default=RandomUUID())  # rewrites the table
    assert complaints_of(migrations.AddField("job", "token", token)) == []


def test_it_complains_of_two_tables():
    other = migrations.AddField("application", "remote", models.BooleanField(null=True))
    assert complaints_of(SAFE["AddField"], other) == ["two tables: the first stays locked while the second waits"]
    assert complaints_of(SAFE["AddField"], other, atomic=False) == []
