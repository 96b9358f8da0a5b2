"""What a reader sees of rendered HTML, in a form that two renderers can be compared by."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote

from tools.portable.chunks import BREAK, Block, Chunk, Heading, Runs, flat, without
from tools.portable.tags import BLOCKS, CONTAINERS, HEADINGS, INLINE, UNSAFE, VOID

ADDRESS_ATTRIBUTES = ("href", "src", "srcset", "xlink:href", "action", "formaction", "poster", "background", "cite")
ALERT = re.compile(r"\s*\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\n|$)")
MAX_OPEN = 200  # elements in each other; what is deeper is only counted out


class Outline(HTMLParser):
    """Feed it HTML, then read chunks, blocks, headings, links, images, ids, and unsafe (tags and attributes)."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.chunks: list[Chunk] = []
        self.blocks: list[Block] = []
        self.headings: list[Heading] = []
        self.links: list[tuple[str, int]] = []
        self.images: list[tuple[str, str, int]] = []
        self.addresses: list[tuple[str, int]] = []
        self.ids: set[str] = set()
        self.unsafe: list[tuple[str, str, int]] = []
        self.deepest = (0, 1)  # number of quotes, lists and details in each other, and the line where that is so
        self._open: list[tuple[str, str, Block | None]] = []  # tag, name in the path, block
        self._marks: list[tuple[str, str]] = []
        self._runs: Runs = []
        self._code: list[str] | None = None
        self._skipped: list[str] = []
        self._line = self._after = 1  # where the last block began, and the line behind the last one that ended
        self._fresh_quote = False  # a top-level quote has begun and holds nothing yet
        self.feed(_without_open_comment(html))
        self.close()
        self._flush()
        self._set_ends()

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Read '<![' as a browser does, as a comment up to the next '>'; html.parser stops at what it cannot read."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._inspect(tag, values)
        if self._skipped or _is_furniture(tag, values):
            if tag not in VOID:
                self._skipped.append(tag)
            return
        if tag in BLOCKS:
            self._flush()
            self._start_block(tag, values)
        elif tag == "br":
            self._text(BREAK)
        elif tag == "img":
            source, alt = values.get("src", ""), values.get("alt", "")
            self.images.append((source, alt, self._place()))
            self._text(f"![{alt}]({unquote(source)})")
        elif tag == "input":
            self._text("[x] " if "checked" in values else "[ ] ")
        elif tag == "a" and "href" in values:
            footnote = "data-footnote-ref" in values or "footnote-ref" in values.get("class", "")
            if not footnote:
                self.links.append((values["href"], self._place()))
            self._marks.append(("a", "footnote" if footnote else "a:" + unquote(values["href"])))
        elif (tag in INLINE or tag == "a") and len(self._marks) < MAX_OPEN:
            self._marks.append((tag, tag))

    def _inspect(self, tag: str, values: dict[str, str]) -> None:
        if tag in UNSAFE:
            self.unsafe.append(("html-unsafe", tag, self._place()))
        for name, value in values.items():
            if name.startswith("on"):
                self.unsafe.append(("html-event", name, self._place()))
            if name in ADDRESS_ATTRIBUTES:
                self.addresses.append((value, self._place()))
        self.ids.update(values[name] for name in ("id", "name") if values.get(name))

    def _place(self) -> int:
        """The line of what comes now; for raw HTML, whose place the renderer does not give, the earliest one."""
        return max(self._line, self._after)

    def _set_ends(self) -> None:
        """A chunk reaches to the line before the next one."""
        following = 1 << 30
        for index in range(len(self.chunks) - 1, -1, -1):
            chunk = self.chunks[index]
            if chunk.line < following and chunk.end < following - 1:
                self.chunks[index] = replace(chunk, end=max(chunk.end, min(following - 1, chunk.end + 50)))
            following = chunk.line

    def _start_block(self, tag: str, values: dict[str, str]) -> None:
        block = None
        position = re.match(r"(\d+):(\d+)-(\d+):(\d+)", values.get("data-sourcepos", ""))
        if position:
            line, column, end, last = (int(number) for number in position.groups())
            if last == 0:  # an empty last line belongs to what follows
                end -= 1
            parent = next((b for _, _, b in reversed(self._open) if b), None)
            block = Block(tag, line, column, end, self.path, parent)
            self.blocks.append(block)
            self._line = line or self._line  # cmark gives 0 for a paragraph that a table interrupts
        name = _container(tag, values)
        if tag in ("ul", "ol"):
            self._token(f"{tag} {values.get('start', '1') if tag == 'ol' else ''}")
        elif tag in ("li", "hr") and not (tag == "hr" and self.path[-1:] == ("footnotes",)):
            self._token(tag)
        elif tag == "pre":
            self._code = []
        if tag in HEADINGS:
            self.headings.append(Heading("", self._place(), values.get("id")))
        if tag != "p":
            self._fresh_quote = tag == "blockquote" and not self.path
        if tag != "hr" and len(self._open) < MAX_OPEN:
            self._open.append((tag, name, block))
            self.deepest = max(self.deepest, (len(self.path), self._place()), key=lambda found: found[0])

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(name for _, name, _ in self._open if name)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            if tag in self._skipped:
                while self._skipped.pop() != tag:
                    pass
            return
        if tag in BLOCKS:
            self._end_block(tag)
        else:
            for index in range(len(self._marks) - 1, -1, -1):
                if self._marks[index][0] == tag:
                    del self._marks[index]
                    break

    def _end_block(self, tag: str) -> None:
        if tag == "pre" and self._code is not None:
            code = "".join(self._code).strip("\n").expandtabs(4)
            self._code = None
            self.chunks.append(Chunk((*self.path, "code"), code, self._place(), self._place()))
        elif tag in ("td", "th") and not self._runs and self.path[-1:] and self.path[-1].startswith(tag):
            self._token("")
        self._flush()
        if any(name == tag for name, _, _ in self._open):
            while (closed := self._open.pop())[0] != tag:
                pass
            if closed[2]:
                self._after = max(self._after, closed[2].end + 1)

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        if self._code is not None:
            self._code.append(data)
            return
        if self._open and self._open[-1][0] in HEADINGS:
            self.headings[-1].text += data
        self._text(data)

    def _text(self, text: str) -> None:
        self._runs.append((frozenset(name for _, name in self._marks), text))

    def _token(self, name: str) -> None:
        self.chunks.append(Chunk((*self.path, "*"), name, self._place(), self._place()))

    def _flush(self) -> None:
        """End the current run of text and keep it as a chunk."""
        runs, self._runs = self._runs, []
        if self._code is not None or not runs:
            return
        plain = "".join(text for _, text in runs)
        if not plain.strip():
            return
        if self._fresh_quote and (alert := ALERT.match(plain)):
            index = next(n for n, item in enumerate(self._open) if item[1] == "blockquote")
            tag, _, block = self._open[index]
            self._open[index] = (tag, f"alert {alert[1].lower()}", block)
            runs = without(runs, alert.end())
        self._fresh_quote = False
        text = flat(runs)
        if text:
            self.chunks.append(Chunk(self.path, text, self._place(), self._place()))


def _without_open_comment(html: str) -> str:
    """Cut at a comment that is never closed, as a browser does; html.parser needs quadratic time for them."""
    start = html.find("<!--", html.rfind("-->") + 1)
    return html if start < 0 else html[:start]


def _container(tag: str, values: dict[str, str]) -> str:
    """The name of an element in the path, '' when a reader cannot tell it from its surroundings."""
    classes = values.get("class", "").split()
    if "admonition" in classes:
        return "alert " + " ".join(name for name in classes if name != "admonition")
    if "data-footnotes" in values or classes == ["footnote"]:
        return "footnotes"
    if tag in ("td", "th"):
        return "" if "code" in classes else f"{tag} {values.get('align', '')}".strip()
    return tag if tag in CONTAINERS else ""


def _is_furniture(tag: str, values: dict[str, str]) -> bool:
    """What a renderer adds of its own: permalinks, titles of code and alerts, line numbers, ways back."""
    classes = values.get("class", "").split()
    return bool({"headerlink", "filename", "admonition-title", "linenos", "footnote-backref"} & set(classes))
