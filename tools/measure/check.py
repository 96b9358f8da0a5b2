"""Whether results are current and prose says only what was measured. It starts no server and runs no page's code."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tools.measure import MeasureError, claims, pages, report
from tools.measure.pages import Page
from tools.portable.problem import Problem


def check(root: Path, wanted: list[Page] | None = None) -> list[Problem]:
    """Return the problems of the wanted pages, which need not measure, or of all pages, sorted by page."""
    problems = []
    for page in pages.measured(root) if wanted is None else wanted:
        try:
            problems += _stale(page) if page.script.exists() else []
        except MeasureError as error:
            problems.append(str(error))
        except UnicodeDecodeError:
            what = "results.txt or results.svg is not text in UTF-8"
            problems.append(f"{page.where(page.results)}: {what}; measure again: {page.command}")
    texts = sorted((root / "docs").rglob("*.md")) if wanted is None else [page.folder / "README.md" for page in wanted]
    for path in texts:
        problems += _unmeasured(root, path) if path.is_file() else []
    problems += _misplaced(root, (root / "docs").rglob("*") if wanted is None else _beside(wanted))
    return [Problem.parse(problem, "measured") for problem in problems]


def _beside(wanted: list[Page]) -> list[Path]:
    return [path for page in wanted for path in page.folder.glob("*")]


def _misplaced(root: Path, paths: Iterable[Path]) -> list[str]:
    """Results that no measure.py made, and a measure.py that no run would find."""
    problems = []
    for path in sorted(paths):
        name = path.relative_to(root).as_posix()
        if path.match("results.*") and not (path.parent / "measure.py").exists():
            problems.append(f"{name}:1: nothing says how this was measured; add measure.py, or delete it")
        if path.name == "measure.py" and len(path.relative_to(root).parts) != 4:
            problems.append(f"{name}:1: it is never run; move it to the folder of a page, docs/<section>/<page>/")
    return problems


def _stale(page: Page) -> list[str]:
    again = f"measure again: {page.command}"
    now = pages.fingerprints(page)
    if not page.results.exists():
        return [f"{page.where(page.script)}: it was never run; measure: {page.command}"]
    where = page.where(page.results)
    if not page.picture.exists():
        return [f"{where}: results.svg is missing; {again}"]
    text = page.results.read_text("utf-8")
    if not report.is_intact(text, page.picture.read_text("utf-8")):
        return [f"{where}: results.txt or results.svg was changed by hand, or one of them is older; {again}"]
    then = report.measured_code(text)
    if then.get("measure.py") != now["measure.py"]:
        return [f"{where}: measure.py has changed since; {again}"]
    changed = [name.removeprefix("examples/jobboard/") for name in now if now[name] != then.get(name)]
    return [f"{where}: the measured code has changed ({', '.join(changed)}); {again}"] if changed else []


def _unmeasured(root: Path, path: Path) -> list[str]:
    where = path.relative_to(root).as_posix()
    try:
        found = list(claims.check(root, path))
    except (MeasureError, SyntaxError, UnicodeDecodeError, OSError):
        return []  # reported with its place by _stale, by tools.listings or by tools.portable
    advice = "write the number that was measured, put code in backticks, or name it in GIVEN of measure.py"
    return [
        f"{where}:{line}: '{claim}' is in no results.txt and no test of this page; {advice}" for line, claim in found
    ]
