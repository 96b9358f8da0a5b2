"""What a page claims, proved: its code blocks and its tests, as problems with their lines."""

import os
import re
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tools import symbols, test, verify
from tools.check.folder import test_of
from tools.portable.problem import Problem
from tools.services import ServiceError

SHOWN = 160  # characters of what a test says


def blocks(root: Path, path: Path) -> list[Problem]:
    """Run the blocks of a page that are no listings."""
    before = dict(os.environ)
    try:
        return verify.check(root, [path])
    except ServiceError as error:
        name = path.relative_to(root).as_posix()
        return [Problem(name, 1, "blocks", "its blocks cannot be run here", f"services: {error}")]
    finally:  # the board names its servers there, and they are gone now
        os.environ.clear()
        os.environ.update(before)


def tests(root: Path, path: Path) -> tuple[list[Problem], int, str]:
    """Run the tests of a page: (problems, tests that passed, what pytest printed)."""
    file = path.parent / test_of(path.parent)
    if not file.is_file():
        return [], 0, ""
    name, folder = file.relative_to(root).as_posix(), file.parent.relative_to(root).as_posix()
    with tempfile.TemporaryDirectory() as place:
        report = Path(place, "report.xml")
        arguments = [f"--junit-xml={report}", "--tb=short", "-p", "no:cacheprovider"]
        done = test.run_pages(arguments, folder, root, capture_output=True, text=True, encoding="utf-8")
        cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []  # noqa: S314  pytest's own
    problems = [_failure(file, name, case, told) for case in cases for told in case if told.tag in ("failure", "error")]
    printed = done.stdout + done.stderr
    if done.returncode and not problems:
        last = next((line for line in reversed(printed.splitlines()) if line.strip()), f"status {done.returncode}")
        problems = [Problem(name, 1, "test", f"its tests did not run: {last[:SHOWN]}", f"run: make test PAGE={folder}")]
    passed = sum(not any(told.tag in ("failure", "error", "skipped") for told in case) for case in cases)
    return problems, passed, printed if problems else ""


def _failure(file: Path, name: str, case: ElementTree.Element, told: ElementTree.Element) -> Problem:
    """The problem of one test that failed, at the line of its own file where it did."""
    function = case.get("name", "").partition("[")[0]
    lines = re.findall(rf"{re.escape(file.name)}:(\d+):", told.text or "")
    try:
        line = int(lines[-1]) if lines else symbols.lines(file, function)[0]
    except (symbols.SymbolError, UnicodeDecodeError):
        line = 1
    said = " ".join((told.get("message") or "").split())[:SHOWN]
    fix = "make the page, its code and its test agree"
    return Problem(name, line, "test", f"{case.get('name') or 'the file'} fails: {said or told.tag}", fix)
