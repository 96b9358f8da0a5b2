"""Set-up: what a fresh machine says when something is missing, in one line without a traceback."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, run

from tools import bootstrap

SCRIPT = ROOT / "tools/bootstrap.py"


@pytest.fixture
def fake_python(tmp_path):
    """Make a `python` on a path of its own: this interpreter under another version or with modules missing."""

    def make(code: str) -> str:
        program = tmp_path / "bin/python3"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "$CODE" "$@"\n', "utf-8")
        program.chmod(0o755)
        os.environ["CODE"] = code
        return str(program)

    yield make
    os.environ.pop("CODE", None)


def one_line(done: subprocess.CompletedProcess) -> str:
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line and not line.startswith(("Installing", "make:"))]
    assert len(lines) == 1, done.stderr
    return lines[0]


PRELUDE = f"import runpy, sys; sys.argv = ['{SCRIPT}', 'requirements.txt']; "


def test_python_that_is_too_old(tmp_path):
    code = (
        PRELUDE
        + f"sys.version_info = (3, 9, 2); sys.version = '3.9.2 x'; runpy.run_path('{SCRIPT}', run_name='__main__')"
    )
    done = run(sys.executable, "-c", code, env={"PATH": str(tmp_path), "VENV": str(tmp_path / "v")})
    assert "Python 3.11.5 or newer is needed; this is 3.9.2" in one_line(done)


def test_python_without_venv(tmp_path):
    code = PRELUDE + f"sys.modules['ensurepip'] = None; runpy.run_path('{SCRIPT}', run_name='__main__')"
    done = run(sys.executable, "-c", code, env={"VENV": str(tmp_path / "v")})
    assert "apt install python3-venv" in one_line(done)


def test_no_network(tmp_path):
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_TIMEOUT": "2",
        "PIP_NO_CACHE_DIR": "1",
    }
    nowhere |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": "",
        "VENV": str(tmp_path / "v"),
    }
    done = run(sys.executable, SCRIPT, "requirements.txt", env=nowhere)
    assert one_line(done).startswith("No network: ")
    assert not (tmp_path / "v/installed.txt").exists(), "a failed installation counts as done"


def test_lock_that_does_not_exist(tmp_path):
    done = run(sys.executable, SCRIPT, "no-such.txt", env={"VENV": str(tmp_path / "v")})
    assert "no-such.txt: no such lock file" in one_line(done)


def test_second_call_installs_nothing(tmp_path):
    empty = ROOT / "tests/empty-lock.txt"
    empty.write_text("", "utf-8")
    try:
        environment = {"VENV": str(tmp_path / "v")}
        first = run(sys.executable, SCRIPT, "tests/empty-lock.txt", env=environment)
        second = run(sys.executable, SCRIPT, "tests/empty-lock.txt", env=environment)
    finally:
        empty.unlink()
    assert (first.returncode, second.returncode, second.stderr) == (0, 0, ""), first.stderr
    assert "Installing" in first.stderr


def test_another_lock_is_added_to_what_is_there():
    """`make check` after `make serve` must not make the environment again under the running preview."""
    site, tests = "requirements.txt aa 3.11.7", "tests/requirements.txt bb 3.11.7"
    assert bootstrap.outdated([site, ""], [site, tests]) == []
    assert bootstrap.outdated([site, tests], [site]) == []
    assert bootstrap.outdated([site, tests], ["requirements.txt cc 3.11.7", tests]) == [site]
    assert bootstrap.outdated([site], ["requirements.txt aa 3.12.1"]) == [site]


@pytest.mark.skipif(not shutil.which("make"), reason="make is how this door is opened; Windows has the plain commands")
class TestMake:
    def test_help_lists_every_target(self):
        text = run("make").stdout
        targets = {
            line.split(":")[0]
            for line in (ROOT / "Makefile").read_text().splitlines()
            if ":.*##" not in line and "## " in line and ":" in line and not line.startswith("#")
        }
        for target in targets - {"help"}:
            assert f"make {target}" in text

    def test_no_python(self, tmp_path):
        done = run("make", "serve", "PYTHON=no-such-python")
        assert (
            "No no-such-python found. Install Python 3.11.5 or newer" in done.stderr and "Traceback" not in done.stderr
        )


DOORS = {"_site": ["requirements.txt"], "_check": ["requirements.txt", "tools/prose/requirements.txt"]}
IMPORT = """
import importlib, importlib.util, sys
from importlib.metadata import packages_distributions

locked, doors = [argument.split() for argument in sys.argv[1:]]
plain = lambda name: name.lower().replace("_", "-").replace(".", "-")
installed = packages_distributions().items()
absent = {module for module, packages in installed if not {plain(package) for package in packages} & {*locked, "pip"}}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name in absent:
            raise ImportError(f"{name} is in none of the locks")

sys.meta_path.insert(0, Refuse())
assert "pytest" in absent
for door in doors:
    importlib.import_module(f"{door}.__main__" if importlib.util.find_spec(door).submodule_search_locations else door)
"""


@pytest.mark.parametrize("door", DOORS)
def test_each_target_imports_only_what_its_locks_install(door):
    """`make serve`, `make new` and the deployment install requirements.txt alone; any may be the first to run."""
    recipes = re.findall(r"^([a-z]+): (.*?) ##.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.M)
    doors = [name for _, needs, recipe in recipes if door in needs for name in re.findall(r"-m (tools[.\w]+)", recipe)]
    doors += ["tools.hooks", "tools.portable"] if door == "_site" else []  # by MkDocs, and on Windows without make
    assert {"_site": "tools.new_page", "_check": "tools.check"}[door] in doors
    locked = re.findall(r"^([a-z0-9-]+)==", "".join((ROOT / lock).read_text("utf-8") for lock in DOORS[door]), re.M)
    done = run(sys.executable, "-c", IMPORT, " ".join(locked), " ".join(doors))
    assert done.returncode == 0, done.stderr


def test_locks_are_current():
    """Each package of pyproject.toml stands in its lock with the pinned version."""
    import tomllib

    from tools.lock import LOCKS

    for lock, names in LOCKS.items():
        text = (ROOT / lock).read_text("utf-8")
        for name in names:
            file, _, group = name.rpartition(":")
            groups = tomllib.loads((ROOT / (file or "pyproject.toml")).read_text("utf-8"))["dependency-groups"]
            for requirement in groups[group]:
                if isinstance(requirement, dict):  # the group that it includes stands in the list of its own
                    continue
                pin = re.sub(r"\[.*?\]", "", requirement.split(";")[0].strip())
                assert f"\n{pin} " in text or f"\n{pin}\\" in text, f"{lock} has no {pin}; run: make lock"
        assert "--hash=sha256:" in text and "http" not in text
