"""The pages keep their rules: what `make check` says of them."""

import sys

from conftest import ROOT, run

from tools import listings, portable


def test_markdown_is_portable():
    assert [str(problem) for problem in portable.check(ROOT)] == []


def test_listings_are_current():
    assert [str(problem) for problem in listings.run(ROOT, write=False).problems] == []


def test_measured_numbers_are_current():
    done = run(sys.executable, "-m", "tools.measure", "--check")
    assert done.returncode == 0, done.stderr
