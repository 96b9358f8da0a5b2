"""Rules for code fences and diagrams."""

import re

from tools.portable.chunks import Block
from tools.portable.page import Page

OPENING = re.compile(r"(`{3,}|~{3,})[ \t]*(.*)$")
INFO = re.compile(r"[\w+#][\w+#.-]*(?:[ \t]+(?:title|hl_lines|linenums)=\"[^\"<>&]*\")*[ \t]*$")
ANNOTATION = re.compile(r"(?:#|//|--|<!--|/\*|;|%)[ \t]*\(\d+\)!")
GITHUB_ONLY = ("math", "geojson", "topojson", "stl")
# Settings, links, pictures and styles from elsewhere, and tags other than a line break: no renderer needs them here.
ACTIVE = re.compile(
    r"%%\s*\{|^\s*(?:click|callback|links?)\s|@\{\s*(?:img|icon)\b|url\(|javascript:|https?://|<(?!br\s*/?>)/?[a-z!][\w-]*",
    re.I | re.M,
)
DIAGRAMS = ("flowchart", "sequenceDiagram", "stateDiagram", "stateDiagram-v2", "classDiagram", "erDiagram", "gantt")


def check(page: Page) -> None:
    """Report every fence that one of the renderers does not understand, and every diagram that cannot be drawn."""
    previous: Block | None = None
    starts = {block.line for block in page.github.blocks if block.tag in ("p", "ul", "ol", "li", "table", "pre")}
    for block in page.github.blocks:
        opening = OPENING.match(_at(page, block)) if block.tag == "pre" else None
        if opening:
            if previous and previous.tag == "p" and previous.parent is block.parent and previous.end == block.line - 1:
                page.report(block.line, "fence-blank", where="before")
            if block.end + 1 in starts:
                page.report(block.end + 1, "fence-blank", where="after")
            _fence(page, block, opening[1], opening[2].strip())
        if block.tag not in ("tr", "td", "th"):
            previous = block


def _at(page: Page, block: Block) -> str:
    """The source from where the block starts; columns count bytes."""
    return page.lines[block.line - 1].encode()[block.column - 1 :].decode(errors="replace")


def _fence(page: Page, block: Block, mark: str, info: str) -> None:
    last = page.lines[block.end - 1].strip(" >\t")
    closed = block.end > block.line and last.startswith(mark) and not last.strip(mark[0])
    if not closed:
        page.report(block.line, "fence-unclosed", found=mark)
    if not info:
        page.report(block.line, "fence-language", found=mark)
        return
    language, _, options = info.partition(" ")
    if language == "mermaid":
        if options:
            page.report(block.line, "diagram-options")
        elif closed:
            _diagram(page, block)
    elif language in GITHUB_ONLY:
        page.report(block.line, "fence-viewer", found=language)
    elif not INFO.match(info):
        page.report(block.line, "fence-options", found=info)
    for number in range(block.line + 1, block.end):
        if annotation := ANNOTATION.search(page.lines[number - 1]):
            page.report(number, "fence-annotation", found=annotation[0])


def _diagram(page: Page, block: Block) -> None:
    """Draw the diagram, as the site does; the first line of its source is the one after the fence."""
    raw = [line.encode()[: block.column - 1] for line in page.lines[block.line : block.end - 1]]
    lines = page.lines[block.line : block.end - 1]
    lines = [line[len(start) :] if not start.strip(b" >") else line for start, line in zip(raw, lines, strict=True)]
    first = next((n for n, line in enumerate(lines) if line.strip() and not line.strip().startswith("%%")), None)
    for number, line in enumerate(lines, block.line + 1):
        if active := ACTIVE.search(line):
            page.report(number, "diagram-active", found=active[0].strip())
    if first is not None:
        kind = re.split(r"[\s:;{]", lines[first].strip(), maxsplit=1)[0]
        if kind not in DIAGRAMS:
            page.report(block.line + first + 1, "diagram-kind", found=kind)
            return
    try:
        from tools.finish import diagrams  # only pages with diagrams need the drawing library
    except ImportError:
        page.report(
            block.line, "diagram", found="the drawing library is missing", fix="run 'make serve' once to install it"
        )
        return
    try:
        diagrams.draw("\n".join(lines))
    except diagrams.DiagramError as error:
        message = " ".join(error.message.split())
        fix = "correct this line of the diagram"
        if missing := re.match(r"the diagram has no '(acc\w+)", message):
            fix = f"add a line '{missing[1]}: a few words' below this one"
        elif 0 < error.line <= len(lines):
            fix = f"correct '{lines[error.line - 1].strip()[:60]}'"
        page.report(block.line + error.line, "diagram", found=message, fix=fix)
    except diagrams.NotAvailableError:
        return  # said once by the build, which stops in strict mode
