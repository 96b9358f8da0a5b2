"""What a command names must exist: make targets, scripts, modules and lock files of this repository."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

TARGET = re.compile(r"^([A-Za-z][\w-]*)\s*:(?!=)", re.M)
INTERPRETER = re.compile(r"^(?:python(?:3(?:\.\d+)?)?|bash|sh)$")
UNKNOWN = re.compile(r"^[/~$-]|[*?$<>{}]")  # not a path of ours, or not known before it runs
SEPARATORS = re.compile(r"^[;&|()]+$")
HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
CLONE = "alx-project-nexus"  # the folder that `git clone` of this repository makes is its root

Missing = tuple[int, str, str]  # line, message, fix


def missing(script: str, root: Path) -> Iterator[Missing]:
    """Yield what the commands of a script name and the repository has not. It starts in the repository's root.

    A command that this does not know (git, docker, curl) is left to shellcheck.
    """
    folder: Path | None = root  # None: somewhere that only running it would tell
    made = False
    for line, words in commands(script):
        made = made or words[0] in ("mkdir", "git", "tar", "unzip", "docker")
        if words[0] == "cd" and len(words) > 1:
            target = None if folder is None or UNKNOWN.search(words[1]) else (folder / words[1]).resolve()
            if target and folder == root and words[1] == CLONE:
                target = root
            elif target and not target.is_dir():
                if not made:
                    yield line, f"there is no folder {words[1]}", "name a folder of the repository"
                target = None
            folder = target if target and target.is_relative_to(root) else None
        elif folder is not None:
            yield from ((line, *found) for found in _named(words, folder))


def _named(words: list[str], folder: Path) -> Iterator[tuple[str, str]]:
    if words[0] == "make":
        yield from _targets(words[1:], folder)
    elif INTERPRETER.match(words[0]) and len(words) > 1:
        if words[1] == "-m" and len(words) > 2:
            module = folder / words[2].replace(".", "/")
            ours = (folder / words[2].split(".")[0]).is_dir()
            if ours and not (module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()):
                yield f"there is no module {words[2]}", "name a module of the repository"
        elif not UNKNOWN.search(words[1]):
            yield from _file(words[1], folder)
    elif words[0] in ("source", ".") and len(words) > 1:
        yield from _file(words[1], folder)
    elif "/" in words[0]:
        yield from _file(words[0], folder)
    if {"pip", "install"} <= set(words):
        for option, value in pairwise(words):
            if option in ("-r", "--requirement"):
                yield from _file(value, folder)


def _targets(words: list[str], folder: Path) -> Iterator[tuple[str, str]]:
    words = list(words)
    if "-C" in words[:-1]:
        at = words.index("-C")
        folder /= words[at + 1]
        del words[at : at + 2]
    makefile = folder / "Makefile"
    if not makefile.is_file():
        yield "there is no Makefile in this folder", "give the command that works here"
        return
    known = TARGET.findall(makefile.read_text("utf-8"))
    for word in words:
        if not word.startswith("-") and "=" not in word and word not in known:
            yield f"the Makefile has no target '{word}'", f"it has: {', '.join(n for n in known if n[0] != '_')}"


def _file(name: str, folder: Path) -> Iterator[tuple[str, str]]:
    if not UNKNOWN.search(name) and not name.startswith(".venv/") and not (folder / name).exists():
        yield f"there is no file {name}", "name a file of the repository"


def commands(script: str) -> Iterator[tuple[int, list[str]]]:
    """The simple commands of a script with their lines; a quotation that is never closed is skipped."""
    lines, first = script.split("\n"), 1
    while first <= len(lines):
        last = first
        while last < len(lines) and lines[last - 1].endswith("\\"):
            last += 1
        words = _words(" ".join(line.removesuffix("\\") for line in lines[first - 1 : last]))
        while words is None and last < len(lines):  # a quotation over several lines
            last += 1
            words = _words("\n".join(lines[first - 1 : last]))
        command: list[str] = []
        for word in [*(words or []), ";"]:
            if SEPARATORS.match(word):
                if command:
                    yield first, command
                command = []
            elif command or not re.match(r"^\w+=", word):
                command.append(word)
        if (text := HEREDOC.search(lines[last - 1])) and text[2] in (line.strip() for line in lines[last:]):
            last += next(n for n, line in enumerate(lines[last:], 1) if line.strip() == text[2])
        first = last + 1


def _words(text: str) -> list[str] | None:
    """Split as a shell would; None where a quotation is open at the end."""
    reader = shlex.shlex(text, posix=True, punctuation_chars=";&|()")
    reader.whitespace_split, reader.commenters = True, "#"
    try:
        return list(reader)
    except ValueError:
        return None
