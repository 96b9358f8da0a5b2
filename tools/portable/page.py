"""One page and its GitHub rendering, worked out once for all checks."""

import re
import unicodedata
from functools import cached_property
from pathlib import Path

from cmarkgfm.cmark import Options, markdown_to_html_with_extensions

from tools.portable import masking, source
from tools.portable.chunks import Block
from tools.portable.outline import Outline
from tools.portable.problem import Problem
from tools.portable.rules import RULES

OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES | Options.CMARK_OPT_SOURCEPOS
EXTENSIONS = [
    "table",
    "autolink",
    "strikethrough",
    "tasklist",
]  # without tagfilter: raw HTML is checked by its own rules


def github_html(text: str) -> str:
    """Render as GitHub's parser does, with the place of each block in the source."""
    return markdown_to_html_with_extensions(text, OPTIONS, extensions=EXTENSIONS)


def github_slug(text: str) -> str:
    """The anchor that GitHub gives to the first heading with this text."""
    kept = []
    for char in text.strip().lower():
        category = unicodedata.category(char)
        if char == " ":
            kept.append("-")
        elif char == "-" or category[0] in "LM" or category in ("Nd", "Nl", "Pc"):
            kept.append(char)
    return "".join(kept)


class Page:
    """A Markdown file. `text` is None when it cannot be read; `problems` collects what checks report."""

    def __init__(self, root: Path, path: Path):
        self.path = path
        self.name = path.relative_to(root).as_posix()
        self.problems: list[Problem] = []
        self.text, found = source.read(path)
        self.front_matter, wrong = source.front_matter(self.text) if self.text is not None else (0, [])
        self.broken_front_matter = bool(wrong)
        for line, rule, values in [*found, *wrong]:
            self.report(line, rule, **values)

    def report(self, line: int, rule: str, **values: object) -> None:
        """Keep a problem; values fill the names in braces of the rule's message and fix."""
        known = RULES[rule]
        shown = {name: _shorten(str(value)) for name, value in values.items()}
        self.problems.append(
            Problem(self.name, max(line, 1), rule, known.message.format(**shown), known.fix.format(**shown))
        )

    @cached_property
    def lines(self) -> list[str]:
        """The source, 0-based, with the front matter blanked: GitHub shows that apart from the text."""
        lines = (self.text or "").split("\n")
        return [""] * self.front_matter + lines[self.front_matter :]

    @cached_property
    def github(self) -> Outline:
        return Outline(github_html("\n".join(self.lines)))

    @cached_property
    def code_blocks(self) -> list[Block]:
        return [block for block in self.github.blocks if block.tag == "pre"]

    @cached_property
    def quotes(self) -> dict[int, Block]:
        """The outermost quote that begins in each line."""
        quotes = reversed([block for block in self.github.blocks if block.tag == "blockquote"])
        return {block.line: block for block in quotes}

    @cached_property
    def code_lines(self) -> set[int]:
        return {line for block in self.code_blocks for line in range(block.line, block.end + 1)}

    @cached_property
    def _masked(self) -> tuple[str, list[int]]:
        return masking.mask_code("\n".join(self.lines), self.code_lines)

    @property
    def open_comments(self) -> list[int]:
        """Lines of comments that are never closed."""
        text, offsets = self._masked
        return [text.count("\n", 0, offset) + 1 for offset in offsets]

    @cached_property
    def html_text(self) -> str:
        """The source without code, comments and addresses; tags are left."""
        return masking.AUTOLINK.sub(lambda m: " " * len(m[0]), self._masked[0])

    @cached_property
    def prose(self) -> list[str]:
        """The lines of the source without code, comments, addresses and tags."""
        return masking.mask_tags(masking.mask_addresses(self._masked[0])).split("\n")

    @cached_property
    def github_anchors(self) -> set[str]:
        """Every anchor of the page on GitHub."""
        seen: dict[str, int] = {}
        anchors = {name for name in self.github.ids if not re.match(r"fn(ref)?-", name)}
        for heading in self.github.headings:
            slug = base = github_slug(heading.text)
            while slug in seen:
                seen[base] += 1
                slug = f"{base}-{seen[base]}"
            seen.setdefault(slug, 0)
            anchors.add(slug)
        return anchors

    def line_of(self, needle: str, start: int) -> int:
        """The first line at or after start whose source holds needle; start when there is none."""
        for number in range(start, len(self.lines) + 1):
            if number not in self.code_lines and needle in self.lines[number - 1]:
                return number
        return start


def _shorten(text: str) -> str:
    text = " ".join(re.sub(f"{masking.CODE_FILL}+", "`...`", text).replace(masking.ADDRESS_FILL, "…").split())
    return text if len(text) <= 120 else text[:117] + "..."
