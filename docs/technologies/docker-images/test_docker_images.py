"""Who gets the SIGTERM of a stop, what a linter sees, what lies in the layers."""

import contextlib
import inspect
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path

import local
import pytest

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
BOARD = local.HERE
WAIT = 0.3  # seconds that a request takes
FIRST = 'CMD ["gunicorn", …]'
NO_PORT = "Error: '$PORT' is not a valid port number."

# A Dockerfile that builds and answers.
WRONG = """\
FROM python:latest
ENV SECRET_KEY=abc123
ADD . /app
WORKDIR app
RUN apt-get update
RUN apt-get install -y gcc
RUN pip install -r requirements.txt
EXPOSE 8000
CMD python manage.py runserver 0.0.0.0:8000
"""

# The linter has nothing to say about this one.
PLEASES = """\
FROM python:3.14-slim-trixie
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
CMD ["python", "manage.py", "runserver", "0.0.0.0:8000"]
"""

# The script that many images start with, and the same with one word more.
KEEPS = """\
#!/bin/sh
set -e
echo "Starting"
"$@"
"""
GIVES_WAY = """\
#!/bin/sh
set -e
echo "Starting"
exec "$@"
"""


# The server: the flags of the image, a view that takes a while.


def application(environ, start_response):
    with open(os.environ["BEGUN"], "a") as file:
        file.write(environ["QUERY_STRING"] + "\n")
    time.sleep(float(os.environ["WAIT"]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]


def gunicorn(port, *more):
    """Return the command of the image, for the application above."""
    text = (BOARD / "Dockerfile").read_text("utf-8")
    words = json.loads(text.rpartition("\nCMD ")[2])
    words[:2] = [str(PROGRAMS / words[0]), "view:application"]
    words = [f"--bind=127.0.0.1:{port}" if word.startswith("--bind=") else word for word in words]
    return [word for word in words if not word.startswith("--access")] + ["--log-level=error", *more]


def script(folder, text):
    path = folder / "entrypoint.sh"
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


FORMS = {
    'CMD ["gunicorn", …]': lambda folder, command: command,
    "CMD gunicorn …": lambda folder, command: ["/bin/dash", "-c", shlex.join(command)],
    "CMD exec gunicorn …": lambda folder, command: ["/bin/dash", "-c", f"exec {shlex.join(command)}"],
    "bash, CMD gunicorn …": lambda folder, command: ["/bin/bash", "-c", shlex.join(command)],
    "bash, CMD … | tee log": lambda folder, command: [
        "/bin/bash",
        "-c",
        f"{shlex.join(command)} | tee {folder}/log",
    ],
    'script: "$@"': lambda folder, command: [script(folder, KEEPS), *command],
    'script: exec "$@"': lambda folder, command: [script(folder, GIVES_WAY), *command],
}
# As an engine does: a process namespace of its own, in which the command is 1.
AS_PROCESS_1 = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]


class Container:
    """A server as process 1; `ask` sends a request."""

    def __init__(self, process, port, begun):
        self.process, self.port, self.begun = process, port, begun
        self.pid = process.pid

    def ask(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/?{name}", timeout=60) as answer:
            return answer.read()

    def has_begun(self, name):
        return self.begun.exists() and name in self.begun.read_text().split()

    @property
    def program(self):
        """What process 1 is."""
        return Path(f"/proc/{self.pid}/comm").read_text().strip()

    def stop(self, grace):
        """Do what `docker stop` does. Return the seconds until the end."""
        began = time.perf_counter()
        os.kill(self.pid, signal.SIGTERM)
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait(10)
        return time.perf_counter() - began


@contextlib.contextmanager
def run(form, folder, *more, namespace=True, wait=WAIT):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = FORMS[form](folder, gunicorn(port, *more))
    (folder / "view.py").write_text(f"import os\nimport time\n\n\n{inspect.getsource(application)}")
    begun, log = folder / "begun", folder / "stderr"
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"WAIT": str(wait), "BEGUN": str(begun)}
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*(AS_PROCESS_1 if namespace else []), *command],
            cwd=folder,
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    container = Container(process, port, begun)
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        assert process.poll() is None, log.read_text()
        if namespace:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            container.pid = int(children.read_text())
        yield container
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def stop_under_load(container, grace, clients=8):
    """Stop it while clients ask without a pause, each until something fails."""
    ended, started, stopping = {}, {}, threading.Event()

    def client(number):
        for n in range(1_000_000):
            name = f"{number}-{n}"
            started[name] = stopping.is_set()
            try:
                container.ask(name)
            except OSError:
                ended[name] = "failed"
                return
            ended[name] = "answered"

    threads = [threading.Thread(target=client, args=[number]) for number in range(clients)]
    for thread in threads:
        thread.start()
    while not all(container.has_begun(f"{number}-0") for number in range(clients)):
        time.sleep(0.02)
    stopping.set()
    seconds = container.stop(grace)
    for thread in threads:
        thread.join()
    begun = container.begun.read_text().split()
    failed = [name for name, how in ended.items() if how == "failed"]
    return seconds, {
        "taken on": sum(started[name] for name in begun),
        "cut off": sum(name in begun for name in failed),
        "refused": sum(name not in begun for name in failed),
    }


# What runs again: the rule of the build cache.


def runs_again(dockerfile, changed):
    """Return the RUN steps that a changed file makes run again."""
    again, stale, stale_stages, stage = [], False, set(), None
    for line in dockerfile.replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stage, stale = rest.rpartition(" AS ")[2], False
        elif word in ("COPY", "ADD"):
            *sources, _ = rest.split()
            for source in sources:
                origin = source.removeprefix("--from=")
                stale |= origin in stale_stages
                stale |= source == "." or Path(changed).is_relative_to(source)
        elif word == "RUN" and stale:
            again.append(rest)
        if stale:
            stale_stages.add(stage)
    return again


def files_of(lock):
    """Return the bytes that the packages of a lock file take, installed."""
    names = re.findall(r"^([\w.-]+)==", (BOARD / lock).read_text("utf-8"), re.M)
    total = 0
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            for file in metadata.distribution(name).files:
                if (path := Path(file.locate())).exists():
                    total += path.stat().st_size
    return total


def copied_code():
    """Return the bytes of code that the Dockerfile copies."""
    paths = [path for name in ("config", "accounts", "board") for path in (BOARD / name).rglob("*")]
    kept = [p for p in paths if p.is_file() and not {"tests", "__pycache__"} & set(p.parts)]
    return sum(path.stat().st_size for path in [BOARD / "manage.py", *kept])


# Who is process 1, and what a stop does.


def can_be_process_1():
    return bool(shutil.which("unshare")) and not subprocess.run([*AS_PROCESS_1, "true"], capture_output=True).returncode


needs_namespace = pytest.mark.skipif(not can_be_process_1(), reason="this machine gives nobody a PID namespace")
REPLACED = [FIRST, "bash, CMD gunicorn …", 'script: exec "$@"']
KEPT = {"CMD gunicorn …": "dash", "bash, CMD … | tee log": "bash", 'script: "$@"': "entrypoint.sh"}


@contextlib.contextmanager
def one_request(container):
    """Have a request in the middle of its view; yield where its end will stand."""
    found = []

    def client():
        try:
            found.append(container.ask("middle"))
        except OSError as error:
            found.append(error)

    thread = threading.Thread(target=client)
    thread.start()
    while not container.has_begun("middle"):
        time.sleep(0.02)
    yield found
    thread.join()


@pytest.mark.parametrize("form", FORMS)
def test_who_would_get_the_signal(form, tmp_path):
    process = subprocess.Popen(
        FORMS[form](tmp_path, ["sleep", "60"]), stdout=subprocess.DEVNULL, start_new_session=True
    )
    folder = Path(f"/proc/{process.pid}")
    children = folder / "task" / str(process.pid) / "children"
    try:
        while (name := (folder / "comm").read_text().strip()) != "sleep" and not children.read_text():
            time.sleep(0.02)
        assert name == KEPT.get(form, "sleep")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@needs_namespace
@pytest.mark.parametrize("form", REPLACED)
def test_gunicorn_as_process_1_answers_and_ends(form, tmp_path):
    with run(form, tmp_path) as container, one_request(container) as found:
        assert container.stop(grace=10) < 5
    assert found == [b"done"]


@needs_namespace
@pytest.mark.parametrize("form", ["CMD gunicorn …", 'script: "$@"'])
def test_a_shell_as_process_1_ignores_it_until_the_kill(form, tmp_path):
    with run(form, tmp_path, wait=60) as container, one_request(container) as found:
        assert container.stop(grace=0.5) >= 0.5
    assert isinstance(found[0], OSError)


def test_outside_a_container_the_shell_dies_and_the_server_stays(tmp_path):
    with run("CMD gunicorn …", tmp_path, namespace=False) as container:
        assert container.stop(grace=10) < 5
        assert container.process.returncode == -signal.SIGTERM
        assert container.ask("after") == b"done"


@needs_namespace
def test_a_grace_shorter_than_the_request_cuts_it_off_in_any_form(tmp_path):
    with run(FIRST, tmp_path, wait=60) as container, one_request(container) as found:
        assert container.stop(grace=0.5) >= 0.5
    assert isinstance(found[0], OSError)


def test_the_servers_own_grace_is_longer_than_the_default_of_an_engine():
    grace = re.search(r"--graceful-timeout=(\d+)", (BOARD / "Dockerfile").read_text("utf-8"))
    assert int(grace[1]) == 20 > 10


def test_exec_form_expands_no_variable(tmp_path):
    command = [str(PROGRAMS / "gunicorn"), "view:application", "--bind=0.0.0.0:$PORT"]
    done = subprocess.run(command, cwd=HERE, env=os.environ | {"PORT": "8000"}, capture_output=True, text=True)
    assert done.stderr.strip() == NO_PORT
    assert done.returncode == 1


def test_a_shell_that_gives_way_expands_it(tmp_path):
    command = ["/bin/sh", "-c", "exec echo --bind=0.0.0.0:$PORT"]
    done = subprocess.run(command, env={"PORT": "8123"}, capture_output=True, text=True)
    assert done.stdout == "--bind=0.0.0.0:8123\n"


@pytest.mark.parametrize(("port", "address"), [("8123", "0.0.0.0:8123"), (None, "127.0.0.1:8000")])
def test_without_bind_gunicorn_takes_the_port_of_the_environment(port, address):
    program = "from gunicorn.config import Config; print(*(f'{h}:{p}' for h, p in Config().address))"
    environment = {"PORT": port} if port else {}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == address


# What the linter sees.


def codes(dockerfile):
    command = [str(PROGRAMS / "hadolint"), "--no-fail", "--format=json", "-"]
    done = subprocess.run(command, input=dockerfile, capture_output=True, text=True, check=True)
    return [(found["line"], found["code"]) for found in json.loads(done.stdout)]


def test_what_the_linter_finds_in_the_wrong_one():
    assert codes(WRONG) == [
        (1, "DL3007"),
        (2, "DL3064"),
        (3, "DL3020"),
        (4, "DL3000"),
        (5, "DL3009"),
        (6, "DL3059"),
        (6, "DL3008"),
        (6, "DL3015"),
        (7, "DL3059"),
        (7, "DL3042"),
        (9, "DL3025"),
    ]
    assert len(codes(WRONG)) == 11


def test_what_pleases_the_linter_and_is_still_wrong():
    assert codes(PLEASES) == []
    assert "USER" not in PLEASES
    assert any("pip" in step for step in runs_again(PLEASES, "board/api/views.py"))


def test_ours_pleases_it_too():
    assert codes((BOARD / "Dockerfile").read_text("utf-8")) == []


# The order of the layers.


def test_a_changed_view_installs_nothing_again():
    ours = (BOARD / "Dockerfile").read_text("utf-8")
    (step,) = runs_again(ours, "board/api/views.py")
    assert "collectstatic" in step
    steps = runs_again(ours, "requirements.txt")
    assert len(steps) == 2
    assert "pip install" in steps[0]
    assert runs_again(ours, "board/tests/test_jobs.py")  # the rule; .dockerignore is what hides tests
    assert len(runs_again(WRONG, "board/api/views.py")) == 3


def test_what_the_packages_take_and_the_code():
    assert files_of("requirements-dev.txt") > 1.5 * files_of("requirements.txt") > 20 * copied_code()
