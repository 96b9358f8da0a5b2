"""What search engines and chats show of a page: its description, Open Graph, and JSON-LD with the words of schema.org.

Addresses must be absolute there, so they are written only where the generator knew the site's address (it wrote a
canonical link).
"""

import html
import json
import re

from tools.finish import cards, catalogue, commits
from tools.finish.catalogue import SITE_NAME, Record
from tools.finish.page import Page

DESCRIPTION = re.compile(r'<meta name="description" content="[^"]*">')
LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def _open_graph(record: Record) -> dict[str, str]:
    properties = {
        "og:type": "article" if record.url else "website",
        "og:site_name": SITE_NAME,
        "og:title": record.title,
        "og:description": record.description,
        "og:url": record.address,
    }
    if record.card:
        width, height = map(str, cards.SIZE)
        properties |= {"og:image": record.root + record.card, "og:image:width": width, "og:image:height": height}
        properties["og:image:alt"] = ": ".join(reversed(cards.texts(record)))
    return properties


def _page_data(record: Record) -> dict:
    """The page itself: an article, or the site for the home page."""
    data = {
        "@type": "TechArticle" if record.url else "WebSite",
        "headline": record.title,
        "description": record.description,
        "url": record.address,
        "inLanguage": "en",
        "license": LICENCE,
    }
    if not record.url:
        data["name"] = data.pop("headline")
    if record.card:
        data["image"] = record.root + record.card
    if record.commit:
        data["datePublished"], data["dateModified"] = (
            commits.stamp(record.commit.first),
            commits.stamp(record.commit.time),
        )
    if record.minutes:
        data["timeRequired"] = f"PT{record.minutes}M"
    if record.url:
        data["author"] = {"@type": "Organization", "name": SITE_NAME, "url": record.root}
        data["isPartOf"] = {"@type": "WebSite", "name": SITE_NAME, "url": record.root}
    return data


def _breadcrumbs(record: Record) -> dict:
    """The way from the home page to the page."""
    above = record.crumbs or [("Home", "")]
    way = [(name, record.root + url) for name, url in above if url != record.url] + [(record.title, record.address)]
    items = [
        {"@type": "ListItem", "position": place, "name": name, "item": address}
        for place, (name, address) in enumerate(way, 1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": items}


def page(page: Page) -> None:
    """Write the metadata of a page into its head."""
    if page.is_error_page:
        page.before("</head>", '<meta name="robots" content="noindex">\n')
        return
    record = catalogue.of(page)
    tag = f'<meta name="description" content="{html.escape(record.description)}">'
    page.html, count = DESCRIPTION.subn(lambda _: tag, page.html, count=1)
    if not count:
        raise page.missing("the meta description (site_description in mkdocs.yml)")
    if not record.address:
        return
    lines = [f'<meta property="{name}" content="{html.escape(value)}">' for name, value in _open_graph(record).items()]
    if record.card:
        lines.append('<meta name="twitter:card" content="summary_large_image">')
    graph = [_page_data(record), *([_breadcrumbs(record)] if record.url else [])]
    data = json.dumps({"@context": "https://schema.org", "@graph": graph}, ensure_ascii=False, separators=(",", ":"))
    lines.append(f'<script type="application/ld+json">{data.replace("<", chr(92) + "u003c")}</script>')
    page.before("</head>", "\n".join(lines) + "\n")
