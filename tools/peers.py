"""Environments below .cache for programs that only compare, each made from a lock of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tools.repository import ROOT


class PeerError(Exception):
    """An environment that could not be made; the installer has said why."""


def install(lock: str, venv: Path) -> None:
    """Make the environment of a lock (below the repository), once. Raises PeerError."""
    command = [sys.executable, str(ROOT / "tools" / "bootstrap.py"), lock]
    if subprocess.run(command, env=os.environ | {"VENV": str(venv)}).returncode:
        raise PeerError(f"The environment of {lock} was not installed (above)")


def program(venv: Path, name: str) -> Path:
    """Where an environment keeps a program."""
    return venv / (f"Scripts/{name}.exe" if os.name == "nt" else f"bin/{name}")
