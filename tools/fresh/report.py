"""What a scheduled run found, as a small JSON file: {"entries": [{"where", "what"}], "notes": [...]}.

The job that writes it runs code that nobody has looked at yet, such as a package of this morning. The job that reads it
may write issues. So whatever is in the file is text from a stranger: short, on one line, and shown as code.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

LARGEST = 500_000  # bytes of the file
MOST = 60  # entries, and notes, that are shown: GitHub takes 65,536 characters in all
LONGEST = 250  # characters of one text


class ReportError(Exception):
    """A file that is no report. The message says why."""


@dataclass(frozen=True)
class Entry:
    """Something to repair: where it is, and what is wrong."""

    where: str
    what: str


@dataclass
class Report:
    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")


def read(path: Path) -> Report:
    """Return a report. Raises ReportError for a file that is missing, too large, or of another form."""
    try:
        if path.stat().st_size > LARGEST:
            raise ReportError(f"it is larger than {LARGEST:,} bytes")
        data = json.loads(path.read_text("utf-8"))
        entries = [Entry(_text(entry["where"]), _text(entry["what"])) for entry in data["entries"]]
        return Report(entries, [_text(note) for note in data["notes"]])
    except FileNotFoundError:
        raise ReportError("it is missing: the run ended before it could write one") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReportError(f"it is no report: {_text(str(error))}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def code(text: str) -> str:
    """Return text as Markdown code, in which no mention, link or tag is read."""
    return f"`{text.replace('`', chr(0x2BC))}`" if text else ""
