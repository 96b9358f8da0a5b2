"""python -m tools.fresh.issue KIND REPORT: keep one open issue that says what a scheduled run found, by GitHub's gh.

It opens the issue, renews its text, or closes it when there is nothing left. The label finds it again; only people with
rights in the repository can set one. Status 1 when gh fails.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.fresh import report

KINDS = {
    "packages": ("Newer packages break something", "What fails when every package is as new as its pin allows."),
    "links": ("Links to other sites are dead", "What did not answer, after several tries on one day."),
    "parity": ("Another generator builds another site", "What `make parity` found and nothing explains."),
}
HELP = {
    "packages": "Try it at home: `make newest`. Nobody has to hurry: the locks still install what works.",
    "links": "Try it at home: `make links`. What moved has a new address; what is gone may be in an archive.",
    "parity": "Try it at home: `make parity`. Repair `tools/finish`, or explain it in `tools/parity/explained.toml`.",
}


def gh(*arguments: str) -> str:
    """Run gh and return what it prints. Raises CalledProcessError."""
    return subprocess.run(["gh", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def run_address() -> str:
    server, repository, run = (os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    return f"{server}/{repository}/actions/runs/{run}" if run else ""


def body(kind: str, found: report.Report) -> str:
    """Return the text of the issue."""
    lines = [KINDS[kind][1], "", HELP[kind], ""]
    lines += [f"- {report.code(entry.where)}: {report.code(entry.what)}" for entry in found.entries[: report.MOST]]
    if len(found.entries) > report.MOST:
        lines.append(f"- and {len(found.entries) - report.MOST} more")
    if found.notes:
        lines += ["", "What was different in this run:", ""]
        lines += [f"- {report.code(note)}" for note in found.notes[: report.MOST]]
    address = run_address()
    lines += ["", f"Found by {address}. " if address else ""]
    lines[-1] += "This text is renewed by each run, and the issue is closed by the first run that finds nothing."
    return "\n".join(lines) + "\n"


def roll(kind: str, found: report.Report) -> str:
    """Open, renew or close the issue of a kind; return what was done. Raises CalledProcessError."""
    label = f"scheduled: {kind}"
    listed = gh("issue", "list", "--label", label, "--state", "open", "--limit", "1", "--json", "number")
    number = next((str(issue["number"]) for issue in json.loads(listed)), "")
    if not found.entries:
        if number:
            gh("issue", "close", number, "--comment", f"All well in {run_address() or 'this run'}.")
        return f"closed {number}" if number else "nothing to say"
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "body.md")
        text.write_text(body(kind, found), "utf-8")
        if number:
            gh("issue", "edit", number, "--body-file", str(text))
            return f"renewed {number}"
        gh("label", "create", label, "--color", "BFD4F2", "--description", "Kept by a scheduled run", "--force")
        gh("issue", "create", "--title", KINDS[kind][0], "--label", label, "--body-file", str(text))
        return "opened"


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in KINDS:
        print(f"usage: python -m tools.fresh.issue {{{'|'.join(KINDS)}}} REPORT", file=sys.stderr)
        return 2
    kind, path = arguments
    try:
        found = report.read(Path(path))
    except report.ReportError as error:
        found = report.Report([report.Entry("the scheduled run", f"its report cannot be used: {error}")])
    try:
        print(f"{kind}: {len(found.entries)} found; {roll(kind, found)}")
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"gh failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
