"""Run every test: of the hub on all cores, in a real browser too; then of the pages and the job board, on real servers.

Extra arguments go to the hub's pytest, and leave the others out: python -m tools.test -k search. A folder below docs
runs the tests of its pages alone: python -m tools.test docs/challenges/n-plus-one (or its README.md).
"""

import os
import signal
import subprocess
import sys

from tools import browser
from tools.repository import ROOT

JOBBOARD = ROOT / "examples/jobboard"


def hub(arguments: list[str]) -> int:
    """Run the hub's tests; returns pytest's status."""
    workers = str(max(2, os.cpu_count() or 2))
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "--dist", "worksteal", *arguments]
    return subprocess.run(command, cwd=ROOT).returncode


def pages(folder: str = "docs") -> int:
    """Run the tests that stand beside the pages, on the job board's servers and settings; returns pytest's status."""
    if not any((ROOT / folder).rglob("test_*.py")):
        print(f"{folder} holds no test; name the folder of a page, such as docs/challenges/n-plus-one", file=sys.stderr)
        return 1
    settings = ["-c", str(JOBBOARD / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "conftest"]
    path = os.pathsep.join([str(JOBBOARD), str(ROOT)])
    command = [sys.executable, "-m", "pytest", "-q", *settings, folder]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}).returncode


def jobboard() -> int:
    """Run the job board's tests; returns 0 when they pass and, on the oldest Python, every line and branch ran.

    Newer Pythons install a newer Django, whose side of a version branch is then the one that runs.
    """
    if sys.version_info >= (3, 12):
        return subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=JOBBOARD).returncode
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "erase"], cwd=JOBBOARD)
    steps = [["run", "-m", "pytest", "-q"], ["combine", "-q"], ["report"]]
    return next(
        (status for step in steps if (status := subprocess.run([*coverage, *step], cwd=JOBBOARD).returncode)), 0
    )


def main() -> int:
    # A script that starts a job in the background has it ignore Ctrl-C, and children inherit that; tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):  # ignored below nohup
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        os.environ["CHROMIUM"] = browser.require()
    except browser.NoBrowserError as error:
        print(error, file=sys.stderr)
        return 1
    if sys.argv[1:]:
        first = sys.argv[1].removesuffix("README.md").rstrip("/")
        return pages(first) if first.split("/")[0] == "docs" else hub(sys.argv[1:])
    failed = 0
    for name, suite in (("hub", lambda: hub([])), ("pages", pages), ("job board", jobboard)):
        print(f"The {name}", flush=True)
        failed = suite() or failed
    return failed


if __name__ == "__main__":
    sys.exit(main())
