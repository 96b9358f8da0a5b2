"""The built site and the browser, made once for all workers of a run."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import browser as chromium
from tools.pages_server import serving
from tools.search import sites

ROOT = Path(__file__).resolve().parent.parent
REPO = "https://github.com/example/alx-project-nexus"
SITE = "https://example.github.io/alx-project-nexus/"


def run(*command: str | Path, cwd: Path = ROOT, env: dict | None = None, **options) -> subprocess.CompletedProcess:
    """Run a command and return it with its output as text; never raises for a status."""
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(cwd)} | (env or {})
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


def once(folder: Path, make) -> Path:
    """Let one worker of a parallel run make a folder; the others wait for it."""
    done, failed, lock = (folder.with_suffix(end) for end in (".done", ".failed", ".lock"))
    try:
        lock.mkdir(parents=True)
    except FileExistsError:
        for _ in range(1200):
            if done.exists():
                return folder
            if failed.exists():
                break
            time.sleep(0.1)
        raise RuntimeError(f"{folder.name} was not made by the other worker; see its failure") from None
    try:
        make(folder)
        done.touch()
    except BaseException:
        failed.touch()
        raise
    return folder


def shared(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """A path that all workers of this run have in common."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / name


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The published site, as publish.yml builds it for a repository whose address is known."""

    def make(folder: Path) -> None:
        env = {"REPO_URL": REPO, "EDIT_URI": "edit/main/docs/", "SITE_URL": SITE, "REPO_REF": "main"}
        done = run(sys.executable, "-m", "tools.build", folder, env=env)
        assert done.returncode == 0, done.stderr

    return once(shared(tmp_path_factory, "site"), make)


@pytest.fixture(scope="session")
def raw_site(tmp_path_factory) -> Path:
    """The same pages from MkDocs without any hook: what another generator would hand to the finishing step."""

    def make(folder: Path) -> None:
        sites.stock(folder, REPO_URL=REPO, EDIT_URI="edit/main/docs/", SITE_URL=SITE)

    return once(shared(tmp_path_factory, "raw"), make)


@pytest.fixture
def project(tmp_path) -> Path:
    """A copy of the project that a test may break; its docs hold one small page and the assets."""
    for name in ("overrides", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs/assets", tmp_path / "docs/assets")
    config = (ROOT / "mkdocs.yml").read_text("utf-8")
    start, end = config.index("nav:\n"), config.index("exclude_docs:")
    nav = "nav:\n  - Home: README.md\n  - Other: other/README.md\n\n"
    (tmp_path / "mkdocs.yml").write_text(config[:start] + nav + config[end:], "utf-8")
    (tmp_path / "docs/README.md").write_text(
        "# Home\n\nThe first page.\n\nSee [the other](other/README.md).\n", "utf-8"
    )
    (tmp_path / "docs/other").mkdir()
    (tmp_path / "docs/other/README.md").write_text("# Other\n\nThe second page.\n\n## Part\n\nText.\n", "utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium per worker."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium.require(), args=chromium.flags())
        yield running
        running.close()


@pytest.fixture(scope="session")
def address(site) -> Iterator[str]:
    """The published site on a server like GitHub Pages, under its sub-path."""
    with serving(site) as url:
        yield url


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Path:
    """A site of tests/good_pages: every construct that a page may use."""

    def make(folder: Path) -> None:
        source = folder.with_name("sample-source")
        for name in ("overrides", "tools"):
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "docs/assets", source / "docs/assets")
        shutil.copytree(ROOT / "tests/good_pages", source / "docs", dirs_exist_ok=True)
        (source / "docs/img").mkdir()
        shutil.copy(ROOT / ".github/screenshot.png", source / "docs/img/plot.png")
        (source / "docs/README.md").write_text("# Sample\n\nEverything that a page may use.\n", "utf-8")
        (source / "examples/app").mkdir(parents=True)
        # the files that the page's listings name
        (source / "examples/app/main.py").write_text("class JobQuerySet:\n    def open(self):\n        pass\n", "utf-8")
        (source / "examples/app/empty.py").touch()
        config = (ROOT / "mkdocs.yml").read_text("utf-8")
        start, end = config.index("nav:\n"), config.index("exclude_docs:")
        (source / "mkdocs.yml").write_text(config[:start] + config[end:], "utf-8")
        done = run(sys.executable, "-m", "mkdocs", "-q", "build", "-d", folder, cwd=source, env={"SITE_URL": SITE})
        assert done.returncode == 0, done.stderr

    return once(shared(tmp_path_factory, "sample"), make)


@pytest.fixture(scope="session")
def sample_address(sample) -> Iterator[str]:
    with serving(sample) as url:
        yield url
