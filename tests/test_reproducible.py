"""Two builds of one commit are the same bytes, whatever the day, the folder, the time zone and the order of sets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SITE

from tools.bench import project

PAGES = 12
ON_A_DAY = """
import sys, time_machine
sys.path.insert(0, ".")
with time_machine.travel(sys.argv.pop(1)):
    import tools.build
    sys.exit(tools.build.main())
"""
BUILDS = {
    "first": ("2026-11-26T09:00:00+00:00", {"TZ": "UTC", "PYTHONHASHSEED": "1", "LC_ALL": "C"}),
    "a/longer path": (
        "2031-03-01T23:59:00+00:00",
        {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8"},
    ),
}


def start(folder: Path, day: str, environment: dict[str, str]) -> subprocess.Popen:
    """Begin to build the same synthetic project, with the whole real configuration, in a folder, on a day."""
    project.make(PAGES, folder)
    env = os.environ | project.ENVIRONMENT | {"SITE_URL": SITE, "REPO_REF": "main"} | environment
    env.pop("SOURCE_DATE_EPOCH", None)
    command = [sys.executable, "-c", ON_A_DAY, day, str(folder / "site")]
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> list[dict[str, bytes]]:
    base = tmp_path_factory.mktemp("reproducible")
    running = {base / name: start(base / name, *how) for name, how in BUILDS.items()}
    for process in running.values():
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    return [files(folder / "site") for folder in running]


def test_two_builds_are_the_same_bytes(built):
    first, second = built
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_what_could_differ_is_among_what_was_compared(built):
    names = set(built[0])
    assert {"sitemap.xml.gz", "feed.xml", "llms-full.txt", "learnings.json", "404.html"} <= names
    for kind in ("assets/cards/*.png", "search/index.*.json", "*/index.md", "assets/stylesheets/site.*.css"):
        assert any(Path(name).match(kind) for name in names), kind
    assert len([name for name in names if name.endswith("index.html")]) == PAGES


def test_no_page_names_the_day_or_the_folder_of_the_build(built):
    for name, data in built[1].items():
        assert b"2031" not in data or name.startswith("assets/"), name
        assert b"longer path" not in data, name
