"""Answers -> how often the right page stood first, or among the first three."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tools.search.engines import Answer
from tools.search.queries import Query


@dataclass(frozen=True)
class Score:
    """Shares of `count` queries. `mrr` is the mean of 1/rank, 0 where the page is not among the results looked at."""

    count: int
    first: float
    three: float
    mrr: float
    zero: float


def rank(query: Query, answer: Answer) -> int | None:
    """Return the place of the first page that answers the query, from 1; None if it is not there."""
    return next((place for place, page in enumerate(answer.pages, 1) if page in query.answers), None)


def score(pairs: Iterable[tuple[Query, Answer]]) -> Score:
    """Return the score of these queries; at least one is needed."""
    pairs = list(pairs)
    ranks = [rank(query, answer) for query, answer in pairs]
    count = len(pairs)
    return Score(
        count,
        sum(place == 1 for place in ranks) / count,
        sum(place is not None and place <= 3 for place in ranks) / count,
        sum(1 / place for place in ranks if place) / count,
        sum(not answer.pages for _, answer in pairs) / count,
    )
