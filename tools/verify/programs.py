"""Run a linter once for many blocks."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.listings.fences import Fence

# What would let the machine at hand, and not this repository, decide what is reported.
FOREIGN = ("GH_", "GITHUB_", "ZIZMOR_", "HADOLINT_", "SHELLCHECK_")


class MissingProgramError(Exception):
    """A linter that is not installed. The message says how to get it."""


@contextmanager
def files(blocks: list[Fence], name: str, texts: list[str] | None = None) -> Iterator[tuple[Path, dict[str, Fence]]]:
    """Write blocks, or the texts that stand for them, into a folder; yield it and the block of each file name.

    `name` has one %d for the number of the block.
    """
    with tempfile.TemporaryDirectory(prefix="blocks-") as folder:
        names = {}
        for number, fence in enumerate(blocks):
            (Path(folder) / (name % number)).write_text(texts[number] if texts else fence.code, "utf-8")
            names[name % number] = fence
        yield Path(folder), names


def output(program: str, *arguments: str, folder: Path) -> str:
    """Return what a program of this environment, or of the machine, prints. A finding is not an error.

    Raises MissingProgramError, and RuntimeError when it printed nothing but errors.
    """
    found = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if not found:
        raise MissingProgramError(f"{program} is not installed; run 'make test', or install it with the system's tools")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    command = [found, *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=120
    )
    if done.returncode and not done.stdout.strip():
        raise RuntimeError(f"{program} failed with status {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout
