"""python -m tools.portable [page ...]: print the problems of the pages, all when none is named; status 1 when any."""

import sys
from pathlib import Path

from tools.portable import check, nav, site


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parent.parent.parent
    pages = [Path(name).resolve() for name in arguments] or None
    problems = check(root, pages)
    for problem in problems:
        print(problem)
    if problems:
        return 1
    count = len(pages or nav.published_pages(site.load(root)))
    print(f"portable: {count} page{'s' if count != 1 else ''}, no problem")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
