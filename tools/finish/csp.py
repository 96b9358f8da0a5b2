"""Content-Security-Policy as a meta element: no script runs but the site's own files and the theme's inline scripts,
which are named by their hashes. No 'unsafe-inline' for scripts, no other origin for anything.

The hashes are those of the locked theme and of nothing else: a script that came in with a page is an error, not an
entry in the policy. The policy of the page that was opened first governs all pages that instant navigation loads, so
every page carries the same one. The only inline script of the theme that differs between pages holds the way to the
site's root; it is made to read that from the page.
"""

import base64
import hashlib
import re

from tools.finish import zensical
from tools.finish.page import FinishError, Page

META = '<meta http-equiv="Content-Security-Policy" content="'
INLINE = re.compile(r"<script(?![^>]*\ssrc=)([^>]*)>(.*?)</script>", re.S | re.I)
# What the policy lets pass and no page may bring along: it loads a script that lies beside a page, or leads away.
ACTIVE = re.compile(
    r"<(?:script\b[^>]*[\s/]src\b|meta\b[^>]*\bhttp-equiv\b|base\b|i?frame\b|object\b|embed\b|form\b)[^>]*", re.I
)
SCOPE = re.compile(r'__md_scope=new URL\("([^"]*)",location\)')
CHARSET = re.compile(r'<meta charset="utf-8"\s*/?>', re.I)
# Material 9.8.1: the base path, the palette, and the target of the address's fragment
THEME_SCRIPTS = (
    "'sha256-yM7C+UDe3h5NG3QXKOmjM3J+gl7Yz6Wtgm6eMAvh1TU='",
    "'sha256-DrEMJJ29sL7vIloQzly+VUGMxKcBTMII+OfW7Y8AkG4='",
    "'sha256-/8wPdzX9q0NNJXyA5lzsLojXFpkeaXVxhbfkUOQaWy8='",
)
# Zensical 0.0.73: another base path, the same other two
ZENSICAL_SCRIPTS = ("'sha256-df4DfLZpjATLpmneU0I9Rv3Po7dXgc4UizABQQZgWDE='", *THEME_SCRIPTS[1:])
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' {scripts}",
        "style-src 'self' 'unsafe-inline'",  # inline SVG carries its own rules; styles cannot run code
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
)


def is_finished(html: str) -> bool:
    """Whether a page carries the policy, which is what the last step writes."""
    return META in html[:2000]


def script_hash(body: str) -> str:
    """The CSP source of an inline script."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() + "'"


def page(page: Page) -> None:
    """Write the policy right after the character set: a meta policy does not govern what stands before it.

    Raises FinishError for a script that is not the theme's, and for what leads the reader away by itself.
    """
    scope = SCOPE.search(page.html)
    if not scope:
        raise page.missing("the inline script that sets __md_scope")
    page.replace(scope[0], "__md_scope=new URL(document.documentElement.dataset.base,location)", "__md_scope")
    page.replace('<html lang="en"', f'<html lang="en" data-base="{scope[1]}"', '<html lang="en">')
    charset = CHARSET.search(page.html)
    if not charset:
        raise page.missing('<meta charset="utf-8">')
    known = ZENSICAL_SCRIPTS if zensical.made(page) else THEME_SCRIPTS
    for attributes, body in INLINE.findall(page.html):
        if "json" not in attributes and script_hash(body) not in known:
            raise FinishError(
                f"{page.where(body or '<script')}: the page holds a script of its own, which would run in the reader's "
                f"browser: '{body.strip()[:40]}'; delete it (if it is the theme's: adapt tools/finish/csp.py)"
            )
    article = page.html.find("<article")
    if active := ACTIVE.search(page.html, article, page.html.find("</article", article)):
        raise FinishError(
            f"{page.where(active[0])}: the page holds '{active[0][:40]}>', which would load a script or lead away from "
            "the site; delete it"
        )
    page.html = (
        page.html[: charset.end()]
        + "\n"
        + META
        + POLICY.format(scripts=" ".join(known))
        + '">'
        + page.html[charset.end() :]
    )
