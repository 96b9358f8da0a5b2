"""What is counted on a page: its words, samples, diagrams and sketches, and the minutes that it takes."""

import re
from dataclasses import dataclass

from tools.listings import fences
from tools.listings.code import SKETCH
from tools.portable.page import Page

WORDS_A_MINUTE, MINUTES_A_SAMPLE = 200, 0.5
MADE = re.compile(r"<!-- ([\w-]+):start -->.*?<!-- \1:end -->", re.S)  # written by tools, and read to look things up


@dataclass(frozen=True)
class Facts:
    words: int
    samples: int
    diagrams: int
    sketches: int

    @property
    def minutes(self) -> float:
        return self.words / WORDS_A_MINUTE + self.samples * MINUTES_A_SAMPLE


def of(page: Page) -> Facts:
    """Count a page that could be read; what is made by tools does not count."""
    made = {
        line
        for part in MADE.finditer(page.text or "")
        for line in range(page.text.count("\n", 0, part.start()) + 1, page.text.count("\n", 0, part.end()) + 2)
    }
    found = [fence for fence in fences.read(page)[0] if fence.line not in made]
    prose = (line for number, line in enumerate(page.prose, 1) if number not in made)
    return Facts(
        words=sum(bool(re.search(r"\w", word)) for line in prose for word in line.replace("\0", "").split()),
        samples=sum(fence.kind != "mermaid" for fence in found),
        diagrams=sum(fence.kind == "mermaid" for fence in found),
        sketches=sum(fence.title == SKETCH for fence in found),
    )
