"""Run one of the two tools, once for all pages."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

LONGEST = 60  # seconds; both need less than one for all pages


class ProgramError(Exception):
    """A tool that is missing, fails or does not end. The message names it and the cause."""


def findings(program: str, *arguments: str, folder: Path, text: str = "") -> list[dict]:
    """What a program of this environment finds, one dictionary of its JSON lines each. `text` goes to its input.

    Raises ProgramError.
    """
    found = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if not found:
        raise ProgramError(f"{program} is not installed, or has no build for this machine")
    try:
        done = subprocess.run(
            [found, *arguments], cwd=folder, input=text, capture_output=True, encoding="utf-8", timeout=LONGEST
        )
        return [json.loads(line) for line in done.stdout.splitlines()] if done.stdout or not done.stderr else _no(done)
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{program} did not end within {LONGEST} s") from None
    except ValueError as error:
        raise ProgramError(f"{program} printed no JSON: {error}") from error


def _no(done: subprocess.CompletedProcess) -> list[dict]:
    raise ProgramError(f"{Path(done.args[0]).stem} failed: {done.stderr.strip().splitlines()[-1]}")
