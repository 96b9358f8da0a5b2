"""The table of versions, from versions.toml, and what is wrong with that file today."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

DATA = "tools/generated/versions.toml"
LOCKS = ("requirements.txt", "examples/jobboard/requirements-dev.txt")


def load(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / DATA).read_text("utf-8"))


def parts(root: Path) -> dict[str, str]:
    """Return the table as Markdown."""
    data = load(root)
    lines = [
        f"Checked on {long(data['checked'])}.",
        "",
        "| Component | Run here | Newest | Supported until | What to know |",
        "| --- | --- | --- | --- | --- |",
    ]
    for entry in data["component"]:
        until = long(entry["until"]) if "until" in entry else "no date given"
        name = f"[{entry['name']}]({entry['source']})"
        lines.append(f"| {name} | {entry['runs']} | {entry['newest']} | {until} | {entry['note']} |")
    return {"versions": "\n".join(lines)}


def problems(root: Path, today: date) -> Iterator[str]:
    """Yield 'path:line: what is wrong; what to do' for a date that has passed and a version that is not installed."""
    text = (root / DATA).read_text("utf-8")
    locks = "\n".join((root / lock).read_text("utf-8") for lock in LOCKS)
    for entry in load(root)["component"]:
        name, where = entry["name"], f"{DATA}:{1 + text[: text.index(entry['name'])].count(chr(10))}"
        if "until" in entry and entry["until"] < today:
            yield (
                f"{where}: support of {name} {entry['runs']} ended on {long(entry['until'])}; "
                f"move the project to a newer series, then write its `runs`, `newest` and `until` here"
            )
        if "lock" in entry:
            found = re.findall(rf"^{re.escape(entry['lock'])}==([^\s;]+)", locks, re.M)
            if not any(f"{version}.".startswith(f"{entry['runs']}.") for version in found):
                installed = ", ".join(dict.fromkeys(found)) or "nothing"
                yield f"{where}: {name} runs {entry['runs']}, the locks install {installed}; write that as `runs`"


def long(day: date) -> str:
    """Return a date as pages write it: 5 May 2027."""
    return f"{day.day} {day:%B %Y}"
