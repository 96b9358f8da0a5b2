"""The Markdown of each page beside its HTML: `concepts/index.md` beside `concepts/index.html`.

Its links lead to the other twins. Code stays as it is: a link in a listing is text.
"""

import posixpath
import re
from pathlib import PurePosixPath

from tools.finish import catalogue
from tools.finish.page import Page

# What is no link, first: fences, code spans, comments. Then the address of a link, a picture or a definition.
LINK = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}|~{3,})[^\n]*\n(?:.*?\n)??[ \t>]*(?P=fence)[`~]*[ \t]*$"
    r"|(?P<ticks>(?<!`)`+(?!`))(?:(?!\n[ \t>]*\n).)+?(?<!`)(?P=ticks)(?!`)"
    r"|<!--.*?-->|\\."
    r"|(?P<mark>\]\(|^ {0,3}\[[^\]\n]+\]:[ \t]*)(?P<target>[^()\s<]+(?:\([^()\s]*\)[^()\s]*)*)",
    re.M | re.S,
)
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|/", re.I)


def published(path: str) -> str:
    """Where a file below docs is published: a page as its twin, anything else under its own name."""
    if not path.endswith(".md"):
        return path
    stem = path.removesuffix(".md")
    folder, _, name = stem.rpartition("/")
    return posixpath.join(folder if name in ("README", "index") else stem, "index.md")


def relinked(text: str, source: str, twin: str, root: str) -> tuple[str, str]:
    """The Markdown of the page `source` (below docs) twice: with links from `twin`, and with links from `root`.

    `root` is the address of the site, '' for links from the file llms-full.txt itself.
    """
    here, there = posixpath.dirname(source), posixpath.dirname(twin)
    whole: list[str] = []  # the pieces of the second text
    last = 0

    def replaced(match: re.Match) -> str:
        nonlocal last
        target = match["target"]
        if not target or OUTSIDE.match(target):
            return match[0]
        path, mark, anchor = target.partition("#")
        place = published(posixpath.normpath(posixpath.join(here, path))) if path else twin
        near = posixpath.relpath(place, there or ".") if path else ""
        whole.append(text[last : match.start()] + f"{match['mark']}{root}{place}{mark}{anchor}")
        last = match.end()
        return f"{match['mark']}{near}{mark}{anchor}"

    twins = LINK.sub(replaced, text)
    return twins, "".join(whole) + text[last:]


def page(page: Page) -> None:
    """Write the twin, and name it in the head."""
    if page.is_error_page:
        return
    record = catalogue.of(page)
    if not record.source:
        return
    source = PurePosixPath(record.source).relative_to("docs").as_posix()
    twin, record.full = relinked(record.markdown, source, record.twin, record.root)
    path = page.site.root / record.twin
    path.parent.mkdir(parents=True, exist_ok=True)  # MkDocs makes the folder only after this
    path.write_text(twin, "utf-8", newline="\n")
    page.before("</head>", f'<link rel="alternate" type="text/markdown" href="{path.name}">\n')
