"""Names of code -> links to its lines in the repository, where the repository is known.

A name is the title of a listing, 'examples/jobboard/board/querysets.py::JobQuerySet.open' or a file of the page's own
folder; or a piece of code in the text that says 'tests/test_x.py::test_y', such as the proof of a promise.
"""

import re
from pathlib import Path

from tools import symbols
from tools.finish.page import FinishError, Page

TITLE = re.compile(r'(<span class="filename">)([^<]+)(</span>)')
IN_TEXT = re.compile(r"()(<code>(?:docs|examples|tests|tools)/[\w./-]+\.py::[\w.]+</code>)(?!</a>)()")


def _target(page: Page, name: str) -> Path | None:
    """The listed file: below the repository, else beside the page; None for what is no file of the repository."""
    source, markdown = page.site.source.resolve(), page.markdown()
    places = [(place / name).resolve() for place in [source, *([markdown.parent] if markdown else [])]]
    return next((place for place in places if place.is_relative_to(source) and place.is_file()), None)


def _address(page: Page, title: str) -> str:
    """Where a name leads; '' for what is no file, or where no repository is known. Raises FinishError."""
    name, _, symbol = title.partition("::")
    target = _target(page, name)
    if target is None:
        if "/" in name or symbol:
            raise FinishError(f"{page.where(title)}: the listing names {name}, which is not in the repository")
        return ""
    fragment = ""
    if symbol:
        try:
            first, last = symbols.listed_lines(target, symbol)
        except symbols.SymbolError as error:
            raise FinishError(f"{page.where(title)}: {name} {error}") from None
        fragment = f"#L{first}-L{last}"
    path = target.relative_to(page.site.source.resolve()).as_posix()
    return f"{page.site.repo_url}/blob/{page.site.repo_ref}/{path}{fragment}" if page.site.repo_url else ""


def page(page: Page) -> None:
    """Link the names of a page. Raises FinishError for a file or symbol that does not exist."""
    if not page.site.source:
        return

    def linked(match: re.Match) -> str:
        before, shown, after = match.groups()
        address = _address(page, shown.removeprefix("<code>").removesuffix("</code>"))
        return f'{before}<a href="{address}">{shown}</a>{after}' if address else match[0]

    for pattern, mark in ((TITLE, '<span class="filename">'), (IN_TEXT, ".py::")):
        if mark in page.html:
            page.html = pattern.sub(linked, page.html)
