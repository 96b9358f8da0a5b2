"""make bench measures the same pages on every machine, keeps their rules, and adds up right. Nothing is timed here."""

import subprocess
import sys

import pytest

from tools import portable
from tools.bench import corpus, project, report, run
from tools.repository import ROOT

PAGES = 30
NEWEST_COMMIT = "82fdb879cd3c6dfaf6d47d0c520928337daabe94"  # of these pages, anywhere


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """A synthetic project of 30 pages."""
    folder = tmp_path_factory.mktemp("bench") / "project"
    project.make(PAGES, folder)
    return folder


def test_the_same_number_of_pages_gives_the_same_bytes_and_commits(synthetic, tmp_path):
    commit = corpus.write(corpus.make(PAGES), tmp_path / "again")
    first = subprocess.run(["git", "-C", synthetic, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert first.stdout.strip() == commit
    assert commit == NEWEST_COMMIT, "the corpus changed: figures taken before and after cannot be compared"


@pytest.mark.parametrize("count", [6, 60, 300, 1000])
def test_the_layout_has_as_many_pages_as_asked_for(count):
    paths = corpus.layout(count)
    assert len(paths) == len(set(paths)) == count
    folders = [path.rsplit("/", 2)[0] for path in paths if "/group-" in path and "/topic-" in path]
    assert max(map(folders.count, set(folders)), default=0) <= corpus.FOLDER


def test_a_corpus_page_is_as_long_as_measured_pages_were():
    pages = corpus.make(60)
    assert 6_500 < pages.size / 60 < 8_500
    assert 1.3 < len(pages.commits) / 60 < 1.7
    assert sum("```mermaid" in text for text in pages.pages.values()) == 6


def test_the_pages_keep_the_rules_of_the_project(synthetic):
    assert portable.check(synthetic) == []


def test_only_the_table_of_contents_differs_from_our_settings(synthetic):
    def without_nav(text):
        return project.NAV.sub("", text, count=1)

    ours, theirs = (ROOT / "mkdocs.yml").read_text("utf-8"), (synthetic / "mkdocs.yml").read_text("utf-8")
    assert without_nav(theirs) == without_nav(ours)
    assert theirs.count("README.md") == PAGES
    assert (synthetic / "tools" / "hooks.py").read_bytes() == (ROOT / "tools" / "hooks.py").read_bytes()


def test_peers_can_have_our_extensions(tmp_path):
    project.make(6, tmp_path / "same", same_extensions=True)
    peer = (tmp_path / "same" / "bare.yml").read_text("utf-8")
    assert "  - abbr\n" in project.RECOMMENDED
    assert "  - abbr\n" not in peer
    assert "pymdownx.slugs.slugify" in peer
    assert peer.index("markdown_extensions:") < peer.index("\nnav:\n")


def test_settings_without_a_table_of_contents_are_refused():
    with pytest.raises(ValueError, match="has no nav"):
        project.with_nav("site_name: x\n", "nav:\n")


def _runs(*cpu, peak=100.0):
    return [run.Cost(cpu=value, wall=value, peak=peak, size=2_000_000, pages=60) for value in cpu]


COSTS = {
    60: {
        report.OURS: _runs(2.0, 9.0, 1.0),
        report.PEER: _runs(2.0),
        report.PRUNED: _runs(4.0),
        report.BARE: _runs(1.0),
    },
    300: {report.OURS: _runs(6.0)},
    1000: {report.OURS: _runs(30.0, peak=201.0), report.PRUNED: _runs(20.0), report.BARE: _runs(60.0)},
}


def test_the_table_shows_medians_and_ratios():
    lines = report.table(COSTS).splitlines()
    assert lines[1].split() == ["60", "nexus", "3", "2.00", "0.50", "2.00", "33.3", "2.00", "100", "2.0", "60"]
    assert lines[5].split()[4:6] == ["-", "-"]  # 300 pages: no peer was measured
    assert len({len(line) for line in lines}) == 1


def test_every_target_is_judged():
    verdicts = {target.what: (target.value, target.reached) for target in report.targets(COSTS, {60: 1.0})}
    assert list(verdicts.values()) == [
        (1.0, True),
        (1.5, False),
        (0.5, True),
        (1.5, False),
        (201.0, False),
        (1.0, True),
        (None, None),
    ]
    assert str(report.targets(COSTS, {})[1]).startswith("NOT REACHED ")


def test_a_failing_build_says_which_and_why(tmp_path):
    variant = run.Variant("broken", [sys.executable, "-c", "raise SystemExit('no such page')"], "site")
    with pytest.raises(run.BenchError, match=r"broken: .* ended with 1:\nno such page"):
        run.build(variant, tmp_path, {})


def test_a_build_counts_its_children_and_its_output(tmp_path):
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(3_000_000))']); "
    code += "from pathlib import Path; Path('site').mkdir(); Path('site/index.html').write_text('12345')"
    cost = run.build(run.Variant("small", [sys.executable, "-c", code], "site"), tmp_path, {})
    assert (cost.size, cost.pages) == (5, 1)
    assert cost.cpu > 0
    assert cost.peak > 1
    assert not (tmp_path / "site").exists()
