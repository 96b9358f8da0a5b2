"""What Zensical writes in another form than Material, brought into Material's, so that the other steps find it.

Nothing is done to Material's own output. tools/parity compares the two sites.
"""

import json
import re
from pathlib import Path

from tools.finish.page import Page, Site

GENERATOR = re.compile(r'<meta name="generator" content="zensical-')
DIALOG = 'data-md-component="search" role="dialog" aria-label="Search"'  # Material gives it no name
HOME = re.compile(r"(?<=<title>)[^<]* - ([^<]+)(?=</title>)")
INDEX = "search.json"
SCRIPT = Path(__file__).with_name("zensical_search.js")
ADAPTER = "assets/javascripts/search-zensical.js"


def made(page: Page) -> bool:
    """Whether Zensical built the page. The head is the theme's alone; what a contributor wrote comes later."""
    return bool(GENERATOR.search(page.html, 0, page.html.find("<body")))


def page(page: Page) -> None:
    """Take off what a later step puts on; the home page is called as the site."""
    if made(page):
        page.replace(DIALOG, DIALOG.removesuffix(' aria-label="Search"'), "the search dialog")
        if not page.url:
            page.html = HOME.sub(r"\1", page.html, count=1)


def site(site: Site) -> None:
    """Write the search index once more, as Material's plugin does, and what stands between search box and worker."""
    if not (site.root / INDEX).is_file():
        return
    index = json.loads((site.root / INDEX).read_text("utf-8"))
    docs = [{name: item[name] for name in ("location", "title", "text")} for item in index["items"]]
    target = site.root / "search" / "search_index.json"
    target.parent.mkdir(exist_ok=True)
    (site.root / ADAPTER).write_bytes(SCRIPT.read_bytes())
    target.write_text(json.dumps({"config": index["config"], "docs": docs}), "utf-8")
