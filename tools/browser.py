"""Find or install the Chromium that tests, measurements and pictures use: python -m tools.browser"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

# Background services of Chromium call out; switched off so that a test sees the page's own requests only.
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
COMMANDS = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge"]
PROGRAMS = {
    "Darwin": [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ],
    "Windows": [
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ],
}
WAYS = """No Chromium to test with. One of three ways, then run the same command again:
  1. install Chromium or Chrome (Debian, Ubuntu: apt install chromium)
  2. {python} -m playwright install --with-deps chromium
  3. name one that you have: CHROMIUM=/path/to/chromium make test"""


class NoBrowserError(Exception):
    """No Chromium is here and none could be installed. The message names the three ways to get one."""


def flags() -> list[str]:
    """Command line switches for a headless run; root (a container) cannot use the sandbox."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*FLAGS, "--no-sandbox"] if root else FLAGS


def _works(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        path = driver.chromium.executable_path
    return path if Path(path).exists() and _works(path) else None


def find() -> str | None:
    """The path of a Chromium on this machine: CHROMIUM, a command, a program, or Playwright's own; None without."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not _works(named):
            raise NoBrowserError(f"CHROMIUM={named} does not start. Name a Chromium or Chrome that runs, or unset it")
        return named
    places = [shutil.which(command) for command in COMMANDS] + PROGRAMS.get(platform.system(), [])
    here = next((place for place in places if place and Path(place).exists() and _works(place)), None)
    return here or _of_playwright()


def _try(*command: str) -> bool:
    print("$", *command, file=sys.stderr, flush=True)
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=600).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install() -> str:
    """Install a Chromium with Playwright, else with apt, and return its path. Raises NoBrowserError."""
    _try(sys.executable, "-m", "playwright", "install", "chromium")
    found = find()
    if not found and shutil.which("apt-get"):
        may = [] if os.geteuid() == 0 else ["sudo", "-n"]
        if _try(*may, "apt-get", "update", "-qq"):
            _try(*may, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
        found = find()
    if not found:
        raise NoBrowserError(WAYS.format(python=os.path.relpath(sys.executable)))
    return found


def require() -> str:
    """The path of a Chromium, installed first where there is none. Raises NoBrowserError."""
    return find() or install()


if __name__ == "__main__":
    try:
        print(f"Ready. The browser is {require()}")
    except NoBrowserError as error:
        sys.exit(str(error))
