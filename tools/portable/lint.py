"""The rules that need the source of one page and its structure, line by line."""

import re
from functools import cache

from tools.portable import fences, raw_html
from tools.portable.chunks import Block
from tools.portable.page import Page, github_slug
from tools.portable.rules import PATTERNS
from tools.portable.tags import HEADINGS

ALERTS = ("NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION")
ALERT_LINE = re.compile(r"^[\s>*+.)\d-]*>\s*\[!([^\]\n]*)\](?![(\[:])(.*)$")
DELIMITER_ROW = re.compile(r"^[ >]*\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)*\|?[ ]*$")
UNDERLINE = re.compile(r"[ >]*(=+|-+)\s*$")
FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\](:?)")
REFERENCE = re.compile(r"(?<!\])\[([^\[\]]*)\][ \n]\[([^\[\]]*)\](?![(:])")
REFERENCE_NAME = re.compile(r"(?m)^ {0,3}\[([^\]\n^][^\]\n]*)\]:")
CODE_LABEL = re.compile(r"\[([^\[\]\n]*\x00[^\[\]\n]*)\](?![(:])")
ITEM_START = re.compile(r"(?:^|\n)[ >]*(?:[-*+]|\d+\.) $")
ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def check(page: Page, escapable: str) -> None:
    """Report every violation in the page; `escapable` holds the characters that the site lets a backslash escape."""
    for number, line in enumerate(page.prose, 1):
        _patterns(page, number, line)
        _alert(page, number, line)
        if re.match(r" *\t", page.lines[number - 1]) and number not in page.code_lines:
            page.report(number, "tab-indent")
        for escape in ESCAPE.finditer(line.replace("\\\\", "  ")):
            if escape[1] not in escapable:
                page.report(number, "escape", found=escape[0])
    _hard_breaks(page)
    _headings(page)
    _lists_and_tables(page)
    _pipes(page)
    _footnotes(page)
    _references(page)
    fences.check(page)
    raw_html.check(page)


@cache
def _emoji() -> dict[str, str]:
    """{shortcode: character} of GitHub's shortcodes."""
    from pymdownx import gemoji_db  # large, and most pages need it never

    known = {name: entry.get("unicode", "") for name, entry in gemoji_db.emoji.items()}
    known |= {alias: known.get(name, "") for alias, name in gemoji_db.aliases.items()}
    return {name: "".join(chr(int(code, 16)) for code in codes.split("-") if code) for name, codes in known.items()}


def _patterns(page: Page, number: int, line: str) -> None:
    if not line.strip():
        return
    for rule in PATTERNS:
        for match in rule.pattern.finditer(line):
            if rule.id == "emoji":
                if match[0] in _emoji():
                    page.report(number, rule.id, found=match[0], emoji=_emoji()[match[0]] or "or a word")
            else:
                page.report(number, rule.id, found=match[0].strip())


def _alert(page: Page, number: int, line: str) -> None:
    found = ALERT_LINE.match(line)
    if not found:
        return
    kind, rest = found[1], found[2].strip()
    if kind not in ALERTS:
        page.report(number, "alert-type", found=kind)
    elif rest:
        page.report(number, "alert-title", kind=kind)
    else:
        quote = page.quotes.get(number)
        if quote is None or quote.path or quote.end == number:
            place = quote.path[0] if quote and quote.path else "quote"
            page.report(
                number, "alert-place", found={"ul": "list", "ol": "list", "blockquote": "quote"}.get(place, place)
            )


def _hard_breaks(page: Page) -> None:
    lines = page.prose
    for number, line in enumerate(lines[:-1], 1):
        backslashes = len(line) - len(line.rstrip("\\"))
        if backslashes % 2 and lines[number].strip(" >"):
            page.report(number, "hard-break")


def _headings(page: Page) -> None:
    first: dict[str, int] = {}
    for heading in page.github.headings:
        slug = github_slug(heading.text)
        if slug in first:
            page.report(heading.line, "heading-duplicate", found=heading.text, slug=slug, first=first[slug])
        first.setdefault(slug, heading.line)
    for block in page.github.blocks:
        if block.tag not in HEADINGS:
            continue
        source = page.lines[block.line - 1][block.column - 1 :]
        if not source.startswith("#"):
            lines = range(block.line + 1, min(block.end, len(page.lines)) + 1)
            line = next((n for n in lines if UNDERLINE.match(page.lines[n - 1])), block.line)
            underline = page.lines[line - 1].strip(" >")
            page.report(line, "setext-heading", found=underline[:3], marks="#" if underline[:1] == "=" else "##")
        elif re.search(r"\S(?:  +|\t)\S", re.sub(r"^#+\s+|\s+#*\s*$", "", source)):
            page.report(block.line, "heading-spaces")


def _lists_and_tables(page: Page) -> None:
    before: Block | None = None
    for block in page.github.blocks:
        line = page.lines[block.line - 1]
        adjacent = (
            before is not None and before.tag == "p" and before.parent is block.parent and before.end >= block.line - 1
        )
        # The first list of an item may follow the item's text at once; both renderers nest it.
        if block.tag in ("ul", "ol") and adjacent and not (block.parent and block.parent.tag == "li"):
            page.report(block.line, "list-blank")
        if block.tag == "table" and before is not None and before.tag == "p" and before.line == 0:
            rows = range(block.line, block.end)  # the table seems to begin with the paragraph that it interrupts
            page.report(next((n for n in rows if DELIMITER_ROW.match(page.lines[n])), block.line), "table-blank")
        if block.tag == "li":
            if marker := re.match(r"(\d+)\)", line[block.column - 1 :]):
                page.report(block.line, "list-paren", found=marker[0], number=marker[1])
            outer = block.parent.parent if block.parent else None
            if outer and outer.tag == "li" and outer.line != block.line and block.column - outer.column != 4:
                page.report(block.line, "list-indent", found=_spaces(block.column - outer.column))
        if block.tag not in ("tr", "td", "th"):
            before = block


def _spaces(count: int) -> str:
    return "one space" if count == 1 else f"{count} spaces"


def _pipes(page: Page) -> None:
    """Report code with a pipe in the rows around a row of dashes, whether or not GitHub still sees a table there."""
    lines = page.prose
    row = 0
    for index, line in enumerate(lines):
        if index <= row or "-" not in line or "|" not in line or not DELIMITER_ROW.match(line):
            continue
        row = index - 1
        while row < len(lines) and lines[row].strip(" >"):
            source = page.lines[row]
            codes = re.finditer(r"\x00+", lines[row])
            if any("|" in source[code.start() : code.end()] for code in codes):
                page.report(row + 1, "table-pipe")
            row += 1


def _footnotes(page: Page) -> None:
    used: dict[str, int] = {}
    defined: dict[str, int] = {}
    for number, line in enumerate(page.prose, 1):
        for note in FOOTNOTE.finditer(line):
            name = note[1].lower()
            if note[2] and not line[: note.start()].strip():
                if name in defined:
                    page.report(number, "footnote", found=note[1], why="is defined twice", fix="delete one")
                defined.setdefault(name, number)
            else:
                used.setdefault(name, number)
    for name in used.keys() - defined.keys():
        page.report(used[name], "footnote", found=name, why="has no text", fix=f"write '[^{name}]: text' below")
    for name in defined.keys() - used.keys():
        page.report(defined[name], "footnote", found=name, why="is never used", fix=f"write [^{name}] in a sentence")


def _references(page: Page) -> None:
    text, source = "\n".join(page.prose), "\n".join(page.lines)
    names = {source[slice(*name.span(1))].lower() for name in REFERENCE_NAME.finditer(text)}
    if not names:
        return
    for found in REFERENCE.finditer(text):
        before = text[max(0, found.start() - 60) : found.start()]
        task = found[1] in " xX" and ITEM_START.search(before)
        if (found[2] or found[1]).lower() in names and not task:
            page.report(text.count("\n", 0, found.start()) + 1, "spaced-reference", found=found[0])
    for found in CODE_LABEL.finditer(text):
        if source[slice(*found.span(1))].lower() in names:
            line = text.count("\n", 0, found.start()) + 1
            page.report(line, "code-label", found=source[slice(*found.span())])
