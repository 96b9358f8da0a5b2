"""Synthetic sites of N pages: about 7 KB a page, five sections with folders of 20, and a git history of about 1.5
commits a page. The same N and seed give the same bytes and the same commit ids on every machine.

The pages keep the project's rules (tools/portable): README.md as index, unique headings, relative links to files that
exist, a described Mermaid flowchart on every tenth page, and a listing that is bound to a file on every fifth.
"""

import os
import posixpath
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.bench.words import Links, Words, fence

SEED = 7
FIRST_COMMIT = 1_600_000_000  # seconds since 1970
FOLDER = 20  # pages in a folder of a section
SECTIONS = ["technologies", "concepts", "challenges", "best-practices", "collaboration"]
LISTED = "examples/orders.py"
LISTED_LINES = ["def total(prices: list[int]) -> int:", '    """Add the prices, in cents."""', "    return sum(prices)"]


@dataclass(frozen=True)
class Corpus:
    """The pages {path below docs: text}, their titles, and the commits [(path, text)] that lead to them."""

    pages: dict[str, str]
    titles: dict[str, str]
    commits: list[tuple[str, str]]

    @property
    def size(self) -> int:
        """Bytes of all pages."""
        return sum(len(text) for text in self.pages.values())


def layout(count: int) -> list[str]:
    """The paths of `count` pages: the home page, five sections, and in each section topics in folders of 20.

    A topic is a folder with a README.md, as in this project. A section of up to 20 topics has no folders between.
    """
    paths = ["README.md", *(f"{section}/README.md" for section in SECTIONS)][:count]
    for number, section in enumerate(SECTIONS):
        topics = len(range(number, count - len(paths[:6]), len(SECTIONS)))
        for topic in range(topics):
            folder = f"{section}/" if topics <= FOLDER else f"{section}/group-{topic // FOLDER + 1:02d}/"
            first = topics > FOLDER and topic % FOLDER == 0
            paths.append(f"{folder}README.md" if first else f"{folder}topic-{topic + 1:04d}/README.md")
    return paths


def _links(words: Words, path: str, paths: list[str], near: dict[str, list[str]], titles: dict[str, str]) -> Links:
    """Five pages from anywhere and five of the same folder, as a page of `path` writes them."""
    here = posixpath.dirname(path)
    siblings = near[posixpath.dirname(here)]
    chosen = words.random.sample(paths, min(5, len(paths))) + words.random.sample(siblings, min(5, len(siblings)))
    return [(titles[other], posixpath.relpath(other, here or ".")) for other in chosen if other != path]


def _page(words: Words, title: str, links: Links, number: int) -> str:
    used = {title}

    def heading(level: int) -> str:
        text = words.title()
        while text in used:
            text = words.title()
        used.add(text)
        return "#" * level + " " + text

    parts = [f"# {title}", words.paragraph(links)]
    if number % 10 == 0:
        parts += [words.flowchart(), words.paragraph(links)]
    if number % 5 == 0:
        parts += [fence(f'python title="{LISTED}::total"', LISTED_LINES), words.paragraph(links)]
    for _ in range(words.random.choice([2, 3, 4, 5, 6, 8])):
        parts += [heading(2), words.paragraph(links)]
        for _ in range(words.random.randint(1, 3)):
            kind = words.random.random()
            if kind < 0.40:
                parts.append(words.code())
            elif kind < 0.55:
                parts.append(words.items(links))
            elif kind < 0.65:
                parts.append(words.table())
            elif kind < 0.75:
                parts += [heading(3), words.paragraph(links)]
            parts.append(words.paragraph(links))  # keeps lists, tables and fences apart
    return "\n\n".join(parts) + "\n"


def make(count: int, seed: int = SEED) -> Corpus:
    """The corpus of `count` pages."""
    words = Words(seed)
    paths = layout(count)
    titles = {path: words.title() for path in paths}
    near: dict[str, list[str]] = {}
    for path in paths:
        near.setdefault(posixpath.dirname(posixpath.dirname(path)), []).append(path)
    pages = {
        path: _page(words, titles[path], _links(words, path, paths, near, titles), number)
        for number, path in enumerate(paths)
    }
    order = list(paths)
    words.random.shuffle(order)
    edited = [path for path in order if words.random.random() < 0.5]
    old = {path: pages[path] + "\nOld closing line.\n" for path in edited}
    commits = [(path, old.get(path, pages[path])) for path in order]
    words.random.shuffle(edited)
    return Corpus(pages, titles, commits + [(path, pages[path]) for path in edited])


def navigation(corpus: Corpus) -> str:
    """The `nav:` of mkdocs.yml: hand-made, every title written out, as the project has it."""
    tree: dict = {}
    for path in corpus.pages:
        *folders, _ = posixpath.dirname(path).split("/")
        branch = tree
        for folder in folders:
            branch = branch.setdefault(folder, {})
        branch.setdefault(posixpath.basename(posixpath.dirname(path)), {})[""] = path
    lines = ["nav:"]

    def write(name: str, node: dict, depth: int) -> None:
        indent = "  " * (depth + 1) + "- "
        path = node.get("")
        title = corpus.titles[path] if path else name
        children = {key: child for key, child in node.items() if key}
        if not children:
            lines.append(f"{indent}{title}: {path}")
            return
        lines.append(f"{indent}{title}:")
        if path:
            lines.append("  " + indent + path)
        for key, child in children.items():
            write(key, child, depth + 1)

    for name, node in tree.items():
        write(name, node, 0)
    return "\n".join(lines) + "\n"


def _git(folder: Path, *arguments: str, data: bytes | None = None) -> str:
    """Run git without the user's settings, which could change the commit ids."""
    env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", "-C", str(folder), *arguments], input=data, env=env, check=True, capture_output=True)
    return done.stdout.decode().strip()


def write(corpus: Corpus, folder: Path, seed: int = SEED) -> str:
    """Write docs/, the listed file and the git history into an empty folder; return the id of the newest commit."""
    words = Words(seed)
    when, stream = FIRST_COMMIT, []
    for path, text in corpus.commits:
        when += words.random.randint(600, 40_000)
        data, message = text.encode(), f"Write {path}"
        stream.append(
            f"commit refs/heads/main\ncommitter A Writer <writer@example.com> {when} +0000\n"
            f"data {len(message)}\n{message}\nM 100644 inline docs/{path}\ndata {len(data)}\n".encode()
            + data
            + b"\n"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _git(folder, "init", "--quiet", "--object-format=sha1", "--initial-branch=main")
    _git(folder, "fast-import", "--quiet", data=b"".join(stream))
    _git(folder, "reset", "--quiet", "--hard", "main")
    listed = folder / LISTED
    listed.parent.mkdir()
    listed.write_text("\n".join(LISTED_LINES) + "\n", "utf-8", newline="\n")
    return _git(folder, "rev-parse", "HEAD")
