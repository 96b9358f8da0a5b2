"""The pages that measure, and what their measure.py declares. Nothing here imports or runs a page's code."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.measure import MeasureError, fingerprint
from tools.symbols import SymbolError

# What measure.py may declare: its kind, and an example for who wrote another.
FORMS = {
    "MEASURES": (list, 'MEASURES = ["examples/jobboard/board/querysets.py::JobQuerySet.open"]'),
    "GIVEN": (dict, 'GIVEN = {"500 ms": "the lock_timeout that we set"}'),
    "PACKAGES": (list, 'PACKAGES = ["celery"]'),
}


@dataclass(frozen=True, order=True)
class Page:
    """A page folder; `name` is its path below docs, such as challenges/n-plus-one."""

    name: str
    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "docs" / self.name

    @property
    def script(self) -> Path:
        return self.folder / "measure.py"

    @property
    def results(self) -> Path:
        return self.folder / "results.txt"

    @property
    def picture(self) -> Path:
        return self.folder / "results.svg"

    @property
    def command(self) -> str:
        return f"make measure PAGE={self.name}"

    def where(self, path: Path, line: int = 1) -> str:
        return f"{path.relative_to(self.root).as_posix()}:{line}"


def measured(root: Path) -> list[Page]:
    """Return every page with a measure.py, by name."""
    return sorted(Page(path.parent.relative_to(root / "docs").as_posix(), root) for path in _scripts(root))


def _scripts(root: Path) -> list[Path]:
    return list((root / "docs").glob("*/*/measure.py"))


def find(root: Path, name: str) -> Page:
    """Return the page of a name as people write it. Raises MeasureError with the near names, on one line."""
    wanted = name.strip("/").removesuffix("/README.md").removesuffix("/measure.py").removeprefix("docs/")
    known = {page.name: page for page in measured(root)}
    if wanted in known:
        return known[wanted]
    folder = (root / "docs" / wanted / "README.md").exists()
    problem = f"the page {wanted} has no measure.py" if folder else f"there is no page {wanted}"
    last = {key.rpartition("/")[2]: key for key in known}
    near = difflib.get_close_matches(wanted, known, 3, 0.5)
    near += [last[key] for key in difflib.get_close_matches(wanted.rpartition("/")[2], last, 3, 0.5)]
    if near:
        raise MeasureError(f"{problem}; near: {', '.join(dict.fromkeys(near))}")
    raise MeasureError(f"{problem}; pages that measure: {', '.join(known) or 'none'}")


def declaration(page: Page, name: str) -> Any:
    """Return the literal that measure.py assigns to one of FORMS, or an empty one. Raises MeasureError."""
    kind, form = FORMS[name]
    try:
        tree = ast.parse(page.script.read_text("utf-8"))
    except SyntaxError as error:
        raise MeasureError(f"{page.where(page.script, error.lineno or 1)}: {error.msg}") from None
    except UnicodeDecodeError:
        raise MeasureError(f"{page.where(page.script)}: it is not text in UTF-8; save it as such") from None
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            where = page.where(page.script, node.lineno)
            try:
                found = ast.literal_eval(node.value)
            except ValueError:
                raise MeasureError(f"{where}: {name} must be written out, without names or calls") from None
            if not isinstance(found, kind) or not all(isinstance(entry, str) for entry in found):
                raise MeasureError(f"{where}: {name} has another form; write {form}")
            return found
    return kind()


def fingerprints(page: Page) -> dict[str, str]:
    """Return what was measured -> its hash: measure.py itself, then each of MEASURES. Raises MeasureError."""
    measures, *_ = [declaration(page, name) for name in FORMS]
    if not measures:
        raise MeasureError(f"{page.where(page.script)}: say which code it measures: {FORMS['MEASURES'][1]}")
    found = {"measure.py": fingerprint.of_script(page.script)}
    for name in measures:
        try:
            found[name] = fingerprint.of_reference(page.root, name)
        except (SymbolError, OSError, SyntaxError, UnicodeDecodeError) as error:
            line = 1 + page.script.read_text("utf-8").partition(name)[0].count("\n")
            absent = "there is no such file; write its path from the root of the repository"
            problem = absent if isinstance(error, OSError) else str(error)
            problem = "it is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else problem
            problem = f"line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else problem
            raise MeasureError(f"{page.where(page.script, line)}: {name.partition('::')[0]}: {problem}") from None
    return found
