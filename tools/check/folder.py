"""What lies in the folder of a page: the names that design and check know, and the questions that find the page."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from tools.check import todo
from tools.portable.files import ASSETS, CONTRACT
from tools.portable.problem import Problem
from tools.vocabulary import QUESTIONS, SYNONYMS

PAGE, MEASURED = ("README.md", QUESTIONS), ("measure.py", "results.txt", "results.svg", CONTRACT)
FEWEST = 12  # questions of a page
FEWEST_TO_LOOK_UP = 10  # of one in the reference, which is found by its title
LONGEST = 300  # characters of a question: more is a text, not a question or one line of a message
HIDDEN = (".", "__pycache__")  # what no git keeps


def test_of(folder: Path) -> str:
    """The name of the test file of a page."""
    return f"test_{folder.name.replace('-', '_')}.py"


def check(root: Path, folder: Path, *, is_page: bool, reference: bool = False) -> Iterator[Problem]:
    """Yield what is wrong in the folder of a page, or of a section (is_page=False), which holds pages in folders."""
    allowed = (*PAGE, test_of(folder), *MEASURED) if is_page else PAGE
    if folder == root / "docs":
        allowed += (Path(SYNONYMS).name,)
    for path in sorted(folder.iterdir()):
        if path.name.startswith(HIDDEN) or path.suffix == ".pyc":
            continue
        name = path.relative_to(root).as_posix()
        if path.is_dir():
            if path.parent != root / "docs" or path.name != ASSETS:
                yield from _folder(root, path)
        elif path.name not in allowed:
            near = difflib.get_close_matches(path.name, allowed, 1, 0.7)
            of = "a page" if is_page else "a section"
            fix = f"rename it to {near[0]}" if near else f"delete it, or use one of {', '.join(allowed)}"
            yield Problem(name, 1, "folder", f"the folder of {of} holds no file of this name", fix)
        elif path.suffix in (".py", ".txt") and not path.name.startswith("results"):
            yield from todo.in_file(path, name)
    if is_page or (folder / QUESTIONS).exists():
        yield from _questions(root, folder, (FEWEST_TO_LOOK_UP if reference else FEWEST) if is_page else 1)


def _folder(root: Path, folder: Path) -> Iterator[Problem]:
    """A folder in another one is a page. One that git would not keep is none of our business."""
    held = [path for path in folder.iterdir() if not path.name.startswith(HIDDEN)]
    if held and not (folder / "README.md").is_file():
        name = held[0].relative_to(root).as_posix()
        fix = "add one, or move the files to the folder of a page"
        yield Problem(name, 1, "folder", f"the folder {folder.name}/ has no README.md, so it is no page", fix)


def _questions(root: Path, folder: Path, fewest: int) -> Iterator[Problem]:
    """Too few questions, one that stands there twice, and one that is none."""
    path = folder / QUESTIONS
    name = path.relative_to(root).as_posix()
    if not path.is_file():
        page = (folder / "README.md").relative_to(root).as_posix()
        fix = f"write {fewest} lines or more in it, each what a reader would type to find the page"
        yield Problem(page, 1, "questions", f"{QUESTIONS} is missing beside the page", fix)
        return
    try:
        lines = path.read_text("utf-8").split("\n")
    except UnicodeDecodeError:
        yield Problem(name, 1, "questions", "it is not text in UTF-8", "save it as such")
        return
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        question = " ".join(line.casefold().split())
        if question.startswith("#"):  # a comment
            continue
        if len(question) > LONGEST:
            fix = "write one question, or one line of a message, on each line"
            yield Problem(name, number, "questions", f"{len(question)} characters in one line", fix)
        if question in seen:
            message = f"this question stands in line {seen[question]} already"
            yield Problem(name, number, "questions", message, "delete one")
        elif question:
            seen[question] = number
    if len(seen) < fewest and todo.MARK not in "\n".join(lines):
        message = f"{len(seen)} question{'s' * (len(seen) != 1)} of at least {fewest}"
        fix = "add what a reader would type: questions, symptoms, whole error messages"
        yield Problem(name, max(1, len(seen)), "questions", message, fix)
