"""The same sources, built by each generator into .cache/parity and finished by tools/finish."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tools import peers
from tools.repository import ROOT

FOLDER = ROOT / ".cache" / "parity"
OURS, PROPERDOCS, ZENSICAL = "ours", "properdocs", "zensical"
LOCKS = {PROPERDOCS: "tools/parity/requirements.txt", ZENSICAL: "tools/bench/requirements.txt"}
VENVS = {PROPERDOCS: ROOT / ".cache/parity-venv", ZENSICAL: ROOT / ".cache/bench-venv"}
# What a deployment sets: with it come canonical addresses, edit links, and the links of listings.
ENVIRONMENT = {
    "SITE_URL": "https://example.github.io/hub/",
    "REPO_URL": "https://github.com/example/hub",
    "EDIT_URI": "edit/main/docs/",
    "REPO_REF": "main",
    "NO_MKDOCS_2_WARNING": "1",
}


class ParityError(Exception):
    """A generator that cannot be installed or does not build. The message says which, with its last lines."""


def _run(what: str, command: list[str | Path], **environment: str) -> str:
    env = os.environ | ENVIRONMENT | environment
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=env, capture_output=True, text=True)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise ParityError(f"{what} ended with {done.returncode}:\n{said}")
    return done.stdout


def program(name: str) -> Path:
    return peers.program(VENVS[name], name)


def install(name: str) -> None:
    """Make a generator's environment from its lock, once. Raises ParityError."""
    try:
        peers.install(LOCKS[name], VENVS[name])
    except peers.PeerError as error:
        raise ParityError(str(error)) from None


def version(name: str) -> str:
    """Return 'Zensical 0.0.73' as it is installed."""
    if name == OURS:
        return f"MkDocs {importlib.metadata.version('mkdocs')}"
    text = (ROOT / LOCKS[name]).read_text("utf-8")
    return f"{'ProperDocs' if name == PROPERDOCS else 'Zensical'} {text.partition(f'{name}==')[2].split()[0]}"


def build(name: str, say: Callable[[str], None] = lambda line: None) -> Path:
    """Build and finish the site with one generator; return its folder. Raises ParityError."""
    target = FOLDER / name
    shutil.rmtree(target, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    say(f"{version(name)} builds")
    if name == OURS:
        _run("make site", [sys.executable, "-m", "tools.build", target])
    elif name == PROPERDOCS:
        _run(name, [program(name), "build", "--strict", "--quiet", "-f", "mkdocs.yml", "-d", target])
    else:
        copy = _copy(target)
        _run(name, [program(name), "build", "--strict", "-f", copy / "mkdocs.yml"])
        (copy / "site").rename(target)
    _run(f"tools.finish after {name}", [sys.executable, "-m", "tools.finish", target])
    return target


def _copy(target: Path) -> Path:
    """Copy the sources for Zensical, with its look that equals Material's; return the new folder.

    It takes .cache beside its settings for its own, and can delete it whole: here that holds the environments.
    """
    folder = target.with_name(f"{target.name}-project")
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("docs", "overrides"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    theme = "\n  name: material\n"
    if text.count(theme) != 1:
        raise ParityError(f"mkdocs.yml does not hold {theme!r} once; adapt _copy in tools/parity/sites.py")
    (folder / "mkdocs.yml").write_text(text.replace(theme, f"{theme}  variant: classic\n"), "utf-8")
    return folder
