"""The finishing step on a built site: each step does its work, and fails loudly when the theme no longer fits."""

import html
import re
import shutil
import sys
from pathlib import Path

import pytest
from conftest import REPO, ROOT, SITE, run

from tools.finish import (
    FinishError,
    Page,
    Site,
    accessibility,
    assets,
    blanks,
    breaks,
    catalogue,
    csp,
    diagram_blocks,
    finish,
    glossary,
    listing_titles,
    measured,
    search,
    stylesheets,
)
from tools.finish.diagrams import DiagramError, draw

FLOW = "flowchart TD\n  accTitle: A request\n  accDescr: From URL to SQL\n  A[URL] --> B[SQL]\n"


def pages_of(site: Path) -> dict[str, str]:
    return {path.relative_to(site).as_posix(): path.read_text("utf-8") for path in sorted(site.rglob("*.html"))}


def a_page(tmp_path: Path, body: str, *, url: str = "x/index.html", source: Path | None = None, repo: str = "") -> Page:
    path = tmp_path / "site" / url
    path.parent.mkdir(parents=True, exist_ok=True)
    return Page(Site(tmp_path / "site", source, repo), path, body)


# ---- as a command ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def finished_copy(raw_site, tmp_path_factory) -> Path:
    """The raw site of another build, finished by the command."""
    copy = tmp_path_factory.mktemp("finished") / "site"
    shutil.copytree(raw_site, copy)
    done = run(sys.executable, "-m", "tools.finish", copy, "--repo-url", REPO)
    assert done.returncode == 0, done.stderr
    return copy


def test_command_gives_the_same_pages_as_the_build(site, finished_copy):
    built, finished = pages_of(site), pages_of(finished_copy)
    assert list(built) == list(finished)
    for name in built:
        assert built[name] == finished[name], name
    for pattern in ("**/*.md", "llms*.txt", "feed.xml", "sitemap.xml*", "learnings.json", "assets/cards/*.png"):
        ours = {path.relative_to(site): path.read_bytes() for path in site.glob(pattern)}
        theirs = {path.relative_to(finished_copy): path.read_bytes() for path in finished_copy.glob(pattern)}
        assert ours and ours == theirs, pattern


def test_command_runs_twice_without_harm(finished_copy):
    before, whole = pages_of(finished_copy), (finished_copy / "llms-full.txt").read_bytes()
    done = run(sys.executable, "-m", "tools.finish", finished_copy)
    assert (done.returncode, pages_of(finished_copy)) == (0, before)
    assert (finished_copy / "llms-full.txt").read_bytes() == whole
    assert done.stdout.startswith("0 pages finished")


def test_command_names_a_folder_that_is_no_site(tmp_path):
    done = run(sys.executable, "-m", "tools.finish", tmp_path)
    assert done.returncode == 1
    assert "no index.html here" in done.stderr and "Traceback" not in done.stderr


# ---- diagrams ----------------------------------------------------------------------------------------------------


def test_no_mermaid_block_is_left(site):
    for name, text in pages_of(site).items():
        assert 'class="mermaid"' not in text, name
    assert 'role="img"' in pages_of(site)["concepts/index.html"]


def test_diagram_has_title_description_and_palette():
    svg = draw(FLOW, "d")
    assert re.search(r"<title[^>]*>A request</title>", svg) and re.search(r"<desc[^>]*>From URL to SQL</desc>", svg)
    assert "var(--diagram-node)" in svg
    assert not re.search(r"#[0-9a-f]{6}\b", svg, re.I), "a colour that does not follow the palette"
    assert len(svg) < 8_000


@pytest.mark.parametrize("family", ["flow", "sequence", "state", "class", "er", "gantt"])
def test_every_family_follows_the_palette(family):
    bodies = {
        "flow": "flowchart LR\n{}\nA-->|yes|B{{x}}\nsubgraph S\nB-->C[(db)]\nend",
        "sequence": "sequenceDiagram\n{}\nA->>B: ask\nNote over A,B: n\nloop each\nB-->>A: answer\nend",
        "state": "stateDiagram-v2\n{}\n[*] --> sent\nsent --> [*]",
        "class": "classDiagram\n{}\nclass Job {{\n +str title\n}}\nJob <|-- Draft",
        "er": "erDiagram\n{}\nJOB ||--o{{ APPLICATION : has\nJOB {{\n int id\n}}",
        "gantt": "gantt\n{}\ndateFormat YYYY-MM-DD\nsection A\nPlan :a1, 2026-01-01, 3d",
    }
    svg = draw(bodies[family].format("accTitle: t\naccDescr: d"), "d")
    used = set(re.findall(r"(?:fill|stroke|color):?=?\"?(#[0-9a-f]{3,6}\b|rgb[^;\"]*|hsl[^;\"]*)", svg, re.I))
    assert used == set()


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("flowchart TD\n accTitle: x\n accDescr: y\n A[x] --> B[\n B --> C", 4, "Unterminated node label"),
        ("flowchart TD\n accDescr: y\n A --> B", 1, "accTitle"),
        ("flowchart TD\n accTitle: y\n A --> B", 1, "accDescr"),
        ('%% a comment\npie\n "a": 1', 2, "'pie' is not a kind of diagram used here"),
        ("\n\n", 0, "empty"),
    ],
)
def test_bad_diagram_names_line_and_fault(source, line, message):
    with pytest.raises(DiagramError, match=message) as error:
        draw(source)
    assert error.value.line == line


def test_bad_diagram_on_a_page_names_the_markdown_line(tmp_path):
    bad = "flowchart TD\n accTitle: x\n accDescr: y\n A[x] --> B[\n"
    (tmp_path / "docs/x").mkdir(parents=True)
    (tmp_path / "docs/x/README.md").write_text(f"# X\n\nText.\n\n```mermaid\n{bad}```\n", "utf-8")
    page = a_page(tmp_path, f'<pre class="mermaid"><code>{html.escape(bad)}</code></pre>', source=tmp_path)
    with pytest.raises(FinishError, match=r"^docs/x/README\.md:9: "):
        diagram_blocks.page(page)


# ---- listings ----------------------------------------------------------------------------------------------------


def test_title_of_a_listing_links_to_its_lines(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.py").write_text(
        "X = 1\n\n\nclass C:\n    @property\n    def open(self):\n        return 1\n", "utf-8"
    )
    page = a_page(tmp_path, '<span class="filename">a/b.py::C.open</span>', source=tmp_path, repo=REPO)
    listing_titles.page(page)
    assert f'<a href="{REPO}/blob/main/a/b.py#L5-L7">a/b.py::C.open</a>' in page.html


def test_code_in_the_text_that_names_a_symbol_links_to_its_lines(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_b.py").write_text("def test_it():\n    assert True\n", "utf-8")
    name, other = "<code>tests/test_b.py::test_it</code>", "<code>tests/test_b.py</code> <code>b.py::x</code>"
    page = a_page(tmp_path, f'<p>{name} {other} <a href="x">{name}</a></p>', source=tmp_path, repo=REPO)
    listing_titles.page(page)
    link = f'<a href="{REPO}/blob/main/tests/test_b.py#L1-L2">{name}</a>'
    assert page.html == f'<p>{link} {other} <a href="x">{name}</a></p>'
    with pytest.raises(FinishError, match="has no 'test_gone'"):
        listing_titles.page(a_page(tmp_path, name.replace("test_it", "test_gone"), source=tmp_path, repo=REPO))


def test_title_of_a_listing_is_plain_without_a_repository(tmp_path):
    (tmp_path / "b.py").write_text("x = 1\n", "utf-8")
    page = a_page(tmp_path, '<span class="filename">b.py::x</span>', source=tmp_path)
    listing_titles.page(page)
    assert page.html == '<span class="filename">b.py::x</span>'


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("b.py::opne", "has no 'opne'; it has: open"),
        ("no/such.py", "not in the repository"),
        ("/etc/hostname", "not in the repository"),
    ],
)
def test_listing_of_what_does_not_exist(tmp_path, title, message):
    (tmp_path / "b.py").write_text("def open():\n    pass\n", "utf-8")
    with pytest.raises(FinishError, match=message):
        listing_titles.page(a_page(tmp_path, f'<span class="filename">{title}</span>', source=tmp_path))


# ---- glossary ----------------------------------------------------------------------------------------------------

CONFIG = '<script id="__config" type="application/json">{"base": ".."}</script>'
ENTRIES = """# Glossary

- <a id="orm"></a>**ORM**: maps `rows` to <b>objects</b>, says [Django](../x.md).
- <a id="foreign-key"></a>**Foreign key**: a column.
- <a id="task"></a>**Task**: a function.
"""


def with_terms(tmp_path: Path, body: str, url: str = "x/index.html") -> str:
    folder = tmp_path / "docs/reference/glossary"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(ENTRIES, "utf-8")
    article = f'<article class="md-content__inner md-typeset">{body}</article>'
    page = a_page(tmp_path, CONFIG + article, url=url, source=tmp_path)
    glossary.page(page)
    return page.html.partition('md-typeset">')[2].removesuffix("</article>")


def test_first_use_of_a_term_leads_to_its_entry(tmp_path):
    meaning = "maps rows to &lt;b&gt;objects&lt;/b&gt;, says Django."
    orm = f'<a class="term" href="../reference/glossary/#orm" title="{meaning}">ORM</a>'
    keys = '<a class="term" href="../reference/glossary/#foreign-key" title="a column.">Foreign keys</a>'
    assert with_terms(tmp_path, "<p>The ORM. An ORM.</p>") == f"<p>The {orm}. An ORM.</p>"
    assert with_terms(tmp_path, "<p>Foreign keys, a task</p>") == f"<p>{keys}, a task</p>"


@pytest.mark.parametrize(
    "body",
    ["<h2>ORM</h2>", "<p><code>ORM</code></p>", '<a href="/"><b>ORM</b></a>', "<pre><span>x</span>ORM</pre>",
     "<p>PLATFORM, ORM-like, orm</p>", '<img alt="ORM">', "<!-- ORM -->"],
)  # fmt: skip
def test_what_is_no_use_of_a_term_stays(tmp_path, body):
    assert with_terms(tmp_path, body) == body


def test_the_glossary_the_list_of_messages_and_the_home_page_stay(tmp_path):
    for url in ("index.html", "reference/glossary/index.html", "reference/errors/index.html"):
        assert with_terms(tmp_path, "<p>ORM</p>", url) == "<p>ORM</p>"


def test_pages_of_the_site_lead_to_the_glossary(site):
    found = [name for name, text in pages_of(site).items() if 'class="term"' in text]
    assert len(found) >= 5
    anchors = set(re.findall(r'id="([^"]+)"', (site / "reference/glossary/index.html").read_text("utf-8")))
    for name in found:
        links = re.findall(r'class="term" href="[^"#]*#([^"]+)"', (site / name).read_text("utf-8"))
        assert len(links) == len(set(links)) <= glossary.MOST and set(links) <= anchors, name


# ---- accessibility -----------------------------------------------------------------------------------------------


def test_a_head_of_a_table_without_words_is_a_cell(tmp_path):
    body = '<div data-md-component="search" role="dialog"><th></th><th align="right"></th><th>Page</th></div>'
    page = a_page(tmp_path, body)
    accessibility.page(page)
    assert '<td></td><td align="right"></td><th>Page</th>' in page.html


# ---- long names --------------------------------------------------------------------------------------------------


def test_a_long_name_in_a_table_may_be_broken_at_its_joints(tmp_path):
    name = "<code>board/models.py::Job_open(</code>"
    page = a_page(tmp_path, f"<p>{name}</p><td>{name}<code>a_b</code></td><td>{name}</td>")
    breaks.page(page)
    parted = "<code>board/<wbr>models.<wbr>py::<wbr>Job_<wbr>open(</code>"
    assert page.html == f"<p>{name}</p><td>{parted}<code>a_b</code></td><td>{parted}</td>"


# ---- white space -------------------------------------------------------------------------------------------------


def test_blank_lines_go_around_an_article_and_stay_in_it(tmp_path):
    article = '<article class="md-content__inner md-typeset"><pre><b>a</b>\n\n\n  <b>c</b></pre></article>'
    page = a_page(tmp_path, f"<ul>\n  \n\n  <li>one</li> <li>two</li>\n</ul>{article}\n\n\n</main>")
    blanks.page(page)
    assert page.html == f"<ul>\n<li>one</li> <li>two</li>\n</ul>{article}\n</main>"


# ---- metadata ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("201 queries, then 1", True),
        ("17,594 buffers", True),
        ("0", True),
        ("1-to-1", False),
        ("2. Then this", False),
        ("In three lines", False),
        ("<code>4 were done</code>", False),
    ],
)
def test_a_bold_number_has_the_colour_of_measured_ones(tmp_path, text, marked):
    page = a_page(tmp_path, f"<li>They send <strong>{text}</strong>.</li>")
    measured.page(page)
    assert ('<strong class="nexus-measured">' in page.html) is marked


def test_the_home_page_shows_measured_numbers(site):
    assert (site / "index.html").read_text("utf-8").count('class="nexus-measured"') >= 3


def test_every_page_describes_itself(site):
    seen = set()
    for name, text in pages_of(site).items():
        if name == "404.html":
            assert '<meta name="robots" content="noindex">' in text
            continue
        url = SITE + name.removesuffix("index.html")
        meta = dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', text))
        article = html.unescape(re.sub(r"<[^>]+>", "", text[text.index("<article") :]))
        start = html.unescape(meta["description"]).rstrip("…")
        assert 40 <= len(start) <= 160 and start in " ".join(article.split()), name
        assert meta["description"] not in seen, "two pages with one description"
        seen.add(meta["description"])
        assert f'<link rel="canonical" href="{url}">' in text
        assert (meta["og:url"], meta["og:description"]) == (url, meta["description"])


def test_without_an_address_no_dead_link_is_written(project):
    done = run(
        sys.executable, "-m", "mkdocs", "-q", "build", "-d", "out", cwd=project, env={"SITE_URL": "", "REPO_URL": ""}
    )
    assert done.returncode == 0, done.stderr
    for name, text in pages_of(project / "out").items():
        assert "og:image" not in text and "canonical" not in text and "ld+json" not in text, name
        assert "None" not in re.findall(r'href="([^"]*)"', text), name
        assert not re.search(r'class="md-source"|rel="edit"|issues/new', text), name


def test_page_without_a_first_paragraph(tmp_path):
    body = '<article class="md-content__inner md-typeset"><h1>X</h1></article>'
    with pytest.raises(FinishError, match="no first paragraph"):
        catalogue.page(a_page(tmp_path, body))


def test_page_without_a_title(tmp_path):
    body = '<article class="md-content__inner md-typeset"><p>X</p></article>'
    with pytest.raises(FinishError, match="no title; write one: # Words"):
        catalogue.page(a_page(tmp_path, body))


def test_description_is_cut_at_a_word():
    short = catalogue.shorten("word " * 60)
    assert len(short) <= 160 and short.endswith("word…")


# ---- assets ----------------------------------------------------------------------------------------------


def test_one_stylesheet_and_one_script(site):
    for name, text in pages_of(site).items():
        styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', text)
        scripts = re.findall(r'<script src="([^"]+)"', text)
        assert (len(styles), len(scripts)) == (1, 1), name
        if name != "404.html":
            for address in (*styles, *scripts):
                assert (site / Path(name).parent / address).resolve().is_file(), (name, address)
        assert 'rel="icon" type="image/svg+xml" href="data:' in text


def test_foreign_address_in_a_stylesheet_is_refused(tmp_path):
    page = a_page(tmp_path, '<link rel="stylesheet" href="../assets/stylesheets/a.css">' * 2)
    (tmp_path / "site/assets/stylesheets").mkdir(parents=True)
    (tmp_path / "site/assets/stylesheets/a.css").write_text("a{background:url(https://example.org/x.png)}", "utf-8")
    with pytest.raises(FinishError, match="would break in the merged stylesheet"):
        assets.page(page)


def test_no_page_uses_what_the_stylesheet_no_longer_has(site, sample):
    unused = re.compile(rf"(?:^|\s)({'|'.join(map(re.escape, stylesheets.UNUSED))})")
    for folder in (site, sample):
        for name, text in pages_of(folder).items():
            used = {match for classes in re.findall(r'class="([^"]*)"', text) for match in unused.findall(classes)}
            assert used == set(), f"{name}: take it out of UNUSED in tools/finish/stylesheets.py"


def test_pruning_keeps_every_other_rule():
    css = (
        '@charset "UTF-8";a,.tabbed-set b{color:red}[dir=rtl] p{margin:0}[dir=ltr] p{margin:1px}'
        "@media print{.giscus{x:y}}@media screen{.md-top{x:y}p{z:1}}@supports (a:b){@media (c:d){i{e:f}}}"
        "[data-md-color-primary=red]{--a:1}[data-md-color-primary=custom]{--a:2}:is(.a,.b) c{d:e}"
        "@keyframes k{0%{a:b}to{c:d}}"
    )
    assert stylesheets.prune(css) == (
        '@charset "UTF-8";a,.tabbed-set b{color:red}[dir=ltr] p{margin:1px}'
        "@media screen{p{z:1}}@supports (a:b){@media (c:d){i{e:f}}}"
        "[data-md-color-primary=custom]{--a:2}:is(.a,.b) c{d:e}"
        "@keyframes k{0%{a:b}to{c:d}}"
    ).replace(",.tabbed-set b", "")


# ---- policy ------------------------------------------------------------------------------------------------------


def test_every_page_has_the_same_policy_before_any_script(site):
    policies = set()
    for name, text in pages_of(site).items():
        found = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', text)
        assert len(found) == 1, name
        assert text.index("Content-Security-Policy") < min(text.index("<script"), text.index("<link")), name
        policies.add(found[0])
    assert len(policies) == 1
    directives = dict(part.strip().split(" ", 1) for part in policies.pop().split(";"))
    assert directives["default-src"] == "'none'"
    assert "unsafe" not in directives["script-src"] and "http" not in directives["script-src"]


def test_script_of_a_page_is_refused(raw_site, tmp_path):
    shutil.copytree(raw_site, tmp_path / "site")
    path = tmp_path / "site/concepts/index.html"
    hostile = path.read_text("utf-8").replace("</article>", "<script>window.hostile = 1</script></article>")
    path.write_text(hostile, "utf-8")
    with pytest.raises(FinishError, match=r"a script of its own.*window\.hostile"):
        finish(Site(tmp_path / "site", ROOT))
    assert path.read_text("utf-8") == hostile, "the page is finished all the same"


# ---- a theme that changed ----------------------------------------------------------------------------------------

REPAIRED = {
    "search dialog": (accessibility, 'role="dialog"'),
    "path": (accessibility, 'aria-label="Navigation"'),
    "article": (catalogue, "md-content__inner"),
    "stylesheets": (assets, "assets/stylesheets/"),
    "scripts": (assets, "assets/javascripts/bundle"),
    "favicon": (assets, 'rel="icon"'),
    "search worker": (search, "workers/search."),
    "base path": (csp, "__md_scope=new URL"),
    "character set": (csp, 'charset="utf-8"'),
}


@pytest.mark.parametrize("part", REPAIRED)
def test_changed_theme_is_reported(raw_site, tmp_path, part):
    step, mark = REPAIRED[part]
    shutil.copytree(raw_site, tmp_path / "site")
    path = tmp_path / "site/concepts/index.html"
    text = path.read_text("utf-8")
    assert mark in text
    page = Page(Site(tmp_path / "site", ROOT), path, text.replace(mark, "changed"))
    with pytest.raises(FinishError, match=r"^concepts/index\.html: .*theme has changed"):
        step.page(page)


def test_failure_leaves_the_page_as_it_was(raw_site, tmp_path):
    shutil.copytree(raw_site, tmp_path / "site")
    path = tmp_path / "site/concepts/index.html"
    path.write_text(path.read_text("utf-8").replace("__md_scope=new URL", "changed"), "utf-8")
    before = path.read_bytes()
    with pytest.raises(FinishError):
        finish(Site(tmp_path / "site", ROOT))
    assert path.read_bytes() == before
