"""python -m tools.search [--misses] [--pages N ...]: does the search find, beside Material and Pagefind?

Builds the site twice, asks every query of tests/search/queries.tsv in a real browser, prints success@1, success@3, MRR
and the share without a result by kind, and writes the tables of docs/reference/search/.
"""

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tools import browser as chromium
from tools import generated
from tools.measure.machine import machine
from tools.pages_server import serving
from tools.repository import ROOT
from tools.search import costs, queries, report, sites, sizes
from tools.search.engines import OURS, PEER, STOCK, EngineError, ask


def say(line: str) -> None:
    print(line, flush=True)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make search", description=__doc__.split("\n\n")[0].partition(": ")[2])
    parser.add_argument("--misses", action="store_true", help="list the queries whose page is not first")
    text = "list these of the blind queries; who tunes the search must not look at them"
    parser.add_argument("--blind-misses", action="store_true", help=text)
    parser.add_argument("--ours", action="store_true", help="ask this site's engine only, and write nothing")
    parser.add_argument("--site", type=Path, help="ask this built site instead of building one; implies --ours")
    text = "measure bytes, memory and times on synthetic sites of so many pages, and nothing else"
    parser.add_argument("--pages", type=int, nargs="+", metavar="N", help=text)
    return parser.parse_args(arguments)


def evaluate(browser, asked: list[queries.Query], folder: Path, options: argparse.Namespace) -> dict:
    """Ask the engines all queries and return their scores; `folder` is where the sites are built."""
    ours = options.site or folder / "site"
    if not options.site:
        sites.ours(ours)
    engines = [(OURS, ours)]
    if not options.ours:
        stock = folder / "stock"
        sites.stock(stock)
        sites.pagefind(stock)
        engines += [(STOCK, stock), (PEER, stock)]
    texts = [query.text for query in asked]
    found = {}
    for engine, site in engines:
        with serving(site) as address:
            answers = ask(browser, engine, address, texts)
        found[engine.name] = report.scores(asked, answers)
        say(f"\n{report.table(engine.name, found[engine.name])}")
        if engine is OURS and (options.misses or options.blind_misses):
            lines = report.misses(asked, answers, blind=False) if options.misses else []
            lines += report.misses(asked, answers, blind=True) if options.blind_misses else []
            say("\n".join(["", *lines]))
    if options.ours:
        return {}
    say("\nmeasuring what a search costs")
    spent = sizes.costs(browser, folder / "site", folder / "stock", texts)
    return {"quality": _plain(found), "costs": _plain(spent)}


def _plain(found: dict) -> dict:
    """Return results of each engine as the results file keeps them."""
    return {
        engine: {name: report.plain(one) for name, one in result.items()}
        if isinstance(result, dict)
        else report.plain(result)
        for engine, result in found.items()
    }


def conditions(browser) -> dict[str, str]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "browser": f"Chromium {browser.version}",
        "peers": f"mkdocs-material {sites.version('mkdocs-material')}, Pagefind {sites.version('pagefind')}",
    }


def run(options: argparse.Namespace) -> int:
    asked, problems = queries.read(ROOT)
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    if not options.ours:
        sites.install()
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        flags = chromium.flags() + costs.FLAGS
        browser = driver.chromium.launch(executable_path=chromium.require(), args=flags)
        try:
            if options.pages:
                grown = {str(pages): _plain(sizes.measure(browser, pages, say)) for pages in options.pages}
                report.save(ROOT, sizes=grown, sizes_conditions=conditions(browser))
            elif found := evaluate(browser, asked, Path(folder), options):
                counts = {"all": len(asked), "blind": sum(query.blind for query in asked)}
                about = conditions(browser) | {"fingerprint": report.fingerprint(ROOT)}
                report.save(ROOT, **found, queries=counts, pages=len(queries.pages(ROOT)), conditions=about)
        finally:
            browser.close()
    if not options.ours:
        generated.run(ROOT, write=True)
        say(f"Written: {report.RESULTS} and the tables of docs/reference/search/")
    return 0


def main(arguments: list[str]) -> int:
    options = parsed(arguments)
    options.ours = options.ours or bool(options.site)
    os.chdir(ROOT)
    try:
        return run(options)
    except (sites.SiteError, EngineError, chromium.NoBrowserError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
