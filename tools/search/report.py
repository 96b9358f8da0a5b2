"""Results -> text for the screen, and the results file from which tools/generated makes the tables of the page."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tools.portable.problem import Problem
from tools.search.queries import KINDS, QUERIES, Query
from tools.search.score import Score, rank, score

RESULTS = "tools/search/results.json"
# What the ranking is made of. The pages' own text changes every day and is left out: the test asks on every run.
INPUTS = [
    QUERIES,
    "docs/assets/javascripts/search*",
    "docs/assets/javascripts/search/*",
    "tools/finish/search*",
    "tools/vocabulary.py",
    "docs/synonyms.txt",
    "tools/search/engines.py",
    "tools/search/score.py",
]
ALL, BLIND = "all", "blind"


def groups(queries: list[Query]) -> dict[str, list[int]]:
    """Return the places of the queries in the list: of all, of the blind ones, and of each kind."""
    places = range(len(queries))
    found = {ALL: list(places), BLIND: [n for n in places if queries[n].blind]}
    found |= {kind: [n for n in places if queries[n].kind == kind] for kind in KINDS}
    return {name: members for name, members in found.items() if members}


def scores(queries: list[Query], answers: list) -> dict[str, Score]:
    """Return the score of each group."""
    return {name: score((queries[n], answers[n]) for n in members) for name, members in groups(queries).items()}


def table(name: str, found: dict[str, Score]) -> str:
    """Return the scores of an engine for the screen."""
    lines = [f"{name:28}{'queries':>8}{'success@1':>11}{'success@3':>11}{'MRR':>7}{'zero':>8}"]
    for group, one in found.items():
        label = KINDS.get(group, group)
        shares = f"{one.first:>11.1%}{one.three:>11.1%}{one.mrr:>7.3f}{one.zero:>8.1%}"
        lines.append(f"  {label:26}{one.count:>8}{shares}")
    return "\n".join(lines)


def misses(queries: list[Query], answers: list, *, blind: bool) -> list[str]:
    """Return one line for each query whose page is not first: the blind ones, or all others."""
    lines = []
    for query, answer in zip(queries, answers, strict=True):
        place = rank(query, answer)
        if place != 1 and query.blind == blind:
            where = f"at {place}" if place else "not found"
            found = ", ".join(answer.pages[:3]) or "nothing"
            lines.append(f"{QUERIES}:{query.line}: {where}: {query.text!r} wants {','.join(query.best)}; got {found}")
    return lines


def fingerprint(root: Path) -> str:
    """Return 12 digits that change with any file of INPUTS."""
    digest = hashlib.sha256()
    for pattern in INPUTS:
        for path in sorted(path for path in root.glob(pattern) if path.is_file()):
            digest.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def stale(root: Path) -> list[Problem]:
    """Return a problem when a file of INPUTS is newer than the committed results."""
    if load(root).get("conditions", {}).get("fingerprint") == fingerprint(root):
        return []
    what = "the queries, the search or the synonyms have changed since this was measured"
    return [Problem(RESULTS, 1, "search", what, "measure again: make search")]


def load(root: Path) -> dict[str, Any]:
    """Return the committed results."""
    return json.loads((root / RESULTS).read_text("utf-8"))


def save(root: Path, **parts: Any) -> None:
    """Replace these parts of the results file; the others stay."""
    text = json.dumps(load(root) | parts, indent=1)
    (root / RESULTS).write_text(text + "\n", "utf-8")


def plain(item: Any) -> dict[str, Any]:
    """Return a dataclass as the results file keeps it: to be rounded once, where they are shown."""
    return {name: round(value, 8) if isinstance(value, float) else value for name, value in asdict(item).items()}
