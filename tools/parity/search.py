"""What the reader finds first: a query typed into the search box of a built site, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tools.browser import flags, require
from tools.pages_server import serving
from tools.parity.sites import ParityError
from tools.repository import ROOT
from tools.vocabulary import questions

QUERIES = 10
BASE = "/hub/"
OPENER = ".md-search__button"  # where the box is hidden until it is asked for
BOX = "input.md-search__input, input[role=combobox]"  # Material's; Zensical's, which stands in an open shadow root
RESULTS = "a.md-search-result__link, a[role=option]"
SETTLED = 400  # ms without another first result
LIMIT = 8_000  # ms until the first result


def queries(root: Path = ROOT) -> list[str]:
    """Return the first question of ten pages, spread evenly over all that have some."""
    asked = [found[0] for folder in sorted((root / "docs").glob("*/*")) if (found := questions(folder))]
    return [asked[(2 * number + 1) * len(asked) // (2 * QUERIES)] for number in range(QUERIES)]


@contextmanager
def _page(site: Path) -> Iterator:
    from playwright.sync_api import sync_playwright

    with serving(site, BASE) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=require(), args=flags())
        try:
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            page.goto(address)
            yield page
        finally:
            chromium.close()


def first(site: Path, wanted: list[str]) -> list[str]:
    """Return 'query: address of the first result' for each query. Raises ParityError when the box does not answer."""
    from playwright.sync_api import Error

    found = []
    try:
        with _page(site) as page:
            page.locator(f"{BOX}, {OPENER}").filter(visible=True).first.click()
            for query in wanted:
                found.append(f"{query}: {_answer(page, query)}")
    except Error as error:
        raise ParityError(f"{site.name}: search: {str(error).splitlines()[0]} (at '{wanted[len(found)]}')") from None
    return found


def _answer(page, query: str) -> str:
    from playwright.sync_api import TimeoutError

    box = page.locator(BOX).filter(visible=True).first
    box.fill("")
    page.wait_for_timeout(SETTLED)
    box.fill(query[:-1])
    box.press_sequentially(query[-1])  # the theme listens to keys
    link = page.locator(RESULTS).first
    try:
        link.wait_for(timeout=LIMIT)
    except TimeoutError:
        return "nothing"  # what the box says meanwhile is no sign: it may say so before the index is there
    address, before = link.get_attribute("href"), None
    while address != before:
        page.wait_for_timeout(SETTLED)
        before, address = address, link.get_attribute("href")
    parts = urlsplit(address or "")
    path = parts.path.removeprefix(BASE)
    return f"/{path}{'#' if parts.fragment else ''}{parts.fragment}"
