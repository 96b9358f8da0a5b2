"""python -m tools.verify [page or folder ...]: prove the code blocks of pages, all below docs when none is named.

A page may also be named by its folder below docs, as for make check: challenges/n-plus-one.

Prints one line for each problem; status 1 for any problem, 2 when there are no servers to prove them on.
"""

import sys
from pathlib import Path

from tools.check import names
from tools.services import ServiceError
from tools.verify import check

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str]) -> int:
    pages: list[Path] = []
    for name in arguments or [str(ROOT / "docs")]:
        path = Path(name).resolve()
        try:
            path = path if path.exists() and path.is_relative_to(ROOT) else names.find(ROOT, name)
        except names.NoPageError as error:
            print(f"verify: {error}", file=sys.stderr)
            return 2
        pages += sorted(path.rglob("*.md")) if path.is_dir() else [path]
    try:
        problems = check(ROOT, pages)
    except ServiceError as error:
        print(f"services: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    for problem in problems:
        print(problem)
    print(f"verify: {len(pages)} page{'s' if len(pages) != 1 else ''}, {len(problems) or 'no'} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
