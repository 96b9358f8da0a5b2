"""`make preview`: a zip whose pages work from disk, in a real browser, and whose bytes are the same each time."""

import contextlib
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, once, run, shared
from test_browser import Visit, new_reader, until

from tools.finish import Page, Site, offline
from tools.preview import FOLDER, OLDEST, pack

OTHER = """# Other

A cursor leads to the next page.

```mermaid
flowchart LR
    accTitle: A list
    accDescr: One page leads to the next
    one --> two
```

```python
print("copy me")
```
"""
PAGES = {
    "README.md": "# Home\n\nThe first page.\n\nSee [the other](topics/other/README.md).\n",
    "topics/README.md": "# Topics\n\nOne page: [other](other/README.md).\n",
    "topics/other/README.md": OTHER,
    "reference/README.md": "# Reference\n\nOne page: [words](glossary/README.md).\n",
    "reference/glossary/README.md": '# Glossary\n\nWords.\n\n- <a id="cursor"></a>**Cursor**: where a list goes on.\n',
}
NAV = """nav:
  - Home: README.md
  - Topics:
      - topics/README.md
      - Other: topics/other/README.md
  - Reference:
      - reference/README.md
      - Glossary: reference/glossary/README.md

"""


def make_preview(project: Path) -> None:
    """Make the preview of a small project, with an address in the environment as a maintainer's machine may have it."""
    for name in ("overrides", "tools"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs/assets", project / "docs/assets")
    for name, text in PAGES.items():
        path = project / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    config = (ROOT / "mkdocs.yml").read_text("utf-8")
    before, after = config[: config.index("nav:\n")], config[config.index("exclude_docs:") :]
    (project / "mkdocs.yml").write_text(before + NAV + after, "utf-8")
    done = run(sys.executable, "-m", "tools.preview", cwd=project, env={"SITE_URL": "https://example.github.io/x/"})
    assert done.returncode == 0, done.stderr
    assert f"open {FOLDER}/index.html by a double click" in done.stdout
    with zipfile.ZipFile(project / "preview.zip") as held:
        held.extractall(project / "unpacked")


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    return once(shared(tmp_path_factory, "preview"), make_preview)


@pytest.fixture
def unpacked(made) -> Path:
    """The folder that a reader has after unpacking."""
    return made / "unpacked" / FOLDER


@pytest.fixture
def reader(browser):
    with contextlib.closing(new_reader(browser)) as context:
        yield context


def test_every_relative_address_is_a_file(unpacked):
    """A server finds the page of a folder and a browser on a disk does not, so folders are no good here."""
    for path in unpacked.rglob("*.html"):
        for address in re.findall(r'\s(?:href|src)="([^"#?]+)', path.read_text("utf-8")):
            if not re.match(r"[a-z]+:", address):
                assert (path.parent / address).is_file(), f"{path.relative_to(unpacked)}: {address}"


def test_nothing_speaks_of_a_published_address(unpacked):
    held = {path.relative_to(unpacked).as_posix(): path.read_text("utf-8") for path in unpacked.rglob("*.html")}
    assert set(held) >= {"index.html", "topics/other/index.html"} and "404.html" not in held
    for name, text in held.items():
        assert not re.search(r'rel="canonical"|property="og:|example\.github\.io', text), name


def test_a_reader_clicks_through_it(browser, reader, unpacked):
    """Styles, scripts, navigation, a diagram, the palette and the copy button, with the published policy in force."""
    with Visit(browser, (unpacked / "index.html").as_uri(), reader=reader) as visit:
        page = visit.page
        assert page.evaluate("getComputedStyle(document.querySelector('.md-tabs')).display") == "block"
        page.get_by_title("Switch to dark").click()
        page.locator(".md-tabs__link", has_text="Topics").click()
        page.wait_for_url("**/topics/index.html")
        assert page.evaluate("document.body.dataset.mdColorScheme") == "slate", "the palette is forgotten"
        page.locator(".md-nav--primary a", has_text="Other").first.click()
        page.wait_for_url("**/topics/other/index.html")
        assert page.locator(".diagram svg[role=img]").bounding_box()["width"] > 100
        assert until(page, "document.querySelector('.md-code__button[data-md-type=copy]') !== null")
        page.locator("a.term", has_text="cursor").click()
        page.wait_for_url("**/reference/glossary/index.html#cursor")
        page.locator("a.md-logo").first.click()
        page.wait_for_url(f"**/{FOLDER}/index.html")
        assert page.evaluate("window.violations") == []
        assert [url for url in visit.requests if not url.startswith(("file:", "data:"))] == []
        assert visit.errors == []


def test_search_works_from_disk(browser, reader, unpacked):
    with Visit(browser, (unpacked / "topics/other/index.html").as_uri(), reader=reader) as visit:
        visit.page.keyboard.press("/")
        visit.page.keyboard.type("first page", delay=20)
        visit.page.wait_for_selector(".md-search-result__link")
        visit.page.keyboard.press("ArrowDown")
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector("h1:has-text('Home')")
        assert visit.page.url.partition("?")[0].endswith(f"/{FOLDER}/index.html")
        assert visit.page.evaluate("window.violations") == []
        assert visit.errors == []


def test_it_unpacks_into_one_folder_and_has_no_time_of_its_own(made):
    with zipfile.ZipFile(made / "preview.zip") as held:
        entries = held.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names) and {name.split("/")[0] for name in names} == {FOLDER}
    assert {(entry.date_time, entry.external_attr >> 16, entry.create_system) for entry in entries} == {
        (OLDEST, 0o644, 3)
    }


def test_the_same_site_gives_the_same_bytes(tmp_path):
    """Whatever the order on disk, and whenever the files were written."""
    names = ["b/index.html", "b.txt", "a.txt"]
    for half, order in (("0", names), ("1", names[::-1])):
        for second, name in enumerate(order):
            path = tmp_path / half / "site" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name, "utf-8")
            os.utime(path, (1_800_000_000 + second, 1_800_000_000 + int(half)))
    for half in "01":
        pack(tmp_path / half / "site", tmp_path / f"{half}.zip")
    assert (tmp_path / "0.zip").read_bytes() == (tmp_path / "1.zip").read_bytes()


def test_a_zip_that_cannot_be_written_leaves_the_last_one(tmp_path):
    target = tmp_path / "preview.zip"
    target.write_text("the last good one", "utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / ".preview.zip.new").mkdir()  # in its way
    with pytest.raises(OSError):
        pack(tmp_path / "site", target)
    assert target.read_text("utf-8") == "the last good one"


@pytest.mark.parametrize(
    ("written", "offline_form"),
    [
        ("../x/", "../x/index.html"),
        ("../x/#y", "../x/index.html#y"),
        ("..", "../index.html"),
        (".", "./index.html"),
        ("../..#top", "../../index.html#top"),
        ("x/test_x.py", "x/test_x.py"),
        ("#y", "#y"),
        ("https://example.com/", "https://example.com/"),
        ("//example.com/", "//example.com/"),
        ("mailto:a@example.com", "mailto:a@example.com"),
    ],
)
def test_a_link_to_a_folder_names_its_page(tmp_path, written, offline_form):
    for is_offline, wanted in ((True, offline_form), (False, written)):
        page = Page(Site(tmp_path, offline=is_offline), tmp_path / "index.html", f'<a class="x" href="{written}">x</a>')
        offline.page(page)
        assert page.html == f'<a class="x" href="{wanted}">x</a>'
