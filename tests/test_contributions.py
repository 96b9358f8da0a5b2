"""What a contribution could do wrong, or to harm: it is named with file, line and fix, and it is not published.

The pages of tests/bad_pages and tests/bad_blocks are held to their reports by test_portable.py and test_blocks.py. Here
stand those that a single file cannot hold (links, names, sizes), and what is true of all of them: no tool ends in a
traceback, takes long, or writes where it must not; no site is built; and past all checks, no script would run.
"""

import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, run
from test_portable import BAD, HOSTILE, SVG, make_project

from tools import generated, listings, portable, prose
from tools.measure import check as measured
from tools.pages_server import serving

PAGE = "# Page\n\nText.\n"
SOON = 1.25  # seconds of our own processor time (no child's) for one page, on average over all tools
TOOLS: dict[str, Callable[[Path], list]] = {
    "portable": portable.check,
    "prose": prose.check,
    "listings": lambda root: listings.run(root, write=False).problems,
    "generated": lambda root: generated.run(root, write=False).problems,
    "measure": measured.check,
}


def page(body: str) -> dict[str, str | bytes]:
    return {"page/README.md": f"# Page\n\n{body}\n"}


DEEP = {  # 500 in each other
    "lists": "\n".join("    " * level + "- x" for level in range(500)),
    "quotes": ">" * 500 + " x",
    "brackets": "[" * 500 + "x" + "]" * 500,
    "tags": "<b>" * 500 + "x" + "</b>" * 500,
    "details": '<details markdown="1">\n\n' * 500,
}
# Of test_portable's pages, those that cost the other tools most
COSTLY = (
    "comments",
    "a line of a megabyte",
    "backticks",
    "many fences",
    "many tags",
    "many rows",
    "many links",
    "nothing",
)


RESULTS = "one by one  201 queries  4.1 ms\n"
TEST = "def test_it():\n    assert 201\n"
DRIFTED = '```python title="test_page.py::test_it"\ndef test_it(): pass\n```'
CONFLICT = "<<<<<<< HEAD\none\n=======\ntwo\n>>>>>>> x"
ENTITY = '<!DOCTYPE svg [\n<!ENTITY x SYSTEM "file:///etc/passwd">\n]>\n' + SVG.format("&x;")
STYLE = SVG.format('<rect style="fill:url(//example.com/x)"/>')
LONG = "x" * 3_000
README, QUESTIONS = "page/README.md", "page/questions.txt"
# name -> (tool, files below docs/a, and of the report: the place, a part of the message, a part of the fix)
WRONG: dict[str, tuple[str, dict[str, str | bytes], str, str, str]] = {
    # names
    "a space in a name": ("portable", {"a page/README.md": PAGE}, "a page/README.md:1", "'a page'", "rename"),
    "a capital in a name": ("portable", {"page/Plot.png": "x"}, "page/Plot.png:1", "'Plot.png'", "rename"),
    "a letter beyond ASCII": ("portable", {"page/café.png": "x"}, "page/café.png:1", "'café.png'", "rename"),
    "a device of Windows": ("portable", {"aux/README.md": PAGE}, "aux/README.md:1", "'aux'", "another name"),
    "a device with an ending": ("portable", {"con.txt": "x"}, "con.txt:1", "'con.txt'", "another name"),
    "a quote in a name": ("portable", {"x'onload=1.png": "x"}, "x'onload=1.png:1", "no name that", "rename"),
    # other files
    "an image of 5 MB": ("portable", {"page/plot.png": b"x" * 5_000_000}, "page/plot.png:1", "5.0 MB", "smaller"),
    "an SVG with an entity": ("portable", {"page/x.svg": ENTITY}, "page/x.svg:2", "<!ENTITY", "plain SVG"),
    "an SVG with a style sheet": ("portable", {"page/x.svg": STYLE}, "page/x.svg:2", "url(", "plain SVG"),
    "questions that steer a terminal": ("portable", {QUESTIONS: "a\nb\x1b[2J\n"}, f"{QUESTIONS}:2", "U+001B", "delete"),
    "questions in UTF-16": ("portable", {QUESTIONS: "a\n".encode("utf-16")}, f"{QUESTIONS}:1", "0xff", "UTF-8"),
    "10,000 questions": ("portable", {QUESTIONS: "how?\n" * 10_000}, f"{QUESTIONS}:201", "10000 lines", "differ most"),
    "a test that reads otherwise than it runs": (
        "portable", {"page/test_page.py": "x = 1\n# \u202e\n"}, "page/test_page.py:2", "U+202E", "delete it",
    ),
    # pages too large to read
    "a page of 2 MB": ("portable", page("A sentence of this page.\n\n" * 80_000), f"{README}:1", "100000", "split"),
    "500 lists in each other": ("portable", page(DEEP["lists"]), f"{README}:", "more than", "split"),
    "500 quotes in each other": ("portable", page(DEEP["quotes"]), f"{README}:", "more than 12 deep", "split"),
    "500 details in each other": ("portable", page(DEEP["details"]), f"{README}:", "more than 12 deep", "split"),
    # listings
    "a listing that drifted": (
        "listings", page(DRIFTED) | {"page/test_page.py": TEST}, f"{README}:3", "differs from the file", "listings",
    ),
    "a listing of a file above": (
        "listings", page('```text title="../../etc/passwd"\n```'), f"{README}:3", "'../../etc/passwd'", "without ..",
    ),
    "a listing of a file of the machine": (
        "listings", page('```text title="/etc/passwd"\n```'), f"{README}:3", "'/etc/passwd'", "without .. and /",
    ),
    "a listing of the history": (
        "listings", page('```text title=".git/config"\n```'), f"{README}:3", ".git/config", "git keeps",
    ),
    "a listing of a name too long": (
        "listings", page(f'```text title="{LONG}"\n```'), f"{README}:3", "names no file", "the path from the root",
    ),
    "a link to a name too long": ("portable", page(f"[x]({LONG}.md)"), f"{README}:3", "does not exist", "correct"),
    "code without its test": ("listings", page("```python\nx = 1\n```"), f"{README}:3", "no test_page.py", "as tests"),
    # numbers
    "a number that is not in its results": (
        "measure", page("It takes 97 ms.") | {"page/test_page.py": TEST, "page/results.txt": RESULTS},
        f"{README}:3", "'97 ms' is in no results.txt", "that was measured",
    ),
    "results that nothing measured": (
        "measure", page("Text.") | {"page/results.txt": RESULTS}, "page/results.txt:1", "says how", "measure.py",
    ),
    "a number beside a link that is no path": (
        "measure", page(f"It takes 97 ms, says [x]({LONG}.md) or [y](\0).") | {"page/test_page.py": TEST},
        f"{README}:3", "'97 ms'", "that was measured",
    ),
    # words
    "words that belittle": ("prose", page("It is simply done."), f"{README}:3", "'simply'", "delete it"),
    "American spelling": ("prose", page("Its behavior."), f"{README}:3", "'behavior'", "'behaviour'"),
    "a heading without its space": ("prose", page("##Words\n\nText."), f"{README}:3", "space", "after the '#'"),
    "what git left of a conflict": ("prose", page(CONFLICT), f"{README}:3", "conflict", "decide"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_with_file_line_and_fix(tmp_path, name):
    tool, files, place, message, fix = WRONG[name]
    root = make_project(tmp_path, {"a/page/README.md": PAGE})
    for path, content in files.items():
        target = root / "docs/a" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = [str(problem).partition("; ") for problem in TOOLS[tool](root)]
    assert any(at.startswith(f"docs/a/{place}") and message in at and fix in todo for at, _, todo in found), found


@pytest.mark.parametrize("target", ["/etc", "../../../outside"])
@pytest.mark.parametrize("place", ["docs/a/page/README.md", "docs/a/more", "docs/a/page/test_page.py"])
def test_a_link_out_of_docs_shows_nothing_of_what_it_points_to(tmp_path, place, target):
    secret = tmp_path / "outside"
    secret.write_text("SECRET\n", "utf-8")
    listing = '```text title="test_page.py"\n```'
    root = make_project(tmp_path / "project", {"a/page/README.md": f"# Page\n\n{listing}\n"})
    (root / place).unlink(missing_ok=True)
    (root / place).symlink_to(target if target.startswith("/") else secret)
    reports = [str(problem) for tool in TOOLS.values() for problem in tool(root)]
    assert f"{place}:1: a symbolic link is not published alike everywhere; copy the file" in reports
    listings.run(root, write=True)
    shown = [path.read_text("utf-8") for path in root.rglob("*.md") if not path.is_symlink()]
    assert "SECRET" not in " ".join([*reports, *shown])
    assert secret.read_text("utf-8") == "SECRET\n"


@pytest.fixture(scope="module")
def all_bad(tmp_path_factory) -> Path:
    """A project of every bad page and block and of hostile pages, each in a folder of its own."""
    pages = {f"bad/{path.stem}/README.md": path.read_bytes() for path in BAD.glob("*.md")}
    pages |= {f"blocks/{path.stem}/README.md": path.read_bytes() for path in (ROOT / "tests/bad_blocks").glob("*.md")}
    pages |= {f"hostile/{name.replace(' ', '-')}/README.md": text for name, text in HOSTILE.items() if name in COSTLY}
    pages |= {f"hostile/{what}/README.md": text for what, text in DEEP.items()}
    pages["hostile/two-megabytes/README.md"] = "A sentence of this page.\n\n" * 80_000
    root = make_project(tmp_path_factory.mktemp("contributed") / "project", pages)
    shutil.copytree(ROOT / "docs/reference/errors", root / "docs/reference/errors")  # a part made from all pages
    return root


def files_of(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("tool", TOOLS)
def test_no_page_stops_a_tool(all_bad, tool):
    """No traceback; and each page within seconds, though others work on this machine."""
    start = time.process_time()
    found = TOOLS[tool](all_bad)
    spent = time.process_time() - start
    pages = len(list(all_bad.glob("docs/*/*/README.md")))
    assert pages > 140 and spent < SOON * pages
    assert all(re.match(r"[^:\n]+:\d+: .+; .+", str(problem)) for problem in found)


def test_writing_changes_the_pages_and_nothing_else(all_bad):
    (all_bad.parent / "beside.txt").write_text("as it was", "utf-8")
    before = files_of(all_bad.parent)
    listings.run(all_bad, write=True)
    generated.run(all_bad, write=True)
    after = files_of(all_bad.parent)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert all(path.name == "README.md" and path.is_relative_to(all_bad / "docs") for path in changed)
    assert not list(all_bad.rglob("owned.txt"))


def test_no_bad_page_is_published(project):
    """`make site` with all of them names each, ends without a traceback, and leaves the last good site alone."""
    names = {path.stem for path in BAD.glob("*.md")}
    for path in BAD.glob("*.md"):
        (project / "docs" / path.stem).mkdir()
        shutil.copy(path, project / "docs" / path.stem / "README.md")
    (project / "site").mkdir()
    (project / "site/index.html").write_text("the last good site", "utf-8")
    done = run(sys.executable, "-m", "tools.build", cwd=project)
    assert done.returncode == 1 and "nothing was built" in done.stderr and "Traceback" not in done.stderr
    assert {found for found in names if f"docs/{found}/README.md:" in done.stderr} == names
    assert files_of(project / "site") == {project / "site/index.html": b"the last good site"}
    assert not list(project.rglob("owned.txt"))


# ---- past the checks: what a reader's browser would do with a page that nobody looked at -----------------------------

HOSTILE_PAGE = """# Hostile

[a link](javascript:owned(1)) and <a id="raw" href="&#106;avascript:owned(2)">another</a>.

<img src="nothing.png" alt="x" onerror="owned(3)">

<b id="over" onmouseover="owned(4)" onclick="owned(4)">over</b>

<details open ontoggle="owned(5)"><summary>x</summary>y</details>

<svg onload="owned(6)"><a href="javascript:owned(7)"><text>x</text></a></svg>

<img src="https://tracker.example/seen.png" alt="x">

<style>@import "https://tracker.example/x.css";</style>

<link rel="stylesheet" href="https://tracker.example/y.css">

<input autofocus onfocus="owned(8)">

[title](README.md '" onmouseover="owned(9)')

```mermaid
flowchart LR
    accTitle: A</title><script>owned(10)</script>
    accDescr: B
    a["<img src=x onerror=owned(11)>"] --> b
    click a href "javascript:owned(12)"
```
"""
REFUSED = {
    "a script": "<script>owned()</script>",
    "a script in capitals": "<SCRIPT>owned()</SCRIPT>",
    "a script beside the page": '<script src="run.js"></script>',
    "a script from elsewhere": "<script/src=//example.com/x.js></script>",
    "a redirection": '<meta http-equiv="refresh" content="0; url=https://example.com/">',
    "another base": '<base href="https://example.com/">',
    "a frame": '<iframe src="https://example.com/"></iframe>',
    "a plug-in": '<embed src="x.swf">',
    "a form": '<form action="https://example.com/"><p>x</p></form>',
}


@pytest.fixture(scope="module")
def unchecked(tmp_path_factory) -> Path:
    """A project whose pages go to MkDocs and the finishing step without any check."""
    root = tmp_path_factory.mktemp("unchecked")
    for name in ("overrides", "tools"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs/assets", root / "docs/assets")
    config = (ROOT / "mkdocs.yml").read_text("utf-8")
    start, end = config.index("nav:\n"), config.index("exclude_docs:")
    (root / "mkdocs.yml").write_text(config[:start] + config[end:], "utf-8")
    (root / "docs/README.md").write_text(HOSTILE_PAGE, "utf-8")
    return root


@pytest.fixture(scope="module")
def hostile_site(unchecked) -> Path:
    done = run(sys.executable, "-m", "mkdocs", "-q", "build", cwd=unchecked)
    assert done.returncode == 0, done.stderr
    assert 'onerror="owned(3)"' in (unchecked / "site/index.html").read_text("utf-8"), "it is no longer hostile"
    return unchecked / "site"


def test_the_finishing_step_refuses_what_the_policy_lets_pass(hostile_site, unchecked):
    from tools.finish import FinishError, Page, Site, csp

    raw = (hostile_site / "index.html").read_text("utf-8")
    raw = raw.replace(csp.META + csp.POLICY + '">\n', "").replace(csp.META + csp.POLICY + '">', "")
    raw = re.sub(r' data-base="[^"]*"', "", raw).replace(
        "new URL(document.documentElement.dataset.base,", 'new URL(".",'
    )
    accepted = Page(Site(hostile_site, unchecked), hostile_site / "index.html", raw)
    csp.page(accepted)
    assert csp.META in accepted.html
    for name, html in REFUSED.items():
        hostile = Page(accepted.site, accepted.path, raw.replace("</article>", html + "</article>"))
        with pytest.raises(FinishError, match="; delete it"):
            csp.page(hostile)
            pytest.fail(f"{name} is accepted")


def test_no_script_of_a_page_runs_in_the_browser(browser, hostile_site):
    """Handlers, javascript: links and a script that came in after the finishing step: the policy stops each."""
    html = (hostile_site / "index.html").read_text("utf-8")
    (hostile_site / "index.html").write_text(
        html.replace("</article>", "<script>owned(13)</script></article>"), "utf-8"
    )
    answers, ran = [], []
    context = browser.new_context()
    page = context.new_page()
    try:
        page.expose_function("owned", lambda what: ran.append(what))
        page.add_init_script(
            "window.stopped = []; document.addEventListener('securitypolicyviolation',"
            " event => window.stopped.push(event.violatedDirective + ' ' + event.blockedURI))"
        )
        page.on("response", lambda response: answers.append(response.url))
        with serving(hostile_site) as url:
            page.goto(url)
            page.wait_for_load_state("networkidle")
            page.evaluate("() => window.owned('the probe itself works')")
            for selector in ("text=a link", "#raw", "#over", "text=title"):
                page.locator(selector).first.hover()
            for selector in ("text=a link", "#raw", "#over"):
                page.locator(selector).first.click(no_wait_after=True)
            page.evaluate("() => document.querySelector('input[autofocus]').focus()")
            page.wait_for_timeout(300)
            stopped = page.evaluate("() => window.stopped")
            assert page.url == url, "a link of the page led away"
            assert ran == ["the probe itself works"]
            assert {address for address in answers if not address.startswith(url)} == set()
    finally:
        context.close()
    assert sum(found.startswith(("script-src-attr", "script-src-elem")) for found in stopped) >= 6, stopped
    assert any(found.startswith("img-src") and "tracker.example" in found for found in stopped), stopped
    assert any(found.startswith("style-src") and "tracker.example" in found for found in stopped), stopped
