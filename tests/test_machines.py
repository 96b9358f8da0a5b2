"""What the site tells machines, each read by a parser that shares no code with what wrote it."""

import io
import json
import os
import posixpath
import re
import sys
from datetime import date
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin

import feedparser
import jsonschema
import pytest
from conftest import REPO, ROOT, SITE, run
from lxml import etree
from lxml import html as lxml_html
from markdown_it import MarkdownIt
from PIL import Image, ImageChops, ImageDraw
from pyld import jsonld
from test_hooks import history  # noqa: F401  (a fixture)

from tools.finish import Page, Site, card, catalogue, changed, commits, feed, twins

GRAMMARS = Path(__file__).parent / "grammars"
ATOM = "{http://www.w3.org/2005/Atom}"
MARKDOWN = MarkdownIt("commonmark").enable("table")


@pytest.fixture(scope="module")
def heads(site) -> dict[str, lxml_html.HtmlElement]:
    """{address below the root: page} of every page but that of errors."""
    pages = sorted(site.rglob("index.html"))
    return {
        path.parent.relative_to(site).as_posix().replace(".", ""): lxml_html.parse(path).getroot() for path in pages
    }


def addresses(heads) -> dict[str, lxml_html.HtmlElement]:
    return {SITE + (f"{name}/" if name else ""): page for name, page in heads.items()}


def valid(grammar: str, data: bytes) -> etree._Element:
    """Parse a document and hold it against a grammar."""
    document = etree.fromstring(data)
    etree.RelaxNG(etree.parse(GRAMMARS / grammar)).assertValid(document)
    return document


# ---- the Markdown twins ------------------------------------------------------------------------------------------


@cache
def blocks_of(text: str) -> list:
    return MARKDOWN.parse(text)


def links(text: str) -> list[tuple[str, str]]:
    """(kind, address) of every link and picture, in order."""
    found = []
    for block in blocks_of(text):
        for token in block.children or []:
            if token.type in ("link_open", "image"):
                found.append((token.type, token.attrs.get("href") or token.attrs.get("src")))
    return found


def outline(text: str) -> list[tuple[str, str]]:
    """What a page says, whatever its links lead to."""
    said = []
    for block in blocks_of(text):
        said.append((block.type, "" if block.children else block.content))
        said += [(token.type, token.content) for token in block.children or []]
    return said


def test_every_page_has_its_markdown_beside_it(site, heads):
    for name, page in heads.items():
        twin, source = site / name / "index.md", ROOT / "docs" / name / "README.md"
        assert outline(twin.read_text("utf-8")) == outline(source.read_text("utf-8")), name
        [link] = page.xpath("//article//a[@rel='alternate'][@type='text/markdown']")
        assert (link.text, link.get("href")) == ("Markdown", "index.md"), name


def test_links_of_the_twins_lead_where_the_page_says(site, heads):
    anchors = {name: set(page.xpath("//@id")) for name, page in heads.items()}
    count = 0
    for name in heads:
        ours = links((site / name / "index.md").read_text("utf-8"))
        theirs = links((ROOT / "docs" / name / "README.md").read_text("utf-8"))
        assert len(ours) == len(theirs)
        for (kind, address), (_, written) in zip(ours, theirs, strict=True):
            path, _, anchor = unquote(address).partition("#")
            if re.match(r"[a-z]+:", address):
                assert address == written
                continue
            target = posixpath.normpath(posixpath.join(name, path)) if path else f"{name}/index.md".lstrip("/")
            assert (site / target).is_file() and not target.endswith("README.md"), (name, address)
            wanted = written.partition("#")[0]
            wanted = posixpath.normpath(posixpath.join("docs", name, wanted)) if wanted else f"docs/{name}/README.md"
            there = posixpath.join("docs", target.replace("index.md", "README.md"))
            assert os.path.normpath(there) == os.path.normpath(wanted), (name, address)
            if anchor and kind == "link_open":
                assert anchor in anchors[posixpath.dirname(target)], (name, address)
            count += 1
    assert count > 200


WRITTEN = """\
[a](../b/README.md#x) ![p](r.svg) `[c](d/README.md)` [`e`](f.md) ``[`](t.md)`` [u](v%20w.md "title") [x](y(z).md)

```markdown
[g](h/README.md)
```

> ~~~text
> [i](j.md)
> ~~~

[k](https://x.org/README.md) [l](#m)

[p]: q/README.md

[^1]: See the others: q.md
<!-- [r](s.md) -->
"""


def test_what_is_no_link_stays():
    near, far = twins.relinked(WRITTEN, "a/b/README.md", "a/b/index.md", "https://s.org/")
    expected = WRITTEN.replace("../b/README.md#x", "index.md#x").replace("(f.md)", "(f/index.md)")
    expected = expected.replace("v%20w.md", "v%20w/index.md").replace("y(z).md", "y(z)/index.md")
    assert near == expected.replace("q/README.md", "q/index.md")
    assert "[a](https://s.org/a/b/index.md#x)" in far and "[l](https://s.org/a/b/index.md#m)" in far
    assert "[k](https://x.org/README.md)" in far and "\n[g](h/README.md)\n" in far
    assert [text for text in ("`[c](d/README.md)`", "[i](j.md)", "[r](s.md)") if text not in far] == []


# ---- llms.txt ----------------------------------------------------------------------------------------------------


def test_llms_txt_has_the_form_and_every_page(site, heads):
    text = (site / "llms.txt").read_text("utf-8")
    blocks = blocks_of(text)
    assert [block.type for block in blocks[:4]] == ["heading_open", "inline", "heading_close", "blockquote_open"]
    assert [block.tag for block in blocks if block.type == "heading_open"].count("h1") == 1
    parts = re.split(r"^## ", text, flags=re.M)
    found = []
    for part in parts[1:]:
        name, _, items = part.partition("\n")
        assert name.strip()
        for line in items.strip().split("\n"):
            assert re.fullmatch(r"- \[.+\]\(\S+\): .+", line), line  # - [name](address): notes
        found += [address for kind, address in links(items) if kind == "link_open"]
    assert sorted(found) == sorted(f"{address}index.md" for address in addresses(heads) if address != SITE)
    for address in [*found, *(address for _, address in links(parts[0]))]:
        assert (site / address.removeprefix(SITE)).is_file(), address


def test_llms_full_txt_holds_every_page_with_links_that_work(site, heads):
    text = (site / "llms-full.txt").read_text("utf-8")
    assert re.findall(r"^<!-- (\S+) -->$", text, re.M)[0] == f"{SITE}index.md"
    for address in addresses(heads):
        assert f"\n<!-- {address}index.md -->\n\n# " in f"\n{text}", address
    ours = [address for _, address in links(text) if not re.match(r"[a-z]+:", address)]
    assert ours == [], "links that lead nowhere from here"
    for _, address in links(text):
        if address.startswith(SITE):
            assert (site / unquote(address).removeprefix(SITE).partition("#")[0]).is_file(), address


# ---- the feed ----------------------------------------------------------------------------------------------------


def test_the_feed_is_valid_atom(site, heads):
    document = valid("atom.rng", (site / "feed.xml").read_bytes())
    identities = [element.text for element in document.iter(f"{ATOM}id")]
    assert len(identities) == len(set(identities))
    for element in (document, *document.iter(f"{ATOM}entry")):
        alternates = [link.get("type") for link in element.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
        assert len(alternates) == len(set(alternates)) >= 1, "RFC 4287, 4.1.1: one alternate of a kind"
    assert document.find(f"{ATOM}author/{ATOM}name").text
    [own] = [link.get("href") for link in document.findall(f"{ATOM}link") if link.get("rel") == "self"]
    for name, page in heads.items():
        [href] = page.xpath("//link[@type='application/atom+xml']/@href")
        assert urljoin(f"{SITE}{name}/" if name else SITE, href) == own == f"{SITE}feed.xml"


def test_feed_readers_find_the_newest_pages(site, heads):
    read = feedparser.parse((site / "feed.xml").read_bytes())
    assert not read.bozo and read.version == "atom10"
    assert len(read.entries) == min(feed.MOST, len(heads))
    times = [entry.updated_parsed for entry in read.entries]
    assert times == sorted(times, reverse=True) and read.feed.updated_parsed == times[0]
    for entry in read.entries:
        page = addresses(heads)[entry.link]
        assert entry.id == entry.link and entry.published_parsed <= entry.updated_parsed
        assert entry.title in " ".join(page.xpath("string(//h1)").split())
        [day] = page.xpath("//article//time/@datetime")
        assert entry.updated.startswith(day)


# ---- sitemap, JSON-LD, learnings.json ----------------------------------------------------------------------------


def test_the_sitemap_has_every_page_and_the_day_of_its_commit(site, heads):
    namespace = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    document = valid("sitemap.rng", (site / "sitemap.xml").read_bytes())
    days = {url.findtext("s:loc", None, namespace): url.findtext("s:lastmod", None, namespace) for url in document}
    assert set(days) == set(addresses(heads))
    for address, day in days.items():
        assert [day] == addresses(heads)[address].xpath("//article//time/@datetime"), address


TERMS = {  # the properties of schema.org that each type has, of those in use
    "TechArticle": {"headline", "description", "url", "inLanguage", "license", "image", "datePublished", "dateModified",
                    "timeRequired", "author", "isPartOf"},
    "WebSite": {"name", "description", "url", "inLanguage", "license", "image", "datePublished", "dateModified"},
    "Organization": {"name", "url"},
    "BreadcrumbList": {"itemListElement"},
    "ListItem": {"position", "name", "item"},
}  # fmt: skip


def offline(url: str, options: dict) -> dict:
    """What schema.org answers, as far as it matters: each word is one of its own."""
    assert url.startswith("https://schema.org")
    context = {"@vocab": "https://schema.org/", "url": {"@type": "@id"}, "item": {"@type": "@id"}}
    return {"documentUrl": url, "contextUrl": None, "document": {"@context": context}}


def things(node) -> list[dict]:
    """Every typed thing of an expanded document."""
    if isinstance(node, list):
        return [thing for one in node for thing in things(one)]
    if not isinstance(node, dict):
        return []
    return ([node] if "@type" in node else []) + [thing for value in node.values() for thing in things(value)]


def test_json_ld_says_what_the_page_is_and_where_it_stands(site, heads):
    for address, page in addresses(heads).items():
        [script] = page.xpath("//script[@type='application/ld+json']/text()")
        expanded = jsonld.expand(json.loads(script), {"documentLoader": offline})
        found: dict[str, list[dict]] = {}
        for thing in things(expanded):
            [kind] = [name.removeprefix("https://schema.org/") for name in thing["@type"]]
            plain = {key.removeprefix("https://schema.org/"): value for key, value in thing.items() if key != "@type"}
            assert set(plain) <= TERMS[kind], (address, kind)
            found.setdefault(kind, []).append(plain)
        main = found["TechArticle" if address != SITE else "WebSite"][0]
        assert main["url"] == [{"@id": address}]
        assert main["dateModified"][0]["@value"][:10] == page.xpath("//article//time/@datetime")[0]
        if address == SITE:
            continue
        [title] = page.xpath("//h1")
        assert main["headline"][0]["@value"] in title.text_content() and len(main["headline"][0]["@value"]) <= 110
        way = sorted(found["ListItem"], key=lambda item: item["position"][0]["@value"])
        assert [item["position"][0]["@value"] for item in way] == list(range(1, len(way) + 1))
        above = page.xpath("//nav[@class='md-path']//a[@href != './']")
        shown = [link.text_content().strip() for link in above]
        assert [item["name"][0]["@value"] for item in way[:-1]] == shown
        places = [item["item"][0]["@id"] for item in way]
        assert places[0] == SITE and places[-1] == address and set(places) <= set(addresses(heads))


def test_learnings_json_keeps_its_schema(site, heads):
    data = json.loads((site / "learnings.json").read_text("utf-8"))
    schema = json.loads((site / data["$schema"]).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(data)
    assert {entry["url"] for entry in data["pages"]} == set(addresses(heads))
    for entry in data["pages"]:
        folder = ROOT / "docs" / entry["page"]
        asked = folder / "questions.txt"
        written = asked.read_text("utf-8").split("\n") if asked.exists() else []
        assert entry["questions"] == [line for line in written if line and not line.startswith("#")]
        stated = re.search(r"\*\*Time:\*\* (\d+) minutes", (folder / "README.md").read_text("utf-8"))
        assert entry["minutes"] == (int(stated[1]) if stated else None), entry["page"]
        assert entry["kind"] != "page", f"{entry['page']}: name the kind of its section in tools/finish/catalogue.py"
    order = [entry["page"] for entry in data["pages"]]
    nav = re.findall(r"([\w/-]*)README\.md$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.M)
    assert order == [path.rstrip("/") for path in nav], "not in the order of the table of contents"


def test_schema_refuses_what_is_wrong():
    schema = json.loads((ROOT / "docs/assets/learnings.schema.json").read_text("utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"name": "x", "pages": [{"page": "A b"}]}, schema)


# ---- the pictures of shared links --------------------------------------------------------------------------------


def test_every_page_has_a_picture_of_its_own(site, heads):
    seen = {}
    for address, page in addresses(heads).items():
        meta = {tag.get("property"): tag.get("content") for tag in page.xpath("//meta[@property]")}
        [title] = page.xpath("//h1")
        path = site / meta["og:image"].removeprefix(SITE)
        with Image.open(path) as picture:
            picture.verify()
        with Image.open(path) as picture:
            picture.load()
            assert (picture.format, picture.size) == ("PNG", (1200, 630))
            assert (str(picture.width), str(picture.height)) == (meta["og:image:width"], meta["og:image:height"])
            seen.setdefault(picture.tobytes(), []).append(address)
        assert meta["og:title"] in title.text_content() and meta["og:title"] in meta["og:image:alt"]
        assert path.stat().st_size < 40_000
    assert [group for group in seen.values() if len(group) > 1] == []


def test_the_picture_shows_the_title_as_pillow_would_write_it():
    title = "Fast lists of 45,000 rows"
    picture = Image.open(io.BytesIO(card.draw(title, "Concepts"))).convert("L")
    wanted = Image.new("L", picture.size, 255)
    baseline = card.TOP + 62 + 90
    ImageDraw.Draw(wanted).text((card.LEFT, baseline), title, font=card._font(78), fill=0, anchor="ls")
    box = (0, baseline - 80, 1200, baseline + 30)
    ours, theirs = (image.crop(box).point(lambda value: 255 * (value < 170)) for image in (picture, wanted))
    both, either = (
        sum(operation(ours, theirs).histogram()[255:]) for operation in (ImageChops.darker, ImageChops.lighter)
    )
    assert either > 5_000 and both / either > 0.85


@pytest.mark.parametrize("title", ["word " * 60, "x" * 400, "→ ☃", "é ﬁ “q” 1", ""])
def test_any_title_gives_a_picture(title):
    with Image.open(io.BytesIO(card.draw(title, "Concepts · 1 minutes"))) as picture:
        picture.load()
        assert picture.size == (1200, 630)
        edge = picture.convert("L").crop((1180, 20, 1200, 630))
        assert edge.getextrema()[0] > 200 or "x" in title, "the text leaves the picture"


def test_what_the_font_does_not_have_is_left_out():
    assert card.legible("a → b: naïve ☃ x") == "a b: naïve x"


# ---- the line at the end of a page -------------------------------------------------------------------------------

LINE = (
    '<p class="nexus-updated">\n <span>Last changed: <time datetime="2026-11-26">26 November 2026</time></span>\n</p>'
)


def line_of(
    tmp_path: Path, *, repo: str = REPO, commit: commits.Commit | None, html: str = LINE
) -> lxml_html.HtmlElement:
    (tmp_path / "docs/x").mkdir(parents=True)
    (tmp_path / "docs/x/README.md").write_text("# X\n\nText.\n", "utf-8")
    site = Site(tmp_path / "site", tmp_path, repo)
    known = {"docs/x/README.md": commit} if commit else {}
    site.state["history"] = commits.History("docs", known)
    page = Page(site, tmp_path / "site/x/index.html", f"{catalogue.ARTICLE}<h1>X</h1><p>Text.</p>{html}</article>")
    catalogue.page(page)
    changed.page(page)
    [line] = lxml_html.fromstring(page.html).xpath("//p[@class='nexus-updated']")
    return line


def test_the_line_names_the_commit_and_its_history(tmp_path):
    line = line_of(tmp_path, commit=commits.Commit("0123456789abcdef", 1_795_651_200, 1))
    assert " ".join(line.text_content().split()) == (
        "Last changed: 26 November 2026 in 0123456 History Markdown This page is wrong"
    )
    assert line.xpath(".//a/@href") == [
        f"{REPO}/commit/0123456789abcdef",
        f"{REPO}/commits/HEAD/docs/x/README.md",
        "index.md",
        f"{REPO}/issues/new?template=page.yml&page=docs/x/README.md",
    ]


@pytest.mark.parametrize("repo", ["", "https://gitlab.com/o/n", "https://git.example.org/o/n"])
def test_elsewhere_than_on_github_no_link_is_dead(tmp_path, repo):
    line = line_of(tmp_path, repo=repo, commit=commits.Commit("0123456789abcdef", 1_795_651_200, 1))
    assert " ".join(line.text_content().split()) == "Last changed: 26 November 2026 in 0123456 Markdown"
    assert line.xpath(".//a/@href") == ["index.md"]


def test_another_generator_gets_the_line_too(tmp_path):
    line = line_of(tmp_path, commit=commits.Commit("0123456789abcdef", 1_795_651_200, 1), html="")
    assert line.text_content().split()[:5] == ["Last", "changed:", "26", "November", "2026"]
    assert line.xpath(".//time/@datetime") == ["2026-11-26"]


def test_a_theme_with_another_line_is_reported(tmp_path):
    with pytest.raises(Exception, match="theme has changed"):
        line_of(tmp_path, commit=None, html='<p class="nexus-updated">changed</p>')


def test_every_page_names_a_commit_of_its_file(heads):
    for name, page in heads.items():
        [commit] = page.xpath("//p[@class='nexus-updated']//code/text()")
        log = run("git", "log", "-1", "--format=%ad", "--date=format:%Y-%m-%d", commit)
        assert log.returncode == 0, (name, commit)
        assert date.fromisoformat(log.stdout.strip())


def test_a_page_that_is_not_committed_has_no_date(history):  # noqa: F811
    done = run(sys.executable, "-m", "mkdocs", "-q", "build", "-d", "out", cwd=history, env={"SITE_URL": SITE})
    assert done.returncode == 0, done.stderr
    out = history / "out"
    assert "(not committed yet)" in (out / "new/index.html").read_text("utf-8")
    entry = re.search(rf"<loc>{SITE}new/</loc>(.*?)</url>", (out / "sitemap.xml").read_text("utf-8"), re.S)
    assert "lastmod" not in entry[1]
    read = feedparser.parse((out / "feed.xml").read_bytes())
    dates = {item.link.removeprefix(SITE): (item.published[:10], item.updated[:10]) for item in read.entries}
    # the first day of a page that moved is that of its old name
    assert dates == {
        "": ("2026-01-01", "2026-05-05"),
        "other/": ("2026-01-01", "2026-02-02"),
        "long/": ("2026-03-03", "2026-03-03"),
    }
    data = json.loads((out / "learnings.json").read_text("utf-8"))
    assert {entry["page"]: entry["date"] for entry in data["pages"]}["new"] is None


def test_without_an_address_there_is_no_feed_and_links_are_relative(project):
    done = run(sys.executable, "-m", "mkdocs", "-q", "build", "-d", "out", cwd=project, env={"SITE_URL": ""})
    assert done.returncode == 0, done.stderr
    out = project / "out"
    assert not (out / "feed.xml").exists() and not (out / "assets/cards").exists()
    for text in (out / "llms.txt", out / "llms-full.txt", out / "index.html"):
        assert "http:///" not in text.read_text("utf-8") and "atom+xml" not in text.read_text("utf-8")
    assert "](other/index.md)" in (out / "llms.txt").read_text("utf-8")
    assert "[the other](other/index.md)" in (out / "llms-full.txt").read_text("utf-8")
    assert json.loads((out / "learnings.json").read_text("utf-8"))["pages"][1]["url"] == "other/"
