"""A small project that a test may break: a home page, a section, and a page that `make new` made and somebody wrote."""

import re
from pathlib import Path

from conftest import ROOT

from tools.check.kinds import OF_NAME
from tools.new_page import make

PAGE = "docs/challenges/lost-updates"
NAV = "nav:\n  # by hand\n  - Home: README.md\n  - Challenges: challenges/README.md # the hard ones\n\n"
SOURCE = "[Locks](https://www.postgresql.org/docs/current/explicit-locking.html): which lock waits for which"
# What stands in the place of a mark, by a word of what it asks for; the last one fits everywhere.
WORDS = {
    "promise": "After this page you can find two writers that overwrite each other.",
    "in a few words": "Two writers and one row",
    "who do not see it": "The first writer reads, then the second reads, then both write.",
    "primary source": SOURCE,
    "a second one": SOURCE.replace("which lock", "what a lock"),
    "12 lines": "\n".join(f"why is my number wrong {number}" for number in range(12)),
    "": " ".join(["The second writer does not see what the first one wrote."] * 4),
}


def project(root: Path) -> Path:
    """Write the project without the page."""
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    start, end = settings.index("nav:\n"), settings.index("exclude_docs:")
    (root / "docs/challenges").mkdir(parents=True)
    (root / "mkdocs.yml").write_text(settings[:start] + NAV + settings[end:], "utf-8")
    home = "# Home\n\nThe first page.\n\nSee [challenges](challenges/README.md).\n"
    (root / "docs/README.md").write_text(home, "utf-8")
    (root / "docs/challenges/README.md").write_text("# Challenges\n\nWhat goes wrong.\n", "utf-8")
    return root


def made(root: Path, kind: str = "challenge", title: str = "Lost updates: two writers, one row") -> Path:
    """Let `make new` make a page; return its folder."""
    return root / "docs" / make(root, OF_NAME[kind], title).page


def written(root: Path) -> Path:
    """Make the page of a challenge and write it; return its folder."""
    folder = made(root)
    for path in [*folder.iterdir(), folder.parent / "README.md"]:
        text = path.read_text("utf-8")
        if path.suffix == ".md":
            text = text.replace("](../README.md). TODO: the page to read next", "](../../README.md). TODO: the next")
        text = text.replace("9 minutes", "6 minutes")
        path.write_text(re.sub(r"TODO:(.*?)(?=[|<]|\"\"\"|$)", _words, text, flags=re.M), "utf-8")
    return folder


def _words(wanted: re.Match[str]) -> str:
    return next(words for key, words in WORDS.items() if key in wanted[1])
