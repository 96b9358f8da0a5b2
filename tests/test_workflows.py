"""The workflows: valid, safe by zizmor's pedantic judgement, pinned, with the least rights, and only doors that exist.

The broken workflows at the end prove that the two outside tools are alive; the scripts that decide something run here.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.pages_server import serving

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.y*ml"))
DEPENDABOT = ROOT / ".github/dependabot.yml"

# Read from the tags of each action's repository. A pin moves only together with its line here.
PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/configure-pages": ("45bfe0192ca1faeb007ade9deae92b16b8254a0d", "v6.0.0"),
    "actions/upload-pages-artifact": ("fc324d3547104276b827a68afc52ff2a11cc49c9", "v5.0.0"),
    "actions/deploy-pages": ("cd2ce8fcbc39b97be8ca5fce6e763baed58fa128", "v5.0.0"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
}
MAY_WRITE = {("publish.yml", "deploy"): {"pages", "id-token"}, ("links.yml", "tell"): {"issues"}}
USES = re.compile(r"^\s*(?:- )?uses:\s*(\S.*)$", re.M)
PINNED = re.compile(r"([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)")
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)\b")
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def load(path: Path) -> dict:
    # BaseLoader: every scalar stays text, so that the key `on` is not the boolean of YAML 1.1
    return yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506


def jobs(path: Path) -> list[tuple[str, dict]]:
    return list(load(path)["jobs"].items())


def steps(path: Path) -> list[tuple[str, dict]]:
    return [(f"{path.name}: {name}", step) for name, job in jobs(path) for step in job["steps"]]


def tool(name: str, *arguments: str | Path) -> subprocess.CompletedProcess:
    """Run a program of this environment, without the token or the settings of the machine."""
    program = shutil.which(name, path=str(Path(sys.executable).parent))
    assert program, f"{name} is not installed beside {sys.executable}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("GH_", "GITHUB_", "ZIZMOR_"))}
    command = [program, *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=120
    )


def schema(name: str, *paths: Path) -> subprocess.CompletedProcess:
    return tool("check-jsonschema", "--builtin-schema", f"vendor.{name}", "--color", "never", *paths)


def zizmor(*paths: Path) -> subprocess.CompletedProcess:
    """The pedantic persona; no comment and no settings file can silence a finding."""
    strict = ["--offline", "--no-config", "--no-ignores", "--strict-collection", "--persona", "pedantic"]
    return tool("zizmor", *strict, "--no-progress", "--color", "never", *paths)


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.M))


def test_the_workflows_are_here():
    assert {path.name for path in WORKFLOWS} >= {"check.yml", "publish.yml", "links.yml"}


def test_workflows_follow_their_schema():
    done = schema("github-workflows", *WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dependabot_follows_its_schema():
    done = schema("dependabot", DEPENDABOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing():
    done = zizmor(*WORKFLOWS, DEPENDABOT)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in (*WORKFLOWS, DEPENDABOT):  # it looked at every file
        assert f"completed {path}" in done.stderr


@each_workflow
def test_actions_are_pinned(path):
    for used in USES.findall(path.read_text("utf-8")):
        pin = PINNED.fullmatch(used.strip())
        assert pin, f"{path.name}: '{used}' is not 'owner/action@<40 hex digits> # vX.Y.Z'"
        assert PINS.get(pin[1]) == (pin[2], pin[3]), f"{path.name}: {pin[1]} differs from its line in PINS"


@each_workflow
def test_rights_are_the_least(path):
    assert load(path)["permissions"] == {}, f"{path.name}: 'permissions: {{}}' must stand at the top"
    for name, job in jobs(path):
        assert "permissions" in job, f"{path.name}: the job {name} does not say what it may do"
        writes = {right for right, level in job["permissions"].items() if level != "read"}
        allowed = MAY_WRITE.get((path.name, name), set())
        assert writes == allowed, f"{path.name}: the job {name} may write {sorted(writes)}"


@each_workflow
def test_jobs_have_a_time_limit(path):
    for name, job in jobs(path):
        assert 1 <= int(job.get("timeout-minutes", 0)) <= 60, f"{path.name}: {name} has no timeout-minutes"


@each_workflow
def test_checkouts_keep_no_token(path):
    for where, step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step.get("with", {}).get("persist-credentials") == "false", where


@each_workflow
def test_the_site_is_built_from_the_whole_history(path):
    for name, job in jobs(path):
        builds = any(
            target in ("site", "preview", "test") for s in job["steps"] for target in MAKE.findall(s.get("run", ""))
        )
        for step in job["steps"]:
            if builds and step.get("uses", "").startswith("actions/checkout@"):
                depth = step.get("with", {}).get("fetch-depth")
                assert depth == "0", f"{path.name}: {name}: the dates of the pages need fetch-depth: 0"


@each_workflow
def test_no_expression_is_pasted_into_a_script(path):
    for where, step in steps(path):
        assert not EXPRESSION.search(step.get("run", "")), f"{where}: pass the value by env"


@each_workflow
def test_make_targets_exist(path):
    for where, step in steps(path):
        missing = set(MAKE.findall(step.get("run", ""))) - make_targets()
        assert not missing, f"{where}: the Makefile has no target {sorted(missing)}"


def test_no_workflow_runs_code_of_a_fork_with_rights():
    for path in WORKFLOWS:
        assert not {"pull_request_target", "workflow_run"} & set(load(path)["on"]), path.name


def test_who_may_write_issues_runs_no_code_of_a_stranger():
    """It checks out main and starts one program of it; it installs nothing, and unpacks nothing but the report."""
    tell = load(ROOT / ".github/workflows/links.yml")["jobs"]["tell"]
    assert [step.get("uses", "").partition("@")[0] for step in tell["steps"]] == [
        "actions/checkout", "actions/setup-python", "",
    ]  # fmt: skip
    assert "ref" not in tell["steps"][0]["with"]
    commands = tell["steps"][-1]["run"].splitlines()
    assert [command.split()[:3] for command in commands] == [
        ["gh", "run", "download"],
        ["python", "-m", "tools.fresh.issue"],
    ]
    script = (
        "import sys; import tools.fresh.issue; print([m for m in sys.modules if m.split('.')[0] in ('yaml', 'mkdocs')])"
    )
    done = subprocess.run([sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr  # without any installed package


def test_nothing_scheduled_stands_in_the_way_of_a_pull_request():
    assert set(load(ROOT / ".github/workflows/links.yml")["on"]) == {"schedule", "workflow_dispatch"}


def test_every_job_of_the_check_is_required():
    check = load(ROOT / ".github/workflows/check.yml")["jobs"]
    assert set(check["all-green"]["needs"]) == set(check) - {"all-green"}
    assert check["all-green"]["if"] == "always()"


def test_ci_run_calls_make_test_and_nothing_else():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    lines = [line.strip() for line in script.read_text("utf-8").splitlines()]
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec make test"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_front_pages_name_only_what_exists(name):
    text = (ROOT / name).read_text("utf-8")
    code = re.compile(r"^ *(````?)(?!`).*?^ *\1$|`[^`\n]+`", re.M | re.S)
    missing = {target for part in code.finditer(text) for target in MAKE.findall(part[0])}
    assert not missing - make_targets(), f"{name} names targets that the Makefile does not have"
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", code.sub("``", text)):
        assert re.match(r"https?://", link) or (ROOT / link).exists(), f"{name}: {link} does not exist"


# The scripts of the workflows that decide something, run here.


def script(workflow: str, job: str, step: str) -> str:
    found = [s["run"] for s in load(ROOT / ".github/workflows" / workflow)["jobs"][job]["steps"] if s["name"] == step]
    assert len(found) == 1, f"{workflow} has no step '{step}' in the job {job}"
    return found[0]


def bash(text: str, folder: Path, **env: str) -> subprocess.CompletedProcess:
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]  # what `shell: bash` means on GitHub
    environment = os.environ | {"no_proxy": "*", "GITHUB_SHA": "0" * 40} | env
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("results", "status"),
    [("success", 0), ("success success", 0), ("failure", 1), ("success skipped", 1), ("cancelled success", 1), ("", 1)],
)
def test_all_green_passes_only_for_success(tmp_path, results, status):
    text = script("check.yml", "all-green", "Fail unless every job succeeded")
    assert bash(text, tmp_path, RESULTS=results).returncode == status


def smoke(tmp_path: Path, folder: Path, hashes: str, limit: int) -> subprocess.CompletedProcess:
    text = script("publish.yml", "smoke", "Compare the published site with the build")
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    with serving(folder) as address:
        return bash(text, work, ADDRESS=address, HASHES=hashes, LIMIT=str(limit), PAUSE="0.2")


@pytest.fixture
def published(tmp_path) -> tuple[Path, str]:
    """A small site, and the hashes that publish.yml notes for it."""
    folder = tmp_path / "published/site"
    folder.mkdir(parents=True)
    for name in ("index.html", "404.html", "sitemap.xml"):
        (folder / name).write_text(f"{name}\n", "utf-8")
    output = tmp_path / "output"
    text = script("publish.yml", "build", "Note the hashes that the smoke test expects")
    done = bash(text, folder.parent, GITHUB_OUTPUT=str(output))
    assert done.returncode == 0, done.stderr
    first, *hashes, last = output.read_text("utf-8").splitlines()
    assert (first, last) == ("hashes<<END", "END")
    assert hashes[0] == f"{hashlib.sha256((folder / 'index.html').read_bytes()).hexdigest()}  index.html"
    return folder, "\n".join(hashes)


needs_curl = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "sha256sum"))), reason="needs what Ubuntu has: bash, curl, sha256sum"
)


@needs_curl
def test_smoke_test_accepts_the_site_of_this_build(tmp_path, published):
    done = smoke(tmp_path, *published, limit=20)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_curl
@pytest.mark.parametrize("name", ["index.html", "404.html", "sitemap.xml"])
def test_smoke_test_refuses_another_site(tmp_path, published, name):
    folder, hashes = published
    (folder / name).write_text("of another commit\n", "utf-8")
    done = smoke(tmp_path, folder, hashes, limit=1)
    assert done.returncode == 1
    assert f"{name}: FAILED" in done.stdout
    assert "::error::" in done.stdout


@needs_curl
def test_smoke_test_refuses_a_site_without_a_sitemap(tmp_path, published):
    folder, hashes = published
    (folder / "sitemap.xml").unlink()
    done = smoke(tmp_path, folder, hashes, limit=1)
    assert done.returncode == 1
    assert "200 404 404" in done.stdout


# The two outside tools reject what they should.

GOOD = """\
name: Good
on: push
permissions: {}
concurrency: {group: good, cancel-in-progress: true}
jobs:
  good:
    name: Good
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: {}
    steps:
      - name: Check out
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {persist-credentials: false}
"""


def workflow(folder: Path, text: str) -> Path:
    path = folder / ".github/workflows/broken.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    return path


def test_a_good_workflow_passes_both(tmp_path):
    path = workflow(tmp_path, GOOD)
    assert schema("github-workflows", path).returncode == 0
    done = zizmor(path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "unpinned-uses"),
        ("{persist-credentials: false}", "{fetch-depth: 0}", "artipacked"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("on: push", "on: pull_request_target", "dangerous-triggers"),
        ("steps:", 'steps:\n      - run: echo "${{ github.event.head_commit.message }}"', "template-injection"),
    ],
)
def test_zizmor_rejects_an_unsafe_workflow(tmp_path, old, new, rule):
    assert old in GOOD
    done = zizmor(workflow(tmp_path, GOOD.replace(old, new)))
    assert done.returncode != 0
    assert rule in done.stdout


@pytest.mark.parametrize(("old", "new"), [("timeout-minutes", "timeout-minuts"), ("runs-on: ubuntu-24.04", "env: {}")])
def test_the_schema_rejects_a_wrong_key(tmp_path, old, new):
    assert old in GOOD
    assert schema("github-workflows", workflow(tmp_path, GOOD.replace(old, new))).returncode == 1


def test_dependabot_without_a_wait_or_with_a_wrong_key_is_rejected(tmp_path):
    text = DEPENDABOT.read_text("utf-8")
    hasty = tmp_path / ".github/dependabot.yml"
    hasty.parent.mkdir()
    hasty.write_text(text.replace("default-days: 7", "default-days: 1"), "utf-8")
    assert "dependabot-cooldown" in zizmor(hasty).stdout
    hasty.write_text(text.replace("directories:", "direktories:"), "utf-8")
    assert schema("dependabot", hasty).returncode == 1
