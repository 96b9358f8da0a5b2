"""What a reader gets from a built page: read from its HTML by its meaning, not by its bytes."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

from tools.portable.tags import HEADINGS, VOID

ORIGIN = "https://parity.invalid/"  # where the site is thought to lie; no such host can exist
HASH = re.compile(r" 'sha256-[^']+'")
OF_THEME = re.compile(r"assets/(javascripts|stylesheets|images)/|search/search_index\.json$|sitemap\.xml$")
INVISIBLE = {"script", "style", "svg", "button"}


@dataclass
class Seen:
    """One page. Addresses are absolute below ORIGIN; lists are in the order of the page."""

    title: str = ""
    description: str = ""
    canonical: str = ""
    previous: str = ""
    next: str = ""
    date: str = ""
    policy: str = ""  # without the hashes of the theme's inline scripts, which are the theme's
    headings: list[str] = field(default_factory=list)  # '## #anchor Words'
    anchors: list[str] = field(default_factory=list)  # of the text; names that begin with __ are the theme's own
    links: list[str] = field(default_factory=list)  # of the text
    images: list[str] = field(default_factory=list)  # 'address: alternative text'
    listings: list[str] = field(default_factory=list)  # what a reader copies
    diagrams: list[str] = field(default_factory=list)  # 'title: description'
    navigation: list[str] = field(default_factory=list)  # where tabs, section, path and footer lead; each once, sorted
    text: list[str] = field(default_factory=list)  # words of the article

    def facets(self) -> Iterator[tuple[str, list[str]]]:
        """Yield (name, values) of everything that is compared; a single text is a list of one."""
        for name, value in vars(self).items():
            yield name, value if isinstance(value, list) else [value] if value else []


class _Reader(HTMLParser):
    """Fills a Seen while the HTML goes by."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.base = urljoin(ORIGIN, address)
        self.seen = Seen()
        self.open: list[tuple[str, str, str]] = []  # (tag, class, id) of the elements around
        self.words: list[str] = []  # text of the element that is being collected

    def within(self, *names: str) -> bool:
        return any(tag in names for tag, _, _ in self.open)

    def classed(self, name: str) -> bool:
        return any(name in classes.split() for _, classes, _ in self.open)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attributes}
        seen, classes = self.seen, have.get("class", "")
        if tag not in VOID:
            self.open.append((tag, classes, have.get("id", "")))
        address = urljoin(self.base, have.get("href") or have.get("src") or "")
        if tag == "meta":
            if have.get("name") == "description":
                seen.description = have["content"]
            elif have.get("http-equiv") == "Content-Security-Policy":
                seen.policy = HASH.sub("", have["content"])
        elif tag == "link":
            for rel, name in (("canonical", "canonical"), ("prev", "previous"), ("next", "next")):
                if have.get("rel") == rel:
                    setattr(seen, name, address)
        elif tag == "time" and not seen.date:
            seen.date = have.get("datetime", "")
        elif tag == "a" and "href" in have and "headerlink" not in classes and not self.within("svg"):
            if self.within("article"):
                seen.links.append(address)
            elif self.within("nav", "footer") and address.startswith("http") and _page(address) != _page(self.base):
                seen.navigation.append(address)
        elif tag == "img" and self.within("article"):
            seen.images.append(f"{address}: {have.get('alt', '')}")
        if self.within("article") and have.get("id") and not self.within("svg") and not have["id"].startswith("__"):
            seen.anchors.append(have["id"])
        if self.collecting(tag):
            self.words = []

    @staticmethod
    def collecting(tag: str) -> bool:
        return tag in HEADINGS or tag in ("title", "pre", "desc")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag not in [name for name, _, _ in self.open]:
            return
        text = "".join(self.words)
        if tag == "title" and self.within("head"):
            self.seen.title = " ".join(text.split())
        elif tag == "title" and self.within("article"):
            self.seen.diagrams.append(text.strip())
        elif tag == "desc" and self.seen.diagrams:
            self.seen.diagrams[-1] += f": {text.strip()}"
        elif tag == "pre" and self.within("article"):
            self.seen.listings.append(text.rstrip("\n"))
        elif tag in HEADINGS and self.within("article"):
            anchor = next(name for element, _, name in reversed(self.open) if element == tag)
            self.seen.headings.append(f"{'#' * int(tag[1])} #{anchor} {' '.join(text.split())}")
        while self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self.classed("headerlink"):
            self.words.append(data)
            if self.within("article") and not self.within(*INVISIBLE) and not self.classed("md-content__button"):
                self.seen.text += data.split()


def _page(address: str) -> str:
    return address.partition("#")[0].partition("?")[0]


def read(html: str, address: str) -> Seen:
    """Return what a page shows. `address` is its own, below the site's root."""
    reader = _Reader(address)
    reader.feed(html)
    reader.close()
    reader.seen.navigation = sorted(set(reader.seen.navigation))
    return reader.seen


def pages(root: Path) -> dict[str, Seen]:
    """Return {address below the root: what the page shows} of a built site."""
    found = {}
    for path in sorted(root.rglob("*.html")):
        name = path.relative_to(root).as_posix()
        address = (
            posixpath.dirname(name) + "/" if name.endswith("/index.html") else "" if name == "index.html" else name
        )
        found[address] = read(path.read_text("utf-8"), address)
    return found


def sitemap(root: Path) -> list[str]:
    """Return 'address day' of each page in the sitemap."""
    text = (root / "sitemap.xml").read_text("utf-8")
    return sorted(
        " ".join(re.sub(r"<[^>]+>", " ", entry).split()) for entry in re.findall(r"<url>(.*?)</url>", text, re.S)
    )


def files(root: Path) -> list[str]:
    """Return 'path hash' of everything that is published beside the pages, but for what is the theme's own.

    The search index is among them: its name and its bytes say that it holds the same.
    """
    found = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and path.suffix != ".html" and not OF_THEME.match(name):
            found.append(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}")
    return found
