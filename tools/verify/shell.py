"""Commands: shellcheck for the language, this repository for what they name.

A `bash` block is a script. A `console` block is what somebody types, with or without `$ ` before it; it shows no
output, because nothing would prove that: output is a text fence with title="results.txt". So each of its lines begins
with one of PROGRAMS, with a path or with a variable.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tools.listings.fences import Fence
from tools.portable.problem import Problem
from tools.verify import doors, programs

# A reader types these lines: 'cd x || exit' would end the terminal, and what is set may be for later. A sourced file is
# looked for by doors.
NOT_FOR_READERS = "SC2164,SC2034,SC1091"
OUTPUT = 'show output in a text fence with title="results.txt"'
PROGRAMS = set(
    """
    . [ alias cd command echo exec exit export false for if jobs kill printf pwd read set source test time trap true
    type ulimit unset until wait while do done then else elif fi case esac { } !
    awk base64 cat chmod chown cp curl cut date df diff dig dot du env find free grep gzip head htop jq kill less ln ls
    lsof mkdir mv nohup nproc nslookup openssl ping ps rm rmdir scp sed seq sleep sort split ss ssh ssh-add ssh-keygen
    sudo tail tar tee timeout top touch tr tree uname uniq unzip uuidgen watch wc which whoami xargs
    apt apt-get brew docker gh git make node npm npx py
    ab bandit celery coverage createdb django-admin dropdb gitleaks gunicorn hadolint http k6 locust mkdocs mypy pg_dump
    pg_restore pgbench pip pip-audit pipx pre-commit psql pytest py-spy pyright python redis-cli ruff schemathesis
    shellcheck tox uv uvx valkey-cli zizmor
    """.split()  # noqa: SIM905  a list of them would be a line each
)
VERSION = re.compile(r"\d+(\.\d+)?$")  # python3.11 is python


def verify(blocks: list[Fence], root: Path) -> Iterator[Problem]:
    """Report shell errors, make targets and files that do not exist, and output in a console block."""
    scripts = []
    for fence in blocks:
        script, outputs = commands(fence) if fence.kind == "console" else (fence.code, [])
        scripts.append(script)
        for line in outputs:
            yield fence.problem(line, "a console block holds commands, each after '$ ' or none", OUTPUT)
        for line, name in unknown(script) if fence.kind == "console" else ():
            fix = f"{OUTPUT}; if it is a program, add it to PROGRAMS in tools/verify/shell.py"
            yield fence.problem(line, f"'{name}' is no command that is known here", fix)
        for line, message, fix in doors.missing(script, root):
            yield fence.problem(line, message, fix)
    with programs.files(blocks, "%d.sh", scripts) as (folder, names):
        options = ["--norc", "--shell=bash", f"--exclude={NOT_FOR_READERS}", "--format=json1"]
        for found in json.loads(programs.output("shellcheck", *options, *names, folder=folder))["comments"]:
            yield names[found["file"]].problem(
                found["line"], f"shellcheck SC{found['code']}: {found['message']}", "correct this line"
            )


def unknown(script: str) -> Iterator[tuple[int, str]]:
    """Yield what stands in the place of a program and is none: output, or a slip of the keyboard."""
    for line, words in doors.commands(script):
        if VERSION.sub("", words[0]) not in PROGRAMS and not re.search(r"/|^\$", words[0]):
            yield line, words[0]


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
