"""The command line: python -m tools.measure [--check] [PAGE]; status 1 for problems, 2 for a wrong call."""

from __future__ import annotations

import signal
import sys
import time

from tools.measure import MeasureError, pages
from tools.measure.check import check
from tools.repository import ROOT
from tools.services import ServiceError


class Terminated(BaseException):
    """SIGTERM. Not SystemExit, which the code of a page can raise, too."""


def _terminate(*_: object) -> None:
    raise Terminated


def main(arguments: list[str]) -> int:
    """Measure or check; see the top of the package."""
    checking = "--check" in arguments
    names = [argument for argument in arguments if argument != "--check"]
    if len(names) > 1 or any(name.startswith("-") for name in names):
        print("usage: python -m tools.measure [--check] [PAGE]   (PAGE like challenges/n-plus-one)", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _terminate)
    try:
        wanted = [pages.find(ROOT, name) for name in names]
        return _check(wanted) if checking else _measure(wanted or pages.measured(ROOT))
    except (MeasureError, ServiceError) as error:
        print(f"measure: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("measure: interrupted; the old results stay", file=sys.stderr)
        return 128 + signal.SIGINT
    except Terminated:
        return 128 + signal.SIGTERM


def _check(wanted: list[pages.Page]) -> int:
    problems = check(ROOT, wanted or None)
    for problem in problems:
        print(problem)
    if not problems:
        count = len(wanted or pages.measured(ROOT))
        print(f"measure: {count} page{'s' if count != 1 else ''} measured, all results current")
    return 1 if problems else 0


def _measure(wanted: list[pages.Page]) -> int:
    if not wanted:
        print("measure: no page has a measure.py yet")
        return 0
    from tools.measure.run import run  # needs what the job board is made with; the check does not

    began = time.monotonic()

    def say(message: str) -> None:
        print(f"measure: {time.monotonic() - began:5.0f} s  {message}", file=sys.stderr, flush=True)

    failed = run(ROOT, wanted, say)
    say(f"{len(wanted) - failed} of {len(wanted)} measured")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
