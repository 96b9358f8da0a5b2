"""What the check says in GitHub Actions: annotations on lines of the pull request, and the summary of the job.

The commands are lines of output, so what comes from a page is escaped: it can neither end its line nor begin another
command.
"""

import os
import subprocess
from pathlib import Path

from tools.check import Report, facts
from tools.check.kinds import OF_SECTION
from tools.portable.page import Page
from tools.portable.problem import Problem

MOST = 10  # annotations of one level that a step shows; GitHub drops the others
LISTED = 100  # problems in the summary
TITLES = {"todo": "Still to write", "test": "A test fails"}


def annotations(problems: list[Problem], changed: set[str], level: str = "error") -> list[str]:
    """Return workflow commands for problems, those in changed files first: as many as a step shows."""
    order = sorted(problems, key=lambda problem: (problem.path not in changed, problem))
    return [_command(problem, level) for problem in order[:MOST]]


def _command(problem: Problem, level: str) -> str:
    title = TITLES.get(problem.rule, "Check")
    values = {"file": problem.path, "line": str(problem.line), "title": title}
    properties = ",".join(f"{key}={_property(value)}" for key, value in values.items())
    return f"::{level} {properties}::{_data(f'{problem.message}; {problem.fix}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def changed_files(root: Path, base: str) -> set[str] | None:
    """Return the files that differ from where the branch left origin/<base>; None where the history does not say."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), "-c", "core.quotePath=off", *arguments]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout

    try:
        start = git("merge-base", "HEAD", f"refs/remotes/origin/{base}").strip()
        return set(git("diff", "--name-only", "-z", start, "--").split("\0")) - {""}
    except (OSError, subprocess.CalledProcessError):
        return None


def changed_pages(root: Path, files: set[str]) -> list[Path]:
    """Return the pages below docs to whose folders the files belong, sorted."""
    folders = {root / Path(name).parent for name in files if name.startswith("docs/")}
    pages = {folder / "README.md" for folder in folders}
    return sorted(path for path in pages if path.is_file() and path.resolve().is_relative_to(root))


def summary(root: Path, report: Report, files: set[str] | None, noted: list[Problem]) -> str:
    """Return the Markdown of the job's summary: the changed pages, advice, then what is wrong or missing, and where."""
    problems = report.problems
    lines = ["### The pages of this pull request", ""]
    if files is None:
        lines += ["The history does not say which pages changed: check out with `fetch-depth: 0`.", ""]
    elif pages := changed_pages(root, files):
        lines += [
            "| Page | Kind | Minutes | Words | Samples | Sketches | To do |",
            "| --- | --- | --: | --: | --: | --: | --: |",
        ]
        lines += [_row(root, Page(root, path), problems) for path in pages]
        lines += ["", *(f"- {_item(problem)}" for problem in noted)]
    else:
        lines += ["No page changed.", ""]
    if not problems:
        return "\n".join([*lines, "", f"All {report.pages} pages pass the check.", ""])
    lines += ["", f"#### Wrong or missing: {len(problems)}", ""]
    lines += [f"- {_item(problem)}" for problem in problems[:LISTED]]
    if len(problems) > LISTED:
        lines += [f"- and {len(problems) - LISTED} more, in the log of the step"]
    return "\n".join([*lines, "", "Run `make check` to see them at home.", ""])


def _row(root: Path, page: Page, problems: list[Problem]) -> str:
    folder = page.path.parent.relative_to(root).as_posix()
    parts = Path(folder).parts
    kind = OF_SECTION[parts[1]].name if len(parts) == 3 and parts[1] in OF_SECTION else "overview"
    todo = sum(problem.path.rpartition("/")[0] == folder for problem in problems)
    if page.text is None:
        return f"| {_code(page.name)} | {kind} | | | | | {todo} |"
    counted = facts.of(page)
    numbers = f"{max(1, round(counted.minutes))} | {counted.words:,} | {counted.samples} | {counted.sketches} | {todo}"
    return f"| {_code(page.name)} | {kind} | {numbers} |"


def _item(problem: Problem) -> str:
    return f"{_code(f'{problem.path}:{problem.line}')} {_code(f'{problem.message}; {problem.fix}')}"


def _code(text: str) -> str:
    """Text as code: what stands in a page stays text in the summary."""
    return "`" + " ".join(text.split()).replace("`", "'").replace("|", "¦") + "`"


def running() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"
