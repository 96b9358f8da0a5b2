"""Resolve the groups of pyproject.toml into the lock files, for every platform and Python at once.

What a lock already pins stays, unless UPGRADE=1 asks for the newest that pyproject.toml allows.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.11.5"  # the oldest that the locks serve; tools/bootstrap.py asks for it
JOBBOARD = "examples/jobboard/pyproject.toml"
LOCKS = {
    # What the job board's tests need is in it too: all of this lives in one environment.
    "tests/requirements.txt": ["site", "prose", "test", f"{JOBBOARD}:dev"],
    "requirements.txt": ["site"],
    "tools/prose/requirements.txt": ["prose"],
    "tools/bench/requirements.txt": ["bench"],
    "tools/search/requirements.txt": ["search"],
    "tools/fresh/requirements.txt": ["links"],
    "tools/parity/requirements.txt": ["site", "parity"],
    "examples/jobboard/requirements.txt": [f"{JOBBOARD}:runtime"],
    "examples/jobboard/requirements-dev.txt": [f"{JOBBOARD}:dev"],
}
# Resolved alone, the site could get a newer package than the tests allow, and the two would not install together.
WITHIN = dict.fromkeys(["requirements.txt", "tools/prose/requirements.txt"], "tests/requirements.txt")


def command(lock: str, groups: list[str]) -> list[str]:
    """The resolver's command line for one lock file. No address of an index is written into it."""
    options = ["--universal", "--python-version", PYTHON, "--generate-hashes", "--no-annotate", "--quiet"]
    options += ["--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock"]
    if os.environ.get("UPGRADE"):
        options.append("--upgrade")
    if lock in WITHIN:
        options += ["--constraint", WITHIN[lock]]
    for group in groups:
        options += ["--group", group]
    return [sys.executable, "-m", "uv", "pip", "compile", *options, "--output-file", lock]


def main() -> int:
    for lock, groups in LOCKS.items():
        if subprocess.run(command(lock, groups), cwd=ROOT).returncode:
            print(
                f"{lock} is unchanged: the packages of {', '.join(groups)} cannot be resolved (above)", file=sys.stderr
            )
            return 1
        print(f"{lock} resolved")
    return 0


if __name__ == "__main__":
    sys.exit(main())
