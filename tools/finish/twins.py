"""The Markdown of each page beside its HTML: `concepts/index.md` beside `concepts/index.html`.

Its links lead to the other twins. Code stays as it is: a link in a listing is text.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tools.finish import catalogue
from tools.finish.page import Page

FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[^\n]*\n(?:.*?\n)??[ \t>]*\1[`~]*[ \t]*$", re.M | re.S)
# In a paragraph: what is no link, first: code spans, comments. Then the address of a link, a picture or a definition,
# which a footnote is not. Each branch begins with one letter: the search skips all others.
LINK = re.compile(
    r"`(`*+).+?(?<!`)`\1(?!`)|`+|<!--.*?-->|\\."
    r"|\](?:\(|:[ \t]+(?=[^\s#]+\.(?:md|svg|png)(?:#\S*)?(?:\s|$)))(?P<target>[^()\s<]+(?:\([^()\s]*\)[^()\s]*)*)",
    re.S,
)
BLANK = re.compile(r"(\n{2,})")
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|/", re.I)


def published(path: str) -> str:
    """Where a file below docs is published: a page as its twin, anything else under its own name."""
    if not path.endswith(".md"):
        return path
    stem = path.removesuffix(".md")
    folder, _, name = stem.rpartition("/")
    return posixpath.join(folder if name in ("README", "index") else stem, "index.md")


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, and whether each may hold a link. Most paragraphs hold none, which is seen at once."""
    last = 0
    for fence in FENCE.finditer(text):
        yield from ((piece, "](" in piece or "]:" in piece) for piece in BLANK.split(text[last : fence.start()]))
        yield fence[0], False
        last = fence.end()
    yield from ((piece, "](" in piece or "]:" in piece) for piece in BLANK.split(text[last:]))


def relinked(text: str, source: str, twin: str, root: str) -> tuple[str, str]:
    """The Markdown of the page `source` (below docs) twice: with links from `twin`, and with links from `root`.

    `root` is the address of the site, '' for links from the file llms-full.txt itself.
    """
    here, there = posixpath.dirname(source), posixpath.dirname(twin) or "."
    near: list[str] = []
    far: list[str] = []
    for piece, linked in _pieces(text):
        last = 0
        for match in LINK.finditer(piece) if linked else ():
            target = match["target"]
            if not target or OUTSIDE.match(target):
                continue
            path, mark, anchor = target.partition("#")
            place = published(posixpath.normpath(posixpath.join(here, path))) if path else twin
            before = piece[last : match.start("target")]
            near += before, posixpath.relpath(place, there) if path else "", mark, anchor
            far += before, root, place, mark, anchor
            last = match.end()
        near.append(piece[last:])
        far.append(piece[last:])
    return "".join(near), "".join(far)


def of(record: catalogue.Record) -> tuple[str, str]:
    """The Markdown of a page twice: as its twin, and with links from the site's root."""
    source = PurePosixPath(record.source).relative_to("docs").as_posix()
    return relinked(record.markdown, source, record.twin, record.root)


def page(page: Page) -> None:
    """Write the twin; the line that tools/finish/changed.py writes links to it."""
    if page.is_error_page:
        return
    record = catalogue.of(page)
    if not record.source:
        return
    twin, record.full = of(record)
    path = page.site.root / record.twin
    path.parent.mkdir(parents=True, exist_ok=True)  # MkDocs makes the folder only after this
    path.write_text(twin, "utf-8", newline="\n")
