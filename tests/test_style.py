"""The style of the Python code, by ruff."""

import sys

from conftest import run


def test_lint():
    done = run(sys.executable, "-m", "ruff", "check", "--output-format", "concise", ".")
    assert done.returncode == 0, done.stdout


def test_format():
    done = run(sys.executable, "-m", "ruff", "format", "--check", ".")
    assert done.returncode == 0, f"{done.stdout}\nrun: make format"
