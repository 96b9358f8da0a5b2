"""What differs between two machines: twelve tests on two engines, and settings that refuse to start."""

import contextlib
import json
import locale
import os
import platform
import socket
import subprocess
import sys
import tempfile
from decimal import Decimal
from importlib.metadata import distributions
from pathlib import Path

import django
import psycopg
import pytest
from config import environment as parse
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.exceptions import DisallowedHost
from django.core.files.storage import storages
from django.db import (
    DataError,
    IntegrityError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    models,
    transaction,
)
from django.db.transaction import TransactionManagementError
from gunicorn.util import parse_address

HERE = Path(__file__).parent
JOBBOARD = Path(parse.__file__).parent.parent


class Draft(models.Model):
    """A table that both engines can hold; the job board's they cannot."""

    title = models.CharField(max_length=200)
    views = models.PositiveIntegerField(default=0)
    pay = models.DecimalField(max_digits=19, decimal_places=2, null=True)
    facts = models.JSONField(default=dict)

    class Meta:
        app_label = "drift"

    def __str__(self):
        return self.title


# Twelve tests. Each was written on the engine on which it is green.


def a_long_title_is_stored(drafts):
    drafts.create(title="x" * 201)


def a_large_number_is_stored(drafts):
    drafts.create(title="A", views=3_000_000_000)


def a_row_is_locked(drafts):
    assert drafts.select_for_update().first() is None


def an_error_is_caught_and_work_goes_on(drafts):
    with transaction.atomic(using=drafts.db):
        drafts.create(title="A")
        with contextlib.suppress(IntegrityError), connections[drafts.db].cursor() as cursor:
            cursor.execute("UPDATE drift_draft SET views = -1")  # refused by both
        assert drafts.count() == 1


def keys_are_the_same_in_each_test(drafts):
    keys = []
    for _ in range(2):
        with transaction.atomic(using=drafts.db):
            keys.append(drafts.create(title="A").pk)
            transaction.set_rollback(True, using=drafts.db)
    assert keys[0] == keys[1]


def a_search_finds_small_letters(drafts):
    drafts.create(title="Python developer")
    assert drafts.filter(title__contains="python").exists()


def unknown_pay_comes_first(drafts):
    drafts.create(title="known", pay=1)
    drafts.create(title="unknown", pay=None)
    assert drafts.order_by("pay").first().title == "unknown"


def one_draft_for_each_title(drafts):
    drafts.create(title="A")
    drafts.create(title="A")
    assert len(drafts.order_by("title").distinct("title")) == 1


def facts_are_searched(drafts):
    drafts.create(title="A", facts={"remote": True, "days": 4})
    assert drafts.filter(facts__contains={"remote": True}).exists()


def two_people_write(drafts):
    other = connections[drafts.db].copy()
    with transaction.atomic(using=drafts.db), contextlib.closing(other):
        drafts.create(title="mine")
        with other.cursor() as cursor:
            cursor.execute("INSERT INTO drift_draft (title, views, facts) VALUES ('theirs', 0, '{}')")


def a_search_ignores_case_in_french(drafts):
    drafts.create(title="ÉTÉ")
    assert drafts.filter(title__icontains="été").exists()


def money_comes_back_as_it_was(drafts):
    pay = Decimal("12345678901234567.89")
    drafts.create(title="A", pay=pay)
    assert drafts.get().pay == pay


GREEN_ON_SQLITE = {
    a_long_title_is_stored: DataError,
    a_large_number_is_stored: DataError,
    a_row_is_locked: TransactionManagementError,
    an_error_is_caught_and_work_goes_on: InternalError,
    keys_are_the_same_in_each_test: AssertionError,
    a_search_finds_small_letters: AssertionError,
    unknown_pay_comes_first: AssertionError,
}
GREEN_ON_POSTGRESQL = {
    one_draft_for_each_title: NotSupportedError,
    facts_are_searched: NotSupportedError,
    two_people_write: OperationalError,
    a_search_ignores_case_in_french: AssertionError,
    money_comes_back_as_it_was: AssertionError,
}
TWELVE = [*GREEN_ON_SQLITE, *GREEN_ON_POSTGRESQL]


@contextlib.contextmanager
def engines():
    """Give both engines a name and the table; nothing stays."""
    default = connections.settings["default"]
    with tempfile.TemporaryDirectory() as folder:
        wanted = {
            "sqlite": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"{folder}/db.sqlite3",
                "OPTIONS": {"timeout": 0.05},  # how long a second writer waits
            },
            "postgresql": {**default, "NAME": connection.settings_dict["NAME"], "OPTIONS": {}},
        }
        for name, wish in wanted.items():
            connections.settings[name] = connections.configure_settings({"default": wish})["default"]
        try:
            for name in wanted:
                with connections[name].schema_editor() as editor:
                    editor.create_model(Draft)
            yield
        finally:
            with connections["postgresql"].schema_editor() as editor:
                editor.delete_model(Draft)
            for name in wanted:
                connections[name].close()
                del connections[name], connections.settings[name]


def run(test, engine):
    """Run one of the twelve on an empty table; return its error, or None."""
    drafts = Draft.objects.using(engine)
    drafts.all().delete()
    try:
        test(drafts)
    except (AssertionError, django.db.Error, NotSupportedError, TransactionManagementError) as error:
        return error
    return None


@pytest.fixture(scope="module")
def two_engines(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), engines():
        yield


def test_the_suite_runs_on_the_engine_of_production():
    assert connection.vendor == "postgresql"


@pytest.mark.parametrize("test", GREEN_ON_SQLITE)
def test_green_on_sqlite_and_red_on_postgresql(two_engines, test):
    assert run(test, "sqlite") is None
    assert type(run(test, "postgresql")) is GREEN_ON_SQLITE[test]


@pytest.mark.parametrize("test", GREEN_ON_POSTGRESQL)
def test_green_on_postgresql_and_red_on_sqlite(two_engines, test):
    assert run(test, "postgresql") is None
    assert type(run(test, "sqlite")) is GREEN_ON_POSTGRESQL[test]


MESSAGES = [
    (a_long_title_is_stored, "postgresql", "value too long for type character varying(200)"),
    (a_large_number_is_stored, "postgresql", "integer out of range"),
    (a_row_is_locked, "postgresql", "select_for_update cannot be used outside of a transaction."),
    (
        an_error_is_caught_and_work_goes_on,
        "postgresql",
        "current transaction is aborted, commands ignored until end of transaction block",
    ),
    (one_draft_for_each_title, "sqlite", "DISTINCT ON fields is not supported by this database backend"),
    (facts_are_searched, "sqlite", "contains lookup is not supported on this database backend."),
    (two_people_write, "sqlite", "database is locked"),
]


@pytest.mark.parametrize(("test", "engine", "message"), MESSAGES)
def test_what_the_other_engine_says(two_engines, test, engine, message):
    assert str(run(test, engine)).startswith(message)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_through_the_orm_a_caught_error_breaks_the_block_on_both(two_engines, engine):
    def caught(drafts):
        with transaction.atomic(using=drafts.db):
            drafts.create(title="A")
            with contextlib.suppress(IntegrityError):
                drafts.update(views=-1)
            drafts.count()

    assert type(run(caught, engine)) is TransactionManagementError


def test_money_loses_its_last_digits_in_sqlite(two_engines):
    drafts = Draft.objects.using("sqlite")
    drafts.all().delete()
    drafts.create(title="A", pay=Decimal("12345678901234567.89"))
    back = "12345678901234600.00" if django.VERSION < (6, 1) else "12345678901234568.00"
    assert drafts.get().pay == Decimal(back)


# Settings: those of many projects, and those of the job board.


def settings_as_often_written(variables):
    """Read the same six variables; each error hides the next."""
    return {
        "SECRET_KEY": variables["SECRET_KEY"],
        "DEBUG": bool(variables.get("DEBUG", False)),
        "ALLOWED_HOSTS": variables["ALLOWED_HOSTS"].split(","),
        "DATABASE_URL": variables["DATABASE_URL"],
        "REDIS_URL": variables["REDIS_URL"],
        "BROKER_URL": variables["BROKER_URL"],
        "MAIL_URL": variables["MAIL_URL"],
    }


REQUIRED = ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "BROKER_URL", "MAIL_URL"]


def starts_needed(missing, start):
    """Return how often somebody starts it who supplies what it asks for.

    `start` gets the missing variables and returns those that it names.
    """
    missing, starts = set(missing), 1
    while named := start(missing):
        missing -= named
        starts += 1
    return starts


def often_written(missing):
    try:
        settings_as_often_written({name: "x" for name in REQUIRED if name not in missing})
    except KeyError as error:
        return set(error.args)
    return set()


def job_board(missing):
    return {line.split()[1] for line in started(without=missing).stderr.splitlines() if line.startswith("settings: ")}


def started(without=(), **variables):
    """Load the job board's settings in a new process; return how it ended."""
    environment = {name: value for name, value in os.environ.items() if name not in without} | variables
    command = [sys.executable, "-c", "import config.settings"]
    return subprocess.run(command, env=environment, cwd=JOBBOARD, capture_output=True, text=True)


def test_the_job_board_names_all_that_is_missing_at_once():
    done = started(without=["SECRET_KEY", "DATABASE_URL", "MAIL_URL"])
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "settings: SECRET_KEY is missing; give it at least 50 random characters",
        "settings: DATABASE_URL is missing; give it a URL such as postgres://USER:PASSWORD@HOST:5432/NAME",
        "settings: MAIL_URL is missing; give it a URL such as smtp://USER:PASSWORD@HOST:587?tls=starttls or console://",
    ]
    assert "Traceback" not in done.stderr


def test_the_job_board_does_not_start_on_sqlite():
    done = started(DATABASE_URL="sqlite:///db.sqlite3", DEBUG="off")
    assert done.stderr.splitlines() == [
        "settings: DEBUG is 'off', not true or false",
        "settings: DATABASE_URL is not a postgres://HOST URL",
    ]


def test_how_many_starts_it_takes():
    assert starts_needed(REQUIRED, often_written) == 7
    assert starts_needed(REQUIRED, job_board) == 2


def test_the_text_false_is_true():
    variables = dict.fromkeys(REQUIRED, "x")
    assert settings_as_often_written(variables | {"DEBUG": "False"})["DEBUG"] is True
    assert parse.boolean("False") is False


def deploy_check(**variables):
    """Run Django's check of settings for production; return warnings and status."""
    command = [sys.executable, "manage.py", "check", "--deploy"]
    environment = os.environ | {"MAIL_URL": "smtp://mail.example.com:25"} | variables
    done = subprocess.run(command, env=environment, cwd=JOBBOARD, capture_output=True, text=True)
    return done.stderr.count("(security.W"), done.returncode


def test_the_deploy_check_warns_and_is_content():
    assert deploy_check(HTTPS_ONLY="true", DEBUG="true") == (1, 0)


def test_a_mailer_that_only_prints_is_an_error_since_django_6_1():
    _, status = deploy_check(HTTPS_ONLY="true", MAIL_URL="console://")
    assert status == (1 if django.VERSION >= (6, 1) else 0)


# A report to take on both machines and compare.


def report(database=connection):
    """Return what may differ between two machines; no value of a variable."""
    version = ".".join(map(str, database.get_database_version()))
    upper = Path(parse.__file__.replace("environment.py", "ENVIRONMENT.PY"))
    return {
        "machine": f"{platform.system()} {platform.machine()}",
        "file names": "any case" if upper.exists() else "exact case",
        "encoding": locale.getencoding(),
        "python": platform.python_version(),
        "packages": sorted(f"{d.name} {d.version}" for d in distributions()),
        "database": f"{database.vendor} {version}",
        "variables": sorted(set(os.environ) & set(READ)),
    }


READ = [*REQUIRED, "DEBUG", "HTTPS_ONLY", "PROXIES", "STATEMENT_TIMEOUT_MS"]
ELSEWHERE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PROXIES": "1"}


def python(code, cwd=HERE, **variables):
    """Run code in a new process, as another machine would."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | variables
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True)


def differing(ours, theirs):
    return {key for key in ours if ours[key] != theirs[key]}


def test_the_report_names_the_engine(two_engines):
    assert differing(report(connections["postgresql"]), report(connections["sqlite"])) == {"database"}
    assert report(connections["sqlite"])["database"].startswith("sqlite 3.")
    assert report(connections["postgresql"])["database"].startswith("postgresql 18.")


def test_the_report_names_locale_and_variables(db):
    take = "import django, json; django.setup(); import test_works_on_my_machine as page"
    take += "; print(json.dumps(page.report()))"
    theirs = json.loads(python(take, **ELSEWHERE).stdout)
    assert differing(report(), theirs) == {"encoding", "variables"}


def test_a_text_file_is_read_by_the_locale(tmp_path):
    (tmp_path / "jobs.txt").write_text("École", "utf-8")
    read = "print(open('jobs.txt').read())"
    assert python(read, tmp_path, LC_ALL="C.UTF-8", PYTHONUTF8="0").returncode == 0
    failed = python(read, tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert failed.stderr.splitlines()[-1] == (
        "UnicodeDecodeError: 'ascii' codec can't decode byte 0xc3 in position 0: ordinal not in range(128)"
    )


def test_django_takes_the_time_zone_from_its_settings():
    show = "import time; print(time.tzname[0])"
    show += "; from django.conf import settings; settings.TIME_ZONE; print(time.tzname[0])"
    assert python(show, JOBBOARD, TZ="Asia/Tokyo").stdout.split() == ["JST", "UTC"]


# Messages of a first deployment.


def test_a_host_that_is_not_there_and_a_port_that_nobody_listens_on():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        port = taken.getsockname()[1]
        with pytest.raises(psycopg.OperationalError) as refused:
            psycopg.connect(f"host=127.0.0.1 port={port} user=x dbname=x")
    assert str(refused.value).startswith(
        f'connection failed: connection to server at "127.0.0.1", port {port} failed: Connection refused'
    )
    with pytest.raises(psycopg.OperationalError) as unknown:
        psycopg.connect("host=db.invalid user=x dbname=x")
    assert str(unknown.value).startswith("failed to resolve host 'db.invalid'")


def test_a_pool_says_the_reason_in_the_log_alone(caplog):
    wish = {**connections.settings["default"], "HOST": "127.0.0.1", "PORT": 1, "OPTIONS": {"pool": {"timeout": 0.5}}}
    lost = type(connections["default"])(wish, alias="lost")
    try:
        with pytest.raises(psycopg.OperationalError) as error:
            lost.connect()
    finally:
        lost.close_pool()
    assert str(error.value) == "couldn't get a connection after 0.50 sec"
    assert "error connecting in 'pool-" in caplog.text
    assert "Connection refused" in caplog.text


def test_all_privileges_on_the_database_are_none_on_its_schema(db):
    def run(statement):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    run("CREATE ROLE learner")
    run(f'GRANT ALL PRIVILEGES ON DATABASE "{connection.settings_dict["NAME"]}" TO learner')
    run("SET ROLE learner")
    with pytest.raises(ProgrammingError) as refused:
        run("CREATE TABLE mine (id int)")
    assert str(refused.value).startswith("permission denied for schema public")
    run("RESET ROLE")
    run("GRANT CREATE ON SCHEMA public TO learner")
    run("SET ROLE learner")
    run("CREATE TABLE mine (id int)")
    run("RESET ROLE")


def test_a_host_that_is_not_allowed(rf, settings):
    settings.ALLOWED_HOSTS = ["https://jobs.example.com"]  # a scheme matches nothing
    with pytest.raises(DisallowedHost) as refused:
        rf.get("/", HTTP_HOST="jobs.example.com").get_host()
    assert str(refused.value) == (
        "Invalid HTTP_HOST header: 'jobs.example.com'. You may need to add 'jobs.example.com' to ALLOWED_HOSTS."
    )
    settings.ALLOWED_HOSTS = ["jobs.example.com"]
    assert rf.get("/", HTTP_HOST="jobs.example.com").get_host() == "jobs.example.com"


def test_static_files_are_looked_up_only_without_debug(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    files = ManifestStaticFilesStorage()
    settings.DEBUG = True
    assert files.url("admin/css/base.css") == "/static/admin/css/base.css"
    settings.DEBUG = False
    with pytest.raises(ValueError, match="manifest") as missing:
        files.url("admin/css/base.css")
    assert str(missing.value) == "Missing staticfiles manifest entry for 'admin/css/base.css'"


def test_an_old_name_of_the_setting_is_ignored_in_silence(settings):
    settings.STATICFILES_STORAGE = "no.such.Class"
    assert type(storages["staticfiles"]).__name__ == "StaticFilesStorage"


def test_a_variable_that_no_shell_replaced():
    with pytest.raises(RuntimeError) as refused:
        parse_address("0.0.0.0:$PORT")
    assert str(refused.value) == "'$PORT' is not a valid port number."


def test_a_server_on_one_address_is_not_heard_on_another():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), 5).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), 5)
