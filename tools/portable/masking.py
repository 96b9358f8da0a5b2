"""Blank out what is not prose, so that a pattern for prose does not find code."""

import re
from bisect import bisect_right

CODE_FILL, ADDRESS_FILL = "\x00", "\x01"  # neither occurs in a page: source.py refuses control characters
TOKEN = re.compile(r"\\[\\`<]|`+|<!--")
TICKS = re.compile(r"`+")
# A code span ends at the latest with its block: at a blank line, a list item, a heading or a row of a table.
BOUNDARY = re.compile(r"\n(?=[ \t>]*(?:\n|[-*+] |\d{1,9}[.)] |#{1,6} |\||$))")
TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*+)>")
AUTOLINK = re.compile(r"<(?:[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[^\s<>@]{1,64}@[^\s<>]{1,255})>")
BARE_URL = re.compile(r"\bhttps?://[^\s<>\x00]+")
DESTINATION = re.compile(r"(?<=\]\()[^()\s]*(?:\([^()\s]*\)[^()\s]*)*")
DEFINITION = re.compile(r"(?m)^( {0,3}\[[^\]\n]+\]:[ \t]*)(\S+)")


def _blank(found: str, fill: str) -> str:
    return "".join("\n" if char == "\n" else fill for char in found)


def mask_code(text: str, code_lines: set[int]) -> tuple[str, list[int]]:
    """Blank the lines that belong to code blocks, then code spans and comments.

    Returns the text with every character in its old place, and the offsets of comments that are never closed.
    """
    lines = text.split("\n")
    for number in code_lines:
        if number <= len(lines):
            lines[number - 1] = " " * len(lines[number - 1])
    text = "\n".join(lines)
    runs: dict[int, list[int]] = {}  # length of a run of backticks -> where such runs start
    for run in TICKS.finditer(text):
        runs.setdefault(len(run[0]), []).append(run.start())
    boundaries = [match.start() for match in BOUNDARY.finditer(text)]
    out, position, unclosed = [], 0, []
    while token := TOKEN.search(text, position):
        start, end = token.span()
        out.append(text[position:start])
        if token[0] == "<!--":
            close = text.find("-->", start + 2)  # a browser also ends '<!-->' and '<!--->' at once
            if close < 0:
                unclosed.append(start)
                out.append(_blank(text[start:], " "))
                return "".join(out), unclosed
            out.append(_blank(text[start : close + 3], " "))
            position = close + 3
        elif token[0][0] == "`" and (close := _closing(runs, boundaries, token)) is not None:
            out.append(_blank(text[start:close], CODE_FILL))
            position = close
        else:
            out.append(token[0])
            position = end
    return "".join(out) + text[position:], unclosed


def _closing(runs: dict[int, list[int]], boundaries: list[int], token: re.Match) -> int | None:
    """The offset behind the run of backticks that closes the one at token, None when there is none."""
    length = len(token[0])
    same = runs.get(length, [])
    index = bisect_right(same, token.start())
    if index == len(same):
        return None
    next_boundary = bisect_right(boundaries, token.start())
    limit = boundaries[next_boundary] if next_boundary < len(boundaries) else None
    if limit is not None and same[index] > limit:
        return None
    return same[index] + length


def mask_addresses(text: str) -> str:
    """Blank addresses in text whose code is masked: '~', '==' and ':' mean nothing in them."""
    text = AUTOLINK.sub(lambda m: _blank(m[0], ADDRESS_FILL), text)
    text = DEFINITION.sub(lambda m: m[1] + _blank(m[2], ADDRESS_FILL), text)
    text = DESTINATION.sub(lambda m: _blank(m[0], ADDRESS_FILL), text)
    return BARE_URL.sub(lambda m: _blank(m[0], ADDRESS_FILL), text)


def mask_tags(text: str) -> str:
    """Blank raw HTML tags; what stands between them is prose."""
    return TAG.sub(lambda m: _blank(m[0], " "), text)
