"""Every rule of tools/portable finds its bad page, with the right line and advice, and leaves good pages alone."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.portable import Problem, check
from tools.portable.links import check_built, unsafe_scheme
from tools.portable.page import github_slug
from tools.portable.rules import RULES

HERE = Path(__file__).parent
ROOT = HERE.parent
BAD, GOOD = HERE / "bad_pages", HERE / "good_pages"

# page (and rule) -> (line, part of the message, part of the fix) of every report about that page
EXPECTED = {
    "abbreviation": [(5, "'*[SLO]:' abbreviation", "glossary")],
    "admonition": [(3, "'!!!' admonition shows as text on GitHub", "'> [!NOTE]'"), (6, "'???'", "'> [!NOTE]'")],
    "alert-place": [(5, "top level only", "out of the list"), (11, "top level only", "out of the details")],
    "alert-title": [(3, "text after its marker", "'> [!NOTE]' on a"), (6, "text after its marker", "'> [!TIP]' on a")],
    "alert-type": [(3, "'[!INFO]' is not an alert", "NOTE, TIP, IMPORTANT, WARNING, CAUTION")],
    "anchor": [(3, "'#price-of-x--y' on GitHub and '#price-of-x²--y²' on the site", "letters, digits")],
    "attribute-list": [
        (3, "'{#setup}'", '<a id="name"></a>'),
        (5, "'{ .lead }'", "delete it"),
        (5, "'{ width=300 }'", "delete it"),
    ],
    "block": [(3, "'/// note' block", "'> [!NOTE]'"), (5, "'///' block", "'> [!NOTE]'")],
    "byte-order-mark": [(1, "byte order mark", "UTF-8 without BOM")],
    "code-label": [
        (3, "[`Other`]' holds code", "plain words"),
        (3, "[`other`]' holds code", "plain words"),
    ],
    "comment": [(5, "never closed", "<!-- text -->")],
    "content-tab": [(3, "'=== \"Tab A\"' content tab", "'####' heading")],
    "control-character": [(5, "U+0000", "delete it")],
    "critic": [(3, "'{++new++}'", "<ins>"), (3, "'{--old--}'", "<ins>")],
    "definition-list": [(4, "': Definition.' definition list", "term in bold")],
    "details-blank": [(4, "without a blank line", "blank line after")],
    "details-markdown": [(3, 'without markdown="1"', '<details markdown="1">')],
    "diagram": [
        (4, "no 'accTitle: ...' line", "add a line 'accTitle"),
        (12, "unexpected edge", "correct 'A --> --> B'"),
    ],
    "diagram-kind": [(4, "'pie' is not among the diagrams", "flowchart")],
    "diagram-options": [(3, "with options is not drawn", "```mermaid alone")],
    "differs": [
        (6, "'A paragraph.' (list item in list item), the site shows 'A paragraph.' (list item)", "four spaces")
    ],
    "dollar": [(3, "'$5 here and $'", "USD 5")],
    "emoji": [(3, "':rocket:' shortcode", "🚀")],
    "encoding": [(3, "byte 0xe9 is not UTF-8", "UTF-8")],
    "escape": [(3, r"'\$' shows on the site", "without it"), (3, r"'\%' shows on the site", "without it")],
    "fence-annotation": [(4, "'# (1)!' annotation", "plain comment")],
    "fence-blank": [
        (4, "the text before it", "blank line before the fence"),
        (11, "the text after it", "blank line after the fence"),
        (18, "the text after it", "blank line after the fence"),
    ],
    "fence-language": [(3, "no language", "write one after ```")],
    "fence-options": [
        (3, "'{ .python .annotate }'", 'title="..."'),
        (7, "'.python'", 'title="..."'),
        (11, "'python linenos'", 'title="..."'),
    ],
    "fence-unclosed": [(3, "never closed", "write ``` on a line of its own")],
    "fence-viewer": [(3, "only GitHub draws a 'math' fence", "'text' fence")],
    "footnote": [(3, "[^a] has no text", "'[^a]: text'"), (5, "[^b] is never used", "[^b] in a sentence")],
    "front-matter": [(3, "the key 'author'", "description and tags"), (4, "tags is not a list", "tags: [one, two]")],
    "hard-break": [(3, "backslash at the end", "<br>")],
    "heading-duplicate": [(7, "'Setup' has the anchor '#setup' of the heading in line 3", "its own words")],
    "heading-spaces": [(3, "two spaces in a row", "one space")],
    "html-attribute": [(3, "'class'", "delete"), (3, "'style'", "delete")],
    "html-event": [(3, "'onclick'", "delete"), (3, "'onmouseover'", "delete")],
    "html-image": [(3, "'img/plot.png' in raw HTML", "![what it shows](img/plot.png)")],
    "html-link": [(3, "'other.md' in a raw <a>", "[text](other.md)")],
    "html-markdown": [(5, "Markdown inside <div>", "delete the tag")],
    "html-tag": [(3, "removes the tag <figure>", "Markdown"), (5, "removes the tag <String>", "backticks")],
    "html-unclosed": [(3, "<details> has no counterpart", "write </details>")],
    "html-unsafe": [(3, "<script>", "delete it"), (5, "<iframe>", "delete it")],
    "icon": [(3, "':material-check:' icon", "Unicode character")],
    "image-alt": [(3, "'img/plot.png' has no alternative text", "![text](img/plot.png)")],
    "insert": [(3, "'^^new^^'", "<ins>text</ins>")],
    "keys": [(3, "'++ctrl+c++'", "<kbd>Ctrl</kbd>+<kbd>C</kbd>")],
    "line-endings": [(3, "carriage return", "LF line endings")],
    "link-absolute": [(3, "'/other.md' starts at the root", "this page's folder")],
    "link-anchor": [(3, "'#nothing' does not exist in this page", ""), (3, "'#some-prt'", "'#some-part'")],
    "link-case": [(3, "'Other.md' differs in case", "'other.md'")],
    "link-directory": [(3, "'img/' is a folder", "img/README.md")],
    "link-html": [(3, "'other.html' does not exist on GitHub", ".md file")],
    "link-missing": [(3, "'img/none.png' does not exist", "img/plot.png"), (3, "'otherr.md'", "'other.md'")],
    "link-outside": [(3, "'../mkdocs.yml' is not part of the site", "https address")],
    "link-unpublished": [(3, "'__pycache__/data.txt' is excluded", "exclude_docs")],
    "list-blank": [(4, "a list right after a paragraph", "blank line before the list")],
    "list-indent": [(4, "2 spaces of indentation", "four spaces more")],
    "list-paren": [(3, "'1)' is not a list", "'1.'"), (4, "'2)' is not a list", "'2.'")],
    "macro": [(3, "'{% include \"x\" %}'", "value itself"), (3, "'{{ version }}'", "value itself")],
    "mark": [(3, "'==important=='", "<mark>text</mark>")],
    "math": [(3, r"'$L = \lambda W$'", "in words"), (5, "'$$'", "in words"), (7, "'$$'", "in words")],
    "nav": [(1, "not in the nav", "'Title: nav.md' to the nav in mkdocs.yml")],
    "image-remote": [(5, "'https://example.com/plot.png' comes from another site", "![text](file.png)")],
    "picture-svg": [(4, "SVG in <picture>", "![text](file.svg)")],
    "theme-name": [(3, "'__config' belongs to the theme", "does not start with '__'")],
    "setext-heading": [(4, "underlined with '==='", "'# '"), (7, "underlined with '---'", "'## '")],
    "single-tilde": [(3, "'~2~'", "<sub>2</sub>"), (3, "'~gone~'", "~~text~~")],
    "smart-symbol": [(3, "'(tm)'", "™"), (3, "'-->'", "→")],
    "snippet": [(3, "'--8<--' is not included", 'title="path::symbol"')],
    "spaced-reference": [(3, "'[the page] [other]'", "[text][label]")],
    "superscript": [(3, "'^2^'", "<sup>2</sup>"), (3, "'^note^'", "<sup>2</sup>")],
    "tab-indent": [(5, "indented with a tab", "four spaces")],
    "table-blank": [(4, "a table right after a paragraph", "blank line before the table")],
    "table-pipe": [(5, "a pipe in code", "&#124;"), (6, "a pipe in code", "&#124;")],
    "tex-brackets": [(3, r"'\(E = mc^2\)'", "in words"), (5, r"'\['", "in words")],
    "theme-fragment": [(3, "#only-dark'", "one SVG"), (5, "#gh-dark-mode-only'", "one SVG")],
    "toc": [(3, "'[TOC]'", "delete the line")],
    "too-complex": [(3, "nested more than 12 deep", "split it")],
    "unsafe-link": [
        (3, "'javascript:alert(1)'", "https:"),
        (5, "'JavaScript:alert(1)'", "https:"),
        (7, "'javascript:alert(1)'", "https:"),
        (9, "'data:text/html,x'", "https:"),
    ],
    "wiki-link": [(3, "'[[other]]'", "[text](page.md)")],
    # 'rule--what' is one more page of the same rule
    "control-character--direction": [(4, "U+202E", "delete it")],
    "control-character--utf-16": [(1, "U+0000", "delete it")],
    "control-character--zero-width": [(3, "U+200B", "delete it")],
    "diagram-active": [
        (8, "holds 'click'", "a link stands in the text below"),
        (16, "holds '<img'", "delete it"),
        (20, "holds '%%{'", "delete it"),
        (33, "holds 'url('", "delete it"),
    ],
    "encoding--utf-16": [(1, "byte 0xff is not UTF-8", "UTF-8")],
    "fence-options--title": [(3, "<script>alert(1)</script>", 'title="..."')],
    "front-matter--bomb": [(2, "description is not a text", "one sentence")]
    + [(line, f"the key '{key}' is not used", "delete it") for line, key in enumerate("bcdefghijklm", 3)],
    "front-matter--list": [(1, "not a list of 'key: value' lines", "delete it")],
    "front-matter--python": [(2, "could not determine a constructor", "delete it")],
    "html-attribute--ping": [(3, "'ping'", "delete it"), (3, "'target'", "delete it")],
    "html-event--details": [(3, "'ontoggle'", "delete the attribute")],
    "html-tag--input": [(3, "<center>", "Markdown"), (5, "<video>", "Markdown")],
    "html-unsafe--base": [(3, "<base>", "delete it")],
    "html-unsafe--form": [(3, "<form>", "delete it"), (4, "<button>", "delete it")],
    "html-unsafe--meta": [(3, "<meta>", "delete it")],
    "html-unsafe--object": [(3, "<object>", "delete it"), (5, "<embed>", "delete it")],
    "html-unsafe--style": [(3, "<style>", "delete it")],
    "html-unsafe--svg": [(3, "<svg>", "delete it")],
    "html-unsafe--title": [(3, "<script>", "backticks")],
    "image-remote--srcset": [(3, "'https://example.com/x.png' comes from another site", "![text](file.png)")],
    "line-endings--mixed": [(4, "carriage return", "LF line endings")],
    "link-missing--twin": [(3, "'other/index.md' does not exist", "correct the path")],
    "link-outside--password": [(3, "etc/passwd", "https address"), (5, "etc/passwd", "https address")],
    "link-protocol": [(3, "'//example.com/page'", "'https://example.com/page'")],
    "macro--include": [(3, '{% include "/etc/passwd" %}', "backticks")],
    "snippet--password": [(3, "'--8<--'", 'title="path::symbol"')],
    "unsafe-link--alternative-text": [(3, "'javascript:alert(1)'", "https:"), (5, "'data:text/html,x'", "https:")],
    "unsafe-link--definition": [(5, "'JaVaScRiPt:alert(1)'", "https:")],
    "unsafe-link--entity": [(3, "'javascript:alert(1)'", "https:"), (5, "'javascript:alert'", "https:")],
    "unsafe-link--file": [(3, "'file:///etc/passwd'", "https:"), (5, "'blob:https://example.com/1'", "https:")],
    "unsafe-link--footnote": [(5, "'javascript:alert(1)'", "https:")],
    "unsafe-link--vbscript": [(3, "'vbscript:msgbox(1)'", "https:")],
    "unsafe-link--white-space": [
        (3, "'java script:alert(1)'", "https:"),  # as GitHub renders it
        (3, "'java%09script:alert(1)'", "https:"),  # as the site does
        (5, "'java%0Ascript:alert(1)'", "https:"),
        (7, "'javascript:alert(1)'", "https:"),
    ],
}


def make_project(root: Path, pages: dict[str, bytes | str], nav: list[str] | None = None) -> Path:
    """A project with the site's own settings, the given pages, and other.md and img/plot.png to link to."""
    pages = {"other.md": "# Other\n\n## Some part\n\nText.\n", "img/plot.png": "x", **pages}
    for name, text in pages.items():
        path = root / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    nav = sorted(name for name in pages if name.endswith(".md")) if nav is None else nav
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    settings, count = re.subn(
        r"^nav:\n(?:[ #].*\n)+", "nav:\n" + "".join(f"  - {name}\n" for name in nav), settings, flags=re.M
    )
    assert count == 1
    (root / "mkdocs.yml").write_text(settings, "utf-8")
    return root


def reports(tmp_path: Path, text: bytes | str, name: str = "page.md", **more: str) -> list[str]:
    """'line rule' of every problem of one page."""
    root = make_project(tmp_path, {name: text, **more})
    problems = check(root, [Path("docs") / name])
    assert all(isinstance(problem, Problem) and problem.path == f"docs/{name}" for problem in problems)
    return [f"{problem.line} {problem.rule}" for problem in problems]


@pytest.fixture(scope="module")
def bad(tmp_path_factory) -> dict[str, list[Problem]]:
    """What a check of the whole project reports, by page, for a project of all bad pages."""
    pages = {path.name: path.read_bytes() for path in sorted(BAD.glob("*.md"))}
    nav = sorted({*pages, "other.md"} - {"nav.md"})
    root = make_project(tmp_path_factory.mktemp("bad"), {**pages, "__pycache__/data.txt": "x"}, nav)
    found: dict[str, list[Problem]] = {}
    for problem in check(root):
        found.setdefault(Path(problem.path).stem, []).append(problem)
    return found


def test_each_rule_has_one_bad_page_and_an_expectation():
    assert {path.stem for path in BAD.glob("*.md")} == set(EXPECTED)
    assert set(RULES) == {name.partition("--")[0] for name in EXPECTED} == set(RULES) & set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_bad_page(bad, name):
    found = bad.get(name, [])
    expected = EXPECTED[name]
    shown = "\n".join(map(str, found))
    assert [problem.line for problem in found] == [line for line, _, _ in expected], shown
    assert {problem.rule for problem in found} == {name.partition("--")[0]}, shown
    for problem, (_, message, fix) in zip(found, expected, strict=True):
        assert message in problem.message
        assert fix in problem.fix
        assert str(problem) == f"docs/{name}.md:{problem.line}: {problem.message}; {problem.fix}"


def test_no_page_but_the_bad_ones_is_reported(bad):
    assert set(bad) == set(EXPECTED)


def test_a_page_of_everything_allowed_gives_no_report(tmp_path):
    assert reports(tmp_path, (GOOD / "everything.md").read_bytes()) == []


@pytest.mark.parametrize(
    "text",
    [
        "At 10:30:45 the ratio is 1:2:3, as in `a:b:c` and key:rocket:value.",
        "If a == b and c==d or x=='y', then i++ and C++ or G++ and 2^3^4.",
        "It takes ~5 ms to ~10 ms, ~/.bashrc and ~/bin.",
        "The path C:\\path\\to and `C:\\temp\\` and \\*stars\\*.",
        "A set {id}, a dict {a: 1} and `{{ value }}`, `{% if %}`, `{#id}`, `$x$`, `==x==`.",
        "(a) one, (b) two, (c) three; a -> b, a <- b, a => b.",
        "It costs $5 and nothing else. Set $HOME or $PATH: done.",
        "See https://example.com/~name/?a==b==&c=^x^#:rocket: and <https://example.com/$5$6>.",
        "[text](https://example.com/a_(b)#c==d==) and <a@example.com>.",
        "Tags in code: `<script>`, `<div class=\"x\">` and ``a `<b>` c``.",
        "```text\n!!! note\n=== \"Tab\"\n:rocket: [TOC] {{ x }} <script> [a](none.md) $x$\n\ttab\n```",
        "- item\n\n    ```html\n    <script>alert(1)</script>\n    ```",
        "Text:\n\n    !!! indented code\n    {{ x }}",
        "<!-- !!! note, {{ macro }} and\n\n=== \"Tab\" -->\n\nText.",
        "| a | b |\n| :-- | --: |\n| x \\| y | `code` |",
        "- [ ] [other](other.md)\n- [x] [other]\n\n[other]: other.md",
        "1. one\n2. two\n    - a\n    - b\n        1. c",
        "> A quote\n> goes on.\n\n> Another.",
        "***both*** **a *b* c** _x_ __y__ snake_case_name",
        "A line of code `a\nb` that wraps.",
        "<kbd>Ctrl</kbd>+<kbd>C</kbd> H<sub>2</sub>O <br> a &amp; b &lt;tag&gt; x < y > z",
        "#12 is not a heading, and 1) is no list; neither is 2) here.",
        "[![A plot](img/plot.png)](other.md) ![A plot](img/plot.png \"Title\")",
        "The rule [^a-z] is `[^a-z]` in code.\n\n[^a-z]: Note.",
    ],
)  # fmt: skip
def test_plain_markdown_is_no_false_alarm(tmp_path, text):
    assert reports(tmp_path, f"# Page\n\n{text}\n") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<SCRIPT>alert(1)</SCRIPT>", ["3 html-unsafe"]),
        ("<img/src=\"https://e.com/x\" alt='x'/onerror=alert(1)>", ["3 html-event"]),
        ("<b\n  onmouseover = 'x'>word</b>", ["3 html-event"]),
        ("<!--> <script>alert(1)</script> -->", ["3 html-unsafe"]),
        ("[a](&#106;avascript:alert(1))", ["3 unsafe-link"]),
        ("[a](<java\tscript:alert(1)>)", ["3 unsafe-link"]),
        ("[a](%6Aavascript:alert(1))", ["3 unsafe-link"]),
        ("[a][b]\n\n[b]: vbscript:x", ["5 unsafe-link"]),
        ("<javascript:alert(1)>", ["3 unsafe-link"]),
        ("![x](data:image/svg+xml;base64,xx)", ["3 unsafe-link"]),
        ("<![CDATA[ ><b onclick=alert(1)>x</b> ]]>", ["3 html-event"]),
        ("<svg onload=alert(1)></svg>", ["3 html-event", "3 html-unsafe"]),
        ("<form action=\"javascript:x\"><button formaction=x>b</button></form>", ["3 html-unsafe", "3 unsafe-link"]),
    ],
)  # fmt: skip
def test_nothing_unsafe_passes(tmp_path, text, expected):
    found = reports(tmp_path, f"# Page\n\n{text}\n")
    assert set(expected) <= set(found)


def test_schemes():
    assert [unsafe_scheme(a) for a in ("https://a", "HTTP://a", "mailto:a@b.c", "a.md", "#a:b", "?a:b", "a/b:c")] == [
        None
    ] * 7
    assert unsafe_scheme("\x01java\nscript:x") == unsafe_scheme("javascript%3Ax") == "javascript"


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("---\ndescription: A page\ntags: [a, b]\n---\n", []),
        ("---\ndescription: A page\n", ["1 front-matter"]),
        ("---\ndescription: a: b\n---\n", ["2 front-matter"]),
        ("---\ndescription: A page\ntags: [a, b\n---\n", ["3 front-matter"]),
        ("---\n- a\n- b\n---\n", ["1 front-matter"]),
        ("---\n---\n", ["1 front-matter"]),
        ("---\ndescription: [a]\n---\n", ["2 front-matter"]),
        ("---\n? [a, b]\n: c\n---\n", ["2 front-matter"]),
        ("---\ndescription: !!python/object:os.system x\n---\n", ["2 front-matter"]),
        ("---\n&a a: *a\n---\n", None),
        ("---\n" + "[" * 3000 + "\n---\n", None),
    ],
)
def test_front_matter(tmp_path, front, expected):
    found = reports(tmp_path, f"{front}\n# Page\n\nText.\n")
    assert found == expected if expected is not None else found


def test_a_difference_of_structure_is_named(tmp_path):
    root = make_project(tmp_path, {"page.md": "# Page\n\n- a\n- b\n\n+ c\n"})
    assert [(p.line, p.message) for p in check(root)] == [(6, "GitHub shows a new list, the site shows nothing")]


def test_a_first_line_that_mkdocs_takes_for_metadata_differs(tmp_path):
    assert reports(tmp_path, "Note: the site loses this line.\n\n# Page\n") == ["1 differs"]


def test_the_heading_anchor_is_githubs():
    slugs = {
        "C++ & Rust: which?": "c--rust-which",
        "`go vet` and `-race`".replace("`", ""): "go-vet-and--race",
        "snake_case and __dunder__": "snake_case-and-__dunder__",
        "Émile Zürich naïve café": "émile-zürich-naïve-café",
        "日本語 見出し": "日本語-見出し",
        "🚀 Launch": "-launch",
        "v1.2.3 → v2": "v123--v2",
        "x² ½ Ⅷ": "x--ⅷ",
    }
    assert {text: github_slug(text) for text in slugs} == slugs


def test_links_between_pages(tmp_path):
    text = "# Page\n\n[a](sub/README.md#deep-part) [b](sub/README.md#nothing) [c](Sub/README.md)\n"
    text += "[d](sub) [e](../../x.md)\n"
    sub = "# Sub\n\n[up](../page.md) [up](../page.md#page) [own](#deep-part) [pic](../img/plot.png) [raw](#raw)\n\n"
    sub += '## Deep part\n\n<a id="raw"></a>Text.\n'
    root = make_project(tmp_path / "project", {"page.md": text, "sub/README.md": sub})
    assert [(p.line, p.rule) for p in check(root)] == [
        (3, "link-anchor"),
        (3, "link-case"),
        (4, "link-directory"),
        (4, "link-outside"),
    ]


def test_the_line_of_a_link_inside_a_paragraph(tmp_path):
    text = "# Page\n\nFirst line\nsecond [a](none.md)\nthird ![](img/plot.png)\n\n> quote\n> [b](gone.md) `[c](x.md)`\n"
    assert reports(tmp_path, text) == ["4 link-missing", "5 image-alt", "8 link-missing"]


def test_nav_and_files(tmp_path):
    root = make_project(tmp_path, {"page.md": "# Page\n"}, nav=["othr.md", "other.md", "other.md"])
    lines = (root / "mkdocs.yml").read_text("utf-8").splitlines()
    line = lines.index("  - othr.md") + 1
    assert [(p.path, p.line, p.rule) for p in check(root)] == [
        ("docs/page.md", 1, "nav"),
        ("mkdocs.yml", line, "nav"),
        ("mkdocs.yml", line + 2, "nav"),
    ]
    missing = check(root)[1]
    assert "'othr.md' has no page" in missing.message and "'other.md'" in missing.fix


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("nav: [a\nsite_name: x\n", 2),
        ("- a\n", 1),
        ("markdown_extensions: [no.such.extension]\n", 1),
        ("markdown_extensions:\n  - toc: {slugify: !!python/name:no.such.name }\n", 2),
        ("markdown_extensions: 5\n", 1),
        ("", 1),
        (None, 1),
    ],
)
def test_broken_settings_are_a_problem_of_mkdocs_yml(tmp_path, settings, line):
    root = make_project(tmp_path, {"page.md": "# Page\n"})
    if settings is None:
        (root / "mkdocs.yml").unlink()
    else:
        (root / "mkdocs.yml").write_text(settings)
    found = check(root)
    if settings == "":
        assert found == []  # no nav and no extensions: nothing to compare with
    else:
        assert [(p.path, p.line, p.rule) for p in found] == [("mkdocs.yml", line, "nav")]


def test_the_settings_of_the_site_are_used(tmp_path):
    root = make_project(tmp_path, {"page.md": "# Page\n\n~~gone~~ and #tag\n"})
    assert check(root) == []
    settings = root / "mkdocs.yml"
    settings.write_text(settings.read_text("utf-8").replace("  - pymdownx.tilde: {subscript: false}\n", ""), "utf-8")
    assert [(p.line, p.rule) for p in check(root)] == [(3, "differs")]


HOSTILE = {
    "a line of a megabyte": "word " * 200_000,
    "a line of one letter": "a" * 1_000_000,
    "brackets": "[" * 4_900,
    "images": "![a](" * 900,
    "tags": "<a " * 1_500,
    "quotes in tags": "<a '\"" * 900,
    "emphasis": "*a **b " * 700,
    "backticks": " ".join("`" * n for n in range(1, 90)),
    "many lines": "<a `b *c [d\n" * 7_000,
    "many tags": "<b>x</b>\n\n" * 3_000,
    "tags that never end": "<div>\n\n" * 14_000,
    "tags that never began": "<b>\n\n" * 3_000 + "</i>\n\n" * 2_000,
    "many delimiter rows": "| - |\n" * 5_000,
    "many alerts": "> [!NOTE]\n\n" * 2_000,
    "many lists in prose": "a\n- b\n\n" * 4_000,
    "many flat lists": "- a\n  - b\n\nText.\n\n" * 1_000,
    "many links": "".join(f"[a](b{n}.md)\n\n" for n in range(2_000)),
    "many images": "".join(f"![](b{n}.png)\n\n" for n in range(2_000)),
    "many fences": "```\n```\n" * 12_000,
    "one footnote many times": "[^a] " * 500 + "\n\n[^a]: x" + "\n[^a]: x" * 10_000,
    "many list items": "- <a `b *c [d\n" * 2_000,
    "a list that is prose": "Text:\n" + "- <a `b *c [d\n" * 2_000,
    "a table that is prose": "Text:\n| a |\n| - |\n" + "| <a `b *c [d |\n" * 2_000,
    "pipes without a table": "| <a `b *c [d\n" * 6_000,
    "many rows": "| a |\n| - |\n" + "| <a `b *c [d |\n" * 1_000,
    "many headings": "# <a `b *c [d\n" * 1_000,
    "many quotes": "> <a `b *c [d\n\n" * 2_000,
    "many footnotes": "".join(f"[^{n}]: *a [^{n + 1}]\n\n" for n in range(1_000)),
    "many definitions": "[a]: b\n" * 13_000 + "[a][a] " * 400,
    "comments": "<!-- x\n" * 14_000,
    "braces": "{{ {% {a=1 $1 ~x ^y " * 240,
    "deep quotes": ">" * 500 + " x",
    "deep lists": "\n".join("    " * level + "- x" for level in range(500)),
    "deep brackets": "[" * 500 + "x" + "]" * 500,
    "deep details": '<details markdown="1">\n\n' * 500,
    "deep divs": "<div>\n" * 500,
    "a wide table": "|" * 2_000 + "\n" + "|-" * 2_000,
    "a fence in a fence": "````\n```\n" * 500,
    "nothing": "",
    "blank lines": "\n" * 50_000,
    "marked sections": "<![![ x <![if y]> <![CDATA[ > z ]]> " * 90,
    "placeholders": "klzzwxh:0001 wzxhzdk:1 &amp;#x3c;",
    "a lone delimiter row": "| - |",
    "a lone marker": "- \n\n1. \n\n> \n\n# \n\n[^1]:",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_end_soon_without_a_traceback(tmp_path, name):
    root = make_project(tmp_path, {"page.md": HOSTILE[name]})
    start = time.process_time()
    problems = check(root)
    assert time.process_time() - start < 20  # seconds; a runaway pattern takes hours
    if len(HOSTILE[name]) > 500_000 or ("deep " in name and "divs" not in name and "brackets" not in name):
        assert "too-complex" in {problem.rule for problem in problems}


@pytest.mark.parametrize(
    "data", [b"\xff\xfea\x00", b"\x00" * 100, b"\xed\xa0\x80", b"\r\r\r", b"\xef\xbb\xbf", bytes(range(256))]
)
def test_any_bytes_are_a_problem_and_no_traceback(tmp_path, data):
    assert reports(tmp_path, data)


def test_links_to_a_page_that_cannot_be_read_are_not_blamed(tmp_path):
    links = "# Page\n\n[one](other.md#some-part) and [two](other.md#more).\n"
    root = make_project(tmp_path, {"page.md": links, "other.md": b"# Other\n\n## Some part\n\ncaf\xe9\n"})
    assert [str(problem).partition(";")[0] for problem in check(root)] == ["docs/other.md:5: byte 0xe9 is not UTF-8"]


def test_a_page_that_is_not_there(tmp_path):
    root = make_project(tmp_path, {})
    (root / "docs" / "folder.md").mkdir()
    assert [p.rule for p in check(root, [Path("docs/none.md"), Path("docs/folder.md"), Path("../x.md")])] == [
        "encoding"
    ] * 3


def test_the_built_site(tmp_path):
    pages = {
        "index.html": '<a href="a/#x">1</a>\n<a href="#top">3</a><img src="img.png">\n<a href="//cdn/x">',
        "a/index.html": '<h1 id="x">A</h1><a href="../#y">1</a>\n<a href="../b/">2</a><link href="../s.css?v=1">',
        "404.html": '<a href="/project/a/">1</a><a href="/project/none/">2</a><a href="https://h.io/project/gone">3</a>',
        "s.css": "",
    }
    for name, text in pages.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = check_built(tmp_path, "https://h.io/project/")
    assert [(p.path, p.line, p.rule, p.message.split("'")[1]) for p in found] == [
        ("404.html", 1, "link-missing", "/project/none/"),
        ("404.html", 1, "link-missing", "https://h.io/project/gone"),
        ("a/index.html", 1, "link-anchor", "../#y"),
        ("a/index.html", 2, "link-missing", "../b/"),
        ("index.html", 2, "link-missing", "img.png"),
    ]


@pytest.mark.parametrize("broken", [True, False])
def test_the_command(tmp_path, broken):
    root = make_project(tmp_path, {"page.md": "# Page\n\n!!! note\n" if broken else "# Page\n\nText.\n"})
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__", "bench"))
    command = [sys.executable, "-m", "tools.portable", "docs/page.md"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8", env={"PYTHONUTF8": "1"})
    assert done.stderr == ""
    if broken:
        assert done.returncode == 1
        assert done.stdout.startswith("docs/page.md:3: '!!!' admonition shows as text on GitHub; write '> [!NOTE]'")
    else:
        assert (done.returncode, done.stdout) == (0, "portable: 1 page, no problem\n")


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">\n{}\n</svg>\n'
PUBLISHED = {
    "evil.html": ("<script>alert(1)</script>", 1, "a '.html' file is not published"),
    "page/data.json": ("{}", 1, "a '.json' file is not published"),
    "page/run.js": ("alert(1)", 1, "a '.js' file is not published"),
    "page/script.svg": (SVG.format("<script>alert(1)</script>"), 2, "'<script'"),
    "page/handler.svg": (SVG.format('<rect onload="alert(1)"/>'), 2, "'onload='"),
    "page/foreign.svg": (SVG.format("<foreignObject><p>x</p></foreignObject>"), 2, "'<foreignObject'"),
    "page/link.svg": (SVG.format('<a xlink:href="javascript:alert(1)"><text>x</text></a>'), 2, "'href="),
    "page/outside.svg": (SVG.format('<image href="https://example.com/x.png"/>'), 2, "'href="),
    "page/style.svg": (SVG.format("<style>@import 'https://example.com/x.css'</style>"), 2, "'@import'"),
    "page/large.png": ("x" * 2_100_000, 1, "2.1 MB"),
}


def test_an_openapi_document_is_published_beside_its_page(tmp_path):
    root = make_project(tmp_path, {"page.md": "# Page\n\nText.\n"})
    (root / "docs" / "openapi.json").write_text("{}", "utf-8")
    assert [problem for problem in check(root) if problem.rule == "file"] == []


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_file_that_could_run_code_is_not_published(tmp_path, name):
    text, line, message = PUBLISHED[name]
    root = make_project(tmp_path, {"page.md": "# Page\n\nText.\n"})
    (root / "docs" / name).parent.mkdir(exist_ok=True)
    (root / "docs" / name).write_text(text, "utf-8")
    found = [problem for problem in check(root) if problem.rule == "file"]
    assert [(problem.path, problem.line) for problem in found] == [(f"docs/{name}", line)]
    assert message in found[0].message and found[0].fix


def test_a_link_out_of_docs_is_not_published(tmp_path):
    root = make_project(tmp_path, {"page.md": "# Page\n\nText.\n"})
    (root / "docs/passwords.txt").symlink_to("/etc/hostname")
    assert [problem.path for problem in check(root) if problem.rule == "file"] == ["docs/passwords.txt"]


def test_a_plain_picture_is_published(tmp_path):
    root = make_project(tmp_path, {"page.md": "# Page\n\nText.\n"})
    plain = '<defs><path id="a"/></defs><use href="#a"/><style>.x { fill: url(#a) }</style>'
    (root / "docs/plain.svg").write_text(SVG.format(plain), "utf-8")
    assert [problem for problem in check(root) if problem.rule == "file"] == []
