"""Score the built site with Lighthouse, as a phone sees it: median of five runs a page.

Exits with 1 when accessibility, best practices or SEO is below 100, or performance below 95 (median).
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import browser
from tools.pages_server import serving
from tools.repository import ROOT

HERE = Path(__file__).parent
WORK = ROOT / ".cache/lighthouse"
NEEDED = (22, 19)  # what Lighthouse 13.5 asks for
PAGES = ["", "concepts/"]
RUNS = 5
CATEGORIES = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}


def require_node() -> None:
    """Exit with one line when there is no Node that is new enough."""
    node = shutil.which("node")
    text = subprocess.run([node, "--version"], capture_output=True, text=True).stdout if node else ""
    version = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    if version < NEEDED:
        here = text.strip() or "none"
        sys.exit(f"Lighthouse needs Node {NEEDED[0]}.{NEEDED[1]} or newer; here is {here}. Install one (nodejs.org)")


def install() -> Path:
    """Install the locked Lighthouse once and return its program."""
    program = WORK / "node_modules/lighthouse/cli/index.js"
    lock = HERE / "package-lock.json"
    if not program.exists() or (WORK / lock.name).read_bytes() != lock.read_bytes():
        WORK.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", lock.name):
            shutil.copy(HERE / name, WORK)
        done = subprocess.run([shutil.which("npm") or "npm", "ci", "--ignore-scripts", "--silent"], cwd=WORK)
        if done.returncode:
            sys.exit("npm ci failed (above); connect to the network and run the same command again")
    return program


def score(program: Path, url: str) -> dict[str, int]:
    """Run Lighthouse once; {category: score of 100}, and what lost points on the error stream."""
    flags = " ".join(["--headless=new", *browser.flags()])
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "report.json")
        command = ["node", program, url, "--quiet", "--output=json", f"--output-path={out}", f"--chrome-flags={flags}"]
        command.append("--only-categories=" + ",".join(CATEGORIES))
        subprocess.run(command, check=True, env=os.environ | {"CHROME_PATH": browser.require()})
        report = json.loads(out.read_text("utf-8"))
    for name in ("accessibility", "best-practices", "seo"):
        for audit in report["categories"][name]["auditRefs"]:
            result = report["audits"][audit["id"]]
            if audit["weight"] and result["score"] is not None and result["score"] < 1:
                print(f"  {name}: {result['title']}", file=sys.stderr)
    return {name: round(100 * report["categories"][name]["score"]) for name in CATEGORIES}


def main() -> int:
    require_node()
    program = install()
    low = []
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        # The address that it is served from here must be its address, or the canonical link is reported as wrong.
        with serving(site) as url:
            build = [sys.executable, "-m", "tools.build", site]
            if subprocess.run(build, cwd=ROOT, env=os.environ | {"SITE_URL": url}).returncode:
                sys.exit("Nothing to score: the site was not built (above)")
            print(f"{'page':20}" + "".join(f"{name:>16}" for name in CATEGORIES))
            for page in PAGES:
                runs = [score(program, url + page) for _ in range(RUNS)]
                medians = {name: statistics.median(run[name] for run in runs) for name in CATEGORIES}
                low += [f"{page or 'home'}: {name}" for name, least in CATEGORIES.items() if medians[name] < least]
                spread = f"   performance of {RUNS} runs: {sorted(run['performance'] for run in runs)}"
                print(f"{page or 'home':20}" + "".join(f"{medians[name]:16g}" for name in CATEGORIES) + spread)
    if low:
        print("Below the goal: " + ", ".join(low), file=sys.stderr)
    return int(bool(low))


if __name__ == "__main__":
    sys.exit(main())
