"""What search engines and chats show of a page, taken from the page itself: description, Open Graph, JSON-LD.

Addresses must be absolute there, so they are written only where the generator knew the site's address (it wrote a
canonical link).
"""

import html
import json
import re

from tools.finish.page import FinishError, Page, Site

IMAGE = "assets/social.png"
IMAGE_SIZE = (1200, 630)
ARTICLE = re.compile(r'<article class="md-content__inner md-typeset">(.*?)</article>', re.S)
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.S)
DESCRIPTION = re.compile(r'<meta name="description" content="[^"]*">')
CANONICAL = re.compile(r'<link rel="canonical" href="([^"]+)">')
TITLE = re.compile(r"<title>(.*?)</title>", re.S)
DATE = re.compile(r'<time datetime="([0-9-]+)">')
CRUMB = re.compile(r'<a href="([^"]*)" class="md-path__link">\s*<span class="md-ellipsis">\s*(.*?)\s*</span>', re.S)
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
MOST = 160  # characters of a description; search engines cut there


def site(site: Site) -> None:
    """Raise FinishError when the picture that all pages name does not exist."""
    if not (site.root / IMAGE).is_file():
        raise FinishError(f"docs/{IMAGE} is missing; draw it again: make pictures")


def text(fragment: str) -> str:
    """The plain text of an HTML fragment, white space folded."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", fragment)).split())


def shorten(sentence: str, most: int = MOST) -> str:
    """Cut a text at a word so that it has at most `most` characters, an ellipsis included."""
    return sentence if len(sentence) <= most else sentence[: most - 1].rsplit(" ", 1)[0].rstrip(",;:.") + "…"


def _data(page: Page, title: str, description: str, canonical: str) -> dict:
    root = canonical[: len(canonical) - len(page.url)] if page.url else canonical
    organisation = {"@type": "WebSite", "name": "ALX Project Nexus", "url": root}
    data = {
        "@context": "https://schema.org",
        "@type": "TechArticle" if page.url else "WebSite",
        "headline": title,
        "name": title,
        "description": description,
        "url": canonical,
        "image": root + IMAGE,
        "inLanguage": "en",
        "license": LICENCE,
    }
    date = DATE.search(page.html)
    if date:
        data["dateModified"] = date[1]
    if page.url:
        data["isPartOf"] = organisation
    return data


def page(page: Page) -> None:
    """Write the metadata of a page into its head."""
    if page.is_error_page:
        page.before("</head>", '<meta name="robots" content="noindex">\n')
        return
    article = ARTICLE.search(page.html)
    if not article:
        raise page.missing("the article")
    first = PARAGRAPH.search(article[1])
    description = shorten(text(first[1])) if first else ""
    if not description:
        raise FinishError(
            f"{page.where('')}: the page has no first paragraph to describe it; write one below the title"
        )
    title = text(TITLE.search(page.html)[1])
    tag = f'<meta name="description" content="{html.escape(description)}">'
    if not DESCRIPTION.search(page.html):
        raise page.missing("the meta description (site_description in mkdocs.yml)")
    page.html = DESCRIPTION.sub(lambda _: tag, page.html, count=1)
    canonical = CANONICAL.search(page.html)
    if not canonical:
        return
    address = html.unescape(canonical[1])
    root = address[: len(address) - len(page.url)] if page.url else address
    properties = {
        "og:type": "article" if page.url else "website",
        "og:site_name": "ALX Project Nexus",
        "og:title": title,
        "og:description": description,
        "og:url": address,
        "og:image": root + IMAGE,
        "og:image:width": IMAGE_SIZE[0],
        "og:image:height": IMAGE_SIZE[1],
        "og:image:alt": "ALX Project Nexus: backend engineering, shown with evidence",
    }
    lines = [f'<meta property="{name}" content="{html.escape(str(value))}">' for name, value in properties.items()]
    lines.append('<meta name="twitter:card" content="summary_large_image">')
    data = json.dumps(_data(page, title, description, address), ensure_ascii=False).replace("<", "\\u003c")
    lines.append(f'<script type="application/ld+json">{data}</script>')
    page.before("</head>", "\n".join(lines) + "\n")
