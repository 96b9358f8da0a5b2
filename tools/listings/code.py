"""The code that the title of a fence names."""

import ast
from dataclasses import dataclass
from pathlib import Path

from tools import symbols

SKETCH = "sketch"
PROJECT = "examples/jobboard"
NOT_OURS = {".git", ".venv", ".cache", "site"}  # what git does not keep is not there for anybody else
MOST_CHARACTERS = 200  # of a path; a system refuses to look up a much longer one
MOST_LINES = 30  # of a symbol: one too long to show is too long
MOST_LINES_OF_A_FILE = 60  # of another language, which is shown whole


class ListingError(Exception):
    """A title that names no code that can be shown."""

    def __init__(self, message: str, fix: str):
        super().__init__(f"{message}; {fix}")
        self.message, self.fix = message, fix


@dataclass(frozen=True)
class Source:
    """What a title names: a file below the repository, and a symbol of it or ''."""

    path: Path
    name: str
    symbol: str


def source(title: str, root: Path, folder: Path) -> Source:
    """Return what a title names: with a slash a file below root, without one a file of the page's folder.

    Raises ListingError when there is no such file.
    """
    name, _, symbol = title.partition("::")
    if len(name) > MOST_CHARACTERS:
        raise ListingError(f"the title '{name[:40]}…' names no file", "write the path from the root of the repository")
    if "/" not in name:
        path = folder / name
        if not name or not path.is_file():
            known = 'write the path from the root of the repository, or title="sketch"'
            if (folder / "measure.py").is_file() and name == "results.txt":
                known = f"run: make measure PAGE={folder.relative_to(root / 'docs').as_posix()}"
            raise ListingError(f"the title '{title}' names no file of this page's folder", known)
    else:
        path = root / name
        if name.startswith("/") or ".." in Path(name).parts:
            raise ListingError(f"'{name}' is not a path from the root of the repository", "write it without .. and /")
        if path.is_dir():
            raise ListingError(f"{name} is a folder", f"name a file of it: {_held(root, path)}")
        if Path(name).parts[0] in NOT_OURS:
            raise ListingError(f"{name} is not in the repository", "list a file that git keeps")
        if not path.is_file():
            raise ListingError(f"{name} is not in the repository", _nearest(root, name))
    if not path.resolve().is_relative_to(root.resolve()):  # a link would publish what it points to
        raise ListingError(f"{name} is a link out of the repository", "list the file itself")
    return Source(path, path.relative_to(root).as_posix(), symbol)


def _nearest(root: Path, name: str) -> str:
    """What the last existing folder of a path holds, to correct the path by."""
    if (root / PROJECT / name).is_file():
        return f"write {PROJECT}/{name}"
    folder = root
    parts = Path(name).parts
    for part in parts[:-1]:
        if not (folder / part).is_dir():
            break
        folder /= part
    return _held(root, folder)


def _held(root: Path, folder: Path) -> str:
    held = sorted(p.name for p in folder.iterdir() if not p.name.startswith((".", "__pycache__")))
    return f"{folder.relative_to(root).as_posix()}/ has: {', '.join(held)}".replace("./ has", "the repository has")


def code(named: Source, kind: str = "python") -> str:
    """Return the code without its own indentation, ending in a newline; '' for an empty file. Raises ListingError.

    In a fence of kind 'text' a constant that is one string shows the string: a message to copy, held by its tests.
    """
    try:
        text = named.path.read_text("utf-8")  # every kind of line ending becomes \n
    except UnicodeDecodeError:
        raise ListingError(f"{named.name} is not text in UTF-8", "list another file") from None
    lines = text.removesuffix("\n").split("\n") if text else []
    python = named.path.suffix == ".py"
    if named.symbol:
        if not python:
            raise ListingError(f"{named.name} is not Python", "name the whole file: delete '::" + named.symbol + "'")
        lines = _symbol(named, lines)
        said = _string(lines) if kind == "text" else None
        lines = lines if said is None else said.strip("\n").split("\n")
    limit = MOST_LINES if python else MOST_LINES_OF_A_FILE
    if len(lines) > limit:
        what = f"'{named.symbol}' of {named.name}" if named.symbol else named.name
        advice = "name a symbol of it after '::'" if python else "show the part that matters as a block of its own"
        advice = "a symbol too long to show is too long: split it" if named.symbol else advice
        raise ListingError(f"{what} has {len(lines)} lines, {limit} at most are shown", advice)
    return "".join(line.rstrip() + "\n" for line in lines)


def _string(lines: list[str]) -> str | None:
    """Return the string that an assignment holds; None for any other code."""
    match ast.parse("\n".join(lines)).body:
        case [ast.Assign(value=ast.Constant(value=str(text)))]:
            return text
    return None


def _symbol(named: Source, lines: list[str]) -> list[str]:
    try:
        first, last = symbols.listed_lines(named.path, named.symbol)
    except symbols.SymbolError as error:
        message, _, fix = f"{named.name} {error}".partition("; ")
        raise ListingError(message, fix or "correct the file") from None
    shown = lines[first - 1 : last]
    indent = len(shown[0]) - len(shown[0].lstrip())
    # A line of a long string may stand further left than the symbol: take what it has.
    return [line[min(indent, len(line) - len(line.lstrip())) :] for line in shown]
