"""The nav of mkdocs.yml and the files below docs: each page stands in the other."""

import difflib
from pathlib import Path

from tools.portable.page import Page
from tools.portable.problem import Problem
from tools.portable.site import SiteSettings

SETTINGS = "mkdocs.yml"


def published_pages(settings: SiteSettings) -> list[Path]:
    """Every Markdown file that the site publishes."""
    return sorted(path for path in settings.docs.rglob("*.md") if path.is_file() and settings.published(path))


def entries_without_page(settings: SiteSettings) -> list[Problem]:
    """Report the nav entries whose page does not exist, or that stand in the nav twice."""
    pages = {path.relative_to(settings.docs).as_posix() for path in published_pages(settings)}
    problems, seen = [], {}
    for line, entry in settings.nav or []:
        if entry not in pages:
            near = difflib.get_close_matches(entry, pages, 1, 0.8)
            fix = f"write '{near[0]}'?" if near else "add the page or delete the entry"
            problems.append(_problem(line, f"the nav entry '{entry}' has no page", fix))
        elif entry in seen:
            problems.append(
                _problem(line, f"the page '{entry}' is in the nav in line {seen[entry]} already", "delete one")
            )
        seen.setdefault(entry, line)
    return problems


def settings_problem(line: int, message: str) -> Problem:
    """A problem of mkdocs.yml itself."""
    return _problem(line, f"the settings cannot be used: {message}", "correct this line")


def check(page: Page, settings: SiteSettings) -> None:
    """Report a page of the site that the nav does not hold."""
    if settings.nav is None or not page.path.is_relative_to(settings.docs):
        return
    entry = page.path.relative_to(settings.docs).as_posix()
    if settings.outside_nav.match_file(entry) or not settings.published(page.path):
        return
    if entry not in {path for _, path in settings.nav}:
        page.report(1, "nav", found="the page is not in the nav", fix=f"add 'Title: {entry}' to the nav in {SETTINGS}")


def _problem(line: int, message: str, fix: str) -> Problem:
    return Problem(SETTINGS, line, "nav", message, fix)
