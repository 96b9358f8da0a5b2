"""Run the measure.py of pages on the servers, and write what they recorded."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from tools.measure import MeasureError, machine, pages, picture, report
from tools.measure.databases import Databases
from tools.measure.lab import Lab
from tools.measure.pages import Page
from tools.services import services


def run(root: Path, wanted: list[Page], say: Callable[[str], None]) -> int:
    """Measure pages one after the other; a failed one does not stop the others. Return how many failed."""
    # Hashes first: code is imported once, so what was read now is what runs, whoever saves a file meanwhile.
    before = {page: (pages.fingerprints(page), _bytes(page)) for page in wanted}
    for page in wanted:
        machine.installed(pages.declaration(page, "PACKAGES"), page.where(page.script))
    failed = []
    with services() as lent, contextlib.closing(Databases(lent, root, say)) as databases:
        for number, page in enumerate(wanted, 1):
            say(f"[{number} of {len(wanted)}] {page.name}")
            try:
                _measure(page, databases, say, *before[page])
            except (Exception, SystemExit) as error:
                failed.append(page)
                say(f"{_reason(page, error)}; the old results stay")
    return len(failed)


def _measure(page: Page, databases: Databases, say: Callable[[str], None], code: dict, sources: dict) -> None:
    lab = Lab(databases, say)
    with _imported(page) as module:
        if not callable(getattr(module, "measure", None)):
            raise MeasureError(f"{page.where(page.script)}: it has no function measure(lab)")
        module.measure(lab)
    if not lab.tables:
        raise MeasureError(f"{page.where(page.script)}: measure(lab) recorded nothing")
    conditions = {
        "machine": machine.machine(),
        "versions": machine.versions(databases.services, pages.declaration(page, "PACKAGES")),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "command": page.command,
    }
    tables = list(lab.tables.values())
    svg = picture.draw(tables, lab.pictured)
    body = report.text(tables, lab.facts, conditions, code)
    if _bytes(page) != sources:
        raise MeasureError("its code was changed while it was measured")
    report.replace({page.picture: svg, page.results: report.sealed(body, svg)})
    say(f"wrote {page.where(page.results).partition(':')[0]} and results.svg")


def _bytes(page: Page) -> dict[str, bytes]:
    """Return the files that the results depend on."""
    paths = {page.script, *(page.root / name.partition("::")[0] for name in pages.declaration(page, "MEASURES"))}
    return {str(path): path.read_bytes() for path in paths}


@contextlib.contextmanager
def _imported(page: Page) -> Iterator[ModuleType]:
    """Import measure.py, with its folder on the path for as long as it runs; leave nothing of it behind."""
    before, writes = set(sys.modules), sys.dont_write_bytecode
    sys.path.insert(0, str(page.folder))
    sys.dont_write_bytecode = True  # no __pycache__ among the pages
    try:
        spec = importlib.util.spec_from_file_location("measure", page.script)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.dont_write_bytecode = writes
        sys.path.remove(str(page.folder))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(page.folder)):
                del sys.modules[name]


def _reason(page: Page, error: BaseException) -> str:
    """Return one line: where in measure.py it happened, and what."""
    if str(error).startswith("docs/"):
        return str(error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == page.script]
    text = " ".join(str(error).split())
    if "relation" in text and "does not exist" in text:
        text += " (the tables are there inside: with lab.dataset('S'))"
    where = page.where(page.script, frames[-1].lineno or 1 if frames else 1)
    if isinstance(error, MeasureError):
        return f"{where}: {text}"
    return f"{where}: {type(error).__name__}{': ' if text else ''}{text}"
