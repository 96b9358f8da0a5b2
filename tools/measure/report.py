"""results.txt: its text, its seal, how it is read back, and how it replaces the old one."""

from __future__ import annotations

import contextlib
import os
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path

from tools.measure.fingerprint import of_text
from tools.measure.results import COLUMNS, Table
from tools.services import shielded

LABEL = 10  # columns of the names below the tables
ENTRY = re.compile(r"([0-9a-f]{12}) (\S+)")
FOOT = "\ndata      "  # what is above it was measured; this line and those below say on what


def text(tables: list[Table], facts: Mapping[str, str], conditions: Mapping[str, str], code: Mapping[str, str]) -> str:
    """Return results.txt without its seal. Raises MeasureError if a table is too wide."""
    data = "; ".join(f"{size}: {fact}" for size, fact in facts.items()) or "none"
    lines = ["\n\n\n".join(table.text() for table in tables), ""]
    for name, value in {"data": data, **conditions}.items():
        lines += textwrap.wrap(
            value, COLUMNS, initial_indent=f"{name:{LABEL}}", subsequent_indent=" " * LABEL, break_on_hyphens=False
        )
    for number, (name, digest) in enumerate(code.items()):
        line = f"{'' if number else 'code':{LABEL}}{digest} {name}"
        if len(line) > COLUMNS and "::" in name:  # a long path; its symbol on the next line
            line = line.replace("::", f"::\n{'':{LABEL + 13}}")
        lines.append(line)
    return "\n".join(lines) + "\n"


def sealed(body: str, svg: str) -> str:
    """Return the text with a last line that a change by hand, of the text or of the picture, would break."""
    return f"{body}{'seal':{LABEL}}{of_text(body + svg)}\n"


def is_intact(report: str, svg: str) -> bool:
    """Say whether the two files are as they were written together."""
    body = "".join(report.splitlines(keepends=True)[:-1])
    return report == sealed(body, svg)


def measured_code(report: str) -> dict[str, str]:
    """Return what was measured -> its hash at that time."""
    code = re.sub(r"::\n\s+", "::", report.rpartition("\ncode ")[2].partition("\nseal ")[0])
    return {name: digest for digest, name in ENTRY.findall(code)}


def replace(files: Mapping[Path, str]) -> None:
    """Write all files or none: new ones are complete on the disk before the first old one goes."""
    new = {path: path.with_name(f".{path.name}.new") for path in files}
    try:
        for path, content in files.items():
            new[path].write_text(content, "utf-8", newline="\n")
        with shielded():
            for path, written in new.items():
                os.replace(written, path)
    finally:
        for written in new.values():
            with contextlib.suppress(OSError):
                written.unlink()
