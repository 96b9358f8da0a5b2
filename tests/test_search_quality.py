"""The search finds: every query is asked of the real worker in a browser. The file of queries keeps its rules."""

from pathlib import Path

import pytest
from conftest import ROOT

from tools.search import queries, report
from tools.search.engines import OURS, Answer, ask
from tools.search.queries import QUERIES, Query
from tools.search.score import rank, score

FIRST, THREE, ZERO = 0.85, 0.95, 0.01  # of the blind queries: the least, the least, the most
TO_DO = "\nlook at the misses: make search SEARCH=--misses"


def test_the_right_page_is_found(address, browser):
    asked, problems = queries.read(ROOT)
    assert problems == []
    own = queries.of_new_pages(ROOT, asked)
    answers = ask(browser, OURS, address, [query.text for query in [*asked, *own]])
    ranks = [(query, rank(query, answer)) for query, answer in zip(own, answers[len(asked) :], strict=True)]
    lost = [query for query, place in ranks if place is None or place > 3]
    assert lost == [], "a page is not among the first three for a line of its questions.txt"
    answers = answers[: len(asked)]
    found = report.scores(asked, answers)
    print(report.table(OURS.name, found))
    blind = found[report.BLIND]
    assert blind.first >= FIRST, f"{blind}{TO_DO}"
    assert blind.three >= THREE, f"{blind}{TO_DO}"
    assert blind.zero <= ZERO, f"{blind}{TO_DO}"


def test_the_queries_and_the_tables_are_current():
    asked, problems = queries.read(ROOT)
    assert [str(problem) for problem in [*problems, *queries.lacking(asked), *report.stale(ROOT)]] == []


@pytest.fixture
def hub(tmp_path) -> Path:
    """A root with two pages and one query for each."""
    for page in (".", "concepts/indexing"):
        (tmp_path / "docs" / page).mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / page / "README.md").touch()
    (tmp_path / QUERIES).parent.mkdir(parents=True)
    write(tmp_path, "a\thome\texact\t.\t\tblind", "b\tb-tree\texact\tconcepts/indexing\t\t")
    return tmp_path


def write(root: Path, *lines: str) -> None:
    (root / QUERIES).write_text("\n".join(["\t".join(queries.COLUMNS), *lines, ""]), "utf-8")


@pytest.mark.parametrize(
    ("line", "report"),
    [
        ("c\tx\texact\tconcepts/nothing\t\t", "there is no page docs/concepts/nothing/README.md; correct the name"),
        ("c\tx\texact\t.\tnowhere\t", "there is no page docs/nowhere/README.md; correct the name"),
        ("c\tx\texakt\t.\t\t", "unknown kind 'exakt'; write one of: exact, code,"),
        ("a\tx\texact\t.\t\t", "this id stands in line 2 already; delete one of the two"),
        ("c\tB-Tree\texact\t.\t\t", "this query stands in line 3 already; delete one of the two"),
        ("c\t\texact\t.\t\t", "the query is empty; write the query"),
        ("c\tx\texact\t\t\t", "no page is expected; name the page that answers it best"),
        ("c\tx\texact\t.\t.\t", ". is expected and acceptable; delete it from acceptable"),
        ("c\tx\texact\t.\t\tyes", "'yes' in the column blind; write blind, or leave it empty"),
        ("c x exact .", "1 cells, 6 are needed; separate them with tabs, and end the line with one"),
    ],
)
def test_a_wrong_line_is_named_with_what_to_write(hub, line, report):
    good = (hub / QUERIES).read_text("utf-8").splitlines()[1:]
    write(hub, *good, line)
    asked, (problem,) = queries.read(hub)
    assert str(problem).startswith(f"{QUERIES}:4: {report}")
    assert [query.id for query in asked] == ["a", "b"]


def test_other_columns_are_named(hub):
    (hub / QUERIES).write_text("id\tquery\n", "utf-8")
    assert str(queries.read(hub)[1][0]).startswith(f"{QUERIES}:1: the columns are other ones; write these")


def test_too_few_queries_and_too_few_blind_ones_are_named(hub):
    asked, problems = queries.read(hub)
    assert problems == []
    assert [str(problem) for problem in queries.lacking(asked)] == [
        f"{QUERIES}:3: 2 queries, 250 are needed; write 248 more, from the readers' side"
    ]
    many = [Query(str(n), str(n), "exact", (".", "concepts/indexing"), (), n < 83, n) for n in range(250)]
    (problem,) = queries.lacking(many)
    assert problem.message == "83 of 250 are blind, under a third"
    assert queries.lacking([*many[1:], Query("x", "x", "exact", (".",), (), True, 2), *many[:1]]) == []


def test_a_page_that_no_query_expects_is_asked_with_its_own_questions(hub):
    asked, _ = queries.read(hub)
    assert queries.of_new_pages(hub, asked) == []
    (hub / "docs/concepts/indexing/questions.txt").write_text("# of readers\none\ntwo\nthree\nfour\n", "utf-8")
    own = queries.of_new_pages(hub, asked[:1])
    assert [(query.text, query.best) for query in own] == [(n, ("concepts/indexing",)) for n in ("one", "two", "three")]


def test_the_score_counts_the_first_page_that_answers():
    asked = [Query(name, name, "exact", ("right",), ("also",), False, 2) for name in "abcd"]
    found = [("right", "also"), ("wrong", "also"), ("1", "2", "3", "right"), ()]
    result = score(zip(asked, [Answer(pages, 1, 1) for pages in found], strict=True))
    assert (result.count, result.first, result.three, result.zero) == (4, 0.25, 0.5, 0.25)
    assert result.mrr == (1 + 1 / 2 + 1 / 4) / 4


def test_misses_of_the_blind_stay_apart():
    asked = [Query(name, name, "exact", ("right",), (), name == "secret", 2) for name in ("open", "secret")]
    answers = [Answer(("wrong",), 1, 1), Answer((), 1, 1)]
    assert report.misses(asked, answers, blind=False) == [f"{QUERIES}:2: not found: 'open' wants right; got wrong"]
    assert report.misses(asked, answers, blind=True) == [f"{QUERIES}:2: not found: 'secret' wants right; got nothing"]


def test_the_fingerprint_changes_with_each_input_and_not_with_a_page(hub):
    before = report.fingerprint(hub)
    (hub / "docs/README.md").write_text("# Changed\n", "utf-8")
    assert report.fingerprint(hub) == before
    (hub / "docs/synonyms.txt").write_text("m2m, many to many\n", "utf-8")
    assert report.fingerprint(hub) != before
