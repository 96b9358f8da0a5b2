"""python -m tools.parity [--report FILE] [properdocs] [zensical]: build the site with each and compare it with ours.

Status 1 when a generator does not build, when something differs that explained.toml does not explain, or when an entry
there explains nothing any more.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from tools.fresh.report import Entry, Report
from tools.parity import compare, search, sites


def run(names: list[str], say=print) -> dict[str, tuple[Counter, Counter, list[str]]]:
    """Build, compare and tell; return {generator: (values compared, values that differ, problems)}.

    The first two count by what is compared. Raises ParityError.
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
        problems = [*compare.lines(left), *problems]
        result[name] = (compared, Counter(difference.facet for difference in found), problems)
        total = f"{sum(compared.values()):,} values of {len(compared)} kinds on {compared['pages']} pages"
        say(f"{sites.version(name)}: {total}; {len(found) - len(left)} differences explained, {len(left)} not")
        for line in problems:
            say(f"  {line}")
    return result


def _facets(folder, wanted: list[str]) -> dict[tuple[str, str], list[str]]:
    return compare.facets(folder) | {("search", compare.WHOLE): search.first(folder, wanted)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.parity", description=__doc__)
    parser.add_argument("names", nargs="*", help="properdocs, zensical; both without one")
    parser.add_argument("--report", type=Path, help="where to write what nothing explains")
    options = parser.parse_args()
    names = options.names or list(sites.LOCKS)
    if unknown := set(names) - set(sites.LOCKS):
        parser.error(f"no such generator: {', '.join(sorted(unknown))}; known: {', '.join(sites.LOCKS)}")
    found = Report()
    try:
        for name, (_, _, problems) in run(names).items():
            found.entries += [Entry(sites.version(name), problem) for problem in problems]
    except sites.ParityError as error:
        print(error, file=sys.stderr)
        found.entries.append(Entry("make parity", str(error)))
    if options.report:
        found.write(options.report)
    return 1 if found.entries else 0


if __name__ == "__main__":
    sys.exit(main())
