"""Links that leave the site are marked, so that print shows their addresses.

The theme makes every address absolute while the page runs; then a stylesheet can no longer tell ours from others.
"""

import re

from tools.finish.page import Page

OUTSIDE = re.compile(r'<a (?=href="https?://)')


def page(page: Page) -> None:
    """Give links to other sites rel="external"; nexus.css shows where they lead, on paper."""
    page.html = OUTSIDE.sub('<a rel="external" ', page.html)
