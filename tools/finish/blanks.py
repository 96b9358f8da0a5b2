"""White space between the tags around an article -> one line break, which a browser shows the same way.

Templates leave several empty lines for each entry of a table of contents: 0.7 KiB of a long page, after compression.
The article stays as it is, since code in it keeps its own lines.
"""

import re

from tools.finish import catalogue
from tools.finish.page import Page

BLANK = re.compile(r">\s*\n\s*<")


def page(page: Page) -> None:
    """Take the empty lines away before and behind the article."""
    if page.is_error_page:
        return
    start, end = catalogue.article(page)
    before, after = page.html[:start], page.html[end:]
    page.html = BLANK.sub(">\n<", before) + page.html[start:end] + BLANK.sub(">\n<", after)
