"""What Git does, and says, in repositories that exist for a test."""

import os
import re
import subprocess
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent / "README.md").read_text("utf-8")
# Nobody's settings, and the same names and dates each time.
QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "true",
    "LC_ALL": "C",
}


class Repository:
    """A working copy; git() runs a command in it and keeps all that it said."""

    def __init__(self, path, origin=None):
        self.path = Path(path)
        if origin:
            self.run("clone", "-q", str(origin), str(path))
        else:
            self.run("init", "-q", "-b", "main", str(path))

    def run(self, *words, check=True, text=None):
        done = subprocess.run(
            ["git", *words], env=os.environ | QUIET, input=text, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout
        return done.stdout

    def git(self, *words, check=True, text=None):
        return self.run("-C", str(self.path), *words, check=check, text=text)

    def commit(self, message, **files):
        for name, content in files.items():
            (self.path / name.replace("_", ".")).write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def subjects(self, *which):
        return self.git("log", "--format=%s", *which).splitlines()


def history(path, commits, bad):
    """Make a repository with many commits; from the commit number `bad` on, the test fails."""
    made = Repository(path)
    stream = []
    for number in range(commits):
        word = "broken" if number >= bad else "right"
        content = f"{word} {number}\n"
        message = f"Change {number}"
        stream += [
            "commit refs/heads/main",
            f"committer Ada <ada@example.com> {1_700_000_000 + number} +0000",
            f"data {len(message)}\n{message}",
            f"M 100644 inline total.txt\ndata {len(content)}\n{content}",
        ]
    made.git("fast-import", "--quiet", text="\n".join(stream) + "\n")
    made.git("reset", "-q", "--hard")
    return made


def steps(path, commits, bad):
    """Return how many commits `git bisect run` tries, and the subject that it names."""
    made = history(path, commits, bad)
    log = made.path / ".git" / "tried"
    made.git("bisect", "start", "HEAD", "HEAD~" + str(commits - 1))
    said = made.git("bisect", "run", "sh", "-c", f"echo tried >> {log}; grep -q right total.txt")
    found = made.git("show", "-s", "--format=%s", re.search(r"(\w{40}) is the first bad commit", said)[1])
    return len(log.read_text().splitlines()), found.strip()


def shared(folder):
    """Return an origin with one commit, and the clones of Ada and Bob."""
    origin = folder / "origin"
    Repository.run(None, "init", "-q", "--bare", "-b", "main", str(origin))
    ada = Repository(folder / "ada", origin)
    ada.commit("Begin", total_txt="1\n")
    ada.git("push", "-q", "-u", "origin", "main")
    return origin, ada, Repository(folder / "bob", origin)


def rebased_after_push(folder):
    """Return Bob's subjects after Ada has rebased three commits that he had, and pushed by force."""
    _, ada, bob = shared(folder)
    ada.git("switch", "-q", "-c", "feature")
    for number in (1, 2, 3):
        ada.commit(f"Step {number}", **{f"step{number}_txt": "x\n"})
    ada.git("push", "-q", "-u", "origin", "feature")
    bob.git("fetch", "-q")
    bob.git("switch", "-q", "feature")
    bob.commit("Bob's own", bob_txt="b\n")
    ada.git("switch", "-q", "main")
    ada.commit("Meanwhile", other_txt="o\n")
    ada.git("switch", "-q", "feature")
    ada.git("rebase", "-q", "main")
    ada.git("push", "-q", "--force")
    bob.git("pull", "-q", "--no-rebase")
    return bob.subjects()


def lost(folder, option):
    """Return what Git said, and whether Bob's commit is gone, when Ada pushes by force without having seen it."""
    origin, ada, bob = shared(folder)
    bob.commit("Bob's own", bob_txt="b\n")
    bob.git("push", "-q")
    ada.git("commit", "-q", "--amend", "-m", "Begin, better")
    said = ada.git("push", option, check=False)
    return said, "Bob's own" not in Repository(folder / "look", origin).subjects()


def secret(folder):
    """Return where a key stands after the next commit has deleted it: files, commits that show it."""
    made = Repository(folder / "secret")
    made.commit("Add settings", settings_txt="KEY=not-a-real-key\n")
    made.commit("Remove the key", settings_txt="KEY=\n")
    clone = Repository(folder / "clone", made.path)
    files = clone.git("grep", "-l", "not-a-real-key", check=False).splitlines()
    return len(files), len(clone.git("log", "--format=%h", "-S", "not-a-real-key").splitlines())


@pytest.mark.parametrize(("commits", "bad"), [(16, 11), (128, 77)])
def test_bisect_finds_the_commit_in_few_steps(tmp_path, commits, bad):
    tried, found = steps(tmp_path, commits, bad)
    assert found == f"Change {bad}"
    assert tried <= commits.bit_length()


def test_a_rebase_of_pushed_commits_doubles_them_for_others(tmp_path):
    subjects = rebased_after_push(tmp_path)
    assert [subjects.count(f"Step {number}") for number in (1, 2, 3)] == [2, 2, 2]


def test_force_loses_a_commit_that_a_lease_keeps(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert lost(tmp_path / "a", "--force")[1] is True
    said, gone = lost(tmp_path / "b", "--force-with-lease")
    assert gone is False
    assert printed("[rejected]        main -> main (stale info)", said)


def test_a_deleted_secret_stays_in_the_history(tmp_path):
    assert secret(tmp_path) == (0, 2)


def printed(message, said):
    """Say whether Git said the message, and the page prints it."""
    assert message in said, said
    return f"`{message}`" in PAGE


def test_the_messages_of_a_conflict(tmp_path):
    _, ada, bob = shared(tmp_path)
    ada.commit("Two", total_txt="2\n")
    ada.git("push", "-q")
    bob.commit("Three", total_txt="3\n")
    said = bob.git("push", check=False)
    assert printed("error: failed to push some refs to", said)
    assert printed("Updates were rejected because the remote contains work that you do", said)
    assert printed("fatal: Need to specify how to reconcile divergent branches.", bob.git("pull", check=False))
    said = bob.git("pull", "--no-rebase", check=False)
    assert printed("CONFLICT (content): Merge conflict in total.txt", said)
    assert printed("Automatic merge failed; fix conflicts and then commit the result.", said)
    bob.git("merge", "--abort")
    assert bob.git("status", "--short") == "" and (bob.path / "total.txt").read_text() == "3\n"


def test_changes_that_would_be_overwritten(tmp_path):
    _, ada, bob = shared(tmp_path)
    ada.commit("Two", total_txt="2\n")
    ada.git("push", "-q")
    (bob.path / "total.txt").write_text("mine\n")
    said = bob.git("pull", "--ff-only", check=False)
    assert printed("error: Your local changes to the following files would be overwritten by merge:", said)
    assert (bob.path / "total.txt").read_text() == "mine\n"


def test_a_history_that_began_twice(tmp_path):
    _, ada, _ = shared(tmp_path)
    other = Repository(tmp_path / "other")
    other.commit("Begin on GitHub", readme_md="# Hello\n")
    ada.git("fetch", "-q", str(other.path), "main")
    assert printed("fatal: refusing to merge unrelated histories", ada.git("merge", "FETCH_HEAD", check=False))


def test_a_revert_is_a_commit_and_keeps_the_rest(tmp_path):
    _, ada, _ = shared(tmp_path)
    ada.commit("Break it", total_txt="broken\n")
    ada.commit("Other work", other_txt="o\n")
    ada.git("revert", "--no-edit", "HEAD~1")
    assert (ada.path / "total.txt").read_text() == "1\n" and (ada.path / "other.txt").exists()
    assert ada.subjects()[0] == 'Revert "Break it"'
