"""Render a page with GitHub's parser and with the site's, and report what a reader would see differ.

No list of rules knows every trap of two parsers; the comparison finds those that no rule names.
"""

import re
from bisect import bisect_left, bisect_right
from difflib import SequenceMatcher

from tools.portable.chunks import Chunk, Heading
from tools.portable.outline import Outline
from tools.portable.page import Page, github_slug
from tools.portable.site import SettingsError, SiteSettings

MAX_DEPTH = 12  # containers in each other; a reader is lost at four
MAX_BLOCK = 3_000  # characters without a break; Python-Markdown needs quadratic time for some texts
MAX_FENCES = 500
MAX_REPORTS = 10
MAX_COMPARED = 1_000_000  # pairs of blocks
# What has no end swallows the rest of the page; a comparison would repeat that line by line.
OPEN_ENDED = ("comment", "fence-unclosed", "html-unclosed", "html-unsafe")
NEW_BLOCK = re.compile(r"[ >]*(?:$|#{1,6} |\[[^\]\n]+\]:[ ]+\S+[ ]*$)")


def too_complex(page: Page) -> bool:
    """Report what the site's parser would need minutes or a deeper stack for; then the page cannot be compared."""
    if len(page.code_blocks) > MAX_FENCES:
        page.report(
            page.code_blocks[MAX_FENCES].line, "too-complex", found=f"the page has more than {MAX_FENCES} fences"
        )
        return True
    starts = page.code_lines | _items(page)
    size = 0
    for number, line in enumerate(page.lines, 1):
        size = 0 if number in starts or NEW_BLOCK.match(line) else size
        size += len(line) if number not in page.code_lines else 0
        if size > MAX_BLOCK:
            page.report(number, "too-complex", found=f"the paragraph has more than {MAX_BLOCK} characters")
            return True
    depth, line = page.github.deepest
    if depth > MAX_DEPTH:
        page.report(line, "too-complex", found=f"quotes, lists or <details> are nested more than {MAX_DEPTH} deep")
        return True
    return False


def _items(page: Page) -> set[int]:
    """The lines on which the site, too, begins an item of a list or a row of a table."""
    prose = sorted(problem.line for problem in page.problems if problem.rule in ("list-blank", "table-blank"))
    found = set()
    for block in page.github.blocks:
        if block.tag in ("li", "tr"):
            outer = block
            while outer.parent and outer.parent.tag != "blockquote":
                outer = outer.parent
            if bisect_left(prose, outer.line) == bisect_right(prose, outer.end):
                found.add(block.line)
    return found


def check(page: Page, settings: SiteSettings) -> Outline | None:
    """Report every difference between the renderings; return what the site shows, None if it shows nothing.

    Raises SettingsError when the site's Markdown cannot be set up.
    """
    try:
        site = Outline(settings.html(page.text or ""))
    except SettingsError:
        raise
    except Exception as error:  # extensions raise what they like; the author needs the page's name, not a traceback
        page.report(1, "too-complex", found=f"the site cannot render the page ({type(error).__name__})")
        return None
    if any(problem.rule in OPEN_ENDED for problem in page.problems):
        return site
    known = sorted({problem.line for problem in page.problems})
    reports = 0
    for line, end, github, shown in _differences(page.github.chunks, site.chunks):
        if any(line - 1 <= number <= end for number in known):
            continue  # a rule has named the cause already
        reports += 1
        if reports <= MAX_REPORTS:
            page.report(line, "differs", github=github, site=shown)
    if len(page.github.headings) == len(site.headings):
        _anchors(page, site.headings)
    return site


def _differences(github: list[Chunk], site: list[Chunk]) -> list[tuple[int, int, str, str]]:
    """(first line, last line, what GitHub shows, what the site shows) for each run of chunks that differ."""
    if github == site:
        return []
    same = next((n for n, (a, b) in enumerate(zip(github, site, strict=False)) if a != b), min(len(github), len(site)))
    steps = [("replace", same, same + 1, same, same + 1)]  # of a page with thousands of blocks, the first difference
    if (len(github) - same) * (len(site) - same) < MAX_COMPARED:
        matcher = SequenceMatcher(None, github[same:], site[same:], autojunk=False)
        steps = [(step, *(same + n for n in places)) for step, *places in matcher.get_opcodes()]
    found = []
    for step, i1, i2, j1, j2 in steps:
        if step == "equal":
            continue
        at = github[i1] if i1 < min(i2, len(github)) else github[i1 - 1] if i1 else None
        end = max((chunk.end for chunk in github[i1:i2]), default=at.end if at else 1)
        ours, theirs = _telling(github[i1:i2]), _telling(site[j1:j2])
        start = _first_difference(ours, theirs)
        found.append((at.line if at else 1, end, _describe(ours, start), _describe(theirs, start)))
    return found


def _telling(chunks: list[Chunk]) -> Chunk | None:
    """The chunk to show: a marker of a list or a cell says less than the text that follows it."""
    return next((chunk for chunk in chunks if chunk.path[-1:] != ("*",)), chunks[0] if chunks else None)


def _first_difference(ours: Chunk | None, theirs: Chunk | None) -> int:
    if not ours or not theirs or ours.text == theirs.text:
        return 0
    pairs = enumerate(zip(ours.text, theirs.text, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(ours.text), len(theirs.text)))


def _describe(chunk: Chunk | None, start: int) -> str:
    """The text around start and the containers around it, innermost first."""
    if chunk is None:
        return "nothing"
    if chunk.path[-1:] == ("*",):
        kind, _, number = chunk.text.partition(" ")
        names = {"ul": "a new list", "ol": f"a new list from {number}", "li": "a list item", "hr": "a rule"}
        return names.get(kind, "an empty cell")
    begin = max(0, start - 20)
    text = ("..." if begin else "") + chunk.text[begin : begin + 50] + ("..." if len(chunk.text) > begin + 50 else "")
    names = {"ul": "", "ol": "", "li": "list item", "td": "table cell", "th": "table heading", "*": ""}
    names |= {f"h{level}": f"heading {level}" for level in range(1, 7)}
    words = [names.get(name.split(" ")[0], name) for name in chunk.path]
    place = " in ".join(word for word in reversed(words) if word) or "a paragraph"
    return f"'{text}' ({place})"


def _anchors(page: Page, headings: list[Heading]) -> None:
    """Report headings whose anchors differ; equal headings have their own rule."""
    known = {(problem.line, problem.rule) for problem in page.problems}
    seen = set()
    for ours, theirs in zip(page.github.headings, headings, strict=True):
        want = github_slug(ours.text)
        if want not in seen and theirs.id != want and (ours.line, "heading-spaces") not in known:
            have = f"#{theirs.id}" if theirs.id else "none"
            page.report(ours.line, "anchor", found=ours.text, want=f"#{want}" if want else "none", have=have)
        seen.add(want)
