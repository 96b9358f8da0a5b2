"""Every message that a page explains: below a heading of messages or pitfalls, a paragraph or list item that begins
with the message in bold code.

The words are the page's own, so the index cannot say something else; its tests provoke the message.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tools.generated.measurements import SECTIONS, title

ERRORS = "docs/reference/errors"
FENCE = re.compile(r"^ *(```+|~~~+).*?^ *\1 *$", re.M | re.S)
BLOCK = re.compile(r"\n\s*\n|\n(?=[-*] )")
# One message, or several that come together; then a word about them in brackets, a full stop, an arrow or a colon.
ENTRY = re.compile(r"(?:[-*] )?((?:\*\*`[^`\n]{8,}`\*\*(?:,| and| or|, and below it)? ?)+)(.*)", re.S)
HEADING = re.compile(r"#+ +(.+)")
OF_MESSAGES = re.compile(r"message|pitfall", re.I)
LINK = re.compile(r"\]\(([^()\s]+)\)")
GROUP = re.compile(r"^## \[(.+)\]\((?:\.\./)*([^()]+)README\.md\)\n\n((?:- .*\n)+)", re.M)
MESSAGE = re.compile(r"\*\*`([^`\n]+)`\*\*")


def parts(root: Path) -> dict[str, str]:
    """Return the list of all messages, by section and page."""
    pages = sorted(
        (path.parent for path in (root / "docs").glob("*/*/README.md") if path.parent.parent.name in SECTIONS),
        key=lambda folder: (SECTIONS.index(folder.parent.name), folder.name),
    )
    found = [(folder, entries) for folder in pages if (entries := list(messages(folder, root / ERRORS)))]
    lines = [f"**{sum(len(entries) for _, entries in found)} messages on {len(found)} pages.**"]
    for folder, entries in found:
        link = os.path.relpath(folder / "README.md", root / ERRORS).replace(os.sep, "/")
        lines += ["", f"## [{title(folder).partition(':')[0]}]({link})", ""]
        lines += [f"- {entry}" for entry in entries]
    return {"errors": "\n".join(lines)}


def messages(folder: Path, seen_from: Path) -> Iterator[str]:
    """Yield each entry of a page on one line, with its links as another folder needs them."""
    text = FENCE.sub("", (folder / "README.md").read_text("utf-8"))
    below = ""
    for block in BLOCK.split(text):
        if heading := HEADING.match(block.strip()):
            below = heading[1]
        found = OF_MESSAGES.search(below) and ENTRY.fullmatch(block.strip())
        if found and found[2].strip():
            line = " ".join(re.sub(r"^[-*] ", "", block.strip()).split())
            yield LINK.sub(lambda link: f"]({_moved(link[1], folder, seen_from)})", line)


def listed(root: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield, for each group of the list as it is committed: its heading, its page ('concepts/x/') and its messages."""
    path = root / ERRORS / "README.md"
    for heading, page, entries in GROUP.findall(path.read_text("utf-8") if path.is_file() else ""):
        heads = (ENTRY.fullmatch(entry.strip()) for entry in entries.splitlines())
        yield heading, page, [message for head in heads if head for message in MESSAGE.findall(head[1])]


def _moved(target: str, folder: Path, seen_from: Path) -> str:
    if "://" in target:
        return target
    path, mark, anchor = target.partition("#")
    there = os.path.relpath(folder / (path or "README.md"), seen_from).replace(os.sep, "/")
    return f"{there}{mark}{anchor}"
