"""The built site: every address in it leads to a file and an id that exist."""

import posixpath
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.portable.problem import Problem

ATTRIBUTES = {"href", "src", "srcset", "poster"}


class _Addresses(HTMLParser):
    """The addresses, with their lines, and the ids of one HTML file."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str]] = []
        self.ids: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if not value:
                continue
            if name == "id" or (name == "name" and tag == "a"):
                self.ids.add(value)
            elif name == "srcset":
                self.found += [(self.getpos()[0], part.split()[0]) for part in value.split(",") if part.split()]
            elif name in ATTRIBUTES:
                self.found.append((self.getpos()[0], value))


def check_built(site: Path, base_url: str = "") -> list[Problem]:
    """Report every href, src and srcset in the HTML files below `site` whose file or #id does not exist there.

    Addresses that are relative, that start at the root, or that start with base_url (the published address of the
    site, such as https://name.github.io/project/) are looked up; others are left alone. 404.html is read as if it
    stood at the root. Paths in the problems are relative to `site`.
    """
    base = base_url.rstrip("/") + "/" if base_url else ""
    pages: dict[str, _Addresses] = {}
    for path in sorted(site.rglob("*.html")):
        pages[path.relative_to(site).as_posix()] = _Addresses(path.read_text("utf-8", errors="replace"))
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    problems = []
    for name, page in pages.items():
        for line, address in page.found:
            target = _target(name, address, base)
            if target is None:
                continue
            path, fragment = target
            path = path if path in files else posixpath.join(path, "index.html") if path else "index.html"
            if path not in files:
                problems.append(_problem(name, line, "link-missing", f"'{address}' leads to no file of the site"))
            elif fragment and path in pages and fragment not in pages[path].ids:
                problems.append(_problem(name, line, "link-anchor", f"'{address}' leads to no id in {path}"))
    return problems


def _problem(name: str, line: int, rule: str, message: str) -> Problem:
    return Problem(name, line, rule, message, "correct the link in the page or the template that writes it")


def _target(page: str, address: str, base: str) -> tuple[str, str] | None:
    """(path below the site, fragment) that an address means, None when it leads elsewhere."""
    root = urlsplit(base).path or "/"
    if base and (address + "/").startswith(base):
        address = root + address[len(base) :]
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return address, ""  # not an address at all: no such file
    if parts.scheme or parts.netloc:
        return None
    path = unquote(parts.path)
    if path.startswith("/"):
        if not (path + "/").startswith(root):
            return None  # another site of the same host
        path = path[len(root) :]
    elif path:
        path = posixpath.join(posixpath.dirname(page), path)
    else:
        path = page
    path = posixpath.normpath(path).lstrip("/")
    fragment = unquote(parts.fragment)
    # '#' and '#top' mean the top of the page, with or without such an id; '#:~:text=' is a text to look for.
    return "" if path == "." else path, "" if fragment == "top" or fragment.startswith(":~:") else fragment
