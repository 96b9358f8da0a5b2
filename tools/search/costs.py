"""What a search costs a reader: bytes until the first results, memory, and times. Nothing here says what is found."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

from tools.pages_server import serving
from tools.search.engines import ISOLATED, Engine, ask

FLAGS = ["--enable-blink-features=ForceEagerMeasureMemory"]  # measure now, not at the next garbage collection
FRESH = 5  # first searches that are timed, each in a new tab with an empty cache


@dataclass(frozen=True)
class Cost:
    """What one engine costs on one site.

    index    bytes of what describes the pages, as sent (gzip); None for an index in many pieces
    sent     bytes of all that the first results need, as sent (gzip): index, engine, settings
    raw      the same, unpacked
    memory   bytes that the tab and its workers hold more after all queries than before the first
    first    seconds from the first reach to the first results, fastest of FRESH: a busy machine only adds
    middle   milliseconds from a query to its results, median of all queries
    slow     the same, 95th percentile
    """

    index: int | None
    sent: int
    raw: int
    memory: int
    first: float
    middle: float
    slow: float


def cost(browser, engine: Engine, site: Path, texts: list[str]) -> Cost:
    """Measure an engine on a built site with these queries. The browser needs FLAGS. Raises EngineError."""
    firsts: list[float] = []
    for _ in range(FRESH):
        log: list[tuple[str, int]] = []
        with serving(site, log=log, headers=ISOLATED) as address:
            first = ask(browser, engine, address, texts[:1], memory=[])
        firsts.append(first[0].since / 1000)
    asked = {name.partition("?")[0]: size for name, size in log if name}  # without the home page
    single = [size for name, size in asked.items() if name.startswith("search/") and name.endswith(".json")]
    memory: list[int] = []
    with serving(site, headers=ISOLATED) as address:
        answers = ask(browser, engine, address, texts, memory=memory)
    times = sorted(answer.ms for answer in answers[1:])
    return Cost(
        index=sum(single) if single else None,
        sent=sum(asked.values()),
        raw=sum((site / name).stat().st_size for name in asked if (site / name).is_file()),
        memory=memory[1] - memory[0],
        first=min(firsts),
        middle=statistics.median(times),
        slow=times[round(0.95 * (len(times) - 1))],
    )
