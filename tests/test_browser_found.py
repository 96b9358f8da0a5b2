"""Where the tests' browser comes from, and what is said when there is none."""

import sys

import pytest

from tools import browser


@pytest.fixture
def bare_machine(monkeypatch):
    """A machine without any Chromium; returns the list of commands that were tried to install one."""
    tried: list[tuple[str, ...]] = []
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser, "COMMANDS", [])
    monkeypatch.setattr(browser, "PROGRAMS", {})
    monkeypatch.setattr(browser, "_of_playwright", lambda: None)
    monkeypatch.setattr(browser, "_try", lambda *command: bool(tried.append(command)))
    return tried


def test_no_browser_names_three_ways(bare_machine):
    with pytest.raises(browser.NoBrowserError) as error:
        browser.require()
    message = str(error.value)
    assert "apt install chromium" in message and "playwright install" in message and "CHROMIUM=/path" in message


def test_playwright_is_tried_before_apt(bare_machine, monkeypatch):
    monkeypatch.setattr(browser.shutil, "which", lambda name: f"/usr/bin/{name}" if name == "apt-get" else None)
    with pytest.raises(browser.NoBrowserError):
        browser.require()
    assert bare_machine[0][1:] == ("-m", "playwright", "install", "chromium")
    assert "apt-get" in bare_machine[1]


def test_named_browser_that_does_not_start(bare_machine, monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/no/such/chromium")
    with pytest.raises(browser.NoBrowserError, match="CHROMIUM=/no/such/chromium does not start"):
        browser.require()


def test_tests_do_not_run_without_a_browser(monkeypatch, capsys):
    from tools import test

    def none() -> str:
        raise browser.NoBrowserError("no browser")

    monkeypatch.setattr(browser, "require", none)
    monkeypatch.setattr(sys, "argv", ["tools.test"])
    assert test.main() == 1
    assert capsys.readouterr().err == "no browser\n"
