"""python -m tools.listings [--check]: fill the listings of all pages, or compare them; status 1 for any problem."""

import sys
from pathlib import Path

from tools.listings import run

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str], root: Path = ROOT) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python -m tools.listings [--check]", file=sys.stderr)
        return 2
    result = run(root, write=not arguments)
    for problem in result.problems:
        print(problem)
    for name in result.written:
        print(f"listings: wrote {name}")
    sketches = len(result.sketches)
    where = f" ({', '.join(sorted(result.sketches))})" if sketches else ""
    print(f"listings: {len(result.listings)} listings, {sketches} sketches{where}", flush=True)
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
