"""python -m tools.fresh.links [REPORT]: ask every link to another site whether it still answers (lychee).

Prints page, line and what is wrong, writes the same to REPORT, and ends with status 1 when a link is dead.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools import peers
from tools.fresh.report import Entry, Report
from tools.repository import ROOT

LOCK = "tools/fresh/requirements.txt"
VENV = ROOT / ".cache" / "links-venv"
SETTINGS = Path(__file__).with_name("lychee.toml")
LOOKED_AT = ["docs", "examples", "README.md", "CONTRIBUTING.md", ".github"]
FAILED = ("error_map", "timeout_map")


def pages(root: Path) -> list[str]:
    """Return the Markdown files whose links are asked, below the root."""
    found: list[Path] = []
    for name in LOOKED_AT:
        path = root / name
        found += [path] if path.is_file() else path.rglob("*.md")
    return sorted(path.relative_to(root).as_posix() for path in found)


def ask(root: Path, files: list[str]) -> dict[str, Any]:
    """Return what lychee says of the files. Ends the program when it cannot be installed or does not run."""
    try:
        peers.install(LOCK, VENV)
    except peers.PeerError as error:
        sys.exit(str(error))
    done = subprocess.run(
        [peers.program(VENV, "lychee"), "--config", SETTINGS, *files], cwd=root, capture_output=True, text=True
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        sys.exit(f"lychee ended with {done.returncode}: {done.stderr.strip()}")


def dead(answer: dict[str, Any]) -> list[Entry]:
    """Return an entry for each dead link of lychee's answer: 'docs/x/README.md:12', and its address with the reason."""
    found = set()
    for name in FAILED:
        for file, links in answer.get(name, {}).items():
            for link in links:
                line = link.get("span", {}).get("line", 1)
                found.add((file, line, f"{link['url']}: {link['status']['text']}"))
    return [Entry(f"{file}:{line}", what) for file, line, what in sorted(found)]


def main(arguments: list[str], root: Path = ROOT) -> int:
    answer = ask(root, pages(root))
    found = Report(dead(answer))
    for entry in found.entries:
        print(f"{entry.where}: {entry.what}")
    print(f"{answer['total']} links, {answer['unique']} different; {len(found.entries)} dead")
    if arguments:
        found.write(Path(arguments[0]))
    return 1 if found.entries else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
