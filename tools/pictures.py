"""Draw the pictures that are made from the site: the README's screenshot and the picture of shared links."""

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools import browser
from tools.finish.metadata import IMAGE, IMAGE_SIZE
from tools.pages_server import serving
from tools.repository import ROOT

SCREENSHOT = ROOT / ".github/screenshot.png"

CARD = """
<body data-md-color-scheme="default">
<style>
  {css}
  body {{ margin: 0; padding: 84px 96px; width: 1008px; height: 462px; background: var(--nexus-paper);
    border-top: 14px solid var(--nexus-accent); font-family: var(--nexus-serif); color: var(--nexus-ink) }}
  svg {{ width: 116px; height: 116px }}
  h1 {{ margin: 34px 0 18px; font-size: 82px; font-weight: 600; letter-spacing: -0.01em }}
  p {{ margin: 0; max-width: 940px; font-size: 34px; line-height: 1.35; color: var(--nexus-muted) }}
</style>
{mark}<h1>ALX Project Nexus</h1><p>{promise}</p>
"""


def draw() -> None:
    """Write both pictures, the screenshot from a fresh build of the site."""
    css = (ROOT / "docs/assets/stylesheets/nexus.css").read_text("utf-8")
    mark = (ROOT / "overrides/partials/logo.html").read_text("utf-8").split("-#}")[1]
    promise = (ROOT / "docs/README.md").read_text("utf-8").split("\n\n")[1]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        site = Path(folder, "site")
        if subprocess.run([sys.executable, "-m", "tools.build", site], cwd=ROOT).returncode:
            sys.exit("The pictures stay as they are: the site was not built (above)")
        chromium = driver.chromium.launch(executable_path=browser.require(), args=browser.flags())
        page = chromium.new_page(viewport=dict(zip(("width", "height"), IMAGE_SIZE, strict=True)))
        page.set_content(CARD.format(css=css, mark=mark, promise=promise))
        page.screenshot(path=ROOT / "docs" / IMAGE)
        page = chromium.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        with serving(site) as url:
            page.goto(url)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=SCREENSHOT)
        chromium.close()


if __name__ == "__main__":
    draw()
    for path in (ROOT / "docs" / IMAGE, SCREENSHOT):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB")
