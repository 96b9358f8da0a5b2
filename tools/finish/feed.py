"""feed.xml: the pages changed last, as Atom 1.0 (RFC 4287). Dates are those of commits.

An entry needs an absolute address, which is also its id. So there is no feed where the site's address is unknown, and
no entry for a page that is not committed.
"""

from xml.etree import ElementTree

from tools.finish import catalogue, commits
from tools.finish.catalogue import Record
from tools.finish.page import Page, Site

NAME = "feed.xml"
MOST = 30  # entries; a reader that looks once a month misses none of them on a busy day


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name, attributes)
    element.text = text or None
    return element


def _entry(feed: ElementTree.Element, record: Record) -> None:
    entry = _add(feed, "entry")
    _add(entry, "title", record.title)
    _add(entry, "id", record.address)
    _add(entry, "published", commits.stamp(record.commit.first))
    _add(entry, "updated", commits.stamp(record.commit.time))
    _add(entry, "link", rel="alternate", type="text/html", href=record.address)
    _add(entry, "link", rel="alternate", type="text/markdown", href=record.root + record.twin)
    if record.section:
        _add(entry, "category", term=record.section)
    _add(entry, "summary", record.lead)


def atom(records: list[Record]) -> bytes:
    """The feed of committed pages with addresses, newest change first."""
    newest = sorted(records, key=lambda record: (-record.commit.time, record.url))[:MOST]
    root = newest[0].root
    feed = ElementTree.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": "en"})
    _add(feed, "title", catalogue.SITE_NAME)
    _add(feed, "subtitle", "New and changed pages")
    _add(feed, "id", root + NAME)  # the root alone is the home page
    _add(feed, "updated", commits.stamp(newest[0].commit.time))
    _add(feed, "link", rel="self", type="application/atom+xml", href=root + NAME)
    _add(feed, "link", rel="alternate", type="text/html", href=root)
    _add(_add(feed, "author"), "name", catalogue.SITE_NAME)
    _add(feed, "rights", "Text CC BY 4.0, code MIT")
    for record in newest:
        _entry(feed, record)
    ElementTree.indent(feed)
    return ElementTree.tostring(feed, "utf-8", xml_declaration=True) + b"\n"


def page(page: Page) -> None:
    """Name the feed in the head of a page, where there will be one."""
    if not page.is_error_page and catalogue.of(page).address and commits.of(page.site).commits:
        # Not 'alternate' alone: the theme takes that for the site in another language, and fetches a sitemap beside it.
        link = f'<link rel="alternate feed" type="application/atom+xml" title="{catalogue.SITE_NAME}" href="'
        page.before("</head>", f'{link}{page.base.rstrip("/")}/{NAME}">\n')


def site(site: Site) -> None:
    """Write the feed."""
    records = [record for record in catalogue.records(site) if record.commit and record.address]
    if records:
        (site.root / NAME).write_bytes(atom(records))
