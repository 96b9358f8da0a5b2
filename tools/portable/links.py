"""Relative links and images: each resolves on disk, with the exact case, and on the site, anchors included."""

import difflib
import html
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from tools.portable.built import check_built
from tools.portable.outline import Outline
from tools.portable.page import Page
from tools.portable.site import SiteSettings

__all__ = ["Links", "check_built"]

MAX_LINKS = 1_000
MAX_BLOCK_LINES = 200  # a renderer gives the first line of a block; the link stands below
SAFE_SCHEMES = ("http", "https", "mailto")
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.I)
# Behind '](', in a definition, and in the attributes of a tag
TYPED = re.compile(
    r"\]\(\s*<?([^\s<>()\x00]+)|^ {0,3}\[[^\]\n]+\]:\s*<?([^\s<>\x00]+)"
    r"|\b(?:href|src|action|formaction|data)\s*=\s*[\"']?([^\s\"'<>]+)",
    re.I | re.M,
)
THEME_FRAGMENT = re.compile(r"#(?:only-(?:light|dark)|gh-(?:light|dark)-mode-only)\b")


class Links:
    """Checks the links of pages of one project; anchors of the pages that they point to are worked out once."""

    def __init__(self, root: Path, settings: SiteSettings):
        self.root, self.settings = root, settings
        self._anchors: dict[Path, set[str] | None] = {}  # None: the page cannot be read, which is reported once
        self._names = cache(_names)
        self._pages = sorted(settings.docs.rglob("*.md"))

    def check(self, page: Page, site: Outline | None) -> None:
        """Report every link and image of the page that one of the renderers would lose."""
        self._anchors[page.path] = _anchors_of(page)
        unsafe = set()
        for address, line in [*page.github.addresses, *(site.addresses if site else [])]:
            scheme = unsafe_scheme(address)
            if scheme and address not in unsafe:
                unsafe.add(address)
                page.report(_locate(page, address, line, scheme), "unsafe-link", found=address)
        reported = {problem.line for problem in page.problems if problem.rule == "unsafe-link"}
        for address, line in _typed(page):
            if unsafe_scheme(address) and line not in reported:
                page.report(line, "unsafe-link", found=address)
        for source, alt, line in page.github.images[:MAX_LINKS]:
            if re.match(r"https?:|//", source, re.I) and page.path.is_relative_to(self.settings.docs):
                page.report(_locate(page, source, line), "image-remote", found=source)
            if not alt.strip():
                page.report(_locate(page, source, line), "image-alt", found=source)
        if len(page.github.addresses) > MAX_LINKS:
            page.report(1, "too-complex", found=f"the page has more than {MAX_LINKS} links")
            return
        images = {source for source, _, _ in page.github.images}
        for address, line in dict.fromkeys([*page.github.addresses]):
            if unsafe_scheme(address) is None:
                self._address(page, address, _locate(page, address, line), address in images)

    def _address(self, page: Page, address: str, line: int, image: bool) -> None:
        if THEME_FRAGMENT.search(address):
            page.report(line, "theme-fragment", found=address)
            return
        if address.startswith("//") and not image:
            page.report(line, "link-protocol", found=address)
            return
        if SCHEME.match(address) or address.startswith("//") or re.match(r"#(?:fn|fnref)-", address):
            return
        path, _, fragment = address.partition("#")
        path, fragment = unquote(path.partition("?")[0]), unquote(fragment)
        if path.startswith("/"):
            page.report(line, "link-absolute", found=address)
            return
        target = Path(os.path.normpath(page.path.parent / path)) if path else page.path
        if path and not self._exists(page, path, target, line):
            return
        if fragment and target.suffix == ".md" and not image:
            self._anchor(page, target, fragment, line)

    def _exists(self, page: Page, path: str, target: Path, line: int) -> bool:
        """Report a path that leads nowhere, or not to a file of the site; tell whether it is good."""
        rule, values = None, {"found": path}
        docs = self.settings.docs
        if not target.is_relative_to(self.root):
            rule = "link-outside"
        elif exact := self._wrong_case(target):
            rule, values["name"] = "link-case", Path(os.path.relpath(exact, page.path.parent)).as_posix()
        elif _is(Path.is_dir, target):
            rule = "link-directory"
            values["found"] = path.rstrip("/") + "/"
        elif not _is(Path.exists, target):
            rule, values["fix"] = "link-missing", self._suggestion(page, target)
            if target.suffix in (".html", "") and (_is(Path.exists, target.with_suffix(".md")) or target.suffix):
                rule = "link-html"
        elif target.suffix == ".html":
            rule = "link-html"
        elif page.path.is_relative_to(docs) and not target.is_relative_to(docs):
            rule = "link-outside"
        elif page.path.is_relative_to(docs) and not self.settings.published(target):
            rule = "link-unpublished"
        if rule:
            page.report(line, rule, **values)
        return rule is None

    def _wrong_case(self, target: Path) -> Path | None:
        """The path as it is spelt on disk, None when that is how it is written or when there is no such file."""
        exact = self.root
        for part in target.relative_to(self.root).parts:
            names = self._names(exact)
            if part not in names:
                part = next((name for name in sorted(names) if name.lower() == part.lower()), "")
                if not part:
                    return None
            exact = exact / part
        return exact if exact != target else None

    def _suggestion(self, page: Page, target: Path) -> str:
        names = {name.lower(): name for name in self._names(target.parent)}
        near = difflib.get_close_matches(target.name.lower(), names, 1)
        if not near and target.suffix == ".md" and page.path.is_relative_to(self.settings.docs):
            pages = {Path(os.path.relpath(path, page.path.parent)).as_posix(): path for path in self._pages}
            wanted = Path(os.path.relpath(target, page.path.parent)).as_posix()
            close = difflib.get_close_matches(wanted, pages, 1, 0.8)
            return f"write '{close[0]}'?" if close else "correct the path or add the file"
        if near:
            return f"write '{Path(os.path.relpath(target.parent / names[near[0]], page.path.parent)).as_posix()}'?"
        return "correct the path or add the file"

    def _anchor(self, page: Page, target: Path, fragment: str, line: int) -> None:
        if target not in self._anchors:
            self._anchors[target] = _anchors_of(Page(self.root, target))
        anchors = self._anchors[target]
        if anchors is not None and fragment not in anchors:
            near = difflib.get_close_matches(fragment, anchors, 1)
            fix = f"write '#{near[0]}'?" if near else "use the anchor of a heading of that page"
            name = "this page" if target == page.path else target.relative_to(self.root).as_posix()
            page.report(line, "link-anchor", found=fragment, page=name, fix=fix)


def _typed(page: Page) -> Iterator[tuple[str, int]]:
    """Addresses as they are typed, also where nothing makes a link of them yet: in an alternative text."""
    for found in TYPED.finditer(page.html_text):
        address = html.unescape(next(group for group in found.groups() if group is not None))
        yield address, page.html_text.count("\n", 0, found.start()) + 1


def _anchors_of(page: Page) -> set[str] | None:
    return None if page.text is None else page.github_anchors


def unsafe_scheme(address: str) -> str | None:
    """The scheme of an address if it is not one of SAFE_SCHEMES. A browser skips white space and control characters."""
    for form in (address, unquote(address)):
        found = SCHEME.match(re.sub(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029\ufeff]", "", form))
        if found and found[1].lower() not in SAFE_SCHEMES:
            return found[1].lower()
    return None


def _locate(page: Page, address: str, start: int, scheme: str = "") -> int:
    """The line that holds the address as it was typed: a renderer may have encoded it."""
    forms = "|".join(re.escape(form) for form in {address, unquote(address), html.unescape(address)} - {""})
    # The whole address: 'sub' is not in the line that holds 'sub/README.md'.
    typed = re.compile(rf"(?<![\w./-])(?:{forms})(?![\w/-])" if forms else r"!\[[^\]]*\]\(\)", re.I)
    for number in range(start, min(start + MAX_BLOCK_LINES, len(page.lines) + 1)):
        line = page.lines[number - 1]
        if number in page.code_lines:
            continue
        if typed.search(line) or (scheme and scheme[:4] in line.lower()):
            return number
    return start


def _is(what: Callable[[Path], bool], path: Path) -> bool:
    """Ask the system about a path; what it cannot even look up, such as a name of 300 characters, is not there."""
    try:
        return what(path)
    except OSError:
        return False


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()
