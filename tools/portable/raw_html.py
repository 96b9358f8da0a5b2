"""Rules for raw HTML: what GitHub removes, what is unsafe, and what the site would not render as GitHub does."""

import html
import re

from tools.portable.masking import TAG
from tools.portable.outline import Outline
from tools.portable.page import Page
from tools.portable.tags import ACTIVE, ATTRIBUTES, KEPT, MARKDOWN_FREE, OPTIONAL_END, UNSAFE, VOID

ATTRIBUTE = re.compile(r"([^\s=\"'/<>]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]*)))?")
MAX_TAGS = 1_000
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#|$")


def check(page: Page) -> None:
    """Report every tag and attribute that GitHub and the site do not treat alike."""
    for line in page.open_comments:
        page.report(line, "comment", found="the comment is never closed and hides the rest of the page")
    tags: list[tuple[str, bool, int]] = []
    line, position = 1, 0
    for match in TAG.finditer(page.html_text):
        line += page.html_text.count("\n", position, match.start())
        position = match.start()
        if len(tags) == MAX_TAGS:
            page.report(line, "too-complex", found=f"the page has more than {MAX_TAGS} HTML tags")
            break
        tag = match[2].lower()
        tags.append((tag, bool(match[1]), line))
        if tag in UNSAFE:
            if not match[1]:
                page.report(line, "html-unsafe", found=tag)
        elif tag not in KEPT and not match[1]:
            page.report(line, "html-tag", found=match[2])
        if not match[1]:
            _attributes(page, line, tag, match)
    _balance(page, tags)
    _markdown_inside(page, tags)
    _details(page)
    check_rendered(page, page.github)


def _attributes(page: Page, line: int, tag: str, match: re.Match) -> None:
    values = {}
    for name, *quoted in ATTRIBUTE.findall(match[3]):
        # A browser reads '&#58;' as ':' and skips white space at both ends.
        values.setdefault(name.lower(), html.unescape("".join(quoted)).strip())
    for name in values:
        if name.startswith("on"):
            page.report(line, "html-event", found=name)
        elif tag in KEPT and (name not in ATTRIBUTES or (name == "markdown" and tag != "details")):
            page.report(line, "html-attribute", found=name)
    for name in ("id", "name"):
        if values.get(name, "").startswith("__"):
            page.report(line, "theme-name", found=values[name])
    if tag == "details" and values.get("markdown") != "1":
        page.report(line, "details-markdown")
    if tag == "a" and not SCHEME.match(values.get("href", "")):
        page.report(line, "html-link", found=values["href"])
    address = values.get("srcset", "").split(" ")[0] or values.get("src", "")
    if tag == "source" and ".svg" in address:
        page.report(line, "picture-svg")
    elif tag in ("img", "source") and re.match(r"(?:https?:)?//", values.get("srcset", ""), re.I):
        page.report(line, "image-remote", found=address)
    if tag in ("img", "source") and not SCHEME.match(address):
        page.report(line, "html-image", found=address)


def _balance(page: Page, tags: list[tuple[str, bool, int]]) -> None:
    """Report tags whose end is missing: an open <details> swallows the rest of the page."""
    stack: list[tuple[str, int]] = []
    for tag, closing, line in tags:
        if tag in VOID or tag in OPTIONAL_END or tag not in KEPT:
            continue
        if not closing:
            stack.append((tag, line))
        elif any(name == tag for name, _ in stack):
            while stack[-1][0] != tag:
                name, opened = stack.pop()
                page.report(opened, "html-unclosed", found=name, fix=f"write </{name}>")
            stack.pop()
        else:
            page.report(line, "html-unclosed", found=f"/{tag}", fix="delete it or write the opening tag")
    for name, opened in stack:
        page.report(opened, "html-unclosed", found=name, fix=f"write </{name}>")


def _markdown_inside(page: Page, tags: list[tuple[str, bool, int]]) -> None:
    """Report Markdown after a blank line inside a block of HTML: GitHub renders it and the site does not."""
    for index, (tag, closing, line) in enumerate(tags):
        if closing or tag not in MARKDOWN_FREE:
            continue
        end = next((n for name, is_end, n in tags[index + 1 :] if is_end and name == tag), line)
        for number in range(line + 1, end):
            before, after = page.lines[number - 1].strip(), page.lines[number].strip()
            if not before and after and not after.startswith("<"):
                page.report(number + 1, "html-markdown", found=tag)
                break


def _details(page: Page) -> None:
    """Report a line that opens <details> or ends <summary> with text right behind it."""
    lines = page.html_text.split("\n")
    for number, line in enumerate(lines, 1):
        low = line.lower()
        following = lines[number].strip() if number < len(lines) else ""
        if "</summary>" in low:
            rest = low.rpartition("</summary>")[2].strip()
        elif "<details" in low and "<summary" not in low and not following.startswith("<"):
            rest = low.rpartition(">")[2].strip()
        else:
            continue
        if (rest and not rest.startswith("</details")) or (
            not rest and following and not following.startswith("</details")
        ):
            page.report(number, "details-blank")


def check_rendered(page: Page, outline: Outline) -> None:
    """Report what only a renderer made out of the source: nothing unsafe may pass because a pattern missed it."""
    for rule, name, line in outline.unsafe:
        if rule == "html-unsafe" and name not in ACTIVE:
            continue
        named = (f"<{name}>", f"'{name}'")
        if not any(problem.rule == rule and any(n in problem.message for n in named) for problem in page.problems):
            page.report(page.line_of(name, line), rule, found=name)
