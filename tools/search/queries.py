"""The queries and the pages that answer them: tests/search/queries.tsv, one query a line, no quoting.

Columns: id, query (as typed or pasted into the box, which has one line), kind, expected (the pages that answer it
best), acceptable (pages that answer it too), blind ('blind' when its author had not read questions.txt, and nobody
tunes on it). A page is its folder below docs/, and '.' is the home page; pages are separated by commas.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.portable.problem import Problem
from tools.vocabulary import questions

QUERIES = "tests/search/queries.tsv"
COLUMNS = ["id", "query", "kind", "expected", "acceptable", "blind"]
KINDS = {
    "exact": "exact term",
    "code": "code identifier",
    "symptom": "symptom or pasted error",
    "question": "natural question",
    "misspelling": "misspelling",
    "synonym": "synonym or abbreviation",
}
LEAST = 250
OWN = 3  # questions that a page without a query is asked with
BLIND_SHARE = 1 / 3
HOME = "."


@dataclass(frozen=True)
class Query:
    """One line of the file. `best` and `also` are pages; a hit on either is a success."""

    id: str
    text: str
    kind: str
    best: tuple[str, ...]
    also: tuple[str, ...]
    blind: bool
    line: int

    @property
    def answers(self) -> tuple[str, ...]:
        return self.best + self.also


def pages(root: Path) -> set[str]:
    """Return every page of the site as the file names them."""
    docs = root / "docs"
    return {path.parent.relative_to(docs).as_posix() for path in docs.rglob("README.md")}


def read(root: Path) -> tuple[list[Query], list[Problem]]:
    """Return the queries whose lines are right, and what is wrong with the others and with the whole."""
    known, queries, problems = pages(root), [], []
    seen: dict[str, int] = {}
    head, *lines = (root / QUERIES).read_text("utf-8").rstrip("\n").split("\n")
    if head.split("\t") != COLUMNS:
        fix = f"write these, with tabs between: {' '.join(COLUMNS)}"
        return [], [Problem(QUERIES, 1, "queries", "the columns are other ones", fix)]
    for number, line in enumerate(lines, 2):
        wrong = list(_wrong(line, number, known, seen))
        problems += [Problem(QUERIES, number, "queries", *pair) for pair in wrong]
        if not wrong:
            queries.append(_query(line, number))
    return queries, problems


def lacking(queries: list[Query]) -> list[Problem]:
    """Return what the whole file lacks: enough queries, of which enough are blind."""
    found, last = [], len(queries) + 1
    if len(queries) < LEAST:
        fix = f"write {LEAST - len(queries)} more, from the readers' side"
        found.append(Problem(QUERIES, last, "queries", f"{len(queries)} queries, {LEAST} are needed", fix))
    blind = sum(query.blind for query in queries)
    if blind < BLIND_SHARE * len(queries):
        fix = "let somebody who has not read questions.txt write more"
        found.append(Problem(QUERIES, last, "queries", f"{blind} of {len(queries)} are blind, under a third", fix))
    return found


def of_new_pages(root: Path, queries: list[Query]) -> list[Query]:
    """Return queries for each page that none expects yet: the first of its own questions.

    So a pull request with a page needs no line in the file, and no new measurement; a maintainer adds one later.
    """
    new = sorted(pages(root) - {page for query in queries for page in query.best})
    asked = [(page, text) for page in new for text in questions(root / "docs" / page)[:OWN]]
    return [Query(f"own {n}", text, "question", (page,), (), False, 0) for n, (page, text) in enumerate(asked)]


def _query(line: str, number: int) -> Query:
    name, text, kind, best, also, blind = line.split("\t")
    return Query(name, text, kind, _names(best), _names(also), bool(blind), number)


def _names(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(",")) if cell else ()


def _wrong(line: str, number: int, known: set[str], seen: dict[str, int]):
    """Yield (what is wrong, what to write) for one line; `seen` remembers ids and queries."""
    cells = line.split("\t")
    if len(cells) != len(COLUMNS):
        yield f"{len(cells)} cells, {len(COLUMNS)} are needed", "separate them with tabs, and end the line with one"
        return
    name, text, kind, best, also, blind = cells
    for what, key in (("id", f"id {name}"), ("query", text.casefold())):
        if not key.removeprefix("id ").strip():
            yield f"the {what} is empty", f"write the {what}"
        elif seen.setdefault(key, number) != number:
            yield f"this {what} stands in line {seen[key]} already", "delete one of the two"
    if kind not in KINDS:
        yield f"unknown kind '{kind}'", f"write one of: {', '.join(KINDS)}"
    if blind not in ("", "blind"):
        yield f"'{blind}' in the column blind", "write blind, or leave it empty"
    if not best:
        yield "no page is expected", "name the page that answers it best"
    for page in _names(best) + _names(also):
        if page not in known:
            yield f"there is no page docs/{page}/README.md", "correct the name; the home page is '.'"
    for page in sorted(set(_names(best)) & set(_names(also))):
        yield f"{page} is expected and acceptable", "delete it from acceptable"
