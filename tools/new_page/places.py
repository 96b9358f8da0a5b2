"""Where a new page is named: one line in the nav, one in the README.md of its section. The rest stays byte for byte."""

import json
import re

import yaml

from tools.check.todo import MARK
from tools.portable import site

SAYS = f"{MARK} what the page proves, in one sentence with its number; then move this line to where it belongs."


class PlaceError(Exception):
    """The file has no place for the page; one line, with what to do."""


def in_nav(text: str, section: str, slug: str, title: str) -> tuple[str, int]:
    """Return mkdocs.yml with the page as the last of its section, and the line. Raises PlaceError."""
    lines, first = text.splitlines(keepends=True), f"{section}/README.md"
    entry = re.compile(rf"( *)- (?:(.+?): +)?{re.escape(first)} *(?:#.*)?\r?\n?$")
    start = next((n for n, line in enumerate(lines) if entry.match(line)), None)
    if start is None:
        raise PlaceError(f"mkdocs.yml: the nav has no line for {first}; add the section first")
    end = "\r\n" if lines[start].endswith("\r\n") else "\n"
    indent, name = entry.match(lines[start]).groups()
    if name:  # the first page of a section: its entry becomes a list
        at, added = start, [f"{indent}- {name}:{end}", f"{indent}    - {first}{end}"]
        indent += "    "
    else:
        at, added = _last_of(lines, start, len(indent)), []
    added.append(f"{indent}- {_key(title)}: {section}/{slug}/README.md{end}")
    kept = lines[: at + (not name)]
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += end
    made = "".join([*kept, *added, *lines[at + 1 :]])
    _proved(text, made, f"{section}/{slug}/README.md")
    return made, len(kept) + len(added)


def _last_of(lines: list[str], start: int, indent: int) -> int:
    """The last line of the list that begins at a line with an indent."""
    last = start
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip(" ")) < indent:
            break
        last = number if line.strip() else last
    return last


def _key(title: str) -> str:
    """The title as YAML writes it: in quotes where it would mean something else."""
    try:
        plain = yaml.safe_load(f"- {title}: x") == [{title: "x"}]
    except yaml.YAMLError:
        plain = False
    return title if plain else json.dumps(title, ensure_ascii=False)


def _proved(before: str, after: str, path: str) -> None:
    """What YAML reads is the old nav and the new page, in any form that the file may have."""
    old, new = ([entry for _, entry in site.nav_of(text) or []] for text in (before, after))
    if sorted([*old, path]) != sorted(new):
        raise PlaceError(f"mkdocs.yml: the nav has a form that is not known here; add the line for {path} by hand")


def in_section(text: str, slug: str, title: str) -> tuple[str, int]:
    """Return the README.md of a section with a line on the page below the last page that it lists, and its line."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    pages = re.compile(r"(- )?\[[^\]]+\]\([\w-]+/README\.md")
    last = next((n for n in range(len(lines) - 1, -1, -1) if pages.match(lines[n])), None)
    item = last is None or lines[last].startswith("- ")
    line = f"{'- ' if item else ''}[{title}]({slug}/README.md): {SAYS}"
    at = len(lines) if last is None else last + 1
    apart = last is None or not item
    lines[at:at] = ["", line] if apart else [line]
    return end.join([*lines, ""]), at + 1 + apart
