"""Write .github/CODEOWNERS: whose consent a change of the machinery needs. python -m tools.owners [OWNER]

OWNER is an account or a team of GitHub, '@name' or '@organisation/team'; without one, the owner of the git remote.
Pages are not in the list: whoever may merge may merge a page. The list is what runs on other people's machines or
decides what is published; where the file names nobody, GitHub asks nobody.
"""

import os
import re
import sys
from pathlib import Path

from tools.repository import ROOT, set_environment

FILE = ".github/CODEOWNERS"
# Paths from the root; a folder ends in a slash. tests/test_templates.py holds this against what lies in the root.
GUARDED = [
    "/.ci/",
    "/.devcontainer/",
    "/.gitattributes",
    "/.github/",
    "/LICENSE",
    "/Makefile",
    "/docs/assets/",
    "/examples/",
    "/mkdocs.yml",
    "/overrides/",
    "/pyproject.toml",
    "/requirements.txt",
    "/tests/",
    "/tools/",
]
HEAD = """\
# What runs on other machines, or decides what is published: a change needs the consent of its owner, once the rules of
# the branch ask for it (README: Publish your own fork). Written by `make owners`; the list is in tools/owners.py.
# A line without a name asks nobody, so that a fork needs no edit.
"""
NAME = re.compile(r"@[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:/[A-Za-z0-9][\w.-]*)?")


def text(owner: str = "") -> str:
    """The whole file, with an owner ('@name') or with none. Raises ValueError for what is no name on GitHub."""
    if owner and not NAME.fullmatch(owner):
        raise ValueError(f"'{owner}' is no account of GitHub; write OWNER=@name or OWNER=@organisation/team")
    return HEAD + "\n" + "".join(f"{path} {owner}".rstrip() + "\n" for path in GUARDED)


def of_the_remote() -> str:
    """'@name' of the account that the git remote belongs to; '' where there is none."""
    set_environment(site_url=False)
    found = re.match(r"https://[^/]+/([^/]+)/", os.environ.get("REPO_URL", ""))
    return f"@{found[1]}" if found else ""


def main(arguments: list[str], root: Path = ROOT) -> int:
    owner = arguments[0] if arguments else of_the_remote()
    if not owner:
        print("The git remote names no account; run: make owners OWNER=@name", file=sys.stderr)
        return 1
    try:
        (root / FILE).write_text(text(owner), "utf-8")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{FILE} asks {owner} about {len(GUARDED)} paths. If that is an organisation, name a team of it: OWNER=@it/team"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
