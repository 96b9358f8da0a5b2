"""What is known of each page, gathered once for the steps that tell machines: its title, its place, its last change.

It reads only, from pages that are finished already too, so that a second run knows all pages. The order of the pages
is that of the theme's 'next' links.
"""

import html
import posixpath
import re
from dataclasses import dataclass, field

from tools import vocabulary
from tools.finish import commits
from tools.finish.page import FinishError, Page, Site
from tools.generated.paths import TIME

SITE_NAME = "ALX Project Nexus"
KINDS = {
    "start": "guide", "technologies": "technology", "concepts": "concept", "challenges": "challenge",
    "best-practices": "practice", "collaboration": "collaboration", "reference": "reference",
    "about": "about",
}  # fmt: skip
MOST = 160  # characters of a description; search engines cut there

ARTICLE = '<article class="md-content__inner md-typeset">'
HEADING = re.compile(r"<h1[^>]*>(.*?)(?:<a class=\"headerlink\".*?)?</h1>", re.S)
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.S)
CANONICAL = re.compile(r'<link rel="canonical" href="([^"]+)">')
NEXT = re.compile(r'<link rel="next" href="([^"]+)">')
CRUMB = re.compile(r'<a href="([^"]*)" class="md-path__link">\s*<span class="md-ellipsis">\s*(.*?)\s*</span>', re.S)


@dataclass
class Record:
    """One page.

    lead         its first paragraph, as plain text
    address      absolute, '' where the generator did not know the site's address
    next         the address below the root of the page to read next, None behind the last one
    crumbs       the pages above it, as (title, address below the root)
    source       the Markdown file below the repository, '' when it is not at hand
    commit       its last change; None when it is not committed, or there is no history
    card         the picture of shared links, below the root; set by tools/finish/cards.py
    full         its Markdown with links from the site's root; set by tools/finish/twins.py
    """

    url: str
    title: str
    lead: str
    address: str
    next: str | None
    crumbs: list[tuple[str, str]]
    source: str = ""
    markdown: str = ""
    questions: list[str] = field(default_factory=list)
    commit: commits.Commit | None = None
    card: str = ""
    full: str = ""

    @property
    def root(self) -> str:
        """The address of the site, '' when it is not known."""
        return self.address[: len(self.address) - len(self.url)] if self.url else self.address

    @property
    def description(self) -> str:
        """What search engines show."""
        return shorten(self.lead)

    @property
    def section(self) -> str:
        """The first folder of the page: 'concepts'; '' for the home page."""
        return self.url.partition("/")[0] if "/" in self.url else ""

    @property
    def kind(self) -> str:
        """What sort of page it is: home, section, or the kind of its section."""
        if not self.url:
            return "home"
        return "section" if self.url == f"{self.section}/" else KINDS.get(self.section, "page")

    @property
    def minutes(self) -> int | None:
        """The reading time that the page states."""
        found = TIME.search(self.markdown)
        return int(found[1]) if found else None

    @property
    def file(self) -> str:
        """Its HTML file, below the root."""
        return self.url if self.url.endswith(".html") else f"{self.url}index.html"

    @property
    def twin(self) -> str:
        """Where its Markdown is published, below the root."""
        return f"{self.file.removesuffix('.html')}.md"


def text(fragment: str) -> str:
    """The plain text of an HTML fragment, white space folded."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", fragment)).split())


def shorten(sentence: str, most: int = MOST) -> str:
    """Cut a text at a word so that it has at most `most` characters, an ellipsis included."""
    return sentence if len(sentence) <= most else sentence[: most - 1].rsplit(" ", 1)[0].rstrip(",;:.") + "…"


def article(page: Page) -> tuple[int, int]:
    """Where the article of a page begins and ends. Raises FinishError for a theme that has none."""
    start = page.html.find(ARTICLE)
    end = page.html.find("</article>", start)
    if start < 0 or end < 0:
        raise page.missing("the article")
    return start + len(ARTICLE), end


def _below(page: Page, href: str) -> str:
    """The address below the site's root of a link of the page."""
    path = posixpath.normpath(posixpath.join("/", posixpath.dirname(page.url), html.unescape(href)))[1:]
    return f"{path}/" if path and href.endswith(("/", ".")) else path


def _add_source(page: Page, record: Record) -> None:
    source = page.markdown()
    if not source:
        return
    record.source = source.relative_to(page.site.source).as_posix()
    record.markdown = source.read_text("utf-8-sig")
    record.questions = vocabulary.questions(source.parent)
    history = commits.of(page.site)
    record.commit = history.commits.get(history.path(record.source.removeprefix("docs/")))


def page(page: Page) -> None:
    """Note what the page says of itself. Raises FinishError for a page without a title or a first paragraph."""
    if page.is_error_page:
        return
    start, end = article(page)
    heading = HEADING.search(page.html, start, end)
    first = PARAGRAPH.search(page.html, start, end)
    lead = text(first[1]) if first else ""
    if not heading or not lead:
        what = "first paragraph to describe it; write one below the title" if heading else "title; write one: # Words"
        raise FinishError(f"{page.where('')}: the page has no {what}")
    canonical, following = CANONICAL.search(page.html, 0, start), NEXT.search(page.html, 0, start)
    record = Record(
        url=page.url,
        title=text(heading[1]),
        lead=lead,
        address=html.unescape(canonical[1]) if canonical else "",
        next=_below(page, following[1]) if following else None,
        crumbs=[(text(name), _below(page, href)) for href, name in CRUMB.findall(page.html, 0, start)],
    )
    _add_source(page, record)
    page.site.state.setdefault("catalogue", {})[page.url] = record


def of(page: Page) -> Record:
    """The record of a page that was noted."""
    return page.site.state["catalogue"][page.url]


def records(site: Site) -> list[Record]:
    """All pages in the order of reading; in a preview, without those that were deleted."""
    known: dict[str, Record] = site.state.get("catalogue", {})
    left = {url: known[url] for url in sorted(known) if not site.preview or (site.root / known[url].file).is_file()}
    found, url = [], ""
    while url in left:
        found.append(left.pop(url))
        url = found[-1].next
    return [*found, *left.values()]
