"""A start of PostgreSQL as its image does it, gates that open too early, and migrations that race."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import local
import psycopg
import pytest
import yaml

from tools import services

PAGE = Path(__file__).with_name("README.md")
PROGRAMS = Path(sys.executable).parent
STACK = yaml.safe_load((local.HERE / "compose.yaml").read_text("utf-8"))

# Valid by the schema, and wrong in seven places.
WRONG = """\
version: "3.9"
services:
  web:
    build: .
    command: sh -c "python manage.py migrate && gunicorn config.wsgi"
    ports: ["8000:8000"]
    depends_on: [db]
  db:
    image: postgres:latest
    ports: ["5432:5432"]
    volumes: ["data:/var/lib/postgresql/data"]
volumes:
  data:
"""


def mistakes(stack):
    """Return what the schema of Compose accepts and we do not."""
    found = ["version: nobody reads it"] if "version" in stack else []
    for name, service in stack["services"].items():
        image = service.get("image", "")
        command, test = (str(service.get(key, "")) for key in ("command", "healthcheck"))
        if isinstance(service.get("depends_on"), list):
            found.append(f"{name}: waits for a start only")
        if "migrate" in command and "gunicorn" in command:
            found.append(f"{name}: each copy migrates")
        if "pg_isready" in test and "--host" not in test:
            found.append(f"{name}: asks the socket, not the network")
        if image.endswith(":latest"):
            found.append(f"{name}: another version tomorrow")
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                found.append(f"{name}: {port} is open to the network")
        for volume in service.get("volumes", []):
            if volume.endswith(":/var/lib/postgresql/data"):
                found.append(f"{name}: wrong place from PostgreSQL 18 on")
    return found


def waves(stack):
    """Return what starts together: each wave needs only the waves before it."""
    left = {name: set(service.get("depends_on", ())) for name, service in stack["services"].items()}
    found = []
    while left:
        found.append(sorted(name for name, needs in left.items() if not needs & left.keys()))
        for name in found[-1]:
            del left[name]
    return found


# A first start, as the image of PostgreSQL does it.


class Database:
    """A cluster; `temporary` and `real` are the two servers of a first start."""

    def __init__(self, home):
        account = services.unprivileged_account()
        self.home, self.port = home, services.free_port()
        socket = ("-c", f"unix_socket_directories={home}")
        self.temporary = services.postgres(home, account, self.port, (*socket, "-c", "listen_addresses="))
        self.real = services.postgres(home, account, self.port, socket)
        self.password = (home / "password").read_text()
        self.url = f"postgres://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    def says_ready(self, *options):
        """Run pg_isready; its own default is the socket, as in the image."""
        program = Path(self.real.command[0]).with_name("pg_isready")
        environment = {"PGHOST": str(self.home), "PGPORT": str(self.port)}
        return subprocess.run([program, *options], env=environment, capture_output=True, text=True)

    def connect(self, **changed):
        return psycopg.connect(**psycopg.conninfo.conninfo_to_dict(self.url) | changed)

    def first_start(self, seconds):
        """Start for the scripts, on the socket only; stop; start for all."""
        self.temporary.start()
        time.sleep(seconds)  # CREATE DATABASE, and your own scripts
        self.temporary.stop()
        self.real.start()


@contextlib.contextmanager
def empty_folder():
    with tempfile.TemporaryDirectory(prefix="compose-") as name:
        home = Path(name)
        home.chmod(0o755)
        if account := services.unprivileged_account():
            os.chown(home, *account)
        yield home


GATES = {
    "none: it was started": None,
    "pg_isready": [],
    "pg_isready --host=127.0.0.1": ["--host=127.0.0.1"],
}


def behind(gate, database, opened):
    """Wait for the gate, then connect once, as migrate does."""
    began = time.perf_counter()
    options = GATES[gate]
    while options is not None and database.says_ready(*options).returncode:
        time.sleep(0.02)
    waited = time.perf_counter() - began
    try:
        database.connect().close()
    except psycopg.OperationalError as error:
        opened[gate] = waited, str(error)
    else:
        opened[gate] = waited, ""


def start_with_clients(seconds):
    """Return for each gate when it opened, and what the client met."""
    opened = {}
    with empty_folder() as home:
        database = Database(home)
        try:
            clients = [threading.Thread(target=behind, args=(gate, database, opened)) for gate in GATES]
            for client in clients:
                client.start()
            database.first_start(seconds)
            for client in clients:
                client.join()
        finally:
            database.temporary.stop()
            database.real.stop()
    return opened


def migrate(url):
    environment = os.environ | {"DATABASE_URL": url}
    pipe = subprocess.PIPE
    command = [sys.executable, "manage.py", "migrate"]
    return subprocess.Popen(command, cwd=local.HERE, env=environment, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture(scope="module")
def database():
    with empty_folder() as home:
        made = Database(home)
        try:
            yield made
        finally:
            made.temporary.stop()
            made.real.stop()


@pytest.fixture
def temporary(database):
    database.temporary.start()
    yield database
    database.temporary.stop()


@pytest.fixture
def real(database):
    database.real.start()
    yield database
    database.real.stop()


REFUSED = """\
connection failed: connection to server at "127.0.0.1", port 5432 failed: Connection refused
	Is the server running on that host and accepting TCP/IP connections?"""


def test_ready_by_the_socket_and_refused_by_the_network(temporary):
    assert temporary.says_ready().returncode == 0
    assert "accepting connections" in temporary.says_ready().stdout
    assert temporary.says_ready("--host=127.0.0.1").returncode == 2
    assert "no response" in temporary.says_ready("--host=127.0.0.1").stdout
    with pytest.raises(psycopg.OperationalError) as caught:
        temporary.connect()
    assert str(caught.value) == REFUSED.replace("5432", str(temporary.port))


def test_the_real_server_answers_both(real):
    assert real.says_ready().returncode == real.says_ready("--host=127.0.0.1").returncode == 0
    real.connect().close()


def test_pg_isready_knows_no_password(real):
    with pytest.raises(psycopg.OperationalError, match='FATAL:  password authentication failed for user "postgres"'):
        real.connect(**{"password": "of the new .env"})
    assert real.says_ready("--host=127.0.0.1").returncode == 0


def test_a_service_name_means_nothing_outside(real):
    with pytest.raises(psycopg.OperationalError, match=r"^failed to resolve host 'db\.invalid': "):
        real.connect(host="db.invalid")
    by_libpq = psycopg.pq.PGconn.connect(b"host=db.invalid")
    assert by_libpq.error_message.startswith(b'could not translate host name "db.invalid" to address: ')


ALONE = """
import fcntl, socket, struct, sys
with socket.socket() as up:  # lo is down in a new network
    fcntl.ioctl(up, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
print(socket.socket().connect_ex(("127.0.0.1", int(sys.argv[1]))))
"""
IN_A_NETWORK_OF_ITS_OWN = ["unshare", "--user", "--map-root-user", "--net"]


def can_have_a_network():
    if not shutil.which("unshare"):
        return False
    return not subprocess.run([*IN_A_NETWORK_OF_ITS_OWN, "true"], capture_output=True).returncode


@pytest.mark.skipif(not can_have_a_network(), reason="this machine gives nobody a network of its own")
def test_localhost_in_a_container_is_the_container(real):
    ask = [
        sys.executable,
        "-c",
        "import socket, sys; print(socket.socket().connect_ex(('127.0.0.1', int(sys.argv[1]))))",
    ]
    assert subprocess.check_output([*ask, str(real.port)]) == b"0\n"
    alone = [*IN_A_NETWORK_OF_ITS_OWN, sys.executable, "-c", ALONE, str(real.port)]
    assert subprocess.check_output(alone) == b"111\n"  # Connection refused


def test_two_migrations_at_once_and_one_fails(real):
    with real.connect() as first, real.connect(dbname="postgres") as watch:
        watch.autocommit = True
        first.execute("CREATE TABLE django_migrations (id bigint)")  # and not committed yet
        second = migrate(real.url)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while second.poll() is None and not watch.execute(waiting).fetchone()[0]:
            time.sleep(0.02)
        first.commit()
        _, errors = second.communicate()
        first.execute("DROP TABLE django_migrations")
    assert second.returncode == 1
    assert 'duplicate key value violates unique constraint "pg_type_typname_nsp_index"' in errors
    assert "Unable to create the django_migrations table" in errors


# The file.


def by_the_schema(text, folder):
    path = folder / "compose.yaml"
    path.write_text(text)
    command = [str(PROGRAMS / "check-jsonschema"), "--builtin-schema=vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_schema_accepts_seven_mistakes(tmp_path):
    assert by_the_schema(WRONG, tmp_path).returncode == 0
    assert mistakes(yaml.safe_load(WRONG)) == [
        "version: nobody reads it",
        "web: waits for a start only",
        "web: each copy migrates",
        "web: 8000:8000 is open to the network",
        "db: another version tomorrow",
        "db: 5432:5432 is open to the network",
        "db: wrong place from PostgreSQL 18 on",
    ]
    assert len(mistakes(yaml.safe_load(WRONG))) == 7


def test_the_schema_refuses_a_misspelt_condition(tmp_path):
    text = WRONG.replace("[db]", "{db: {condition: healthy}}")
    refused = by_the_schema(text, tmp_path)
    assert refused.returncode == 1
    assert "'healthy' is not one of" in refused.stdout


def test_a_gate_without_host_is_a_mistake():
    stack = {"services": {"db": {"healthcheck": {"test": ["CMD", "pg_isready"]}}}}
    assert mistakes(stack) == ["db: asks the socket, not the network"]


def test_ours_has_none_of_them():
    assert mistakes(STACK) == []
    assert waves(STACK) == [["broker", "cache", "db"], ["migrate"], ["beat", "web", "worker"]]


def test_the_page_shows_what_the_file_says():
    block = PAGE.read_text("utf-8").split("```yaml\n")[1].partition("```")[0]
    for name, service in yaml.safe_load(block)["services"].items():
        assert service.items() <= STACK["services"][name].items(), name
