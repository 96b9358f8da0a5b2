"""Make the folder of a new page and name it where it must be named: all of it, or nothing."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import listings
from tools.check import todo
from tools.check.folder import test_of
from tools.check.kinds import KINDS, OF_NAME, OF_SECTION, Kind
from tools.generated import freshness
from tools.new_page import places, skeleton
from tools.parts import replace, spliced

NAV = "mkdocs.yml"
LONGEST = 80  # characters of a title: more do not fit a result of a search
LONGEST_SLUG = 50
MARKS = set(" .,;:'’\"()+-–?!&%@#_")  # beside letters and digits; others are Markdown, HTML or part of a path


class NewPageError(Exception):
    """The page cannot be made, and nothing was. The message is one line, with what to do."""


@dataclass(frozen=True)
class Made:
    """What was made: the page below docs, its files, the lines that name it, and how many places are to be written."""

    page: str
    files: list[str]
    lines: list[str]
    unwritten: int


def kinds(root: Path) -> list[Kind]:
    """The kinds of page whose section is there."""
    return [kind for kind in KINDS if (root / "docs" / kind.section / "README.md").is_file()]


def kind_of(root: Path, name: str, section: str) -> Kind:
    """Return the kind of a page by its name, its section, or both. Raises NewPageError."""
    name, section = name.strip(), section.strip().strip("/").removeprefix("docs/")
    known = kinds(root)
    kind = OF_NAME.get(name) if name else OF_SECTION.get(section)
    if kind not in known:
        given = f"kind '{_shown(name)}'" if name else f"section '{_shown(section)}'"
        choice = ", ".join(one.name if name else one.section for one in known)
        raise NewPageError(f"there is no {given}; choose one of: {choice}")
    if section and section != kind.section:
        raise NewPageError(f"a page of the kind '{name}' stands in {kind.section}; write SECTION={kind.section}")
    return kind


def slug_of(root: Path, title: str) -> str:
    """Return the name of the folder of a page with this title. Raises NewPageError for a title that cannot be used."""
    if not title:
        raise NewPageError('the title is empty; write TITLE="Lost updates: two writers, one row"')
    if len(title) > LONGEST:
        raise NewPageError(f"the title has {len(title)} characters; shorten it to {LONGEST}")
    wrong = [char for char in title if not (char in MARKS or unicodedata.category(char)[0] in "LMN")]
    if wrong:
        found = " ".join(repr(char) for char in dict.fromkeys(wrong))
        raise NewPageError(f"the title holds {found}; write it with letters, digits and plain punctuation")
    short = title.partition(":")[0]
    spoken = short.replace("+", " plus ").replace("&", " and ").replace("'", "")
    plain = unicodedata.normalize("NFKD", spoken).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not slug or not title[0].isalnum():
        raise NewPageError("the address of the page comes from its title; begin it with a word in the letters a to z")
    if len(slug) > LONGEST_SLUG:
        raise NewPageError(f"the title gives an address of {len(slug)} characters; put a colon behind its first words")
    taken = sorted((root / "docs").glob(f"*/{slug}"))
    if taken:
        name = taken[0].relative_to(root).as_posix()
        raise NewPageError(f"{name} exists already; choose another title, or go on writing there")
    return slug


def make(root: Path, kind: Kind, title: str) -> Made:
    """Make a page; on any failure or interruption everything is as it was. Raises NewPageError."""
    title = " ".join(title.split(" ")).strip()
    slug, short = slug_of(root, title), title.partition(":")[0].strip()
    section = root / "docs" / kind.section
    folder, draft = section / slug, section / f".{slug}.{os.getpid()}"  # MkDocs passes over names with a dot
    nav, overview = root / NAV, section / "README.md"
    undo: list[Callable[[], object]] = []
    try:
        named, nav_line = places.in_nav(_read(nav), kind.section, slug, short)
        listed, list_line = places.in_section(_read(overview), slug, short)
        undo.append(lambda: shutil.rmtree(draft, ignore_errors=True))
        _write(root, draft, skeleton.files(root, kind, title, test_of(folder)))
        undo.append(lambda: shutil.rmtree(folder, ignore_errors=True) if not draft.exists() else None)
        draft.rename(folder)
        for path, text in ((nav, named), (overview, listed), *_fresh(root)):
            before = _read(path)
            undo.append(lambda path=path, before=before: replace(path, before))
            replace(path, text)
    except BaseException as error:
        for step in reversed(undo):
            step()
        if isinstance(error, (OSError, UnicodeDecodeError, places.PlaceError)):
            raise NewPageError(" ".join(str(error).replace(f"{root}/", "").split())) from error
        raise
    files = sorted(folder.iterdir())
    unwritten = sum(1 for path in files for _ in todo.in_file(path, path.name)) + 1
    lines = [f"{NAV}:{nav_line}", f"{overview.relative_to(root).as_posix()}:{list_line}"]
    return Made(f"{kind.section}/{slug}", [path.name for path in files], lines, unwritten)


def _fresh(root: Path) -> Iterator[tuple[Path, str]]:
    """The list of what is fresh, with the page that is there now; the check names data that stands in its way."""
    name = f"{freshness.HERE}/README.md"
    if (root / name).is_file():
        with contextlib.suppress(ValueError, LookupError):
            text, problems = spliced(_read(root / name), name, freshness.parts(root))
            yield from [] if problems else [(root / name, text)]


def _write(root: Path, folder: Path, texts: dict[str, str]) -> None:
    """Write the files of a page and fill its listings."""
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    found = listings.run(root, write=True, pages=[folder / "README.md"])
    if found.problems:
        raise NewPageError(f"the example cannot be filled in: {found.problems[0]}")


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")  # with the ends of lines that it has


def _shown(text: str) -> str:
    return " ".join(text.split())[:40]
