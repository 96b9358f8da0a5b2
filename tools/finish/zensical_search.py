"""Zensical's search box asks our worker, by way of zensical_search.js: the same results on both generators.

In the place of tools/finish/search.py on a page of Zensical, whose box has other markup and other messages.
"""

from tools.finish.page import Page
from tools.finish.search import SETTING
from tools.finish.zensical import ADAPTER


def page(page: Page) -> None:
    """Point the page at the adapter."""
    found = SETTING.search(page.html)
    if not found:
        raise page.missing("the address of the search worker in __config")
    page.html = page.html.replace(found[0], f'"search":"{found[1]}{ADAPTER}"', 1)
