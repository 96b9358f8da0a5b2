"""The first use of a term on a page -> a link to its entry of the glossary, with the entry as its title.

The terms are the entries of docs/reference/glossary/README.md: `- <a id="orm"></a>**ORM**: what it means`. Where the
sources or the glossary are not at hand, nothing is linked.
"""

import html
import re

from tools.finish import catalogue
from tools.finish.page import Page, Site

GLOSSARY = "reference/glossary/"
ERRORS = "reference/errors/"  # for a quick look, and the longest page: each term would weigh on it
ENTRY = re.compile(r'^- <a id="([^"]+)"></a>\*\*(.+?)\*\*: (.+)$', re.M)
# Entries whose word has an everyday meaning too: a sentence about a "plan" need not be about EXPLAIN.
EVERYDAY = {"alias", "domain", "fixture", "fragment", "image", "lock", "permission", "plan", "queue", "retry", "schema",
            "secret", "service", "session", "signal", "task", "index", "buffer", "validation", "container", "redis",
            "graphql", "rest", "null", "explain", "beat", "acknowledge", "lazy", "atomic", "constraint"}  # fmt: skip
MOST = 8  # links on a page: help, not noise
PARTS = re.compile(r"(<!--.*?-->|<[^>]+>)", re.S)
NAME = re.compile(r"</?([a-z0-9]+)")
# Text inside these stays as it is: it is a link already, code, a heading, or no text at all.
CLOSED = {"a", "abbr", "button", "code", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "kbd", "nav",
          "pre", "script", "style", "summary", "svg", "th"}  # fmt: skip


def terms(site: Site) -> dict[str, tuple[str, str]]:
    """Return each word to look for, in lower case or as an abbreviation, with its anchor and its plain meaning."""
    path = site.source / "docs" / GLOSSARY / "README.md" if site.source else None
    if not path or not path.is_file():
        return {}
    changed = path.stat().st_mtime_ns
    if site.state.get("glossary", (0, {}))[0] != changed:
        found = {}
        for anchor, word, meaning in ENTRY.findall(path.read_text("utf-8")):
            if anchor not in EVERYDAY:
                plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", meaning).replace("`", "").replace("**", "")
                found[word if word[1:].upper() == word[1:] else word.lower()] = (anchor, plain)
        site.state["glossary"] = (changed, found)
    return site.state["glossary"][1]


def page(page: Page) -> None:
    """Link the first use of each term, MOST of them at most; not on the pages that are lists themselves."""
    known = terms(page.site)
    if not known or page.is_error_page or page.url in ("", GLOSSARY, ERRORS):
        return
    start, end = catalogue.article(page)
    words = sorted(known, key=len, reverse=True)
    either = (
        f"[{word[0].upper()}{word[0]}]{re.escape(word[1:])}" if word.islower() else re.escape(word) for word in words
    )
    pattern = re.compile(rf"(?<![\w-])({'|'.join(either)})(e?s)?(?![\w-])")
    base = page.base.rstrip("/")
    seen: set[str] = set()

    def linked(match: re.Match) -> str:
        word = match[1] if match[1] in known else match[1].lower()
        anchor, meaning = known[word]
        if anchor in seen or len(seen) >= MOST:
            return match[0]
        seen.add(anchor)
        title = html.escape(meaning)
        return f'<a class="term" href="{base}/{GLOSSARY}#{anchor}" title="{title}">{match[0]}</a>'

    closed = 0  # elements around the text whose text stays
    out = []
    for part in PARTS.split(page.html[start:end]):
        if part.startswith("<"):
            name = NAME.match(part)
            if name and name[1] in CLOSED and not part.endswith("/>"):
                closed += -1 if part.startswith("</") else 1
            out.append(part)
        else:
            out.append(part if closed else pattern.sub(linked, part))
    page.html = page.html[:start] + "".join(out) + page.html[end:]
