"""make parity finds what a reader would miss. Two small sites with planted differences; the real ones are built by the
scheduled workflow, since they need two more environments."""

import re
import shutil

import pytest

from tools.finish import catalogue, changed, zensical
from tools.finish.page import FinishError, Page, Site
from tools.pages_server import serving
from tools.parity import compare, read, search
from tools.parity.sites import LOCKS

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="script-src 'self' 'sha256-{hash}='; img-src 'self'">
<title>Indexing - Hub</title><meta name="description" content="How an index finds a row.">
<link rel="canonical" href="https://hub.example/concepts/indexing/"><link rel="next" href="../explain/"></head>
<body><nav><a href="../../">Home</a> <a href="#part">Part</a> <a href="javascript:void(0)">Share</a></nav>
<article class="md-content__inner md-typeset"><a id="__skip"></a>
<h1 id="indexing">Indexing <code>x</code><a class="headerlink" href="#indexing">¶</a></h1>
<p>An <a href="../explain/#plan">index</a> is<br>small.</p>
<h2 id="part">Part</h2><pre><span></span><code><span>SELECT</span> 1;
</code></pre>
<img src="results.svg" alt="bars"><svg><title>A tree</title><desc>of pages</desc><text>no word</text></svg>
<time datetime="2026-11-26">26 November 2026</time></article></body></html>
"""
SITEMAP = "<urlset><url>\n<loc>https://hub.example/</loc> <lastmod>2026-11-26</lastmod></url></urlset>"


@pytest.fixture
def sites(tmp_path):
    """Two equal sites of two pages; the hashes of their themes' scripts differ, which is no difference."""
    for name in ("ours", "theirs"):
        for path in ("index.html", "concepts/indexing/index.html"):
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(PAGE.format(hash=name), "utf-8")
        (tmp_path / name / "sitemap.xml").write_text(SITEMAP, "utf-8")
        (tmp_path / name / "results.txt").write_text("1", "utf-8")
        (tmp_path / name / "assets/javascripts").mkdir(parents=True)
        (tmp_path / name / f"assets/javascripts/bundle.{name}.js").write_text(name, "utf-8")
    return tmp_path / "ours", tmp_path / "theirs"


def found(sites) -> list[compare.Difference]:
    return compare.differences(compare.facets(sites[0]), compare.facets(sites[1]))


def test_a_page_is_read_by_its_meaning():
    seen = read.read(PAGE, "concepts/indexing/")
    at = read.ORIGIN
    assert (seen.title, seen.date, seen.next) == ("Indexing - Hub", "2026-11-26", f"{at}concepts/explain/")
    assert seen.headings == ["# #indexing Indexing x", "## #part Part"]
    assert seen.anchors == ["indexing", "part"]
    assert seen.links == [f"{at}concepts/explain/#plan"]
    assert seen.listings == ["SELECT 1;"]
    assert seen.images == [f"{at}concepts/indexing/results.svg: bars"]
    assert seen.diagrams == ["A tree: of pages"]
    assert seen.navigation == [at]
    assert " ".join(seen.text) == "Indexing x An index is small. Part SELECT 1; 26 November 2026"


def test_equal_sites_do_not_differ(sites):
    assert found(sites) == []


@pytest.mark.parametrize(
    ("old", "new", "facets"),
    [
        ('id="part"', 'id="part_1"', {"anchors", "headings"}),
        ("<h2", "<h3", {"headings"}),
        ("../explain/#plan", "../explain/", {"links"}),
        (" 1;\n", " 2;\n", {"listings", "text"}),
        ('alt="bars"', 'alt=""', {"images"}),
        ("of pages", "of leaves", {"diagrams"}),
        ("Indexing - Hub", "Index - Hub", {"title"}),
        ("How an index", "Where an index", {"description"}),
        ("2026-11-26", "2026-11-25", {"date"}),
        ("img-src 'self'", "img-src *", {"policy"}),
        ('rel="next" href="../explain/"', 'rel="next" href="../"', {"next"}),
        ("hub.example/concepts", "hub.example/topics", {"canonical"}),
        ('<nav><a href="../../"', '<nav><a href="../"', {"navigation"}),
        ("small.", "tiny.", {"text"}),
        ("is<br>small.", "small.<br>is", {"text"}),
    ],
)
def test_each_planted_difference_is_found(sites, old, new, facets):
    page = sites[1] / "concepts/indexing/index.html"
    assert old in page.read_text("utf-8")
    page.write_text(page.read_text("utf-8").replace(old, new), "utf-8")
    assert {difference.facet for difference in found(sites)} == facets
    assert {difference.page for difference in found(sites)} == {"concepts/indexing/"}


def test_missing_pages_files_and_days_are_found_once(sites):
    shutil.rmtree(sites[1] / "concepts")
    (sites[1] / "results.txt").write_text("2", "utf-8")
    (sites[1] / "sitemap.xml").write_text(SITEMAP.replace("2026-11-26", ""), "utf-8")
    told = list(compare.lines(found(sites)))
    assert "pages, only ours: /concepts/indexing/ (the site)" in told
    assert "sitemap, only theirs: https://hub.example/ (the site)" in told
    assert len([line for line in told if line.startswith("files, only")]) == 2
    assert len(told) == 5


def test_an_explained_difference_passes_and_an_idle_explanation_does_not(sites):
    page = sites[1] / "index.html"
    page.write_text(page.read_text("utf-8").replace("Indexing - Hub", "Home"), "utf-8")
    entries = [
        compare.Entry("zensical", "title", "ours", "Indexing*", "*", "why"),
        compare.Entry("zensical", "title", "theirs", "Home", "", "why"),
        compare.Entry("properdocs", "title", "theirs", "Home", "*", "not of this generator"),
    ]
    assert compare.judged("zensical", found(sites), entries) == ([], [])
    left, problems = compare.judged("zensical", found(sites), entries[:1])
    assert [difference.value for difference in left] == ["Home"] and problems == []
    left, problems = compare.judged("zensical", [], entries)
    assert left == [] and len(problems) == 2 and "delete it" in problems[0]


def test_every_explanation_names_a_generator_and_says_why():
    entries = compare.load()
    assert entries and all(entry.why.endswith(".") for entry in entries)
    assert all(entry.site in LOCKS and entry.side in ("ours", "theirs", "order") for entry in entries)


def test_many_differences_of_a_kind_are_told_in_few_lines():
    many = [compare.Difference("text", "ours", str(number), "x/") for number in range(100)]
    told = list(compare.lines(many))
    assert len(told) == compare.MOST + 1 and told[-1] == "text, ours: 92 more values"


def test_ten_questions_of_ten_pages_are_asked():
    assert len(set(search.queries())) == search.QUERIES


# What the finishing step does for a generator without our plugins and without Material's search box.


def test_a_page_without_a_day_gets_the_plugins_own(raw_site):
    path = raw_site / "concepts/indexing/index.html"
    html = path.read_text("utf-8")
    bare, count = re.subn(r'<p class="nexus-updated">.*?</p>', "", html, flags=re.S)
    assert count == 1
    page = Page(Site(raw_site, compare.EXPLAINED.parents[2]), path, bare)
    catalogue.page(page)
    changed.page(page)
    day = re.compile(r'<time datetime="[^"]+">[^<]+</time>')
    assert day.findall(page.html) == day.findall(html) != []


def test_zensicals_form_becomes_materials(tmp_path):
    head = '<head><meta name="generator" content="zensical-0.0.73"><title>Home - Hub</title></head><body>'
    page = Page(Site(tmp_path), tmp_path / "index.html", head + f"<div {zensical.DIALOG}>")
    zensical.page(page)
    assert "<title>Hub</title>" in page.html and "aria-label" not in page.html
    with pytest.raises(FinishError, match="the search dialog is not in the page"):
        zensical.page(Page(Site(tmp_path), tmp_path / "index.html", head))


def test_the_text_of_a_page_cannot_claim_another_generator(tmp_path):
    html = '<head></head><body><meta name="generator" content="zensical-0.0.73">'
    assert not zensical.made(Page(Site(tmp_path), tmp_path / "index.html", html))


WORKER = """
self.onmessage = ({ data: { type, data } }) => {
  if (type === 0) self.postMessage({ type: 1, data: data.config.mark })
  else if (data === "broken") self.postMessage({ type: 3, data: { items: [], failed: true } })
  else {
    const items = [[{ location: "b/#x" }, { location: "gone/" }, { location: "" }], [{ location: data }]]
    self.postMessage({ type: 3, data: { items } })
  }
}
"""
ASK = """
async ([base, input]) => {
  const worker = new Worker(base + "assets/javascripts/search-zensical.js")
  const message = () => new Promise(done => (worker.onmessage = event => done(event.data)))
  worker.postMessage({ type: 0, data: { items: ["", "a<b", "b/#x"].map(path => ({ location: base + path })) } })
  const ready = await message()
  worker.postMessage({ type: 2, data: { input } })
  const answer = await message()
  worker.terminate()
  return [ready.type, answer.type, answer.data?.items.map(item => item.id), answer.data?.pagination.total]
}
"""


def test_the_two_search_boxes_are_translated(tmp_path, browser):
    """Our worker's answers become places in Zensical's list; what was typed arrives without its escapes."""
    (tmp_path / "assets/javascripts").mkdir(parents=True)
    (tmp_path / "assets/javascripts/search-worker.js").write_text(WORKER, "utf-8")
    (tmp_path / "index.html").write_text("<title>x</title>", "utf-8")
    (tmp_path / zensical.INDEX).write_text('{"config": {"lang": ["en"]}, "items": []}', "utf-8")
    zensical.site(Site(tmp_path))
    with serving(tmp_path, "/hub/") as address:
        page = browser.new_page()
        page.goto(address)
        assert page.evaluate(ASK, [address, "a&lt;b"]) == [1, 3, [0, 2, 1], 3]
        assert page.evaluate(ASK, [address, "broken"]) == [1, 4, None, None]
        page.close()
