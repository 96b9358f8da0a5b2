"""One stylesheet and one script for the whole site, named by their content, and the favicon inside the page.

The theme links two stylesheets and a script, the project adds one of each: every one is a request that the first
visit waits for. A file whose name changes with its content can be cached for ever.
"""

import hashlib
import re
import urllib.parse
from pathlib import Path

from tools.finish import scripts, stylesheets
from tools.finish.page import FinishError, Page, Site

# White space behind, not before: a leading \s* makes the search try every run of white space in the page.
STYLES = re.compile(r'<link rel="stylesheet" href="([^"]*?)(assets/stylesheets/[^"]+\.css)">\s*')
SCRIPTS = re.compile(r'<script src="([^"]*?)(assets/javascripts/[^"]+\.js)"></script>\s*')
ICON = re.compile(r'<link rel="icon" href="[^"]*?(assets/[^"]+\.svg)">')
# A page that was opened as a file may start no worker: these come before the theme, and stand in for it.
OFFLINE = ("assets/javascripts/search-worker.js", "assets/javascripts/search/offline.js")
FOREIGN = re.compile(r"url\((?!['\"]?data:)|@import")
SOURCE_MAP = re.compile(r"(/\*#|//#) sourceMappingURL=\S+( \*/)?\s*")


def _merged(site: Site, names: list[str], folder: str, suffix: str) -> str:
    """Write the named files as one and return its path below the site's root."""
    parts = []
    for name in names:
        text = SOURCE_MAP.sub("", (site.root / name).read_text("utf-8")).strip()
        if suffix == "css":
            if found := FOREIGN.search(text):
                raise FinishError(f"{name}: '{found[0]}' would break in the merged stylesheet; use a data: address")
            text = stylesheets.prune(text if name.endswith(".min.css") else stylesheets.minify(text))
        elif not name.endswith(".min.js"):
            text = scripts.minify(text)
        parts.append(text)
    joined = ("\n" if suffix == "css" else ";\n").join(parts) + "\n"
    target = f"{folder}/site.{hashlib.sha256(joined.encode()).hexdigest()[:10]}.{suffix}"
    if not (site.root / target).exists():
        for old in (site.root / folder).glob(f"site.*.{suffix}"):
            old.unlink()
        (site.root / target).write_text(joined, "utf-8")
    return target


def _one(page: Page, pattern: re.Pattern, tag: str, folder: str, suffix: str) -> None:
    """Put one tag in the place of the first match; the other matches go."""
    found = pattern.findall(page.html)
    if len(found) < 2:  # the theme's and ours
        raise page.missing(f"a link to the theme's {folder}/*.{suffix}")
    names = tuple(name for _, name in found)
    if page.site.offline and suffix == "js":
        names = (*OFFLINE, *names)
    merged = page.site.state.setdefault("merged", {})
    if names not in merged:
        merged[names] = _merged(page.site, list(names), folder, suffix)
    tags = iter([tag.format(found[0][0] + merged[names]) + "\n"])
    page.html = pattern.sub(lambda _: next(tags, ""), page.html)


def _inline_icon(page: Page) -> None:
    icon = ICON.search(page.html)
    if not icon:
        raise page.missing("the link to the favicon")
    known = page.site.state.setdefault("icons", {})
    if icon[1] not in known:
        svg = re.sub(r">\s+<", "><", Path(page.site.root, icon[1]).read_text("utf-8").strip())
        known[icon[1]] = "data:image/svg+xml," + urllib.parse.quote(svg, safe="=:/ '")
    page.html = page.html.replace(icon[0], f'<link rel="icon" type="image/svg+xml" href="{known[icon[1]]}">', 1)


def page(page: Page) -> None:
    """Merge the stylesheets and scripts that a page links, and put its icon into the page."""
    _one(page, STYLES, '<link rel="stylesheet" href="{}">', "assets/stylesheets", "css")
    _one(page, SCRIPTS, '<script src="{}"></script>', "assets/javascripts", "js")
    _inline_icon(page)
