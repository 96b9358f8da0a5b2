"""A page that shows code or measures has its own test, so that what it claims cannot turn false in silence."""

import ast
from pathlib import Path

from tools.listings import fences
from tools.portable.page import Page
from tools.portable.problem import Problem

WORDS = {"text", "diff", "mermaid"}  # fences that hold no code of the page


def check(page: Page, root: Path) -> list[Problem]:
    """Report a page below docs/<section>/<page>/ that shows code or measures, and has no test of the right name."""
    folder = page.path.parent
    if page.path.name != "README.md" or len(folder.relative_to(root).parts) < 3 or page.text is None:
        return []
    shown = [fence for fence in fences.read(page)[0] if fence.kind not in WORDS]
    if not shown and not (folder / "measure.py").exists():
        return []
    wanted = folder / f"test_{folder.name.replace('-', '_')}.py"
    line = shown[0].line if shown else 1
    if wanted.is_file():
        return _empty(wanted, root)
    message = f"the page {'shows code' if shown else 'measures'} and has no {wanted.name} beside it"
    others = sorted(path.name for path in folder.glob("test_*.py"))
    fix = f"rename {others[0]}" if others else "write what the page claims as tests there"
    return [Problem(page.name, line, "test", message, fix)]


def _empty(path: Path, root: Path) -> list[Problem]:
    name = path.relative_to(root).as_posix()
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        return [Problem(name, line, "test", f"not valid Python: {getattr(error, 'msg', error)}", "correct this line")]
    functions = (n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    if any(found.startswith("test_") for found in functions):
        return []
    return [Problem(name, 1, "test", "it holds no test", "write what the page claims as functions 'test_…'")]
