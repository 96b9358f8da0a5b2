"""A synthetic project on disk: a corpus with this project's own configuration, and beside it the files of its peers.

mkdocs.yml, overrides/, tools/ and docs/assets/ are copied from the checkout and only `nav` is replaced, so that what is
measured cannot drift from what is published.
"""

import re
import shutil
from pathlib import Path

from tools.bench import corpus
from tools.repository import ROOT

EXTENSIONS = re.compile(r"^markdown_extensions:.*\n(?:(?:[ \t#-].*)?\n)*", re.M)
NAV = re.compile(r"^nav:.*\n(?:(?:[ \t#-].*)?\n)*", re.M)  # up to the next key at the start of a line
COPIED = ["overrides", "tools", "docs/assets"]
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules")
SITE_URL = "https://example.github.io/hub/"
REPO_URL = "https://github.com/example/hub"
# What a deployment sets: with it the build writes canonical addresses, edit links and links of listings too.
ENVIRONMENT = {"SITE_URL": SITE_URL, "REPO_URL": REPO_URL, "EDIT_URI": "edit/main/docs/", "NO_MKDOCS_2_WARNING": "1"}

# Material's "recommended configuration" of extensions without emoji, whose name differs in Zensical. It is longer than
# ours and costs a peer about a fifth of its build; --same-extensions gives the peers our list.
RECOMMENDED = """markdown_extensions:
  - abbr
  - admonition
  - attr_list
  - def_list
  - footnotes
  - md_in_html
  - toc: {permalink: true}
  - pymdownx.arithmatex: {generic: true}
  - pymdownx.betterem: {smart_enable: all}
  - pymdownx.caret
  - pymdownx.details
  - pymdownx.highlight: {anchor_linenums: true, line_spans: __span, pygments_lang_class: true}
  - pymdownx.inlinehilite
  - pymdownx.keys
  - pymdownx.mark
  - pymdownx.smartsymbols
  - pymdownx.superfences:
      custom_fences:
        - {name: mermaid, class: mermaid, format: !!python/name:pymdownx.superfences.fence_code_format }
  - pymdownx.tabbed: {alternate_style: true}
  - pymdownx.tasklist: {custom_checkbox: true}
  - pymdownx.tilde
"""
PEER = """site_name: Peer
site_url: {site_url}
repo_url: {repo_url}
docs_dir: docs
site_dir: {site}
use_directory_urls: true
theme:
  name: material
  features: [{features}]
plugins:
  - search
{extensions}{nav}"""


def with_nav(settings: str, nav: str) -> str:
    """The text of mkdocs.yml with another table of contents. Raises ValueError when it has none to replace."""
    changed, count = NAV.subn(lambda _: nav + "\n", settings, count=1)
    if not count:
        raise ValueError("mkdocs.yml has no nav: at the start of a line")
    return changed


def make(count: int, folder: Path, same_extensions: bool = False) -> corpus.Corpus:
    """Write the project of `count` pages into an empty or missing folder; its peers with our Markdown or their own."""
    pages = corpus.make(count)
    corpus.write(pages, folder)
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=LEFT_OUT)
    nav = corpus.navigation(pages)
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    (folder / "mkdocs.yml").write_text(with_nav(settings, nav), "utf-8")
    extensions = EXTENSIONS.search(settings)[0].rstrip() + "\n" if same_extensions else RECOMMENDED
    for name, features in (("bare", ""), ("zensical", ""), ("zensical-prune", "navigation.prune")):
        known = {"site_url": SITE_URL, "repo_url": REPO_URL, "site": f"site-{name}", "features": features}
        text = PEER.format(**known, extensions=extensions, nav=nav)
        (folder / f"{name}.yml").write_text(text, "utf-8")
    return pages
