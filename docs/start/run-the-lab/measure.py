"""How long the lab takes to stand, and to go."""

import io
import os
import subprocess
import sys
from pathlib import Path

from board.models import Job
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[3]
MEASURES = ["tools/services.py::services", "examples/jobboard/board/management/commands/seed.py::Seed"]
GIVEN = {"5 s": "how long the project waits for a server that a URL names"}

STEPS = "From nothing to rows"
# A process of its own, as `make jobboard` is; without the addresses of the servers that this one uses.
SERVERS = "from tools.services import services\nwith services() as lent: print(lent.origin)"


def servers():
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    command = [sys.executable, "-c", SERVERS]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


def seed():
    call_command("flush", interactive=False, verbosity=0)
    call_command("seed", size="S", verbosity=0, stdout=io.StringIO())
    assert Job.objects.count() == 200


def measure(lab):
    with lab.dataset("S"):
        lab.record(STEPS, "start PostgreSQL and two Valkeys, stop them", timing=lab.time(servers))
        lab.record(STEPS, "empty the tables, write dataset S", timing=lab.time(seed))
