"""Run the job board on this machine: python examples/jobboard/run_demo.py.

Starts PostgreSQL, Valkey, a Celery worker and gunicorn, fills the database
with the small seed, and stops everything on Ctrl-C, on a signal, and when the
terminal is closed. Nothing is kept.

A program beside the project, not a management command: settings need the
servers' addresses before Django can start, and a command runs after that.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

import django  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connection  # noqa: E402

import local  # noqa: E402
from tools.services import (  # noqa: E402
    ServiceError,
    die_with_parent,
    services,
    shielded,
)

HOST, PORT = "127.0.0.1", os.environ.get("PORT", "8001")
PROGRAMS = {
    # Quiet: no banner, which would hide the addresses that we print.
    "worker": ["celery", "-A", "config", "--quiet", "worker"],
    "web": ["gunicorn", "config.wsgi", "--preload", f"--bind={HOST}:{PORT}"],
}
PROGRAMS["worker"] += ["--loglevel=WARNING", "--concurrency=2"]
PROGRAMS["worker"] += ["--without-gossip"]
PROGRAMS["web"] += ["--threads=4", "--log-level=warning", "--no-control-socket"]
# An open browser may hold a connection: Ctrl-C must not wait 30 s for it.
PROGRAMS["web"] += ["--graceful-timeout=3"]
# What a frontend's own development server usually listens on.
ORIGINS = [
    f"http://{host}:{port}"
    for host in ("localhost", HOST)
    for port in (3000, 5173)
]


def main():
    """Run until Ctrl-C. Returns the exit status."""
    # However it is told to end, it ends as it does by Ctrl-C: else the worker
    # and the web process would go on without their servers.
    closed = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none
    for number in (signal.SIGINT, signal.SIGTERM, closed):
        signal.signal(number, signal.default_int_handler)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(PORT)))
        except (OSError, OverflowError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            message = f"port {PORT}: {reason}. Set PORT to a free one."
            print(f"jobboard: {message}", file=sys.stderr)
            return 1
    with contextlib.ExitStack() as stack:
        try:
            return serve(stack)
        except (ServiceError, CommandError) as error:
            print(f"jobboard: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\njobboard: stopping")
            return 0


def serve(stack):
    """Start everything, say where it is, and wait until a program ends."""
    starting = "PostgreSQL, Valkey, a worker, gunicorn"
    print(f"jobboard: starting {starting}", flush=True)
    lent = stack.enter_context(services())
    static = stack.enter_context(tempfile.TemporaryDirectory())
    origins = ",".join(ORIGINS)
    os.environ.update(
        local.environment(
            lent,
            STATIC_ROOT=static,
            CORS_ALLOWED_ORIGINS=origins,
            CSRF_TRUSTED_ORIGINS=origins,  # to sign in by session from there
        )
    )
    django.setup()
    # Before the web process: it looks for files once, when it starts.
    call_command("collectstatic", interactive=False, verbosity=0)
    running = {}
    for name, command in PROGRAMS.items():
        running[name] = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=HERE,
            preexec_fn=die_with_parent(signal.SIGTERM),  # kill -9, on Linux
        )
        stack.callback(stop, running[name])
    password = secrets.token_urlsafe(9)
    fill_database(password)  # while the two are starting
    wait_until_it_answers(running["web"])
    announce(lent, password)
    return wait_for_one_to_end(running)


def fill_database(password):
    """Create tables and rows. Raises CommandError if there are rows already."""
    call_command("migrate", verbosity=0)
    call_command("seed", size="S", password=password)
    connection.close()
    connection.close_pool()


def wait_until_it_answers(web):
    """Return when the port is open, or the process has ended."""
    with socket.socket() as probe:
        while web.poll() is None and probe.connect_ex((HOST, int(PORT))):
            time.sleep(0.1)


def announce(lent, password):
    """Print the addresses and the people to sign in as."""
    root = f"http://{HOST}:{PORT}"
    print(
        f"\n{lent.origin}\n"
        f"  REST      {root}/api/jobs/\n"
        f"  OpenAPI   {root}/api/docs/\n"
        f"  GraphiQL  {root}/graphql/\n"
        f"  admin     {root}/admin/\n"
        "Sign in as\n"
        "  user40@example.com  who looks for a job\n"
        "  user1@example.com   on the staff of company-1\n"
        "  admin@example.com   who may do everything\n"
        f"with the password {password}\n"
        "Mails are printed here by the worker. Ctrl-C stops everything.",
        flush=True,
    )


def wait_for_one_to_end(running):
    """Return 1 when a program has ended, which none should."""
    while True:
        for name, process in running.items():
            if process.poll() is not None:
                print(f"jobboard: the {name} process ended", file=sys.stderr)
                return 1
        time.sleep(0.5)


def stop(process):
    """Let a program finish what it does; both limit how long that takes."""
    with shielded():  # from a second, impatient Ctrl-C
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
