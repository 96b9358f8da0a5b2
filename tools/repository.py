"""The addresses of the repository and the published site, read from the git remote, so that a fork needs no edit."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REMOTE = re.compile(
    r"^(?:https?://(?:[^@/]+@)?|ssh://(?:[^@/]+@)?|[^@/]+@)(?P<host>[\w.-]+\.[a-z]+)(?::\d+)?[:/](?P<path>[^?#]+?)"
    r"(?:\.git)?/?$",
    re.I,
)


def web_address(remote: str) -> str:
    """'https://host/owner/name' for a git remote such as git@host:owner/name.git; '' for a folder or anything else."""
    found = REMOTE.match(remote.strip())
    return f"https://{found['host']}/{found['path']}" if found and "/" in found["path"] else ""


def pages_address(repository: str) -> str:
    """Where GitHub Pages publishes a repository: https://owner.github.io/name/; '' for other hosts."""
    found = re.match(r"https://github\.com/([^/]+)/([^/]+)$", repository, re.I)
    if not found:
        return ""
    owner, name = found[1].lower(), found[2]
    return (
        f"https://{owner}.github.io/" if name.lower() == f"{owner}.github.io" else f"https://{owner}.github.io/{name}/"
    )


def set_environment(*, site_url: bool) -> None:
    """Set REPO_URL, EDIT_URI and, where wanted, SITE_URL from the git remote, unless they are set already."""
    try:
        done = subprocess.run(["git", "-C", ROOT, "remote", "get-url", "origin"], capture_output=True, text=True)
        remote = done.stdout
    except FileNotFoundError:  # no git here: the site has no links to its source
        remote = ""
    repository = os.environ.setdefault("REPO_URL", web_address(remote))
    if repository:
        os.environ.setdefault("EDIT_URI", "edit/main/docs/")
        if site_url:
            os.environ.setdefault("SITE_URL", pages_address(repository))
