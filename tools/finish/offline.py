"""A link to a folder gets the name of its page, where no server would find it."""

import re

from tools.finish.page import Page

# '', '.', '..' or a path that ends in a slash, then an anchor perhaps; no address with a scheme.
FOLDER = re.compile(r'(<a\b[^>]*?\shref=")((?![a-z][a-z0-9+.-]*:|//)(?:[^"#?]*/)?\.{0,2})((?:#[^"]*)?")', re.I)


def page(page: Page) -> None:
    """Write `concepts/index.html` for `concepts/` in a site that is opened from disk."""
    if page.site.offline:
        page.html = FOLDER.sub(_named, page.html)


def _named(link: re.Match) -> str:
    start, path, end = link.groups()
    if not path:  # an anchor of the page itself
        return link[0]
    return f"{start}{path if path.endswith('/') else path + '/'}index.html{end}"
