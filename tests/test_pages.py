"""The pages keep their rules: what `make check` says of them."""

from conftest import ROOT

from tools import check


def test_the_check_finds_nothing():
    assert [str(problem) for problem in check.run(ROOT).problems] == []
