"""The page says of each explained difference why it may stay."""

from pathlib import Path

from tools.parity import compare

PAGE = Path(__file__).with_name("README.md")


def test_the_page_names_every_explained_difference():
    text = PAGE.read_text("utf-8")
    for entry in compare.load():
        assert f"| {entry.facet} |" in text, f"explain '{entry.facet}' on the page too"


def test_the_page_names_the_versions_that_are_compared():
    text = PAGE.read_text("utf-8")
    from tools.parity import sites

    assert all(sites.version(name) in text for name in (sites.OURS, *sites.LOCKS))
