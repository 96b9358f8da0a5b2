"""python -m tools.fresh.packages [--test [REPORT]]: what is newer than the locks, within what the pins allow.

Resolves in a copy below .cache/newest, so that nothing here changes; the copy is of the last commit. With --test it
runs `make test` there, writes what failed to REPORT, and ends with status 1 when something did.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import date, timedelta
from pathlib import Path

from tools import lock
from tools.fresh.report import Entry, Report
from tools.generated import versions
from tools.repository import ROOT

FOLDER = ROOT / ".cache" / "newest"
SOURCES = ["pyproject.toml", lock.JOBBOARD]
PIN = re.compile(r'^(\s*")([A-Za-z0-9-]+)((?:\[[^\]]*\])?)==(\d+(?:\.\d+)?)[^\s;"]*', re.M)
LOCKED = re.compile(r"^([a-z0-9-]+)==([^\s;]+)((?: ; [^\\]*)?)", re.M)
SOON = timedelta(days=180)
FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)(?: - (.*))?$", re.M)
# Holds versions.toml to the locks: here they differ on purpose.
LEFT_OUT = "tests/test_generated.py::test_no_support_date_has_passed_and_every_version_is_the_installed_one"


def loosened(text: str, fixed: list[str]) -> str:
    """Return a pyproject.toml whose exact pins, but for the fixed ones, may rise within their major version."""
    return PIN.sub(lambda pin: pin[0] if pin[2] in fixed else f"{pin[1]}{pin[2]}{pin[3]}~={_two(pin[4])}", text)


def _two(version: str) -> str:
    return version if "." in version else f"{version}.0"  # ~=27 is no specifier


def copy(folder: Path = FOLDER) -> Path:
    """Clone the last commit, with its history (the dates of the pages come from it), and loosen its pins."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, folder], check=True)
    origin = subprocess.run(["git", "-C", ROOT, "remote", "get-url", "origin"], capture_output=True, text=True).stdout
    if origin.strip():
        subprocess.run(["git", "-C", folder, "remote", "set-url", "origin", origin.strip()], check=True)
    fixed = tomllib.loads((folder / SOURCES[0]).read_text("utf-8"))["tool"]["newest"]["fixed"]
    for name in SOURCES:
        path = folder / name
        path.write_text(loosened(path.read_text("utf-8"), fixed), "utf-8")
    return folder


def resolve(folder: Path) -> list[str]:
    """Resolve the copy's locks to the newest packages; return 'package old -> new' for each that rose.

    Ends the program when they cannot be resolved.
    """
    before = locked(folder)
    done = subprocess.run([sys.executable, "-m", "tools.lock"], cwd=folder, env=os.environ | {"UPGRADE": "1"}, stdout=2)
    if done.returncode:
        sys.exit("the newest packages cannot be resolved (above)")
    return changes(before, locked(folder))


def locked(folder: Path) -> dict[str, set[str]]:
    """Return {package with its condition: its versions} of all locks."""
    found: dict[str, set[str]] = {}
    for name in lock.LOCKS:
        for package, version, condition in LOCKED.findall((folder / name).read_text("utf-8")):
            found.setdefault(f"{package}{condition.rstrip()}", set()).add(version)
    return found


def changes(before: dict[str, set[str]], after: dict[str, set[str]]) -> list[str]:
    lines = []
    for package in sorted(before.keys() | after.keys()):
        old, new = before.get(package, set()), after.get(package, set())
        if old != new:
            lines.append(f"{package} {' and '.join(sorted(old)) or 'none'} -> {' and '.join(sorted(new)) or 'none'}")
    return lines


def ending(today: date, root: Path = ROOT) -> list[str]:
    """Return a line for each support date of versions.toml that is less than SOON away, the next one first."""
    dated = [entry for entry in versions.load(root)["component"] if "until" in entry and entry["until"] < today + SOON]
    dated.sort(key=lambda entry: entry["until"])
    return [f"{entry['name']} {entry['runs']}: until {versions.long(entry['until'])}" for entry in dated]


def test(folder: Path) -> Report:
    """Run `make test` in the copy, with an environment of its own; return what failed."""
    env = os.environ | {"VENV": str(folder / ".venv"), "PYTEST_ADDOPTS": f"--deselect {LEFT_OUT}"}
    lines, found = [], Report()
    with subprocess.Popen(
        ["make", "--no-print-directory", "test", f"PYTHON={sys.executable}"], cwd=folder, env=env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        found.entries = failures("".join(lines)) or [Entry("make test", f"status {process.returncode}: {_last(lines)}")]
    return found


def failures(output: str) -> list[Entry]:
    """Return an entry for each failed test that pytest names at its end."""
    return [Entry(test, reason or "failed") for test, reason in dict(FAILURE.findall(output)).items()]


def _last(lines: list[str]) -> str:
    return " ".join("".join(lines[-5:]).split())


def main(arguments: list[str]) -> int:
    if arguments[:1] not in ([], ["--test"]) or len(arguments) > 2:
        print("usage: python -m tools.fresh.packages [--test [REPORT]]", file=sys.stderr)
        return 2
    folder = copy()
    risen = resolve(folder)
    print(*(risen or ["Every package is the newest that its pin allows"]), sep="\n")
    if not arguments:
        print("", "Support that ends within half a year:", *(ending(date.today()) or ["none"]), sep="\n")
        return 0
    found = test(folder)
    found.notes = risen
    if len(arguments) == 2:
        found.write(Path(arguments[1]))
    return 1 if found.entries else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
