"""Mermaid source -> inline SVG that follows the reader's palette, without a browser, JavaScript or the network.

merman draws with sentinel colours; each becomes a CSS custom property, so that the palette toggle restyles the diagram
(the properties are in docs/assets/stylesheets/nexus.css). What the drawing does not use is pruned: 33 KB of flowchart
become 6 KB.
"""

import atexit
import html
import json
import re
from functools import cache

FAMILIES = ("flowchart", "graph", "sequenceDiagram", "stateDiagram", "classDiagram", "erDiagram", "gantt")
FONT = "Arial, Helvetica, sans-serif"  # merman measures text with Arial's widths; another font overflows the boxes

# Sentinel colours, each of which merman uses for nothing else -> the custom property that takes its place.
COLOURS = {
    "#f0f1f2": "--diagram-node",
    "#111213": "--diagram-text",
    "#717273": "--diagram-border",
    "#515253": "--diagram-line",
    "#e0e1e2": "--diagram-group",
    "#d0d1d2": "--diagram-accent",
    "#c0c1c2": "--diagram-note",
    "#a0a1a2": "--diagram-note-border",
    "#b0b1b2": "--diagram-label",
    "#fefefe": "--diagram-background",
}
NODE, TEXT, BORDER, LINE, GROUP, ACCENT, NOTE, NOTE_BORDER, LABEL, BACKGROUND = COLOURS
THEME = {
    NODE: "mainBkg primaryColor actorBkg labelBoxBkgColor rowOdd attributeBackgroundColorOdd",
    TEXT: "primaryTextColor textColor titleColor nodeTextColor secondaryTextColor actorTextColor signalTextColor "
    "labelTextColor loopTextColor noteTextColor taskTextColor taskTextOutsideColor taskTextDarkColor",
    BORDER: "primaryBorderColor nodeBorder secondaryBorderColor tertiaryBorderColor clusterBorder actorBorder "
    "actorLineColor labelBoxBorderColor activationBorderColor taskBorderColor gridColor",
    LINE: "lineColor arrowheadColor signalColor",
    GROUP: "secondaryColor clusterBkg rowEven attributeBackgroundColorEven sectionBkgColor",
    ACCENT: "tertiaryColor activationBkgColor taskBkgColor",
    NOTE: "noteBkgColor",
    NOTE_BORDER: "noteBorderColor",
    LABEL: "edgeLabelBackground",
    BACKGROUND: "background sequenceNumberColor altSectionBkgColor",
}
GANTT = {
    ACCENT: "activeTaskBkgColor doneTaskBkgColor",
    NOTE: "critBkgColor",
    NOTE_BORDER: "critBorderColor todayLineColor",
}
GANTT |= {BORDER: "activeTaskBorderColor doneTaskBorderColor", GROUP: "sectionBkgColor2 excludeBkgColor"}

# Colours that merman writes whatever the theme says -> the sentinel that stands for them.
FIXED = {
    "#eaeaea": NODE,
    "#666": BORDER,
    "#999": BORDER,
    "#EDF2AE": NOTE,
    "#000000": TEXT,
    "#000": TEXT,
    "#ff8888": NOTE_BORDER,
    "rgb(113, 114, 115)": BORDER,
    "lightgrey": GROUP,
    "white": BACKGROUND,
}
# One pass for all of them: a drawing has 33 KB before it is pruned.
FIXED_COLOUR = re.compile(rf"([:\"])({'|'.join(map(re.escape, FIXED))})(?=[;\"}}])")
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\b")


class DiagramError(Exception):
    """A diagram that cannot be drawn. `line` is 1-based within the diagram's source, 0 when unknown."""

    def __init__(self, message: str, line: int = 0):
        super().__init__(message)
        self.message, self.line = message, line


class NotAvailableError(Exception):
    """merman publishes no wheel for this platform."""


@cache
def _client():
    try:
        import merman
    except ImportError as error:
        raise NotAvailableError(
            "diagrams cannot be drawn here: merman has wheels for Linux x86-64, macOS on Apple silicon and Windows only"
        ) from error
    atexit.register(_client.cache_clear)  # its destructor needs a running interpreter
    return merman.Merman()


def _options(identifier: str) -> str:
    theme = {name: colour for table in (THEME, GANTT) for colour, names in table.items() for name in names.split()}
    theme |= {"fontFamily": FONT, "fontSize": "15px"}
    site = {"theme": "base", "themeVariables": theme, "htmlLabels": False, "fontFamily": FONT}
    site |= {"flowchart": {"htmlLabels": False, "useMaxWidth": True}, "deterministicIds": True}
    return json.dumps({"site_config": site, "svg": {"pipeline": "resvg-safe", "diagram_id": identifier}})


def _validate(source: str) -> None:
    """Raise DiagramError for what merman accepts but a reader or GitHub would miss."""
    lines = [line.strip() for line in source.splitlines()]
    first = next((n for n, line in enumerate(lines) if line and not line.startswith("%%")), None)
    if first is None:
        raise DiagramError("the diagram is empty")
    if not lines[first].startswith(FAMILIES):
        known = ", ".join(FAMILIES)
        raise DiagramError(f"'{lines[first].split()[0]}' is not a kind of diagram used here: {known}", first + 1)
    for key, purpose in (("accTitle", "a name"), ("accDescr", "a sentence that says what the picture shows")):
        if not any(re.match(rf"{key}\s*(:\s*\S|{{)", line) for line in lines):
            raise DiagramError(
                f"the diagram has no '{key}: ...' line: {purpose} for people who do not see it", first + 1
            )


def _used_rules(css: str, body: str, identifier: str) -> str:
    """Keep the rules whose classes, ids and elements occur in the drawing; drop animation."""
    css = re.sub(r"@(?:-webkit-)?keyframes[^{]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", css)
    classes = {name for names in re.findall(r'class="([^"]*)"', body) for name in names.split()}
    ids = set(re.findall(r'\bid="([^"]*)"', body))
    elements = set(re.findall(r"<([a-z]\w*)", body)) | {"svg"}

    def occurs(selector: str) -> bool:
        rest = selector.replace("#" + identifier, "", 1)
        plain = re.sub(r"\[[^]]*\]|:[\w-]+(\([^)]*\))?", "", rest)
        return (
            all(name in classes for name in re.findall(r"\.([\w-]+)", rest))
            and all(name in ids for name in re.findall(r"#([\w-]+)", rest))
            and all(name in elements for name in re.findall(r"(?:^|[\s>+~])([a-z]\w*)", plain))
        )

    kept = []
    for selectors, declarations in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        chosen = [s.strip() for s in selectors.split(",") if occurs(s.strip())]
        declarations = declarations.replace("opacity:0.5", "opacity:1")  # a label on its line must hide the line
        wanted = [d for d in declarations.split(";") if d.strip() and not re.search("animation|cursor|filter", d)]
        if chosen and wanted:
            kept.append(",".join(chosen) + "{" + ";".join(wanted) + "}")
    return "".join(kept)


def _slim(svg: str, identifier: str) -> str:
    """Replace the colours by custom properties and drop shadows and what the drawing does not use."""
    svg = FIXED_COLOUR.sub(lambda found: found[1] + FIXED[found[2]], svg)
    svg = re.sub(r'\sfilter="[^"]*"', "", svg)
    svg = COLOUR.sub(lambda found: f"var({name})" if (name := COLOURS.get(found[0].lower())) else found[0], svg)
    head, body = svg.split(">", 1)
    used = set(re.findall(r"url\(#([^)]+)\)", body)) | set(re.findall(r'href="#([^"]+)"', body))
    body = re.sub(
        r'<(marker|filter|symbol) id="([^"]+)".*?</\1>', lambda m: m[0] if m[2] in used else "", body, flags=re.S
    )
    body = re.sub(r'\sdata-(?!look)[\w-]+="[^"]*"', "", body)
    body = re.sub(r'\sstyle="stroke-dasharray:\s*0 0 [^"]*"', "", body)
    body = re.sub(r"<defs\s*/>|<defs></defs>|<g></g>|<g/>", "", body)
    style = re.search(r"<style>(.*?)</style>", body, re.S)
    if style:
        rest = body[: style.start()] + body[style.end() :]
        rules = _used_rules(style[1], rest, identifier)
        body = f"{body[: style.start()]}<style>{rules}</style>{body[style.end() :]}"
    svg = re.sub(r"(\d+\.\d{2})\d+", r"\1", head + ">" + body)
    return re.sub(r">\s+<", "><", svg)


def _line_of(error, source: str) -> int:
    span = getattr(getattr(error, "diagnostic", None), "span", None)
    return source.encode()[: span.start].count(b"\n") + 1 if span else 0


@cache
def draw(source: str, identifier: str = "diagram") -> str:
    """Draw Mermaid source as an <svg> element with role, title and description; ids start with `identifier`.

    Raises DiagramError for a syntax error, a missing accTitle or accDescr, or another family than FAMILIES;
    NotAvailableError where merman cannot be installed.
    """
    _validate(source)
    client = _client()
    import merman

    try:
        svg = client.render_svg(source, _options(identifier))
    except merman.MermanError as error:
        message = getattr(error, "message", "") or str(error)
        raise DiagramError(
            re.sub(r"^Diagram parse error \((.*?)\): ", r"\1: ", message), _line_of(error, source)
        ) from None
    svg = _slim(svg, identifier)
    if "<title" not in svg or "<desc" not in svg:
        raise DiagramError("merman wrote no <title> or <desc>; its output has changed")
    return re.sub(r'role="[^"]*"', 'role="img"', svg, count=1)


def unescape(code: str) -> str:
    """The text of a <code> element of the built page."""
    return html.unescape(re.sub(r"<[^>]+>", "", code))
