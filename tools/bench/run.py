"""Runs builds in turn, each in a fresh process, and reads from the kernel what they cost."""

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What a build cost.

    cpu    seconds of user and system time, of the command and all processes that it waited for
    wall   seconds
    peak   MiB of resident memory of the largest single process among those; not their sum
    size   bytes of the output, all files
    pages  HTML files of the output
    """

    cpu: float
    wall: float
    peak: float
    size: int
    pages: int


@dataclass(frozen=True)
class Variant:
    """A build to measure: its command runs in the project's folder and writes into `site` there."""

    name: str
    command: list[str]
    site: str


class BenchError(Exception):
    """A build or a preview that failed. The message says which, with its last lines."""


def output(folder: Path) -> tuple[int, int]:
    """(bytes of all files, number of HTML files) below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files), sum(path.suffix == ".html" for path in files)


def last_lines(text: str, count: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-count:])


def build(variant: Variant, project: Path, env: dict[str, str]) -> Cost:
    """Build cold: without the output and the caches of an earlier build. Raises BenchError when it fails."""
    site = project / variant.site
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen(
            variant.command, cwd=project, env=os.environ | env, stdout=log, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait for it again
        if process.returncode:
            log.seek(0)
            said = last_lines(log.read().decode(errors="replace"))
            raise BenchError(f"{variant.name}: {' '.join(variant.command)} ended with {process.returncode}:\n{said}")
    size, pages = output(site)
    for old in (site, project / ".cache"):
        shutil.rmtree(old, ignore_errors=True)  # 400 MB for bare Material at 1,000 pages
    if not pages:
        raise BenchError(f"{variant.name}: no HTML in {site}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, size, pages)


def interleaved(variants: list[Variant], project: Path, runs: int, env: dict[str, str], say) -> dict[str, list[Cost]]:
    """Build every variant once, then all again: a busy minute of the machine then hits all of them alike."""
    costs: dict[str, list[Cost]] = {variant.name: [] for variant in variants}
    for number in range(1, runs + 1):
        for variant in variants:
            cost = build(variant, project, env)
            costs[variant.name].append(cost)
            say(f"  run {number}/{runs}  {variant.name:<15} {cost.cpu:7.2f} CPU s  {cost.wall:7.2f} s")
    return costs
