"""One Markdown, two renderers: report what GitHub or the site would render wrong, and what to write instead."""

from pathlib import Path

from tools.portable import differ, files, lint, nav, raw_html, site
from tools.portable.links import Links
from tools.portable.page import Page
from tools.portable.problem import Problem

__all__ = ["Problem", "check"]


def check(root: Path, pages: list[Path] | None = None) -> list[Problem]:
    """Check pages of the project at root against every rule; return the problems sorted by path and line.

    root holds mkdocs.yml. pages are absolute or relative to root, and the files beside them are checked as well; None
    means every page that the site publishes and every file, and then the nav is checked for entries without a page,
    too. A page outside docs is checked as GitHub shows it. No content of a page raises: what cannot be read or rendered
    is a problem of its own.
    """
    root = root.resolve()
    try:
        settings = site.load(root)
        escapable = "".join(settings.markdown.ESCAPED_CHARS)
        problems = nav.entries_without_page(settings) + files.check(settings) if pages is None else []
        for folder in sorted({(root / path).resolve().parent for path in pages or ()}):
            if folder.is_relative_to(settings.docs) and folder != settings.docs / files.ASSETS:
                problems += files.check(settings, folder)
        links = Links(root, settings)
        for path in nav.published_pages(settings) if pages is None else pages:
            problems += _page_problems(root, (root / path).resolve(), settings, links, escapable)
    except site.SettingsError as error:
        return [nav.settings_problem(error.line, error.message)]
    return sorted(set(problems))


def _page_problems(root: Path, path: Path, settings: site.SiteSettings, links: Links, escapable: str) -> list[Problem]:
    if not path.is_relative_to(root):
        return [Problem(str(path), 1, "encoding", "the page is outside the project", f"name a page below {root}")]
    page = Page(root, path)
    if page.text is None:
        return page.problems
    nav.check(page, settings)
    lint.check(page, escapable)
    shown = None
    if not differ.too_complex(page) and not page.broken_front_matter:
        shown = differ.check(page, settings)
    if shown:
        raw_html.check_rendered(page, shown)
    links.check(page, shown)
    return page.problems
