"""Run every test: static checks; the hub, in a real browser too; the pages and the job board, on real servers.

Each part runs on all cores; the counts of all parts stand in the last line. Extra arguments go to the hub's pytest, and
leave the others out: python -m tools.test -k search. A folder below docs runs the tests of its pages alone:
python -m tools.test docs/challenges/n-plus-one (or its README.md, or without docs/).
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from tools import browser
from tools.check import names
from tools.repository import ROOT

JOBBOARD = ROOT / "examples/jobboard"
# These answer in seconds, so they come first: nobody waits minutes for browsers and servers to read of a dead link.
STATIC = ["style", "brief", "pages", "workflows", "templates"]
CORES = max(2, os.cpu_count() or 2)
PYTEST = [sys.executable, "-m", "pytest", "-q"]
# Each worker starts its own servers. A server that the environment names is one, and takes one test at a time.
ON_SERVERS = [] if {"DATABASE_URL", "REDIS_URL"} & set(os.environ) else ["-n", str(min(CORES, 4)), "--dist", "loadfile"]


def hub(arguments: list[str]) -> int:
    """Run the hub's tests; returns pytest's status."""
    return subprocess.run([*PYTEST, "-n", str(CORES), "--dist", "worksteal", *arguments], cwd=ROOT).returncode


def static(arguments: list[str]) -> int:
    return hub([*arguments, *(f"tests/test_{name}.py" for name in STATIC)])


def running(arguments: list[str]) -> int:
    return hub([*arguments, *(f"--ignore=tests/test_{name}.py" for name in STATIC)])


def pages(arguments: list[str], folder: str = "docs") -> int:
    """Run the tests that stand beside the pages, on the job board's servers and settings; returns pytest's status."""
    if not list((ROOT / folder).rglob("test_*.py")):
        print(f"{folder} holds no test; name the folder of a page, such as docs/challenges/n-plus-one", file=sys.stderr)
        return 1
    return run_pages(arguments, folder).returncode


def run_pages(arguments: list[str], folder: str, root: Path = ROOT, **options) -> subprocess.CompletedProcess:
    """Run the tests below a folder of root on the job board's servers and settings; options are subprocess.run's."""
    board, files = root / JOBBOARD.relative_to(ROOT), len(list((root / folder).rglob("test_*.py")))
    settings = ["-c", str(board / "pyproject.toml"), "--rootdir", str(root), "-p", "conftest"]
    path = os.pathsep.join([str(board), str(root)])
    command = [*PYTEST, *(ON_SERVERS if files > 1 else []), *settings, *arguments, folder]
    return subprocess.run(command, cwd=root, env=os.environ | {"PYTHONPATH": path}, **options)


def jobboard(arguments: list[str]) -> int:
    """Run the job board's tests; returns 0 when they pass and, on the oldest Python, every line and branch ran.

    Newer Pythons install a newer Django, whose side of a version branch is then the one that runs.
    """
    tests = [*PYTEST[1:], *ON_SERVERS, *arguments]
    if sys.version_info >= (3, 12):
        return subprocess.run([sys.executable, *tests], cwd=JOBBOARD).returncode
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "erase"], cwd=JOBBOARD)
    steps = [["run", *tests], ["combine", "-q"], ["report"]]
    return next(
        (status for step in steps if (status := subprocess.run([*coverage, *step], cwd=JOBBOARD).returncode)), 0
    )


PARTS = {"static checks": static, "hub": running, "pages": pages, "job board": jobboard}


def counts(report: Path) -> Counter:
    """{passed, failed, skipped: tests} of a pytest report; nothing where pytest ended before it wrote one."""
    if not report.exists():
        return Counter()
    suite = ElementTree.parse(report).getroot()[0]  # noqa: S314  written by our own pytest
    of = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    failed = of["failures"] + of["errors"]
    return Counter(passed=of["tests"] - failed - of["skipped"], failed=failed, skipped=of["skipped"])


def everything() -> int:
    """Run all parts, also after one that failed, and say what came of each; returns the last status that is not 0."""
    begin, status, total, lines = time.monotonic(), 0, Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        for name, part in PARTS.items():
            print(f"The {name}", flush=True)
            start, report = time.monotonic(), Path(folder, f"{name}.xml")
            failed = part([f"--junit-xml={report}"])
            status, found = failed or status, counts(report)
            total += found
            lines.append(f"  {name:14}{summary(found, start)}{f'; status {failed}' if failed else ''}")
    print("", *lines, f"{'FAILED' if status else 'All passed'}: {summary(total, begin)}", sep="\n", flush=True)
    return status


def summary(found: Counter, start: float) -> str:
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    return f"{found['passed']:,} passed, {found['failed']} failed, {found['skipped']} skipped in {minutes}:{seconds:02}"


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
    if not sys.argv[1:]:
        return everything()
    first = folder_of(sys.argv[1])
    return pages([], first) if first.split("/")[0] == "docs" else hub(sys.argv[1:])


def folder_of(name: str) -> str:
    """The folder of a page below docs, however it is named (tools/check/names.py); any other argument as it is."""
    try:
        folder = names.find(ROOT, name).parent.relative_to(ROOT)
    except names.NoPageError:
        return name
    return folder.as_posix() if folder.parts[:1] == ("docs",) else name


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
