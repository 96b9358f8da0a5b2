"""Each engine answers queries in a real browser, as its own search box asks it.

A theme's engine is a worker: the page posts 0 SETUP {config, docs, options} and waits for 1 READY, then posts 2 QUERY
text and waits for 3 RESULT {items: groups of documents}, one group a page. Pagefind is a module that the page calls.
Both are timed from the first reach (nothing is loaded yet) and from a query to its results.
"""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass, field

from tools.search.queries import HOME
from tools.search.sites import BUNDLE

SHOWN = 10  # as many as a box lists before the reader scrolls

WORKER = """async ({texts, shown, home}) => {
  const page = new DOMParser().parseFromString(await (await fetch(home)).text(), "text/html")
  const config = JSON.parse(page.getElementById("__config").textContent)
  const began = performance.now()
  const worker = new Worker(new URL(config.search, home))
  const ask = message => new Promise((resolve, reject) => {
    worker.onmessage = event => event.data.type === message.type + 1 && resolve(event.data)
    worker.onerror = event => reject(new Error(event.message))
    worker.postMessage(message)
  })
  const index = await (await fetch(new URL("search/search_index.json", home))).json()
  await ask({type: 0, data: {...index, options: {suggest: false}}})
  window.searchWorker = worker // kept, so that its memory can be measured
  const answers = []
  for (const text of texts) {
    const asked = performance.now()
    const {data} = await ask({type: 2, data: text})
    const ms = performance.now() - asked
    const found = data.items.slice(0, shown).map(group => group[0].location)
    answers.push({ms, since: performance.now() - began, found})
  }
  return answers
}"""

PAGEFIND = """async ({texts, shown, bundle, home}) => {
  const began = performance.now()
  const base = new URL(home)
  const pagefind = await import(new URL(bundle + "/pagefind.js", base))
  await pagefind.options({baseUrl: base.pathname})
  await pagefind.init()
  const answers = []
  for (const text of texts) {
    const asked = performance.now()
    const {results} = await pagefind.search(text)
    const found = await Promise.all(results.slice(0, shown).map(async result => (await result.data()).url))
    answers.push({ms: performance.now() - asked, since: performance.now() - began,
                  found: found.map(url => url.slice(base.pathname.length))})
  }
  return answers
}"""

EMPTY = "empty.html"
# A browser tells a page about its own memory when it is isolated from others.
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
MEMORY = "async () => (await performance.measureUserAgentSpecificMemory()).bytes"


@dataclass(frozen=True)
class Engine:
    """How to ask an engine: `script` runs in a page of the site and returns an answer for each text."""

    name: str
    script: str
    options: dict = field(default_factory=dict)


OURS = Engine("This site", WORKER)
STOCK = Engine("Stock Material", WORKER)
PEER = Engine("Pagefind", PAGEFIND, {"bundle": BUNDLE})


@dataclass(frozen=True)
class Answer:
    """The pages that were found, best first, each once; `ms` from the query, `since` from the first reach."""

    pages: tuple[str, ...]
    ms: float
    since: float


class EngineError(Exception):
    """An engine that did not answer; the message says which and what the browser said."""


def ask(
    browser,
    engine: Engine,
    address: str,
    texts: list[str],
    *,
    memory: list[int] | None = None,
) -> list[Answer]:
    """Ask an engine of the site at `address` in a new tab; an answer for each text. Raises EngineError.

    The tab shows the home page, whose rules (Content-Security-Policy) then hold. With `memory` it shows an empty page,
    so that nothing but the search is loaded, and the bytes that it and its workers hold before and after are added.
    """
    from playwright.sync_api import Error

    page = browser.new_page()
    try:
        if memory is None:
            page.goto(address, wait_until="load")
        else:
            page.route(address + EMPTY, lambda route: route.fulfill(content_type="text/html", headers=ISOLATED))
            page.goto(address + EMPTY)
            page.unroute_all()
            memory.append(page.evaluate(MEMORY))
        raw = page.evaluate(engine.script, {"texts": texts, "shown": SHOWN, "home": address, **engine.options})
        if memory is not None:
            memory.append(page.evaluate(MEMORY))
    except Error as error:
        raise EngineError(f"{engine.name} did not answer: {error.message}") from None
    finally:
        page.close()
    return [Answer(_pages(answer["found"]), answer["ms"], answer["since"]) for answer in raw]


def _pages(locations: list[str]) -> tuple[str, ...]:
    """'concepts/indexing/#why' -> 'concepts/indexing', as queries.tsv names it."""
    paths = (urllib.parse.urlsplit(location).path.removesuffix("index.html").strip("/") for location in locations)
    return tuple(dict.fromkeys(path or HOME for path in paths))
