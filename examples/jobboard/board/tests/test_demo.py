"""The demo, as somebody uses it on their first day."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

import local
from tools.services import free_port


@pytest.fixture
def demo(tmp_path):
    """Return what starts the demo without the servers of these tests."""
    running = []

    def start(**variables):
        kept = {k: v for k, v in os.environ.items() if not k.endswith("_URL")}
        process = subprocess.Popen(
            [sys.executable, "run_demo.py"],
            cwd=local.HERE,
            env=kept | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def read_until(process, words):
    text = ""
    while words not in text:
        line = process.stdout.readline()
        assert line, text
        text += line
    return text


def programs(process, words="."):
    """Return the processes of a demo whose command holds the words."""
    listed = subprocess.run(
        ["pgrep", "-g", str(process.pid), "-f", words],
        capture_output=True,
        text=True,
    )
    return [int(number) for number in listed.stdout.split()]


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def ask(address, body=None, **headers):
    request = urllib.request.Request(  # noqa: S310
        address,
        json.dumps(body).encode() if body else None,
        {"Content-Type": "application/json"} | headers,
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        return json.load(response)


def test_from_the_start_to_the_mail_of_a_confirmation(demo):
    port = str(free_port())
    process = demo(PORT=port)
    text = read_until(process, "Ctrl-C stops everything.")
    password = re.search("with the password (.+)", text)[1]
    api = f"http://127.0.0.1:{port}/api"
    assert f"{api}/docs/" in text

    credentials = {"email": "user40@example.com", "password": password}
    access = ask(f"{api}/auth/token/", credentials)["access"]
    token = {"Authorization": f"Bearer {access}"}
    jobs = ask(f"{api}/jobs/?sort=title", **token)["results"]
    mine = ask(f"{api}/applications/", **token)["results"]
    applied = {application["job"]["id"] for application in mine}
    job = next(job["id"] for job in jobs if job["id"] not in applied)
    ask(f"{api}/applications/", {"job": job}, **token)
    read_until(process, "To: user40@example.com")

    # Another demo says that the port is taken, and leaves this one alone.
    second = demo(PORT=port)
    out, _ = second.communicate(timeout=20)
    taken = "Address already in use. Set PORT to a free one.\n"
    assert out == f"jobboard: port {port}: {taken}"
    assert second.returncode == 1

    # A program that ends ends everything.
    os.kill(programs(process, "gunicorn")[0], signal.SIGTERM)
    out, _ = process.communicate(timeout=40)
    assert "jobboard: the web process ended" in out
    assert process.returncode == 1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)), 1)


def test_ctrl_c_ends_it_without_a_trace_of_python(demo):
    process = demo(PORT=str(free_port()))
    read_until(process, "starting")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert out.strip() == "jobboard: stopping"
    assert process.returncode == 0


@pytest.mark.parametrize("name", ["SIGHUP", "SIGKILL"])
@pytest.mark.skipif(sys.platform != "linux", reason="kill -9 is seen on Linux")
def test_no_program_goes_on_when_it_is_killed(demo, name):
    process = demo(PORT=str(free_port()))
    wait_for(lambda: programs(process, "gunicorn"))
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=30)
    wait_for(lambda: not programs(process))


def test_a_port_that_is_none_is_one_line(demo):
    for port in ("http", "70000"):
        out, _ = demo(PORT=port).communicate(timeout=30)
        assert out.startswith(f"jobboard: port {port}: ")
        assert out.count("\n") == 1


def test_a_database_that_does_not_answer_is_one_line(demo):
    url = f"postgres://u:p@127.0.0.1:{free_port()}/x"
    process = demo(PORT=str(free_port()), DATABASE_URL=url)
    out, _ = process.communicate(timeout=30)
    assert "\njobboard: DATABASE_URL does not answer" in out
    assert out.count("\n") == 2
    assert process.returncode == 1
