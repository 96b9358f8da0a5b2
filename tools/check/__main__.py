"""python -m tools.check [PAGE]: check all pages, or one with its blocks and tests; status 1 for any problem.

PAGE is one such as challenges/n-plus-one. Each problem is a line 'path:line: what is wrong; what to do', and the last
line counts them. In GitHub Actions they become annotations and a summary as well (github.py).
"""

import os
import sys
import time
from pathlib import Path

from tools.check import Report, anatomy, facts, github, names, run
from tools.portable.page import Page
from tools.repository import ROOT


def main(arguments: list[str], root: Path = ROOT) -> int:
    if len(arguments) > 1:
        print("usage: python -m tools.check [PAGE]   (PAGE like challenges/n-plus-one)", file=sys.stderr)
        return 2
    began = time.monotonic()
    try:
        page = names.find(root, arguments[0]) if arguments else None
    except names.NoPageError as error:
        print(f"check: {error}", file=sys.stderr)
        return 2
    try:
        report = run(root, [page] if page else None, progress)
        told = _prove(root, page, report) if page else [_many(len(report.sketches), "sketch")]
    except KeyboardInterrupt:
        progress()
        print("check: interrupted", file=sys.stderr)
        return 130
    progress()
    for problem in report.problems:
        print(" ".join(str(problem).split()))
    if github.running():
        _on_github(root, report)
    where = page.relative_to(root).as_posix() if page else f"{report.pages} pages"
    print(f"check: {where}: {_counted(report)}; {', '.join(told)}; {time.monotonic() - began:.1f} s", flush=True)
    return 1 if report.problems else 0


def _prove(root: Path, path: Path, report: Report) -> list[str]:
    """Run the blocks and tests of one page, if nothing is wrong with its text; return what the last line says of it."""
    page = Page(root, path)
    if page.text is None or not path.is_relative_to(root / "docs"):
        return ["its Markdown alone"]
    from tools.check import proof  # needs what tests need, which a check of all pages does not

    progress("blocks")
    report.found["blocks"] = proof.blocks(root, path)
    progress("tests")
    report.found["tests"], passed, printed = proof.tests(root, path)
    progress()
    sys.stderr.write(printed)
    for problem in anatomy.advice(page):
        print(f"advice: {problem}")
    counted = facts.of(page)
    return [
        _many(counted.words, "word"),
        _many(round(counted.minutes), "minute"),
        _many(counted.samples, "sample"),
        _many(counted.sketches, "sketch"),
        f"{_many(passed, 'test')} passed",
    ]


def _counted(report: Report) -> str:
    counts = report.counts
    kinds = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    return f"{_many(counts.total(), 'problem')} ({kinds})" if kinds else "no problem"


def _many(number: int, of: str) -> str:
    ending = "" if number == 1 else "es" if of.endswith("ch") else "s"
    return f"{number:,} {of}{ending}"


def progress(name: str = "") -> None:
    """Say on a terminal what is being checked, on one line that the next call writes over; '' clears it."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[Kcheck: {name} …" if name else "\r\x1b[K")
        sys.stderr.flush()


def _on_github(root: Path, report: Report) -> None:
    base = os.environ.get("GITHUB_BASE_REF", "")
    files = github.changed_files(root, base) if base else set()
    noted = [note for path in github.changed_pages(root, files or set()) for note in anatomy.advice(Page(root, path))]
    print(*github.annotations(report.problems, files or set()), *github.annotations(noted, set(), "warning"), sep="\n")
    if base and (place := os.environ.get("GITHUB_STEP_SUMMARY")):
        with open(place, "a", encoding="utf-8") as file:
            file.write(github.summary(root, report, files, noted))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
