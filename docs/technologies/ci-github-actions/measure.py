"""What zizmor finds before and after each repair, what passes a step, and what the quick steps of a check take here."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from test_ci_github_actions import CHECK, ROOT, SHELLS, findings, stages, step

MEASURES = [
    "docs/technologies/ci-github-actions/test_ci_github_actions.py::BEFORE",
    "docs/technologies/ci-github-actions/test_ci_github_actions.py::REPAIRS",
    "docs/technologies/ci-github-actions/test_ci_github_actions.py::step",
    "docs/technologies/ci-github-actions/test_ci_github_actions.py::SHELLS",
]
FOUND = "Findings of zizmor in one workflow, after each repair"
PIPE = "A failing test behind a pipe, by the shell of the step"
QUICK = "Checks that need no test, in this repository"


def measure(lab):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for stage, text in stages().items():
            lab.record(FOUND, stage, counts={"findings": len(findings(text, folder))})
        script = "echo '1 failed'; exit 1"
        for shell in SHELLS:
            status = step(f'(bash -c "{script}") | tee test.log', folder, shell).returncode
            lab.record(PIPE, shell, counts={"exit status": status})
    with lab.dataset("S"):
        programs = Path(sys.executable).parent
        checks = {
            "zizmor check.yml": ([programs / "zizmor", "--offline", "--no-progress", CHECK], ROOT),
            "ruff check": ([programs / "ruff", "check", "--no-cache", "."], ROOT),
            "makemigrations --check": ([sys.executable, "manage.py", "makemigrations", "--check"], "examples/jobboard"),
        }
        for what, (command, folder) in checks.items():
            lab.say(f"{QUICK}: {what}")

            def run(command=command, folder=folder):
                done = subprocess.run(command, cwd=ROOT / folder, env=os.environ, capture_output=True)
                assert done.returncode == 0, done.stderr

            lab.record(QUICK, what, timing=lab.time(run))
    lab.picture(FOUND, "findings")
