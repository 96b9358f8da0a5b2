"""Mermaid blocks -> inline SVG. A block that cannot be drawn names its page and line."""

import re

from tools.finish import diagrams
from tools.finish.page import FinishError, Page

BLOCK = re.compile(r'<pre class="mermaid"><code>(.*?)</code></pre>', re.S)


def page(page: Page) -> None:
    """Draw every Mermaid block of a page."""
    if 'class="mermaid"' not in page.html:
        return
    number = 0

    def drawn(block: re.Match) -> str:
        nonlocal number
        number += 1
        source = diagrams.unescape(block[1])
        try:
            svg = diagrams.draw(source, f"diagram-{number}")
        except diagrams.DiagramError as error:
            raise FinishError(f"{page.where(source, max(error.line - 1, 0))}: {error.message}") from None
        except diagrams.NotAvailableError as error:
            if page.site.strict:
                raise FinishError(f"{page.where(source)}: {error}") from None
            page.site.notice(f"{error}; the preview shows their source")
            return f"<pre><code>{block[1]}</code></pre>"
        return f'<div class="diagram">{svg}</div>'

    page.html = BLOCK.sub(drawn, page.html)
    if 'class="mermaid"' in page.html:
        raise page.missing('the form of a Mermaid block (<pre class="mermaid"><code>)')
