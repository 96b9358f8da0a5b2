"""make new: ask for the kind and the title of a page, or take KIND, SECTION and TITLE from the environment; make it.

make gives a program what stands on its command line that way, so no character of a title means anything to a shell.
"""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.check.kinds import Kind
from tools.new_page import NewPageError, kind_of, kinds, make, slug_of
from tools.repository import ROOT

EXAMPLE = 'make new KIND=challenge TITLE="Lost updates: two writers, one row"'


def main(given: Mapping[str, str], root: Path = ROOT) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends in good order, as Ctrl-C does
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a script started us in the background
    try:
        kind, title = _answers(given, root)
        made = make(root, kind, title)
    except NewPageError as error:
        print(f"new: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        print("\nnew: stopped; nothing was made", file=sys.stderr)
        return 130
    print(f"Made docs/{made.page}/ with {', '.join(made.files)}")
    print(f"Named it in {' and '.join(made.lines)}")
    print(f"Write it: {made.unwritten} places begin with TODO: and say what belongs there.")
    print("  make serve                       shows the page while you write")
    print(f"  make check PAGE={made.page}  names what is still to write, and what is wrong")
    return 0


def _answers(given: Mapping[str, str], root: Path) -> tuple[Kind, str]:
    """The kind and the title, from what was given, or from the person at the terminal, asked until it is right."""
    name, section, title = (given.get(key, "") for key in ("KIND", "SECTION", "TITLE"))
    kind = kind_of(root, name, section) if name or section else None
    if "TITLE" in given:
        slug_of(root, title.strip())
    if kind and "TITLE" in given:
        return kind, title
    if not sys.stdin.isatty():
        raise NewPageError(f"there is no terminal to ask on; write {EXAMPLE}")
    if not kind:
        print("Which kind of page?")
        for one in kinds(root):
            print(f"  {one.name:14} in docs/{one.section}/")
        kind = _ask("Kind: ", lambda answer: kind_of(root, answer or "?", ""))
    if "TITLE" not in given:
        print("Its title? The words before a colon name the page in the menu and in its address.")
        title = _ask("Title: ", lambda answer: slug_of(root, answer) and answer)
    return kind, title


def _ask(prompt, understand):
    while True:
        try:
            return understand(input(prompt).strip())
        except NewPageError as error:
            print(f"  {error}")


if __name__ == "__main__":
    sys.exit(main(os.environ))
