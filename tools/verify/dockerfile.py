"""Dockerfiles, by hadolint."""

import json
from collections.abc import Iterator
from pathlib import Path

from tools.listings.fences import Fence
from tools.portable.problem import Problem
from tools.verify import programs


def verify(blocks: list[Fence], root: Path) -> Iterator[Problem]:
    """Report what hadolint finds; a block is a whole Dockerfile."""
    with programs.files(blocks, "%d.Dockerfile") as (folder, names):
        (folder / "hadolint.yaml").touch()  # its own defaults, whatever the machine is set to
        options = ["--config", "hadolint.yaml", "--format", "json", "--no-fail"]
        for found in json.loads(programs.output("hadolint", *options, *names, folder=folder)):
            if found["level"] != "style":
                yield names[found["file"]].problem(
                    found["line"], f"hadolint {found['code']}: {found['message']}", "correct this line"
                )
