"""White space between the tags around an article -> one line break, which a browser shows the same way.

Templates leave several empty lines for each entry of a table of contents: 0.7 KiB of a long page, after compression.
The article stays as it is, since code in it keeps its own lines.
"""

import re

from tools.finish.metadata import ARTICLE
from tools.finish.page import Page

BLANK = re.compile(r">\s*\n\s*<")


def page(page: Page) -> None:
    article = ARTICLE.search(page.html)
    if article:
        before, after = page.html[: article.start(1)], page.html[article.end(1) :]
        page.html = BLANK.sub(">\n<", before) + article[1] + BLANK.sub(">\n<", after)
