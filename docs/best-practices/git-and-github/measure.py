"""How many commits a search tries, and what force, a rebase and a deletion leave behind."""

import tempfile
from pathlib import Path

from test_git_and_github import lost, rebased_after_push, secret, steps

MEASURES = ["docs/best-practices/git-and-github/test_git_and_github.py"]

SEARCH = "Commits tried until the one that broke a test is found"
LEFT = "What is left after it: 0 is right, except for commits of the search"


def in_a_folder(action):
    with tempfile.TemporaryDirectory() as folder:
        return action(Path(folder))


def measure(lab):
    for commits in (16, 128, 1024):
        bad = commits * 3 // 5
        tried, _ = in_a_folder(lambda folder, n=commits, bad=bad: steps(folder, n, bad))
        row = {"counts": {"tried": tried}, "line": "bisect", "x": commits}
        lab.record(SEARCH, f"git bisect run, {commits:,} commits", **row)
        # From the newest back, until the test passes for the first time.
        one_by_one = commits - bad + 1
        lab.record(
            SEARCH, f"one by one, {commits:,} commits", counts={"tried": one_by_one}, line="one by one", x=commits
        )
    lab.tables[SEARCH].x_label = "commits"
    lab.picture(SEARCH, "tried")
    doubled = in_a_folder(rebased_after_push)
    counts = {"doubled": len(doubled) - len(set(doubled))}
    lab.record(LEFT, "three pushed commits, rebased", counts=counts)
    for option in ("--force", "--force-with-lease"):
        gone = in_a_folder(lambda folder, option=option: lost(folder, option))[1]
        lab.record(LEFT, f"push {option}", counts={"lost": int(gone)})
    files, commits = in_a_folder(secret)
    lab.record(LEFT, "a key, deleted in the next commit", counts={"files": files, "commits": commits})
