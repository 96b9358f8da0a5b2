"""Built HTML -> published HTML: one list of steps that works on the output of any generator with Material's markup.

Each step is a module with `page(page)`, or with `site(site)` for the whole site once all pages are done, or both. A
step that does not find what it repairs raises FinishError: an upgrade of the theme cannot silently undo it.
"""

import re

from tools.finish import (
    accessibility,
    assets,
    blanks,
    breaks,
    cards,
    catalogue,
    changed,
    csp,
    diagram_blocks,
    feed,
    glossary,
    learnings,
    listing_titles,
    llms,
    measured,
    metadata,
    offline,
    outside,
    search,
    sitemap,
    twins,
    zensical,
)
from tools.finish.page import FinishError, Page, Site

__all__ = ["FinishError", "Page", "Site", "finish", "finish_page", "finish_site"]

STEPS = [
    zensical,  # first: the others know the form of Material alone
    changed,
    outside,
    diagram_blocks,
    listing_titles,
    measured,
    accessibility,
    breaks,
    twins,
    feed,
    cards,
    metadata,  # it names the picture
    glossary,
    assets,
    search,
    llms,
    sitemap,
    learnings,
    offline,  # after all that write links
    blanks,  # behind those that look for what the theme wrote
    csp,  # last: it hashes
]
PAGE_STEPS = [step for step in STEPS if hasattr(step, "page")]
REDIRECT = re.compile(r"<meta\s+http-equiv=[\"']?refresh", re.I)


def finish_page(page: Page) -> str:
    """Return the finished HTML of a page; a page that is finished already, or only redirects, comes back as it is.

    Raises FinishError.
    """
    if REDIRECT.search(page.html[:2000]):
        return page.html
    catalogue.page(page)  # a finished page too: the files about all pages need it
    if not csp.is_finished(page.html):
        for step in PAGE_STEPS:
            step.page(page)
    return page.html


def finish_site(site: Site) -> None:
    """Do the work that concerns no single page. Raises FinishError."""
    for step in STEPS:
        if hasattr(step, "site"):
            step.site(site)


def finish(site: Site) -> int:
    """Finish every page of a built site in place and return how many there were to finish. Raises FinishError.

    A page that cannot be finished stays as it was; a second run goes on from there.
    """
    count = 0
    for path in sorted(site.root.rglob("*.html")):
        try:
            html = path.read_text("utf-8")
        except UnicodeDecodeError:
            raise FinishError(
                f"{path.relative_to(site.root)}: the page is not UTF-8; a generator writes UTF-8"
            ) from None
        finished = finish_page(Page(site, path, html))
        if finished != html:
            path.write_text(finished, "utf-8")
            count += 1
    finish_site(site)
    return count
