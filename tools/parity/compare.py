"""Two built sites -> what differs, and which of it tools/parity/explained.toml explains."""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tools.parity import read

EXPLAINED = Path(__file__).with_name("explained.toml")
MOST = 8  # lines of one kind
WHOLE = "the site"  # in the place of a page


@dataclass(frozen=True, order=True)
class Difference:
    """One value that only one of the two sites has; `side` is 'ours', 'theirs', or 'order' for the same values."""

    facet: str
    side: str
    value: str
    page: str


@dataclass(frozen=True)
class Entry:
    """An explanation; '*' in `pages` and `value` stands for anything."""

    site: str
    facet: str
    side: str
    value: str
    pages: str
    why: str

    def covers(self, site: str, difference: Difference) -> bool:
        same = (self.site, self.facet, self.side) == (site, difference.facet, difference.side)
        return same and fnmatchcase(difference.page, self.pages) and fnmatchcase(difference.value, self.value)


def facets(root: Path) -> dict[tuple[str, str], list[str]]:
    """Return {(what is compared, page): its values} of a built site."""
    pages = read.pages(root)
    found = {(facet, page): values for page, seen in pages.items() for facet, values in seen.facets()}
    found["pages", WHOLE] = sorted(f"/{page}" for page in pages)
    found["sitemap", WHOLE] = read.sitemap(root)
    found["files", WHOLE] = read.files(root)
    return found


def differences(ours: dict[tuple[str, str], list[str]], theirs: dict[tuple[str, str], list[str]]) -> list[Difference]:
    """Return what differs; a page that one site lacks is told once."""
    both = set(ours["pages", WHOLE]) & set(theirs["pages", WHOLE])
    found = []
    for (facet, page), mine in ours.items():
        if page != WHOLE and f"/{page}" not in both:
            continue
        others = theirs.get((facet, page), [])
        for side, values in (("ours", Counter(mine) - Counter(others)), ("theirs", Counter(others) - Counter(mine))):
            found += [Difference(facet, side, value, page) for value in values]
        if mine != others and Counter(mine) == Counter(others):
            first = next(a for a, b in zip(mine, others, strict=True) if a != b)
            found.append(Difference(facet, "order", first, page))
    return sorted(found)


def load(path: Path = EXPLAINED) -> list[Entry]:
    """Return the explanations. Raises TypeError for an entry with another key."""
    return [
        Entry(**({"pages": "*", "value": "*"} | entry))
        for entry in tomllib.loads(path.read_text("utf-8"))["difference"]
    ]


def judged(site: str, found: Iterable[Difference], entries: list[Entry]) -> tuple[list[Difference], list[str]]:
    """Return what nothing explains, and the problems of the explanations: an entry that explains nothing any more."""
    used, left = set(), []
    for difference in found:
        covering = [entry for entry in entries if entry.covers(site, difference)]
        used.update(covering)
        left += [] if covering else [difference]
    idle = [entry for entry in entries if entry.site == site and entry not in used]
    return left, [
        f"{EXPLAINED.name}: nothing differs any more in {e.facet} ({e.side}: {e.value}); delete it" for e in idle
    ]


def lines(found: Iterable[Difference]) -> Iterator[str]:
    """Yield a line for each value that differs, with the number of pages on which it does; MOST of a kind."""
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for difference in found:
        groups[difference.facet, difference.side, difference.value].append(difference.page)
    told = Counter()
    for (facet, side, value), pages in groups.items():
        told[facet, side] += 1
        if told[facet, side] > MOST:
            continue
        text = " ".join(value.split())
        text = text if len(text) <= 160 else f"{text[:160]}…"
        where = f"/{pages[0]}" if pages[0] != WHOLE else WHOLE
        more = f" and {len(pages) - 1} more" if len(pages) > 1 else ""
        said = "in another order from" if side == "order" else f"only {side}:"
        yield f"{facet}, {said} {text} ({where}{more})"
    for (facet, side), count in told.items():
        if count > MOST:
            yield f"{facet}, {side}: {count - MOST} more values"
