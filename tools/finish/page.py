"""What the steps work on: one built page, and the site around it."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path


class FinishError(Exception):
    """A page or a theme that a step cannot finish. The message names the file, the line where known, and the fix."""


@dataclass
class Site:
    """A folder of built HTML, and what is known about where it comes from.

    root      the built site
    source    the repository, to name Markdown lines and to find listed files; None when it is not at hand
    repo_url  'https://host/owner/name' or '' when unknown
    repo_ref  the branch or commit that links to source lines point to
    offline   the site is opened as files, without a server
    strict    stop where something cannot be drawn, in place of showing its source
    preview   leave out what only a published site needs and what costs time
    state     what a step keeps between the pages of a run
    """

    root: Path
    source: Path | None = None
    repo_url: str = ""
    repo_ref: str = "main"
    strict: bool = True
    offline: bool = False
    preview: bool = False
    state: dict = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    @property
    def github(self) -> str:
        """The address of the repository where its host is GitHub, whose forms and addresses are known; else ''."""
        return self.repo_url if self.repo_url.startswith("https://github.com/") else ""

    def notice(self, message: str) -> None:
        """Keep a message for the person who builds, once."""
        if message not in self.notices:
            self.notices.append(message)


@dataclass
class Page:
    """One HTML file. Steps change `html`."""

    site: Site
    path: Path
    html: str

    @cached_property
    def url(self) -> str:
        """Address below the site's root: '' for the home page, 'concepts/', '404.html'."""
        return re.sub(r"(^|/)index\.html$", r"\1", self.path.relative_to(self.site.root).as_posix())

    @property
    def base(self) -> str:
        """How this page reaches the site's root, as the generator wrote it: '..', '.', '/name' on the 404 page."""
        found = re.search(r'<script id="__config" type="application/json">\{[^<]*?"base": ?"([^"]*)"', self.html)
        if not found:
            raise self.missing("the __config block")
        return found[1] or "/"

    @property
    def is_error_page(self) -> bool:
        return self.path.name == "404.html"

    def missing(self, what: str) -> FinishError:
        """The error for a page that no longer has what a step repairs."""
        return FinishError(
            f"{self.path.relative_to(self.site.root)}: {what} is not in the page. The theme has changed: "
            "adapt the step in tools/finish, or go back to the locked version of the theme"
        )

    def replace(self, old: str, new: str, what: str) -> None:
        """Replace a text that must occur exactly once; `what` names it in the error."""
        if self.html.count(old) != 1:
            raise self.missing(what)
        self.html = self.html.replace(old, new)

    def before(self, mark: str, text: str) -> None:
        """Insert a text before the first occurrence of a mark."""
        head, found, tail = self.html.partition(mark)
        if not found:
            raise self.missing(mark)
        self.html = head + text + mark + tail

    def markdown(self) -> Path | None:
        """The Markdown file that this page was built from, or None."""
        if not self.site.source:
            return None
        docs = self.site.source / "docs"
        stem = self.url.rstrip("/")
        names = [f"{stem}/README.md", f"{stem}/index.md", f"{stem}.md"] if stem else ["README.md", "index.md"]
        return next((docs / name for name in names if (docs / name).is_file()), None)

    def where(self, text: str, offset: int = 0) -> str:
        """'docs/x/README.md:12' for a text of the page's source (`offset` lines below it), else the HTML file."""
        source = self.markdown()
        if source:
            content = source.read_text("utf-8", errors="replace").replace("\r\n", "\n")
            start = content.find(text.strip("\n"))
            name = source.relative_to(self.site.source).as_posix()
            return f"{name}:{content[:start].count(chr(10)) + 1 + offset}" if start >= 0 else name
        return self.path.relative_to(self.site.root).as_posix()
