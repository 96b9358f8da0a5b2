"""python -m tools.generated [--check]: write the generated parts of pages, or compare them; status 1 for a problem."""

import sys
from pathlib import Path

from tools.generated import run

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str], root: Path = ROOT) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python -m tools.generated [--check]", file=sys.stderr)
        return 2
    result = run(root, write=not arguments)
    for problem in result.problems:
        print(problem)
    for name in result.written:
        print(f"generated: wrote {name}")
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
