"""Parts of pages that are made from data: between two marks, committed, and compared on every check.

`<!-- versions:start -->` and `<!-- versions:end -->` stand in the page; what is between them is written by the module
of that name. Everything around it is written by people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.generated import contract, errors, freshness, measurements, paths, search, versions
from tools.parts import STALE, replace, spliced
from tools.portable.problem import Problem

Maker = Callable[[Path], dict[str, str]]  # the root of the project -> name of a part -> its Markdown

# The page, and who makes its parts.
PAGES: dict[str, Maker] = {
    "docs/start/how-to-use/README.md": paths.parts,
    "docs/reference/errors/README.md": errors.parts,
    "docs/reference/versions/README.md": versions.parts,
    "docs/reference/measurements/README.md": measurements.parts,
    "docs/reference/search/README.md": search.parts,
    "docs/reference/freshness/README.md": freshness.parts,
    "docs/technologies/openapi-contract/README.md": contract.parts,
}


@dataclass
class Result:
    problems: list[Problem] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


def run(root: Path, *, write: bool) -> Result:
    """Compare the generated parts of all pages with their data; with `write`, correct them."""
    result = Result()
    for name, maker in PAGES.items():
        path = root / name
        if not path.is_file():
            continue
        text = path.read_text("utf-8")
        try:
            made = maker(root)
        except (OSError, ValueError, LookupError) as error:  # data of other pages; their own checks name the line
            what = " ".join(str(error).replace(f"{root}/", "").split())
            problem = Problem(name, 1, "generated", f"its parts cannot be made: {what}", f"correct that, then {STALE}")
            result.problems.append(problem)
            continue
        wanted, problems = spliced(text, name, made)
        result.problems += problems
        if wanted == text or problems:
            continue
        if write:
            replace(path, wanted)
            result.written.append(name)
        else:
            line = next(n for n, pair in enumerate(zip(text.split("\n"), wanted.split("\n"), strict=False), 1)
                        if pair[0] != pair[1])  # fmt: skip
            result.problems.append(Problem(name, line, "generated", "this differs from the data it is made of", STALE))
    return result
