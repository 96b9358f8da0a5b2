"""`make site` and what it says about bad input; nothing half-written is left behind."""

import re
import sys
from pathlib import Path

import pytest
from conftest import REPO, SITE, run

from tools.portable.built import check_built
from tools.repository import pages_address, web_address


def build(project: Path, **env):
    return run(sys.executable, "-m", "tools.build", cwd=project, env=env)


def test_links_and_anchors_of_the_built_site(site):
    problems = check_built(site, SITE)
    assert not problems, "\n".join(map(str, problems))


def test_edit_and_view_links(site):
    page = (site / "concepts/index.html").read_text("utf-8")
    assert f'href="{REPO}/edit/main/docs/concepts/README.md"' in page
    assert f'href="{REPO}/raw/main/docs/concepts/README.md"' in page


def test_every_page_shows_when_it_was_changed(site):
    for path in site.rglob("index.html"):
        assert re.search(r'Last changed: <time datetime="\d{4}-\d\d-\d\d">', path.read_text("utf-8")), path


def test_good_project_builds(project):
    done = build(project)
    assert done.returncode == 0, done.stderr
    assert (project / "site/index.html").is_file()
    assert [path.name for path in project.iterdir() if path.name.startswith(".site")] == []


FLOW = "```mermaid\nflowchart TD\n  accTitle: x\n  accDescr: y\n  A[x] --> B[\n```\n"
BAD = {
    "link to a page that does not exist": ("# T\n\nText.\n\nSee [x](no.md).\n", 5, "no.md"),
    "link to an anchor that does not exist": ("# T\n\nText.\n\nSee [x](../README.md#no).\n", 5, "#no"),
    "image that does not exist": ("# T\n\nText.\n\n![x](no.png)\n", 5, "no.png"),
    "case of a link": ("# T\n\nText.\n\nSee [x](../readme.md).\n", 5, "README.md"),
    "two equal headings": ("# T\n\nText.\n\n## A\n\nText.\n\n## A\n\nText.\n", 9, "line 5"),
    "front matter": ("---\ntags: [a\n---\n\n# T\n\nText.\n", 2, "front matter"),
    "mermaid": (f"# T\n\nText.\n\n{FLOW}", 9, "Unterminated"),
    "script": ("# T\n\nText.\n\n<script>alert(1)</script>\n", 5, "script"),
    "event handler": ('# T\n\nText.\n\n<img src="x.png" alt="x" onerror="alert(1)">\n', 5, "onerror"),
    "javascript link": ("# T\n\nText.\n\n[x](javascript:alert(1))\n", 5, "javascript"),
    "unclosed fence": ("# T\n\nText.\n\n```python\nx = 1\n", 5, "fence"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_page_is_reported_and_the_last_good_site_stays(project, case):
    text, line, part = BAD[case]
    (project / "site").mkdir()
    (project / "site/index.html").write_text("the last good site", "utf-8")
    (project / "docs/other/README.md").write_text(text, "utf-8")
    done = build(project)
    assert done.returncode == 1
    report = done.stderr
    assert re.search(rf"^docs/other/README\.md:{line}: .*{re.escape(part)}", report, re.M), report
    assert "Traceback" not in report
    assert [path.name for path in (project / "site").iterdir()] == ["index.html"]
    assert [path.name for path in project.iterdir() if path.name.startswith(".site")] == []


def test_page_that_is_not_utf_8(project):
    (project / "docs/other/README.md").write_bytes(b"# T\n\nText.\n\ncaf\xe9\n")
    done = build(project)
    assert done.returncode == 1 and "docs/other/README.md:5: " in done.stderr and "UTF-8" in done.stderr


def test_page_outside_the_navigation(project):
    (project / "docs/lost.md").write_text("# Lost\n\nText.\n", "utf-8")
    done = build(project)
    assert done.returncode == 1 and re.search(r"^docs/lost\.md:1: .*nav", done.stderr, re.M), done.stderr


def test_navigation_without_its_page(project):
    config = project / "mkdocs.yml"
    text = config.read_text("utf-8").replace("other/README.md", "gone/README.md")
    config.write_text(text, "utf-8")
    line = text[: text.index("gone/README.md")].count("\n") + 1
    done = build(project)
    assert done.returncode == 1 and f"mkdocs.yml:{line}: " in done.stderr, done.stderr


def test_broken_settings_are_one_line(project):
    config = project / "mkdocs.yml"
    config.write_text(
        config.read_text("utf-8").replace("theme:\n  name: material", "theme:\n  name: materiel"), "utf-8"
    )
    done = build(project)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "materiel" in done.stderr


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@github.com:owner/name.git", "https://github.com/owner/name"),
        ("https://github.com/owner/name", "https://github.com/owner/name"),
        ("https://token@github.com/owner/name.git", "https://github.com/owner/name"),
        ("ssh://git@github.com:22/owner/name.git", "https://github.com/owner/name"),
        ("/home/me/name", ""),
        ("../name.git", ""),
        ("", ""),
    ],
)
def test_web_address_of_a_remote(remote, address):
    assert web_address(remote) == address


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        ("https://github.com/Owner/Name", "https://owner.github.io/Name/"),
        ("https://github.com/owner/owner.github.io", "https://owner.github.io/"),
        ("https://gitlab.com/owner/name", ""),
        ("", ""),
    ],
)
def test_pages_address(repository, address):
    assert pages_address(repository) == address
