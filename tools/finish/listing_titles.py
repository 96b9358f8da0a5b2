"""Titles of listings -> links to the listed lines in the repository, where the repository is known.

A title is 'examples/jobboard/board/querysets.py::JobQuerySet.open' or a file of the page's own folder.
"""

import re
from pathlib import Path

from tools import symbols
from tools.finish.page import FinishError, Page

TITLE = re.compile(r'<span class="filename">([^<]+)</span>')


def _target(page: Page, name: str) -> Path | None:
    """The listed file: below the repository, else beside the page; None for what is no file of the repository."""
    source, markdown = page.site.source.resolve(), page.markdown()
    places = [(place / name).resolve() for place in [source, *([markdown.parent] if markdown else [])]]
    return next((place for place in places if place.is_relative_to(source) and place.is_file()), None)


def page(page: Page) -> None:
    """Link the titles of a page. Raises FinishError for a file or symbol that does not exist."""
    if '<span class="filename">' not in page.html or not page.site.source:
        return

    def linked(match: re.Match) -> str:
        title = match[1]
        name, _, symbol = title.partition("::")
        target = _target(page, name)
        if target is None:
            if "/" in name or symbol:
                raise FinishError(f"{page.where(f'{title}')}: the listing names {name}, which is not in the repository")
            return match[0]
        fragment = ""
        if symbol:
            try:
                first, last = symbols.listed_lines(target, symbol)
            except symbols.SymbolError as error:
                raise FinishError(f"{page.where(title)}: {name} {error}") from None
            fragment = f"#L{first}-L{last}"
        if not page.site.repo_url:
            return match[0]
        path = target.relative_to(page.site.source.resolve()).as_posix()
        address = f"{page.site.repo_url}/blob/{page.site.repo_ref}/{path}{fragment}"
        return f'<span class="filename"><a href="{address}">{title}</a></span>'

    page.html = TITLE.sub(linked, page.html)
