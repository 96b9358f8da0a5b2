"""When each file was written and last changed, from one pass over the git history."""

import functools
import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tools.finish.page import Site


@dataclass(frozen=True)
class Commit:
    """The newest commit that changed a file, and when the file began; times are seconds since 1970."""

    name: str
    time: int
    first: int

    @property
    def day(self) -> str:
        """The day of the change in UTC: '2026-11-26'."""
        return stamp(self.time)[:10]


@dataclass(frozen=True)
class History:
    """Where the pages lie below the repository, and the commit of each path there. Both empty without a history."""

    docs: str = ""
    commits: dict[str, Commit] = field(default_factory=dict)

    def path(self, page: str) -> str:
        """The path below the repository of a file that is named from the folder of the pages."""
        return f"{self.docs}/{page}"


def stamp(seconds: int) -> str:
    """A time in the form that feeds and sitemaps use: '2026-11-26T09:30:00Z'."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def git(folder: str, *arguments: str) -> str:
    """Run git and return what it prints; '' where this is no repository or git is missing."""
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, encoding="utf-8")
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def read(docs: str) -> History:
    """The history of the files below docs, a path without symbolic links.

    Renames are followed; one alone is no change, whatever it changes.
    """
    top, head = git(docs, "rev-parse", "--show-toplevel").strip(), git(docs, "rev-parse", "HEAD").strip()
    return _read(docs, top, head) if top and head else History()


@functools.lru_cache(maxsize=1)  # a preview asks with every save; the history of a commit is always the same
def _read(docs: str, top: str, head: str) -> History:
    log = git(
        docs, "-c", "core.quotePath=off", "log", "-M", "--name-status", "--no-show-signature", "--format=%x01%H %at",
        head, "--", docs,
    )  # fmt: skip
    later: dict[str, str] = {}  # a name in older history -> the name today
    newest: dict[str, tuple[str, int]] = {}
    first: dict[str, int] = {}
    begun: set[str] = set()  # files whose beginning was passed: an older one of the same name is another file
    name, when = "", 0
    for line in log.splitlines():
        if line.startswith("\x01"):
            name, seconds = line[1:].split(" ")
            when = int(seconds)
        elif line:
            status, *names = line.split("\t")
            today = later.pop(names[-1], names[-1]) if status[0] == "R" else later.get(names[-1], names[-1])
            if status[0] == "R":
                later[names[0]] = today
            elif status[0] in "AM":
                newest.setdefault(today, (name, when))
            if status[0] in "AMR" and today not in begun:
                first[today] = when
            if status[0] == "A":
                begun.add(today)
    return History(
        os.path.relpath(docs, top).replace(os.sep, "/"),
        {path: Commit(*found, first[path]) for path, found in newest.items()},
    )


def of(site: Site) -> History:
    """The history of the site's pages, read once; the hook that has read it already puts it into the state."""
    if "history" not in site.state:
        site.state["history"] = read(os.path.realpath(site.source / "docs")) if site.source else History()
    return site.state["history"]
