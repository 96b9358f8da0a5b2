"""The sites that the engines search: ours, the same pages from MkDocs alone, and Pagefind's index of these."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tools import peers
from tools.repository import ROOT

PEER = ROOT / ".cache" / "search-venv"
LOCK = "tools/search/requirements.txt"
HOOKS = "hooks:\n  - tools/hooks.py\n"
BUNDLE = "pagefind"
# Pagefind shall see the text of a page only, and no heading's link to itself.
PAGEFIND = ["--root-selector", "article", "--exclude-selectors", ".headerlink", "--output-subdir", BUNDLE]


class SiteError(Exception):
    """A site or an index that could not be built. The message holds what the builder said."""


def _run(what: str, command: list, root: Path, **environment: str) -> None:
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(root)} | environment
    done = subprocess.run([str(part) for part in command], cwd=root, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SiteError(f"{what} was not built:\n{(done.stderr or done.stdout).strip()}")


def ours(folder: Path, root: Path = ROOT) -> None:
    """Build the published site of a project. Raises SiteError."""
    _run("the site", [sys.executable, "-m", "mkdocs", "-q", "build", "--strict", "-d", folder], root)


def stock(folder: Path, root: Path = ROOT, **environment: str) -> None:
    """Build the same pages without any hook: Material as it comes, with its own search. Raises SiteError."""
    before, hooks, after = (root / "mkdocs.yml").read_text("utf-8").partition(HOOKS)
    if not hooks:
        raise SiteError("mkdocs.yml no longer lists tools/hooks.py alone; correct HOOKS in tools/search/sites.py")
    settings = root / f".mkdocs-raw-{os.getpid()}.yml"
    settings.write_text(before + after, "utf-8")
    try:
        command = [sys.executable, "-m", "mkdocs", "-q", "build", "-f", settings, "-d", folder]
        _run("stock Material", command, root, **environment)
    finally:
        settings.unlink()


def install() -> None:
    """Make Pagefind's environment, once. Raises SiteError."""
    try:
        peers.install(LOCK, PEER)
    except peers.PeerError as error:
        raise SiteError(str(error)) from None


def pagefind(site: Path) -> None:
    """Put Pagefind's index of a built site into it. Raises SiteError."""
    _run(
        "Pagefind's index",
        [peers.program(PEER, "python"), "-m", "pagefind", "--silent", "--site", site, *PAGEFIND],
        ROOT,
    )


def version(package: str) -> str:
    """Return the version of a peer, which the lock files pin."""
    locks = "".join((ROOT / lock).read_text("utf-8") for lock in ("requirements.txt", LOCK))
    return re.search(rf"^{re.escape(package)}==([^ \\]+)", locks, re.M)[1]
