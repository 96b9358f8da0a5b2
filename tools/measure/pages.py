"""The pages that measure, and what their measure.py declares. Nothing here imports or runs a page's code."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.measure import MeasureError, fingerprint
from tools.symbols import SymbolError


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


def declaration(page: Page, name: str, default: Any = None) -> Any:
    """Return the literal that measure.py assigns to a name. Raises MeasureError where it is not a literal."""
    try:
        tree = ast.parse(page.script.read_text("utf-8"))
    except SyntaxError as error:
        raise MeasureError(f"{page.where(page.script, error.lineno or 1)}: {error.msg}") from None
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                where = page.where(page.script, node.lineno)
                raise MeasureError(f"{where}: {name} must be written out, without names or calls") from None
    return default


def fingerprints(page: Page) -> dict[str, str]:
    """Return what was measured -> its hash: measure.py itself, then each of MEASURES. Raises MeasureError."""
    measures = declaration(page, "MEASURES")
    if not isinstance(measures, list) or not measures or not all(isinstance(name, str) for name in measures):
        example = '"examples/jobboard/board/querysets.py::JobQuerySet.open"'
        where = page.where(page.script)
        raise MeasureError(f"{where}: say which code it measures: MEASURES = [{example}]")
    found = {"measure.py": fingerprint.of_script(page.script)}
    for name in measures:
        try:
            found[name] = fingerprint.of_reference(page.root, name)
        except (SymbolError, OSError, SyntaxError) as error:
            line = 1 + page.script.read_text("utf-8").partition(name)[0].count("\n")
            problem = "there is no such file" if isinstance(error, OSError) else str(error)
            problem = f"line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else problem
            raise MeasureError(f"{page.where(page.script, line)}: {name.partition('::')[0]}: {problem}") from None
    return found
