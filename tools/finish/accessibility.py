"""Repairs of the theme's accessibility faults that need markup; those of colour are in nexus.css."""

import re

from tools.finish.page import Page

PATH = '<nav class="md-path" aria-label="Navigation"'  # the same name as the main navigation's
SEARCH_DIALOG = 'data-md-component="search" role="dialog"'
EMPTY_HEAD = re.compile(r"<th((?: align=\"\w+\")?)></th>")
CHECKBOX = re.compile(r'<input type="checkbox" disabled(?:="")?( checked(?:="")?)?\s*/?>')


def page(page: Page) -> None:
    """Name the search dialog, the path above the title and the check boxes of task lists; unmake empty heads."""
    page.replace(SEARCH_DIALOG, SEARCH_DIALOG + ' aria-label="Search"', "the search dialog")
    if 'class="md-path"' in page.html:
        page.replace(PATH, PATH.replace("Navigation", "Breadcrumb"), "the path of the page")
    page.html = EMPTY_HEAD.sub(r"<td\1></td>", page.html)
    if "task-list" in page.html:
        page.html = CHECKBOX.sub(
            lambda m: f'<input type="checkbox" disabled{m[1] or ""} aria-label="{"done" if m[1] else "to do"}">',
            page.html,
        )
