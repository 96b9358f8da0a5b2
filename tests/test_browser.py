"""Every page in a real browser: accessibility, policy, requests, layout; and the things that people do on a page."""

import contextlib
import gzip
import re
import time
from pathlib import Path

import axe_playwright_python
import pytest
from conftest import ROOT, SITE
from playwright.sync_api import Error

from tools.pages_server import serving

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = {"phone": 390, "desktop": 1280}
PAGES = sorted(
    re.sub(r"(README|index)\.md$", "", path.relative_to(ROOT / "docs").as_posix()) for path in ROOT.glob("docs/**/*.md")
)
SCROLLERS_ARE_REACHABLE = """
[...document.querySelectorAll("pre > code, .md-typeset__scrollwrap")].every(
  part => part.scrollWidth <= part.clientWidth || part.tabIndex >= 0)
"""
WATCH_POLICY = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`))
"""


def new_reader(browser, *, scheme: str = "light", width: int = 1280, **options):
    """A browser context: nothing is in its cache, and no palette was chosen."""
    viewport = {"width": width, "height": 900}
    return browser.new_context(color_scheme=scheme, viewport=viewport, reduced_motion="reduce", **options)


class Visit:
    """One page, with what went wrong on it, for a new reader or for one who was here before."""

    def __init__(self, browser, url: str, *, reader=None, **options):
        context = reader or new_reader(browser, **options)
        self.page = context.new_page()
        self.close = self.page.close if reader else context.close
        self.page.set_default_timeout(10_000)
        self.errors: list[str] = []
        self.requests: list[str] = []
        if options.get("java_script_enabled", True):
            self.page.add_init_script(WATCH_POLICY)
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        if not reader:  # a route switches the browser's cache off
            # The site map names the published address; instant navigation asks that it be the one that serves the page.
            origin = re.match(r"http://[^/]+/alx-project-nexus/", url)[0]
            self.page.route("**/sitemap.xml", lambda route: self._local(route, origin))
        self.answer = self.page.goto(url)
        self.page.wait_for_load_state("networkidle")

    @staticmethod
    def _local(route, origin: str) -> None:
        with contextlib.suppress(Error):  # the page went on to another and asks no more
            answer = route.fetch()
            route.fulfill(response=answer, body=answer.text().replace(SITE, origin))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def foreign(self, origin: str) -> list[str]:
        """Requests that left the site."""
        return [url for url in self.requests if not url.startswith((origin, "data:"))]


def accessibility_violations(page) -> list[str]:
    # Without `preload` axe does not fetch and parse the stylesheets again, which none of these rules asks for.
    options = {"runOnly": TAGS, "resultTypes": ["violations"], "preload": False}
    found = page.evaluate("options => axe.run(document, options).then(found => found.violations)", options)
    return [f"{item['id']}: {node['target']} {node['failureSummary']}" for item in found for node in item["nodes"]]


def until(page, condition: str, argument=None, seconds: float = 5) -> bool:
    """Wait until a condition holds in the page, and say whether it came to that.

    Playwright's own wait evaluates text in the page, which the page's policy forbids.
    """
    end = time.monotonic() + seconds
    while not (holds := page.evaluate(condition, argument)) and time.monotonic() < end:
        page.wait_for_timeout(50)
    return bool(holds)


def wide_elements(page) -> list[str]:
    """What makes a page scroll sideways, if it does."""
    return page.evaluate(
        """() => {
          const root = document.documentElement
          if (root.scrollWidth <= root.clientWidth) return []
          return [...document.querySelectorAll("body *")]
            .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1)
            .map(e => e.tagName + "." + e.className).slice(0, 5)
        }"""
    )


def inspect(browser, url: str, origin: str, status: int = 200, reader=None) -> None:
    """Every check of a page, in both palettes and at both widths, with all that is folded away unfolded."""
    with Visit(browser, url, reader=reader) as visit:
        page = visit.page
        page.evaluate(AXE)
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        for scheme, label in (("default", "Switch to light"), ("slate", "Switch to dark")):
            if page.evaluate("document.body.dataset.mdColorScheme") != scheme:
                page.get_by_title(label).click()
            assert page.evaluate("document.body.dataset.mdColorScheme") == scheme
            for width in WIDTHS.values():
                page.set_viewport_size({"width": width, "height": 900})
                until(page, SCROLLERS_ARE_REACHABLE)  # the scripts react a moment later; what they missed axe reports
                assert wide_elements(page) == [], f"scrolls sideways at {width} px"
                assert accessibility_violations(page) == [], f"at {width} px, {scheme}"
        assert page.evaluate("window.violations") == []
        assert visit.foreign(origin) == []
        assert visit.answer.status == status
        missing = "Failed to load resource: the server responded with a status of 404"
        assert [error for error in visit.errors if status == 200 or not error.startswith(missing)] == []


@pytest.fixture(scope="module")
def reader(browser):
    """One reader for all pages: a first visit costs twice the time of a later one, and its weight has its own test."""
    with contextlib.closing(new_reader(browser)) as context:
        yield context


@pytest.mark.parametrize("path", PAGES)
def test_page(browser, reader, address, path):
    inspect(browser, address + path, address, reader=reader)


def test_sample_of_all_markdown(browser, sample_address):
    inspect(browser, sample_address + "everything/", sample_address)


def test_missing_page(browser, address):
    inspect(browser, address + "no/such/page/", address, status=404)


@pytest.mark.parametrize(("scheme", "name"), [("light", "default"), ("dark", "slate")])
def test_palette_follows_the_system(browser, address, scheme, name):
    with Visit(browser, address, scheme=scheme) as visit:
        assert visit.page.evaluate("document.body.dataset.mdColorScheme") == name


def test_missing_page_leads_on(browser, address):
    with Visit(browser, address + "no/such/page/") as visit:
        links = visit.page.locator("article a").evaluate_all("list => list.map(a => a.href)")
        assert SITE.replace("https://example.github.io/alx-project-nexus/", address) in links
        assert sum("github.com/example" not in link for link in links) >= 6, links
        visit.page.get_by_text("Search the hub").click()
        assert visit.page.evaluate("document.getElementById('__search').checked")


def test_palette_toggle_is_remembered(browser, address):
    with Visit(browser, address) as visit:
        scheme = "document.body.dataset.mdColorScheme"
        assert visit.page.evaluate(scheme) == "default"
        visit.page.get_by_title("Switch to dark").click()
        assert visit.page.evaluate(scheme) == "slate"
        visit.page.reload()
        assert visit.page.evaluate(scheme) == "slate"


def test_instant_navigation_keeps_the_page_alive(browser, address):
    with Visit(browser, address) as visit:
        visit.page.evaluate("window.alive = true")
        visit.page.locator(".md-tabs__link", has_text="Concepts").click()
        visit.page.wait_for_url("**/concepts/")
        visit.page.wait_for_selector("h1:has-text('Concepts')")
        assert visit.page.evaluate("window.alive"), "the browser loaded the page anew"
        visit.page.go_back()
        visit.page.wait_for_selector(".nexus-home")
        assert visit.page.evaluate("window.violations") == []
        assert visit.errors == []


def test_code_is_copied(browser, sample_address):
    with Visit(browser, sample_address + "everything/", permissions=["clipboard-read", "clipboard-write"]) as visit:
        block = visit.page.locator("div.highlight pre").first
        visit.page.locator(".md-code__button[data-md-type=copy]").first.click()
        copied = visit.page.evaluate("navigator.clipboard.readText()")
        assert copied.strip() == block.inner_text().strip() != ""


def test_table_of_contents_leads_to_its_heading(browser, address):
    with Visit(browser, address + "concepts/") as visit:
        link = visit.page.locator(".md-sidebar--secondary .md-nav__link").last
        target = link.get_attribute("href").partition("#")[2]
        link.click()
        assert until(visit.page, "id => location.hash === '#' + id", target)
        visit.page.wait_for_timeout(300)
        top = visit.page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", target)
        assert 0 <= top < 900


def test_keyboard_alone_navigates(browser, address):
    with Visit(browser, address) as visit:
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate("document.activeElement.matches('.md-skip')")
        for _ in range(30):
            visit.page.keyboard.press("Tab")
            if visit.page.evaluate("document.activeElement.textContent.trim()") == "Challenges":
                break
        outline = visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", "the focused link is not marked"
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_url("**/challenges/")


def test_without_javascript(browser, address):
    with Visit(browser, address + "concepts/", java_script_enabled=False, width=390) as visit:
        page = visit.page
        assert page.locator("h1").is_visible()
        assert page.locator(".diagram svg").first.is_visible()
        assert not page.locator(".md-search__input").is_visible(), "a search box that cannot search"
        assert page.locator(".md-footer__link").first.is_visible()
        assert visit.foreign(address) == []


def test_navigation_without_javascript(browser, address):
    with Visit(browser, address, java_script_enabled=False) as visit:
        visit.page.locator(".md-tabs__link", has_text="Concepts").click()
        visit.page.wait_for_url("**/concepts/")
        assert visit.page.locator("h1").is_visible()


def test_on_paper(browser, address):
    with Visit(browser, address + "concepts/", scheme="dark") as visit:
        visit.page.emulate_media(media="print")
        for chrome in (".md-header", ".md-tabs", ".md-sidebar--primary", ".md-footer", ".md-content__button"):
            assert not visit.page.locator(chrome).first.is_visible(), f"{chrome} is printed"
        assert visit.page.locator("article h1").is_visible()
        address_of = "selector => getComputedStyle(document.querySelector(selector), '::after').content"
        assert "https://" in visit.page.evaluate(address_of, "article li > a[rel=external]")
        assert visit.page.evaluate(address_of, "article li > a:not([rel])") == "none", "our own address is printed"
        ground, ink = visit.page.evaluate(
            """[getComputedStyle(document.body).backgroundColor,
                getComputedStyle(document.querySelector("article p")).color]"""
        )
        light = [int(value) for value in re.findall(r"\d+", ground)[:3]]
        dark = [int(value) for value in re.findall(r"\d+", ink)[:3]]
        assert min(light) > 200 and max(dark) < 120, f"dark mode is printed as {ground} under {ink}"
        assert len(visit.page.pdf()) > 10_000


def first_visit(browser, site: Path, path: str) -> list[tuple[str, int]]:
    """(path, bytes sent, response headers included) of every request of a first visit."""
    log: list = []
    with serving(site, log=log) as address, Visit(browser, address + path) as visit:
        visit.page.wait_for_timeout(1500)  # the theme's worker and site map come after the load event
    headers = 230  # bytes of this server's longest header
    return [(name, size + headers) for name, size in log]


LISTS = {"reference/errors/": 100}  # KiB; a page that every other page adds lines to is a list, not a page to read


@pytest.mark.parametrize(("path", "limit"), [(None, 80), *LISTS.items()], ids=["largest", *LISTS])
def test_weight_of_a_first_visit(browser, site, path, limit):
    """The largest page weighs at most 80 KiB in at most 6 requests; all pages load the same files beside their own."""
    if path is None:
        found = {page.parent.relative_to(site).as_posix() + "/": page for page in site.rglob("index.html")}
        pages = {name: len(gzip.compress(page.read_bytes())) for name, page in found.items() if name not in LISTS}
        path = max(pages, key=pages.get)
    figures = (".svg", ".png", ".jpg", ".webp")  # loaded beside the page, when they come into view
    requests = [(name, size) for name, size in first_visit(browser, site, path) if not name.endswith(figures)]
    listing = "\n".join(f"{size:7} {name}" for name, size in requests)
    assert len(requests) <= 6, listing
    assert sum(size for _, size in requests) <= limit * 1024, listing
    assert not [name for name, _ in requests if name.startswith("search/index.")], listing
    print(listing)
