"""The same engines on synthetic sites of N pages (tools/bench/corpus): what grows, and how fast.

Such a page has 7 KB of Markdown and no questions.txt. So these figures say how a cost grows, and nothing of what is
found.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.bench import project
from tools.bench.corpus import Corpus
from tools.repository import ROOT
from tools.search import sites
from tools.search.costs import Cost, cost
from tools.search.engines import OURS, PEER, STOCK

FOLDER = ROOT / ".cache" / "search"
QUERIES = 60


def texts(corpus: Corpus) -> list[str]:
    """Return queries of every length from the pages: a word, a title, a title with a typing mistake, an identifier, and
    a long paste."""
    paths = list(corpus.pages)[:: max(1, len(corpus.pages) // QUERIES)][:QUERIES]
    found = []
    for number, path in enumerate(paths):
        title = corpus.titles[path].lower()
        words = corpus.pages[path].split()
        forms = [title, title.split()[-1], title[:3] + title[4:], "_".join(title.split()[-2:]), " ".join(words[10:40])]
        found.append(forms[number % len(forms)])
    return found


def measure(browser, pages: int, say) -> dict[str, Cost]:
    """Build a site of so many pages three times and return what each engine costs. Raises SiteError, EngineError."""
    folder = FOLDER / str(pages)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        corpus = project.make(pages, folder)
        ours, stock = folder / "site", folder / "site-stock"
        say(f"{pages} pages: building")
        sites.ours(ours, folder)
        sites.stock(stock, folder)
        sites.pagefind(stock)
        return costs(browser, ours, stock, texts(corpus))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def costs(browser, ours: Path, stock: Path, queries: list[str]) -> dict[str, Cost]:
    """Return what each engine costs on two built sites of the same pages."""
    return {
        engine.name: cost(browser, engine, site, queries)
        for engine, site in ((OURS, ours), (STOCK, stock), (PEER, stock))
    }
