"""The line at the end of a page: when it was last changed, by which commit, and what to do if it is wrong.

The theme writes the day (overrides/partials/source-file.html). Links to the host are written for GitHub only, whose
addresses are known; elsewhere the line says the same without them.
"""

import html
import re
from datetime import UTC, datetime
from urllib.parse import quote

from tools.finish import catalogue, commits
from tools.finish.page import Page

CLASS = 'class="nexus-updated"'
LINE = re.compile(rf"<p {CLASS}>\s*<span>(.*?)</span>\s*</p>", re.S)
FORM = "page.yml"  # .github/ISSUE_TEMPLATE; its field of the id 'page' is filled in


def _day(commit: commits.Commit) -> str:
    """The day as the theme writes it: '26 November 2026'."""
    when = datetime.fromtimestamp(commit.time, UTC)
    return f'Last changed: <time datetime="{commit.day}">{when.day} {when:%B %Y}</time>'


def _links(page: Page, record: catalogue.Record, path: str) -> list[str]:
    """The parts of the line behind the day; `path` is the page's below the repository."""
    repo = page.site.github
    parts = []
    if record.commit and repo:
        where = html.escape(quote(path))
        parts.append(f'<a href="{repo}/commits/HEAD/{where}">History</a>')
    if record.source:
        # No <link> in the head says the same: the theme takes each that is rel=alternate for another language's site.
        twin = record.twin.rpartition("/")[2]
        parts.append(f'<a rel="alternate" type="text/markdown" href="{twin}">Markdown</a>')
    if record.source and repo:
        query = html.escape(f"template={FORM}&page={quote(path)}")
        parts.append(f'<a href="{repo}/issues/new?{query}">This page is wrong</a>')
    return parts


def _when(page: Page, record: catalogue.Record, written: str) -> str:
    """The first part of the line: the day, `written` by the theme or of the commit, and the commit."""
    if not record.commit:
        return f"{written} (not committed yet)" if written and commits.of(page.site).docs and record.source else written
    name = f"<code>{record.commit.name[:7]}</code>"
    if page.site.github:
        name = f'<a href="{page.site.github}/commit/{record.commit.name}">{name}</a>'
    return f"{written or _day(record.commit)} in {name}"


def page(page: Page) -> None:
    """Complete the line that the theme wrote, or write it where the generator wrote none."""
    if page.is_error_page:
        return
    record, history = catalogue.of(page), commits.of(page.site)
    written = LINE.search(page.html, max(0, page.html.rfind(f"<p {CLASS}")))
    if not written and CLASS in page.html:
        raise page.missing("the day of the last change in overrides/partials/source-file.html")
    when = _when(page, record, written[1] if written else "")
    path = history.path(record.source.removeprefix("docs/")) if history.docs else record.source
    parts = [*([f"<span>{when}</span>"] if when else []), *_links(page, record, path)]
    line = f"<p {CLASS}>\n    " + "\n    ".join(parts) + "\n  </p>"
    if written:
        page.html = page.html[: written.start()] + line + page.html[written.end() :]
    elif parts:
        page.before("</article>", line + "\n")
