"""Blocks that are proved by parsing them: JSON, TOML, Mermaid."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.listings.fences import Fence
from tools.portable.problem import Problem

CORRECT = "correct this line"


def json_blocks(blocks: list[Fence], root: Path) -> Iterator[Problem]:
    """Report what is not JSON (comments and trailing commas are not), and a key that stands twice in an object."""
    for fence in blocks:
        twice: list[str] = []
        try:
            json.loads(fence.code, object_pairs_hook=lambda pairs, twice=twice: twice.extend(_repeated(pairs)))
        except json.JSONDecodeError as error:
            yield fence.problem(min(error.lineno, fence.code.count("\n")), f"not JSON: {error.msg}", CORRECT)
        except RecursionError:
            yield fence.problem(0, "not JSON that anybody reads: it is nested too deeply", CORRECT)
        for key in twice:
            lines = fence.code.split("\n")
            line = max(n for n, text in enumerate(lines, 1) if json.dumps(key, ensure_ascii=False) in text or n == 1)
            yield fence.problem(line, f"the key '{key}' stands twice", "delete one")


def _repeated(pairs: list[tuple[str, object]]) -> list[str]:
    keys = [key for key, _ in pairs]
    return sorted({key for key in keys if keys.count(key) > 1})


def toml_blocks(blocks: list[Fence], root: Path) -> Iterator[Problem]:
    """Report what is not TOML."""
    for fence in blocks:
        try:
            tomllib.loads(fence.code)
        except tomllib.TOMLDecodeError as error:
            message = str(error)
            place = re.search(r" \(at line (\d+), column \d+\)", message)
            line = int(place[1]) if place else fence.code.count("\n")
            yield fence.problem(line, f"not TOML: {message.split(' (at ')[0]}", CORRECT)


def mermaid_blocks(blocks: list[Fence], root: Path) -> Iterator[Problem]:
    """Report what the site cannot draw."""
    from tools.finish import diagrams

    for fence in blocks:
        try:
            diagrams.draw(fence.code)
        except diagrams.DiagramError as error:
            yield fence.problem(error.line, error.message, "correct this line of the diagram")
        except diagrams.NotAvailableError:
            return  # said by the build, which stops
