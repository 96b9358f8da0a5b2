"""The words of the pages: spelling (typos), the style of their Markdown (rumdl), and words that help no reader.

What GitHub and the site would render wrong is the task of tools/portable; a rule stands in one of the two only.
"""

from pathlib import Path

from tools.portable import differ, nav, site
from tools.portable.page import Page
from tools.portable.problem import Problem
from tools.prose import programs, spelling, style, words

__all__ = ["Problem", "check", "pages_of"]


def pages_of(root: Path) -> list[Path]:
    """The Markdown that people read: every published page, and what GitHub shows of the repository."""
    try:
        pages = nav.published_pages(site.load(root))
    except site.SettingsError:  # tools/portable reports it, with its line
        pages = sorted((root / "docs").rglob("*.md"))
    around = [*root.glob("*.md"), *(root / ".github").rglob("*.md"), root / "examples/jobboard/README.md"]
    return [*pages, *sorted(path for path in around if path.is_file())]


def check(root: Path, pages: list[Path] | None = None) -> list[Problem]:
    """Check the words of pages of the project at root; return the problems sorted by path and line.

    pages are absolute or relative to root; None means pages_of(root). A page that cannot be read, or that is too
    complex to render, is passed over: tools/portable reports it. No content of a page raises.
    """
    root = root.resolve()
    paths = [(root / path).resolve() for path in (pages_of(root) if pages is None else pages)]
    read = [Page(root, path) for path in paths if path.is_relative_to(root)]
    read = [page for page in read if page.text is not None and not differ.too_complex(page)]
    problems = [problem for page in read for problem in words.check(page)]
    for tool in (spelling, style):
        try:
            problems += tool.check(root, read)
        except programs.ProgramError as error:
            problems.append(Problem("tools/prose", 1, "prose", str(error), "run: make check"))
    return sorted(set(problems))
