"""Search: the index under a name that changes with its content, and our engine in the place of the theme's.

The theme's script fetches search/search_index.json on every page load, and its worker. Here that file keeps the
settings only, and the worker is a small one (docs/assets/javascripts/search-worker.js) that loads the engine and the
index when the reader reaches for search.
"""

import hashlib
import json
import re
from pathlib import Path

from tools import vocabulary
from tools.finish import scripts, zensical
from tools.finish.page import FinishError, Page, Site
from tools.finish.search_index import ERRORS_PAGE, page_of, trimmed, with_questions

INDEX = "search/search_index.json"
SCRIPTS = "assets/javascripts/search"
WORKER = "assets/javascripts/search-worker.js"
# In the order in which they need each other; the first is the library.
ENGINE = (
    "minisearch.js",
    "words.js",
    "index.js",
    "query.js",
    "similar.js",
    "weigh.js",
    "rank.js",
    "teaser.js",
    "engine.js",
)
SETTING = re.compile(r'"search": ?"([^"]*?)assets/javascripts/workers/search\.[^"]+\.js"')


def _merge(site: Site, entries: list[dict]) -> dict[str, list[dict]]:
    """Put newly built entries in the place of the same pages' old ones; a preview builds the changed pages only."""
    pages = site.state.setdefault("search", {})
    fresh: dict[str, list[dict]] = {}
    for entry in entries:
        fresh.setdefault(entry["location"].split("#")[0], []).append(trimmed(entry))
    pages.update(fresh)
    return pages


def _named(site: Site, folder: str, stem: str, suffix: str, text: str) -> str:
    """Write a file whose name changes with its content, in the place of its older ones; return its path."""
    name = f"{folder}/{stem}.{hashlib.sha256(text.encode()).hexdigest()[:10]}.{suffix}"
    for old in (site.root / folder).glob(f"{stem}.*.{suffix}"):
        if old.name != Path(name).name:
            old.unlink()
    (site.root / name).write_text(text, "utf-8")
    return name


def _read(site: Site, name: str) -> str:
    path = site.root / SCRIPTS / name
    if not path.is_file():
        raise FinishError(f"{SCRIPTS}/{name} is missing in the site: copy docs/assets/javascripts there")
    return path.read_text("utf-8")


def _script(site: Site, *names: str) -> str:
    """The named scripts as one, without comments, in a scope of their own. Raises FinishError."""
    return '"use strict";{\n' + "".join(scripts.minify(_read(site, name)) for name in names) + "}\n"


def _licence(site: Site) -> str:
    """The licence of the library, as the comment that every copy must carry."""
    text = _read(site, "minisearch.txt")
    return f"/*! MiniSearch. {text[text.index('Copyright') :].strip()} */\n"


def _index(site: Site, entries: list[dict]) -> str:
    """The whole index as JSON: the entries with the words of readers, and what the engine has to know."""
    groups = _merge(site, entries)
    docs = with_questions(groups, site.source) if site.source else [e for group in groups.values() for e in group]
    config = {"synonyms": vocabulary.synonyms(site.source) if site.source else []}
    if errors := next((entry["location"] for entry in docs if page_of(entry["location"]) == ERRORS_PAGE), ""):
        config["errors"] = errors
    if site.github:
        config["missing"] = f"{site.github}/issues/new?template=search.yml&query="
    return json.dumps({"config": config, "docs": docs}, ensure_ascii=False, separators=(",", ":"))


def site(site: Site) -> None:
    """Split the generator's index into settings and entries. An index that is split already stays as it is."""
    path = site.root / INDEX
    if not path.is_file():
        raise FinishError(f"{INDEX} is missing: is the search plugin switched on?")
    generated = json.loads(path.read_text("utf-8"))
    if "index" in generated["config"]:
        return
    text, kind = _index(site, generated["docs"]), "json"
    if site.offline:  # a page that was opened as a file may fetch nothing, but it may load a script
        text, kind = f"self.nexusIndex={text}\n", "js"
    settings = generated["config"] | {
        "root": "../../",  # from the worker's own address, which is the only one that it knows
        "index": _named(site, "search", "index", kind, text),
        "engine": _named(site, SCRIPTS, "engine", "js", _licence(site) + _script(site, *ENGINE)),
        "box": _named(site, SCRIPTS, "box", "js", _script(site, "box.js")),
    }
    (site.root / WORKER).write_text(scripts.minify(_read(site, f"../{Path(WORKER).name}")), "utf-8")
    stub = json.dumps({"config": settings, "docs": []}, separators=(",", ":"))
    path.write_text(stub, "utf-8")
    if site.offline:
        path.with_suffix(".js").write_text(f"var __index={stub}\n", "utf-8")  # what the theme asks for there


def page(page: Page) -> None:
    """Point the page at our worker; on a page of Zensical, at what stands between its search box and the worker."""
    found = SETTING.search(page.html)
    if not found:
        raise page.missing("the address of the search worker in __config")
    worker = zensical.ADAPTER if zensical.made(page) else WORKER
    page.html = page.html.replace(found[0], f'"search":"{found[1]}{worker}"', 1)
