"""python -m tools.prose [page ...]: print what is wrong with the words of the pages; status 1 when anything is."""

import sys
from pathlib import Path

from tools.prose import check, pages_of


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parent.parent.parent
    pages = [Path(name).resolve() for name in arguments] or pages_of(root)
    problems = check(root, pages)
    for problem in problems:
        print(problem)
    if problems:
        return 1
    print(f"prose: {len(pages)} page{'s' if len(pages) != 1 else ''}, no problem")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
