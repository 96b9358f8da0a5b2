"""Which page somebody means by PAGE=…"""

import difflib
from pathlib import Path


class NoPageError(Exception):
    """There is no page of this name. The message is one line and says which are near."""


def find(root: Path, name: str) -> Path:
    """Return the file of a page: challenges/n-plus-one, with docs/ before it or not, README.md behind it or not.

    A section (challenges), the home page (docs) and a Markdown file elsewhere (CONTRIBUTING.md) are pages as well.
    Raises NoPageError.
    """
    wanted = name.strip().replace("\\", "/").rstrip("/")
    inner = wanted.removeprefix("./").removesuffix("README.md").rstrip("/").removeprefix("docs").lstrip("/")
    exact, page = root / wanted, root / "docs" / inner / "README.md"
    for path in ([exact] if wanted.endswith(".md") else []) + [page]:
        if wanted and path.is_file() and path.resolve().is_relative_to(root):
            return path.resolve()
    known = {path.parent.relative_to(root / "docs").as_posix() for path in (root / "docs").rglob("README.md")} - {"."}
    raise NoPageError(f"there is no page '{' '.join(name.split())}'; {_near(inner, known)}")


def _near(wanted: str, known: set[str]) -> str:
    last = {name.rpartition("/")[2]: name for name in sorted(known)}
    near = [last[key] for key in difflib.get_close_matches(wanted.rpartition("/")[2].lower(), last, 1, 0.6)]
    near += difflib.get_close_matches(wanted.lower(), sorted(known), 1, 0.6)
    if near:
        return f"write {' or '.join(f'PAGE={name}' for name in dict.fromkeys(near))}?"
    return "name one by its folder below docs, such as PAGE=challenges/n-plus-one"
