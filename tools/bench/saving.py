"""From saving a page to seeing it: the real preview (tools/serve.py) and a real Chromium with the page open."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.bench.run import BenchError, last_lines
from tools.browser import NoBrowserError, flags, require

START = 300  # seconds that the first build of the preview may take
SEEN = 60  # seconds after which a saved page counts as never shown
EDITS = 5


@contextmanager
def preview(project: Path, env: dict[str, str]) -> Iterator[str]:
    """Run the project's preview and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    temporary = project / ".preview"  # the preview's own temporary folder ends with it, however it ends
    temporary.mkdir()
    log = temporary / "log.txt"
    command = [sys.executable, "-m", "tools.serve"]
    variables = os.environ | env | {"PORT": str(port), "TMPDIR": str(temporary)}
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=project, env=variables, stdout=out, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + START
        while not re.search(r"^Serving http", log.read_text(), re.M):
            if process.poll() is not None or time.monotonic() > end:
                raise BenchError(f"the preview did not start:\n{last_lines(log.read_text())}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(temporary, ignore_errors=True)


def _fetch(address: str) -> dict:
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310  (our own server)
        return json.load(answer)


def indexed(base: str) -> dict[str, str]:
    """{address of a page below the root: its text} in the preview's search index."""
    index = _fetch(base + "search/search_index.json")
    if "index" in index["config"]:  # the finishing step keeps the entries in a file of its own
        index = _fetch(base + index["config"]["index"])
    texts: dict[str, str] = {}
    for entry in index["docs"]:
        address = entry["location"].split("#")[0]
        texts[address] = texts.get(address, "") + " " + entry["text"]
    return texts


def _address(path: str) -> str:
    return path.removesuffix("README.md")


def _navigation(page) -> list:
    """[(address, title)] of the page's navigation."""
    return page.eval_on_selector_all(
        ".md-nav--primary a.md-nav__link, .md-tabs__link", "links => links.map(a => [a.href, a.textContent.trim()])"
    )


def _edit(page, source: Path, address: str, number: int) -> tuple[float, str]:
    """Save a page with a new sentence while it is open; return the seconds until it is visible, and the sentence."""
    sentence = f"This sentence was saved as number {number}."
    page.goto(address)
    page.wait_for_load_state("load")
    time.sleep(1)  # the open page has asked the server for news, as it has when a person writes
    before = _navigation(page)
    text = source.read_text("utf-8")
    start = time.perf_counter()
    source.write_text(text + f"\n{sentence}\n", "utf-8")
    page.get_by_text(sentence).wait_for(timeout=SEEN * 1000)
    seconds = time.perf_counter() - start
    if _navigation(page) != before:
        raise BenchError(f"{address}: the navigation changed when the page was saved")
    return seconds, sentence


def measure(project: Path, pages: list[str], env: dict[str, str], say) -> list[float]:
    """Seconds from saving to seeing, of five pages in five sections; `pages` are all pages of the project.

    Raises BenchError when a page never shows, or when search or navigation have lost something afterwards.
    """
    from playwright.sync_api import Error, sync_playwright

    try:
        program = require()
    except NoBrowserError as error:
        raise BenchError(str(error)) from None
    chosen = [pages[(2 * number + 1) * len(pages) // (2 * EDITS)] for number in range(EDITS)]
    seconds, sentences = [], {}
    with preview(project, env) as base, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=flags())
        try:
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            for number, name in enumerate(chosen, 1):
                took, sentences[name] = _edit(page, project / "docs" / name, base + _address(name), number)
                seconds.append(took)
                say(f"  save {number}/{EDITS}  {name:<50} {took:.2f} s")
        except Error as error:
            raise BenchError(f"saving a page: {str(error).splitlines()[0]}") from None
        finally:
            chromium.close()
        texts = indexed(base)
    lost = [name for name in pages if _address(name) not in texts]
    stale = [name for name, sentence in sentences.items() if sentence not in texts.get(_address(name), "")]
    if lost or stale:
        raise BenchError(
            f"search after the edits: {len(lost)} pages are missing, {len(stale)} are stale: {(lost + stale)[:3]}"
        )
    return seconds
