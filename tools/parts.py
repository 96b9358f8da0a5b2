"""Parts of a Markdown file that a tool writes, between two marks, and how a file is replaced."""

from __future__ import annotations

import os
from pathlib import Path

from tools.portable.problem import Problem

STALE = "run: make listings"


def spliced(text: str, name: str, parts: dict[str, str]) -> tuple[str, list[Problem]]:
    """Return the text with each part between its marks, and a problem for each mark that is missing."""
    problems = []
    for part, content in parts.items():
        start, end = f"<!-- {part}:start -->", f"<!-- {part}:end -->"
        before, found, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if found and closed:
            text = f"{before}{start}\n\n{content}\n\n{end}{after}"
        else:
            line = before.count("\n") + (1 if found else 0)
            fix = f"write the two lines '{start}' and '{end}' where it belongs, then {STALE}"
            problems.append(
                Problem(name, max(1, line), "generated", f"the marks of the part '{part}' are missing", fix)
            )
    return text, problems


def replace(path: Path, text: str) -> None:
    """Write a file in one step: a reader, or an interruption, finds the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(text.encode())
        draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
