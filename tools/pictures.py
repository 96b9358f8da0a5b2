"""Draw the screenshot of the README, from the site."""

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools import browser
from tools.pages_server import serving
from tools.repository import ROOT

SCREENSHOT = ROOT / ".github/screenshot.png"


def draw() -> None:
    """Write the screenshot, from a fresh build of the site."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        site = Path(folder, "site")
        if subprocess.run([sys.executable, "-m", "tools.build", site], cwd=ROOT).returncode:
            sys.exit("The screenshot stays as it is: the site was not built (above)")
        chromium = driver.chromium.launch(executable_path=browser.require(), args=browser.flags())
        page = chromium.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        with serving(site) as url:
            page.goto(url)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=SCREENSHOT)
        chromium.close()


if __name__ == "__main__":
    draw()
    print(f"{SCREENSHOT.relative_to(ROOT)}: {SCREENSHOT.stat().st_size // 1024} KiB")
