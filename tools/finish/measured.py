"""A bold number is a measured one, and gets the colour that is kept for those.

Markdown that GitHub reads too has no class, so the number itself is the mark: '**201 queries**', but not '**1-to-1**'.
"""

import re

from tools.finish.page import Page

NUMBER = re.compile(r"<strong>(?=\d[\d,.]*(?<=\d)(?: [^<]*)?</strong>)")


def page(page: Page) -> None:
    """Give each bold text that begins with a number its class; nexus.css has the colour."""
    page.html = NUMBER.sub('<strong class="nexus-measured">', page.html)
