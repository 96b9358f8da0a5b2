"""The hooks give the same output as the plugins whose work they shorten."""

import json
import re
import subprocess
import sys

import pygments
import pytest
from conftest import run
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from pymdownx import highlight

from tools import highlighting
from tools.finish.search_index import ERRORS_PAGE, LISTS, trimmed

PLAIN = "hooks:\n  - tools/hooks.py\n"


def git(folder, *arguments, when: str = "2026-01-02T03:04:05+00:00") -> None:
    env = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = run("git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments, cwd=folder, env=env)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def history(project):
    """A project with a history: edits, a rename with and without a change, a tag, a page that is not committed."""
    docs = project / "docs"
    git(project, "init", "-q", "-b", "main")
    git(project, "add", ".")
    git(project, "commit", "-qm", "Start", when="2026-01-01T00:00:00+00:00")
    (docs / "other/README.md").write_text("# Other\n\nThe second page, edited.\n\n## Part\n\nText.\n", "utf-8")
    git(project, "commit", "-qam", "Edit", when="2026-02-02T00:00:00+00:00")
    git(project, "tag", "v1")
    (docs / "long").mkdir()
    (docs / "long/old.md").write_text(
        "# Long\n\nA page that moves.\n\n" + "A line of text that stays.\n\n" * 20, "utf-8"
    )
    git(project, "add", ".")
    git(project, "commit", "-qm", "Long page", when="2026-03-03T00:00:00+00:00")
    (docs / "long/old.md").rename(docs / "long/README.md")
    (docs / "long/README.md").write_text((docs / "long/README.md").read_text("utf-8") + "One more line.\n", "utf-8")
    git(project, "add", ".")
    git(project, "commit", "-qm", "Move and change", when="2026-04-04T00:00:00+00:00")
    (docs / "README.md").write_text((docs / "README.md").read_text("utf-8") + "\n\n", "utf-8")
    git(project, "commit", "-qam", "White space", when="2026-05-05T00:00:00+00:00")
    (docs / "new").mkdir()
    (docs / "new/README.md").write_text("# New\n\nNot committed yet.\n", "utf-8")
    return project


def dates(project, out: str, config: str = "mkdocs.yml") -> dict[str, str]:
    done = run(sys.executable, "-m", "mkdocs", "-q", "build", "-f", config, "-d", out, cwd=project)
    assert done.returncode == 0, done.stderr
    pages = sorted((project / out).rglob("index.html"))
    found = {
        p.parent.relative_to(project / out).as_posix(): re.search(
            r'<time datetime="([^"]+)">([^<]+)<', p.read_text("utf-8")
        )
        for p in pages
    }
    return {name: f"{match[1]} {match[2]}" if match else "" for name, match in found.items()}


def without_hooks(project) -> str:
    text = (project / "mkdocs.yml").read_text("utf-8")
    assert PLAIN in text
    (project / "plain.yml").write_text(text.replace(PLAIN, ""), "utf-8")
    return "plain.yml"


def test_dates_equal_the_plugins_own(history):
    ours, theirs = dates(history, "ours"), dates(history, "theirs", without_hooks(history))
    assert ours == theirs
    assert ours["other"].startswith("2026-02-02") and ours["."] != ours["other"]


def test_a_page_that_is_not_committed_shows_today(history):
    today = subprocess.run(["date", "-u", "+%Y-%m-%d"], capture_output=True, text=True).stdout.strip()
    assert dates(history, "ours")["new"].startswith(today)


def test_no_git_history_no_date(project):
    assert set(dates(project, "out").values()) == {""}


def test_shallow_clone_is_reported_and_stops_a_strict_build(history, tmp_path):
    git(history, "add", ".")
    git(history, "commit", "-qm", "All")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{history}", str(shallow))
    done = run(sys.executable, "-m", "mkdocs", "build", "--strict", "-d", "out", cwd=shallow)
    assert done.returncode == 1 and "git fetch --unshallow" in done.stderr


def test_search_index_equals_the_plugins_own(site, raw_site):
    stub = json.loads((site / "search/search_index.json").read_text("utf-8"))
    ours = json.loads((site / stub["config"]["index"]).read_text("utf-8"))["docs"]
    theirs = json.loads((raw_site / "search/search_index.json").read_text("utf-8"))["docs"]
    bare = [{name: entry[name] for name in ("location", "title", "text")} for entry in ours]
    plain = [trimmed(entry) for entry in theirs]
    differ = {mine["location"].split("#")[0] for mine, entry in zip(bare, plain, strict=True) if mine != entry}
    assert differ <= {ERRORS_PAGE, *LISTS} and len(ours) > 20


@pytest.mark.parametrize("options", [{}, {"style": "monokai"}, {"classprefix": "x-"}, {"noclasses": True}])
def test_highlighting_is_the_same_when_its_parts_are_kept(options):
    code = '@shared_task\ndef f(x: int = 1) -> str:\n    """Say."""\n    return f"{x}"  # why\n'

    def written() -> list[str]:
        formatter = HtmlFormatter(**options)
        return [
            pygments.highlight(code, highlight.get_lexer_by_name("python", stripnl=False), formatter),
            formatter.get_style_defs(),
        ]

    with pytest.MonkeyPatch.context() as patch:
        plain = getattr(HtmlFormatter._create_stylesheet, "__wrapped__", HtmlFormatter._create_stylesheet)
        patch.setattr(HtmlFormatter, "_create_stylesheet", plain)
        patch.setattr(highlight, "get_lexer_by_name", get_lexer_by_name)
        before = written()
        highlighting.once()
        assert HtmlFormatter._create_stylesheet is not plain
        assert [written(), written()] == [before, before]
        with pytest.raises(ClassNotFound):
            highlight.get_lexer_by_name("no such language")
