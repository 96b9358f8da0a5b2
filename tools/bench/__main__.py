"""python -m tools.bench [60 300 1000]: build, save-to-browser and memory beside bare Material and Zensical.

Prints a table and every target as reached or not. The status is 0 in both cases, because timings are noisy; it is 1
when a build fails. CPU seconds are the figure to read; wall time only compares builds of the same run.
"""

import argparse
import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import statistics
import sys

from tools import peers
from tools.bench import corpus, project, report, run, saving
from tools.repository import ROOT

FOLDER = ROOT / ".cache" / "bench"
PEER = ROOT / ".cache" / "bench-venv"
LOCK = "tools/bench/requirements.txt"
SIZES = [60, 300, 1000]


def say(line: str) -> None:
    print(line, flush=True)


def runs_for(pages: int) -> int:
    """How often each variant is built: a short build is noisier and cheaper than a long one."""
    return 5 if pages <= 100 else 3 if pages <= 500 else 2


def variants() -> list[run.Variant]:
    """Ours, what `make site` adds to it, and the peers."""
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
    zensical = [str(peers.program(PEER, "zensical")), "build", "-f"]
    found = [
        run.Variant(report.OURS, [*mkdocs, "--strict", "--site-dir", "site"], "site"),
        run.Variant(report.BARE, [*mkdocs, "-f", "bare.yml"], "site-bare"),
        run.Variant(report.PEER, [*zensical, "zensical.yml"], "site-zensical"),
        run.Variant(report.PRUNED, [*zensical, "zensical-prune.yml"], "site-zensical-prune"),
    ]
    if importlib.util.find_spec("tools.portable"):
        found.append(run.Variant("make site", [sys.executable, "-m", "tools.build"], "site"))
    return found


def install() -> None:
    """Make the other generator's environment, once. Ends the program with the reason when that fails."""
    try:
        peers.install(LOCK, PEER)
    except peers.PeerError as error:
        sys.exit(str(error))


def machine() -> dict:
    """Where and with what it was measured. `load` is the machine's average load of the last minute."""
    names = ["mkdocs", "mkdocs-material", "pymdown-extensions", "markdown", "pygments"]
    versions = {name: importlib.metadata.version(name) for name in names}
    load, python = os.getloadavg()[0], platform.python_version()
    return {"cores": os.cpu_count(), "load": load, "python": python, "versions": versions}


def measure(options: argparse.Namespace) -> tuple[report.Costs, dict[int, list[float]]]:
    costs: report.Costs = {}
    saves: dict[int, list[float]] = {}
    for pages in sorted(set(options.sizes)):
        folder = FOLDER / str(pages)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            made = project.make(pages, folder, options.same_extensions)
            say(f"{pages} pages, {made.size / pages / 1000:.1f} KB a page, {len(made.commits)} commits")
            costs[pages] = run.interleaved(
                variants(), folder, options.runs or runs_for(pages), project.ENVIRONMENT, say
            )
            if options.browser:
                saves[pages] = saving.measure(folder, list(made.pages), project.ENVIRONMENT, say)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return costs, saves


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="pages of the synthetic sites")
    parser.add_argument("--runs", type=int, help="builds of each variant (default: 5 of small sites, 2 of large ones)")
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="leave out save-to-browser")
    text = "give the peers our Markdown extensions (default: the longer list that they recommend)"
    parser.add_argument("--same-extensions", action="store_true", help=text)
    options = parser.parse_args()
    if min(options.sizes) < len(corpus.SECTIONS) + 1:
        parser.error(f"a site has at least {len(corpus.SECTIONS) + 1} pages: home and one for each section")
    install()
    before = machine()
    try:
        costs, saves = measure(options)
    except run.BenchError as error:
        print(error, file=sys.stderr)
        return 1
    medians = {pages: statistics.median(seconds) for pages, seconds in saves.items()}
    goals = report.targets(costs, medians)
    say(f"\n{report.table(costs)}\n")
    for pages, seconds in saves.items():
        each = " ".join(f"{value:.2f}" for value in sorted(seconds))
        say(f"save to browser at {pages} pages: median {medians[pages]:.2f} s of {each}")
    say(f"The peers have {'our' if options.same_extensions else 'their recommended'} Markdown extensions")
    say("\n".join(str(goal) for goal in goals))
    say(f"{before['cores']} cores, load {before['load']:.1f} at the start and {os.getloadavg()[0]:.1f} at the end")
    results = {
        "machine": before,
        "same_extensions": options.same_extensions,
        "builds": {
            pages: {name: [dataclasses.asdict(cost) for cost in runs] for name, runs in group.items()}
            for pages, group in costs.items()
        },
        "save_to_browser": saves,
        "targets": [dataclasses.asdict(goal) | {"reached": goal.reached} for goal in goals],
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "results.json"  # bytes, seconds and MiB as run.Cost has them
    path.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    say(f"Written: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
