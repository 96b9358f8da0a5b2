"""What a workflow lets through: zizmor's findings, a stolen secret, a green step with a red test, a moved tag."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
CHECK = ROOT / ".github/workflows/check.yml"

BEFORE = """\
name: CI
on: [push, pull_request_target]
jobs:
  test:
    runs-on: ubuntu-latest
    services:
      db:
        image: postgres:latest
        env: { POSTGRES_PASSWORD: postgres }
        ports: ["5432:5432"]
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ${{ github.event.pull_request.head.sha }}
      - uses: actions/setup-python@v5
        with: { python-version: "3.12" }
      - run: pip install -r requirements.txt
      - run: |
          echo "Testing ${{ github.event.pull_request.title }}"
          pytest | tee test.log
        env:
          API_KEY: ${{ secrets.API_KEY }}
"""

# Each step of the repair: what is replaced, by what.
REPAIRS = {
    "pull_request": [
        ("pull_request_target", "pull_request"),
        ("        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n", ""),
        ("        env:\n          API_KEY: ${{ secrets.API_KEY }}\n", ""),
    ],
    "title by env": [
        ("Testing ${{ github.event.pull_request.title }}", "Testing $TITLE"),
        ("test.log\n", "test.log\n        env:\n          TITLE: ${{ github.event.pull_request.title }}\n"),
    ],
    "full hashes": [
        ("checkout@v4", "checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"),
        ("setup-python@v5", "setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0"),
        ("postgres:latest", "postgres:18-trixie"),
    ],
    "fewest rights": [
        ("jobs:\n", "permissions: {}\njobs:\n"),
        ("    services:", "    permissions:\n      contents: read\n    services:"),
        ("# v7.0.1\n", "# v7.0.1\n        with: { persist-credentials: false }\n"),
    ],
}


def stages():
    """Return the workflow before, and after each step of the repair."""
    found, text = {"before": BEFORE}, BEFORE
    for name, changes in REPAIRS.items():
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        found[name] = text
    return found


def findings(text, folder, persona="regular"):
    """Return what zizmor finds in a workflow: the name of each finding."""
    path = folder / ".github/workflows/ci.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    program = Path(sys.executable).with_name("zizmor")
    options = ["--offline", "--no-config", "--no-ignores", "--no-progress", "--format=json", f"--persona={persona}"]
    done = subprocess.run([program, *options, path], capture_output=True, text=True)
    return [found["ident"] for found in json.loads(done.stdout)]


def test_what_zizmor_finds_before(tmp_path):
    assert Counter(findings(BEFORE, tmp_path)) == {
        "dangerous-triggers": 1,
        "template-injection": 1,
        "unpinned-uses": 2,
        "unpinned-images": 1,
        "artipacked": 1,
        "excessive-permissions": 1,
    }


def test_what_is_left_after_each_step(tmp_path):
    left = {name: len(findings(text, tmp_path)) for name, text in stages().items()}
    assert left == {"before": 7, "pull_request": 6, "title by env": 5, "full hashes": 2, "fewest rights": 0}


def test_a_workflow_that_tests_nothing_has_no_finding(tmp_path):
    safe = stages()["fewest rights"]
    blind = safe.replace("      - run: |\n", "      - continue-on-error: true\n        run: |\n").replace(
        "pytest |", "DATABASE_URL=sqlite:///db.sqlite3 pytest || true; echo done |"
    )
    assert "continue-on-error" in blind and "|| true" in blind
    assert findings(blind, tmp_path) == []


def page_workflow():
    page = (Path(__file__).parent / "README.md").read_text("utf-8")
    return re.search(r"```yaml\n(.*?)```", page, re.S)[1]


def test_the_workflow_of_the_page_has_no_finding(tmp_path):
    assert findings(page_workflow(), tmp_path) == []


def test_the_workflow_of_the_page_uses_the_same_actions_as_ours():
    used = re.findall(r"uses: (\S+ # \S+)", page_workflow())
    assert set(used) <= set(re.findall(r"uses: (\S+ # \S+)", CHECK.read_text("utf-8")))
    services = yaml.safe_load(page_workflow())["jobs"]["test"]["services"]
    assert all("--health-cmd" in service["options"] for service in services.values())


# What a step is: a text, filled in and then given to a shell.

SHELLS = {
    "shell not named": ["bash", "-e"],
    "shell: bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
}


def step(script, folder, shell="shell: bash", **environment):
    """Run the text of a step as a runner does: from a file, in the shell's own way."""
    path = folder / "step.sh"
    path.write_text(script, "utf-8")
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder)} | environment
    return subprocess.run([*SHELLS[shell], path], cwd=folder, env=variables, capture_output=True, text=True)


TITLE = 'Fix typo"; echo "the key is $API_KEY'


def test_a_title_becomes_a_command(tmp_path):
    filled = 'echo "Testing ${{ github.event.pull_request.title }}"'.replace(
        "${{ github.event.pull_request.title }}", TITLE
    )
    assert step(filled, tmp_path, API_KEY="s3cret").stdout.splitlines() == ["Testing Fix typo", "the key is s3cret"]


def test_a_title_in_a_variable_stays_a_text(tmp_path):
    done = step('echo "Testing $TITLE"', tmp_path, API_KEY="s3cret", TITLE=TITLE)
    assert done.stdout == f"Testing {TITLE}\n"


@pytest.mark.parametrize(("shell", "status"), [("shell not named", 0), ("shell: bash", 1)])
def test_a_red_test_behind_a_pipe(tmp_path, shell, status):
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert 1 == 2\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = step(f"{sys.executable} -m pytest -q -p no:cacheprovider | tee test.log", tmp_path, shell)
    assert "1 failed" in done.stdout
    assert done.returncode == status


def test_a_finding_of_the_shell_in_the_middle_is_not_lost(tmp_path):
    assert step("false\necho on", tmp_path, "shell not named").returncode == 1
    assert step("false || true\necho on", tmp_path).returncode == 0
    assert step("set +e\nfalse\necho done", tmp_path).returncode == 0


def test_a_second_dangerous_trigger_is_a_second_finding(tmp_path):
    more = BEFORE.replace("on: [push,", "on: [push, workflow_run,")
    assert Counter(findings(more, tmp_path))["dangerous-triggers"] == 2
    assert len(BEFORE.splitlines()) == 22


# The gate: one job to require.


def gate():
    """Return the script of the job that speaks for all others in check.yml."""
    (only,) = yaml.safe_load(CHECK.read_text("utf-8"))["jobs"]["all-green"]["steps"]
    return only["run"]


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ("success success", 0),
        ("success failure", 1),
        ("success cancelled", 1),
        ("success skipped", 1),
        ("", 1),
    ],
)
def test_what_the_gate_lets_through(tmp_path, results, status):
    assert step(gate(), tmp_path, RESULTS=results).returncode == status


def test_the_gate_waits_for_every_job_and_is_never_skipped():
    jobs = yaml.safe_load(CHECK.read_text("utf-8"))["jobs"]
    assert set(jobs["all-green"]["needs"]) == set(jobs) - {"all-green"}
    assert jobs["all-green"]["if"] == "always()"


# Our own workflow.


def test_what_check_yml_promises(tmp_path):
    text = CHECK.read_text("utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert workflow["defaults"]["run"]["shell"] == "bash"
    for job in workflow["jobs"].values():
        assert "timeout-minutes" in job
        assert set(job["permissions"].values()) <= {"read"}
    used = re.findall(r"uses: (\S+)", text)
    assert len(used) >= 4
    assert all(re.search(r"@[0-9a-f]{40}$", name) for name in used)
    assert "secrets." not in text
    assert "pull_request_target" not in text
    assert findings(text, tmp_path, "pedantic") == []


# A tag moves, a commit does not.


def git(folder, *arguments):
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, env=clean, check=True, capture_output=True, text=True).stdout.strip()


def publish(folder, text):
    """Publish a version of an action as v4, as a release does, and as a thief would."""
    (folder / "action.yml").write_text(text)
    git(folder, "add", "action.yml")
    git(folder, "commit", "-qm", text)
    git(folder, "tag", "--force", "v4")


def test_a_tag_gives_other_code_and_a_commit_the_same(tmp_path):
    git(tmp_path, "init", "-q")
    publish(tmp_path, "honest")
    pinned = git(tmp_path, "rev-parse", "v4^{commit}")
    publish(tmp_path, "stolen")
    assert git(tmp_path, "show", "v4:action.yml") == "stolen"
    assert git(tmp_path, "show", f"{pinned}:action.yml") == "honest"
