"""Where a Python symbol stands in its file."""

import ast
import difflib
from functools import lru_cache
from pathlib import Path

MOST_NAMES = 12  # of those that an error lists


class SymbolError(Exception):
    """A symbol that the file does not have. The message says what it has, the nearest name first."""


@lru_cache(maxsize=256)
def _definitions(text: str) -> dict[str, tuple[int, int]]:
    """Every function, class, method and constant of a file -> (first line with decorators, last line), 1-based."""
    found: dict[str, tuple[int, int]] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *[decorator.lineno for decorator in node.decorator_list]])
                found[prefix + node.name] = (first, node.end_lineno or first)
                if isinstance(node, ast.ClassDef):
                    visit(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        found[prefix + target.id] = (node.lineno, node.end_lineno or node.lineno)

    try:
        visit(ast.parse(text).body, "")
    except SyntaxError as error:
        raise SymbolError(f"is not valid Python: line {error.lineno}: {error.msg}") from None
    return found


def lines(path: Path, symbol: str) -> tuple[int, int]:
    """Return (first, last) line of a symbol such as 'JobQuerySet.open', 1-based, decorators included.

    Raises SymbolError when the file has no such symbol or cannot be parsed.
    """
    known = _definitions(path.read_text("utf-8"))
    if symbol in known:
        return known[symbol]
    # The first part of the name that is unknown is the one to talk about: 'JobQuerySt', not its method.
    parts, parent = symbol.split("."), ""
    while parent + parts[0] in known and len(parts) > 1:
        parent += parts.pop(0) + "."
    names = [key[len(parent) :] for key in known if key.startswith(parent) and "." not in key[len(parent) :]]
    near = difflib.get_close_matches(parts[0], names, 1)
    names = [*near, *(name for name in names if name not in near)]
    listed = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
    raise SymbolError(f"has no '{parts[0]}'; it has: {listed or 'nothing'}")


def listed_lines(path: Path, symbol: str) -> tuple[int, int]:
    """Return the (first, last) line that a listing of the symbol shows: with the comment right above it, too.

    Raises SymbolError as `lines` does.
    """
    first, last = lines(path, symbol)
    text = path.read_text("utf-8").split("\n")
    indent = text[first - 1][: len(text[first - 1]) - len(text[first - 1].lstrip())]
    while first > 1 and text[first - 2].startswith(indent + "#") and not text[first - 2].startswith("#!"):
        first -= 1
    return first, last
