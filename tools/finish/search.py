"""The search index under a name that changes with its content, fetched when the reader first searches.

The theme's script fetches search/search_index.json on every page load: 104 KiB gzip at 60 pages, 1.7 MiB at 1,000. Here
that file keeps the settings only. docs/assets/javascripts/search-worker.js loads the rest.
"""

import hashlib
import json
import re

from tools.finish.page import FinishError, Page, Site

INDEX = "search/search_index.json"
WORKER = "assets/javascripts/search-worker.js"
ENGINE = "assets/javascripts/workers/search.*.min.js"
SETTING = re.compile(r'"search": ?"([^"]*?)assets/javascripts/workers/search\.[^"]+\.js"')


def _merge(site: Site, entries: list[dict]) -> list[dict]:
    """Put newly built entries in the place of the same pages' old ones; a preview builds the changed pages only."""
    pages = site.state.setdefault("search", {})
    fresh: dict[str, list[dict]] = {}
    for entry in entries:
        fresh.setdefault(entry["location"].split("#")[0], []).append(entry)
    pages.update(fresh)
    return [entry for group in pages.values() for entry in group]


def site(site: Site) -> None:
    """Split the generator's index into settings and documents. An index that is split already stays as it is."""
    path = site.root / INDEX
    if not path.is_file():
        raise FinishError(f"{INDEX} is missing: is the search plugin switched on?")
    index = json.loads(path.read_text("utf-8"))
    if "index" in index["config"]:
        return
    engines = sorted(site.root.glob(ENGINE))
    if len(engines) != 1:
        raise FinishError(f"{ENGINE}: {len(engines)} files in the site, one expected. The theme has changed")
    docs = _merge(site, index["docs"])
    text = json.dumps({"docs": docs}, ensure_ascii=False, separators=(",", ":"))
    name = f"search/index.{hashlib.sha256(text.encode()).hexdigest()[:10]}.json"
    for old in (site.root / "search").glob("index.*.json"):
        old.unlink()
    (site.root / name).write_text(text, "utf-8")
    engine = engines[0].relative_to(site.root).as_posix()
    # root: from the worker's own address, which is the only one that it knows
    index = {"config": index["config"] | {"root": "../../", "index": name, "engine": engine}, "docs": []}
    path.write_text(json.dumps(index, separators=(",", ":")), "utf-8")


def page(page: Page) -> None:
    """Point the page at our worker."""
    found = SETTING.search(page.html)
    if not found:
        raise page.missing("the address of the search worker in __config")
    page.html = page.html.replace(found[0], f'"search":"{found[1]}{WORKER}"', 1)
