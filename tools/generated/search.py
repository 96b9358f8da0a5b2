"""What `make search` found, as the tables of its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.measure.results import Bytes
from tools.search import report
from tools.search.queries import KINDS

RIGHT = "| ---: "
COSTS = "| Index | Sent | Memory | First results | Query, median | Query, 95 % |"


def parts(root: Path) -> dict[str, str]:
    """Return the tables as Markdown."""
    data = report.load(root)
    return {
        "found": _found(data),
        "kinds": _kinds(data["quality"]),
        "costs": _costs(data["costs"]),
        "sizes": _sizes(data["sizes"]),
    }


def _found(data: dict[str, Any]) -> str:
    about, counts = data["conditions"], data["queries"]
    lines = [
        f"{counts['all']} queries, {counts['blind']} of them blind, on {data['pages']} pages; measured on "
        f"{about['date']} with {about['browser']}, {about['peers']}.",
        "",
        "| Search | Queries | Right page first | Among the first three | Mean reciprocal rank | Nothing found |",
        f"| --- {RIGHT * 5}|",
    ]
    for engine, scores in data["quality"].items():
        for group, name in ((report.BLIND, "blind"), (report.ALL, "all")):
            if one := scores.get(group):
                shares = f"{_share(one['first'])} | {_share(one['three'])} | {one['mrr']:.2f} | {_share(one['zero'])}"
                lines.append(f"| {engine}, {name} | {one['count']} | {shares} |")
    return "\n".join(lines)


def _kinds(quality: dict[str, Any]) -> str:
    engines = list(quality)
    lines = [f"| Kind | Queries | {' | '.join(engines)} |", f"| --- {RIGHT * (1 + len(engines))}|"]
    for kind, name in KINDS.items():
        cells = [f"{_share(quality[e][kind]['first'], 0)}, {_share(quality[e][kind]['three'], 0)}" for e in engines]
        lines.append(f"| {name} | {quality[engines[0]][kind]['count']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _costs(costs: dict[str, Any]) -> str:
    return "\n".join([f"| Search {COSTS}", f"| --- {RIGHT * 6}|", *(f"| {e} {_cost(one)}" for e, one in costs.items())])


def _sizes(sizes: dict[str, Any]) -> str:
    lines = [f"| Pages | Search {COSTS}", f"| ---: | --- {RIGHT * 6}|"]
    lines += [f"| {int(pages):,} | {e} {_cost(one)}" for pages, costs in sizes.items() for e, one in costs.items()]
    return "\n".join(lines)


def _cost(one: dict[str, Any]) -> str:
    """Return the cells of a row; an index in many pieces has no size of its own."""
    index = "in pieces" if one["index"] is None else str(Bytes(one["index"]))
    times = f"{one['first'] * 1000:,.0f} ms | {one['middle']:.1f} ms | {one['slow']:.0f} ms"
    return f"| {index} | {Bytes(one['sent'])} | {Bytes(one['memory'])} | {times} |"


def _share(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f}\u00a0%"
