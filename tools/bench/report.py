"""Costs -> the table and the targets, reached or not."""

import statistics
from dataclasses import dataclass

from tools.bench.run import Cost

OURS, BARE, PEER, PRUNED = "nexus", "bare material", "zensical", "zensical prune"
Costs = dict[int, dict[str, list[Cost]]]  # pages -> variant -> its runs


def cpu(costs: Costs, pages: int, variant: str) -> float | None:
    """Median of the CPU seconds; None when it was not measured."""
    runs = costs.get(pages, {}).get(variant)
    return statistics.median(run.cpu for run in runs) if runs else None


def ms_a_page(costs: Costs, pages: int, variant: str) -> float | None:
    seconds = cpu(costs, pages, variant)
    return None if seconds is None else 1000 * seconds / pages


def ratio(first: float | None, second: float | None) -> float | None:
    return None if first is None or not second else first / second


def _text(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def table(costs: Costs) -> str:
    """One line per size and variant. CPU and wall are medians, the peak is the highest of the runs."""
    head = [
        "pages",
        "variant",
        "runs",
        "CPU s",
        "/ zens. prune",
        "/ bare",
        "ms a page",
        "wall s",
        "peak MiB",
        "MB",
        "HTML",
    ]
    rows = [head]
    for pages, variants in costs.items():
        for name, runs in variants.items():
            own = cpu(costs, pages, name)
            rows.append(
                [
                    str(pages),
                    name,
                    str(len(runs)),
                    _text(own),
                    _text(ratio(own, cpu(costs, pages, PRUNED))),
                    _text(ratio(own, cpu(costs, pages, BARE))),
                    _text(ms_a_page(costs, pages, name), 1),
                    _text(statistics.median(run.wall for run in runs)),
                    _text(max(run.peak for run in runs), 0),
                    _text(runs[-1].size / 1e6, 1),
                    str(runs[-1].pages),
                ]
            )
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) if column == 1 else cell.rjust(width) for column, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in rows)
    )


@dataclass(frozen=True)
class Target:
    """A promise about a measured value, which may be None: not measured."""

    what: str
    value: float | None
    limit: float
    unit: str = ""

    @property
    def reached(self) -> bool | None:
        return None if self.value is None else self.value <= self.limit

    def __str__(self) -> str:
        word = {True: "reached", False: "NOT REACHED", None: "not measured"}[self.reached]
        return f"{word:<12}  {self.what}: {_text(self.value)}{self.unit} (at most {self.limit:g}{self.unit})"


def targets(costs: Costs, saves: dict[int, float]) -> list[Target]:
    """Every target; `saves` is {pages: median seconds from saving a page to seeing it}."""
    ours_1000 = cpu(costs, 1000, OURS)
    peaks = [run.peak for variants in costs.values() for run in variants.get(OURS, [])]
    growth = ratio(ms_a_page(costs, 1000, OURS), ms_a_page(costs, 300, OURS))
    return [
        Target("CPU at 60 pages / Zensical's", ratio(cpu(costs, 60, OURS), cpu(costs, 60, PEER)), 1.3),
        Target(
            "CPU at 1,000 pages / Zensical's with navigation.prune", ratio(ours_1000, cpu(costs, 1000, PRUNED)), 1.2
        ),
        Target("CPU at 1,000 pages / bare Material's", ratio(ours_1000, cpu(costs, 1000, BARE)), 0.5),
        Target("ms a page at 1,000 / at 300", growth, 1.3),
        Target("peak memory", max(peaks, default=None), 200, " MiB"),
        Target("save to browser at 60 pages", saves.get(60), 1.0, " s"),
        Target("save to browser at 1,000 pages", saves.get(1000), 1.5, " s"),
    ]
