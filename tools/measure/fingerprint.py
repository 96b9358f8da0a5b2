"""Hashes of code that stay the same when only comments, docstrings or formatting change.

The hash is of the syntax tree, written out here rather than with ast.dump: that prints other fields in each version of
Python, and a result measured with one must pass the check on another.
"""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from tools import symbols

NOT_CODE = {"ctx", "kind", "type_comment", "type_ignores"}
HAS_DOCSTRING = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def of_reference(root: Path, reference: str) -> str:
    """Return the hash of path::symbol, or of a whole file. Raises OSError, SyntaxError or symbols.SymbolError."""
    name, _, symbol = reference.partition("::")
    path = root / name
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        return of_text("\n".join(line.rstrip() for line in text.strip().splitlines()))
    if not symbol:
        return of_text(canonical(ast.parse(text)))
    first, last = symbols.lines(path, symbol)
    return of_text(_symbol(ast.parse(text), first, last))


def of_script(path: Path) -> str:
    """Return the hash of a measure.py, without GIVEN: what the prose may name does not change what was measured."""
    tree = ast.parse(path.read_text("utf-8"))
    tree.body = [
        node
        for node in tree.body
        if not (
            isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "GIVEN"
        )
    ]
    return of_text(canonical(tree))


def of_text(text: str) -> str:
    """Return 12 hexadecimal digits: enough to see a change, short enough for a table."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def canonical(node: object) -> str:
    """Write a syntax tree out, the same in every version of Python."""
    if isinstance(node, list):
        return f"[{','.join(map(canonical, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if name not in NOT_CODE}
    if isinstance(node, ast.JoinedStr):  # Python 3.12 ends a nested format with an empty string
        fields["values"] = [part for part in node.values if not isinstance(part, ast.Constant) or part.value != ""]
    if isinstance(node, HAS_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = fields["body"][1:]
    written = [f"{name}={canonical(value)}" for name, value in fields.items() if value is not None and value != []]
    return f"{type(node).__name__}({','.join(written)})"


def _symbol(tree: ast.Module, first: int, last: int) -> str:
    """Write out the statements that stand in exactly these lines, decorators included."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            starts = [node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]
            if (min(starts), node.end_lineno) == (first, last):
                found.append(canonical(node))
    return "\n".join(found)
