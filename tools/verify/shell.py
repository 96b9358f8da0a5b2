"""Commands: shellcheck for the language, this repository for what they name.

A `bash` block is a script. A `console` block is what somebody types, with or without `$ ` before it; it shows no
output, because nothing would prove that: output is a text fence with title="results.txt".
"""

import json
from collections.abc import Iterator
from pathlib import Path

from tools.listings.fences import Fence
from tools.portable.problem import Problem
from tools.verify import programs
from tools.verify.doors import missing

# A reader types these lines: 'cd x || exit' would end the terminal, and what is set may be for later.
NOT_FOR_READERS = "SC2164,SC2034"


def verify(blocks: list[Fence], root: Path) -> Iterator[Problem]:
    """Report shell errors, make targets and files that do not exist, and output in a console block."""
    scripts = []
    for fence in blocks:
        script, outputs = commands(fence) if fence.kind == "console" else (fence.code, [])
        scripts.append(script)
        for line in outputs:
            fix = 'show output in a text fence with title="results.txt"'
            yield fence.problem(line, "a console block holds commands, each after '$ ' or none", fix)
        for line, message, fix in missing(script, root):
            yield fence.problem(line, message, fix)
    with programs.files(blocks, "%d.sh", scripts) as (folder, names):
        options = ["--norc", "--shell=bash", f"--exclude={NOT_FOR_READERS}", "--format=json1"]
        for found in json.loads(programs.output("shellcheck", *options, *names, folder=folder))["comments"]:
            yield names[found["file"]].problem(
                found["line"], f"shellcheck SC{found['code']}: {found['message']}", "correct this line"
            )


def commands(fence: Fence) -> tuple[str, list[int]]:
    """The script of a console block, each command on its own line, and the lines that are output."""
    lines = fence.code.split("\n")[:-1]
    if not any(line.startswith("$ ") for line in lines):
        return fence.code, []
    script, outputs, goes_on = [], [], False
    for number, line in enumerate(lines, 1):
        typed = line.startswith("$ ") or (goes_on and line.startswith("> "))
        if not typed and line.strip():
            outputs.append(number)
        script.append(line[2:] if typed else "")
        goes_on = typed and line.endswith("\\")
    return "\n".join(script) + "\n", outputs
