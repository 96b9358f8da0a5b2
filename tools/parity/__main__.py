"""python -m tools.parity [properdocs] [zensical]: build the site with each and compare it with ours.

Status 1 when a generator does not build, when something differs that explained.toml does not explain, or when an entry
there explains nothing any more.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tools.parity import compare, search, sites


def run(names: list[str], say=print) -> dict[str, tuple[Counter, Counter, int]]:
    """Build, compare and tell; return {generator: (values compared, values that differ, problems)} by what they are.

    Raises ParityError.
    """
    for name in names:
        sites.install(name)
    wanted = search.queries()
    ours = _facets(sites.build(sites.OURS, say), wanted)
    result = {}
    for name in names:
        theirs = _facets(sites.build(name, say), wanted)
        found = compare.differences(ours, theirs)
        left, problems = compare.judged(name, found, compare.load())
        compared = Counter()
        for (facet, _), values in ours.items():
            compared[facet] += len(values)
        result[name] = (compared, Counter(difference.facet for difference in found), len(left) + len(problems))
        total = f"{sum(compared.values()):,} values of {len(compared)} kinds on {compared['pages']} pages"
        say(f"{sites.version(name)}: {total}; {len(found) - len(left)} differences explained, {len(left)} not")
        for line in [*compare.lines(left), *problems]:
            say(f"  {line}")
    return result


def _facets(folder, wanted: list[str]) -> dict[tuple[str, str], list[str]]:
    return compare.facets(folder) | {("search", compare.WHOLE): search.first(folder, wanted)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.parity", description=__doc__)
    parser.add_argument("names", nargs="*", help="properdocs, zensical; both without one")
    names = parser.parse_args().names or list(sites.LOCKS)
    if unknown := set(names) - set(sites.LOCKS):
        parser.error(f"no such generator: {', '.join(sorted(unknown))}; known: {', '.join(sites.LOCKS)}")
    try:
        result = run(names)
    except sites.ParityError as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if any(problems for _, _, problems in result.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
