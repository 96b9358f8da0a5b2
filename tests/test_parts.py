"""make test says in its last line what came of all parts, and no part hides the failure of another."""

import pytest

from tools import test

REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


@pytest.fixture
def parts(monkeypatch):
    """Replace the parts by some that write a report and end with a status."""

    def part(status, *numbers):
        def run(arguments):
            (path,) = (argument.removeprefix("--junit-xml=") for argument in arguments)
            if numbers:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(REPORT.format(*numbers))
            return status

        return run

    return lambda **named: monkeypatch.setattr(test, "PARTS", {name: part(*told) for name, told in named.items()})


def test_the_last_line_counts_all_parts(parts, capsys):
    parts(hub=(0, 1200, 0, 0, 3), pages=(0, 100, 0, 0, 1))
    assert test.everything() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "All passed: 1,296 passed, 0 failed, 4 skipped in 0:00"


def test_a_part_that_fails_is_named_and_the_others_run(parts, capsys):
    parts(hub=(1, 10, 2, 1, 0), pages=(0, 5, 0, 0, 0))
    assert test.everything() == 1
    *_, hub, pages, last = capsys.readouterr().out.splitlines()
    assert " ".join(hub.split()) == "hub 7 passed, 3 failed, 0 skipped in 0:00; status 1"
    assert " ".join(pages.split()) == "pages 5 passed, 0 failed, 0 skipped in 0:00"
    assert last == "FAILED: 12 passed, 3 failed, 0 skipped in 0:00"


def test_a_part_that_writes_no_report_fails(parts, capsys):
    parts(hub=(0, 10, 0, 0, 0), pages=(4,))
    assert test.everything() == 4
    assert capsys.readouterr().out.splitlines()[-1].startswith("FAILED: ")


def test_every_static_check_exists_and_runs_once():
    for name in test.STATIC:
        assert (test.ROOT / f"tests/test_{name}.py").is_file()


def test_a_folder_without_tests_is_named(capsys):
    assert test.pages([], "docs/assets") == 1
    assert "docs/assets holds no test" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["challenges/n-plus-one", "docs/challenges/n-plus-one/", "challenges/n-plus-one/README.md"]
)
def test_a_page_is_named_as_for_make_check(name):
    assert test.folder_of(name) == "docs/challenges/n-plus-one"


@pytest.mark.parametrize("name", ["docs", "tests/test_x.py", "-k", "challenges/none"])
def test_what_is_no_page_below_docs_stays(name):
    assert test.folder_of(name) == name
