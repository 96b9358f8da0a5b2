"""What GitHub reads from .github, and the container for a browser's editor: valid, and true of this repository."""

import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from test_workflows import MAKE, make_targets, schema

from tools import owners

ROOT = Path(__file__).resolve().parent.parent
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
# The fields that links from elsewhere fill in: the names are a promise.
FILLED = {"page.yml": "page", "search.yml": "query", "project-idea.yml": "idea", "new-page.yml": "teaches"}


def fields(form: Path) -> dict[str, dict]:
    body = yaml.safe_load(form.read_text("utf-8"))["body"]
    return {field["id"]: field for field in body if field["type"] != "markdown"}


def test_issue_forms_follow_their_schema():
    done = schema("github-issue-forms", *FORMS)
    assert done.returncode == 0, done.stdout + done.stderr
    done = schema("github-issue-config", ROOT / ".github/ISSUE_TEMPLATE/config.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_rejects_a_form_that_github_would_not_show(tmp_path):
    form = tmp_path / "page.yml"
    form.write_text(FORMS[0].read_text("utf-8").replace("type: input", "type: imput"), "utf-8")
    assert schema("github-issue-forms", form).returncode == 1


def test_every_form_has_the_field_that_links_fill_in():
    assert {form.name for form in FORMS} == set(FILLED)
    for form in FORMS:
        assert fields(form)[FILLED[form.name]]["type"] == "input", form.name


def test_the_chooser_links_only_to_addresses_that_exist_for_every_fork():
    config = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/config.yml").read_text("utf-8"))
    assert config == {"blank_issues_enabled": True}, (
        "a contact link would name one repository, or a server nobody knows"
    )


def test_a_new_page_belongs_to_a_section_that_exists():
    options = fields(ROOT / ".github/ISSUE_TEMPLATE/new-page.yml")["section"]["attributes"]["options"]
    for option in options[:-1]:
        section = option.partition(":")[0].lower().replace(" ", "-")
        assert (ROOT / "docs" / section / "README.md").is_file(), option


def test_the_announcement_asks_for_what_the_first_week_needs():
    """The owner's tip: announce the idea, sync with those who use the endpoints, plan sessions."""
    form = ROOT / ".github/ISSUE_TEMPLATE/project-idea.yml"
    assert {"idea", "users", "endpoints", "wanted", "sessions"} <= set(fields(form))
    assert "#ProDevProjectNexus" in form.read_text("utf-8")


def test_a_pull_request_is_asked_for_at_most_five_things():
    text = (ROOT / ".github/pull_request_template.md").read_text("utf-8")
    assert 1 <= text.count("- [ ]") <= 5
    assert set(MAKE.findall(text)) <= make_targets()


@pytest.mark.parametrize("name", ["SECURITY.md", "CODE_OF_CONDUCT.md"])
def test_the_links_of_a_policy_lead_somewhere(name):
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", (ROOT / ".github" / name).read_text("utf-8")):
        assert re.match(r"https?://", link) or (ROOT / ".github" / link).is_file(), link


# ---- CODEOWNERS --------------------------------------------------------------------------------------------------

PROSE = {"docs", "README.md", "CONTRIBUTING.md", ".gitignore"}  # read by people, or of no effect on others


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_every_guarded_path_exists_and_all_that_is_not_prose_is_guarded():
    for path in owners.GUARDED:
        here = ROOT / path.strip("/")
        assert here.is_dir() if path.endswith("/") else here.is_file(), path
    files = tracked()
    if not files:
        pytest.skip("no git history here")
    loose = {file for file in files if not ("/" + file).startswith(tuple(owners.GUARDED))}
    assert {file.split("/")[0] for file in loose} <= PROSE


def test_codeowners_is_the_list_with_one_owner_or_none():
    lines = (ROOT / owners.FILE).read_text("utf-8").splitlines()
    names = {line.partition(" ")[2] for line in lines if line.startswith("/")}
    assert len(names) == 1
    assert "\n".join(lines) + "\n" == owners.text(names.pop()), "write the list in tools/owners.py, then: make owners"


def test_owners_are_written_once_they_are_known(tmp_path, capsys, monkeypatch):
    (tmp_path / ".github").mkdir()
    assert owners.main(["@learner"], tmp_path) == 0
    text = (tmp_path / owners.FILE).read_text("utf-8")
    assert "/tools/ @learner\n" in text and text == owners.text("@learner")
    assert owners.main(["learner; rm"], tmp_path) == 1
    assert "write OWNER=@name" in capsys.readouterr().err
    assert (tmp_path / owners.FILE).read_text("utf-8") == text
    monkeypatch.setenv("REPO_URL", "https://github.com/somebody/alx-project-nexus")
    assert owners.main([], tmp_path) == 0
    assert "/tools/ @somebody\n" in (tmp_path / owners.FILE).read_text("utf-8")
    monkeypatch.setenv("REPO_URL", "")
    assert owners.main([], tmp_path) == 1
    assert "names no account" in capsys.readouterr().err


# ---- the container -----------------------------------------------------------------------------------------------

# Of the development container specification, the keys that are used here, and no other: a misspelt key does nothing.
CONTAINER = {
    "type": "object",
    "required": ["name", "image", "postCreateCommand", "forwardPorts"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "image": {"type": "string", "pattern": r"^[a-z0-9./-]+:[0-9]+-[0-9.]+-[a-z]+(@sha256:[0-9a-f]{64})?$"},
        "postCreateCommand": {"type": "string"},
        "forwardPorts": {"type": "array", "items": {"type": "integer", "minimum": 1024, "maximum": 65535}},
        "portsAttributes": {
            "type": "object",
            "patternProperties": {
                r"^\d+$": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "label": {"type": "string"},
                        "onAutoForward": {
                            "enum": ["notify", "openBrowser", "openBrowserOnce", "openPreview", "silent", "ignore"]
                        },
                    },
                }
            },
            "additionalProperties": False,
        },
        "hostRequirements": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "cpus": {"type": "integer", "minimum": 1},
                "memory": {"type": "string", "pattern": r"^\d+([tgmk]b)?$"},
                "storage": {"type": "string", "pattern": r"^\d+([tgmk]b)?$"},
            },
        },
    },
}


def container() -> dict:
    text = (ROOT / ".devcontainer/devcontainer.json").read_text("utf-8")
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))


def test_the_container_follows_its_schema_and_runs_what_exists():
    jsonschema.validate(container(), CONTAINER)
    assert set(MAKE.findall(json.dumps(container()))) <= make_targets()
    assert set(container()["portsAttributes"]) == {str(port) for port in container()["forwardPorts"]}


def test_the_container_has_the_newest_python_that_is_tested():
    check = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text("utf-8"))
    newest = check["jobs"]["test"]["strategy"]["matrix"]["python"][-1]
    assert f"-{newest}-" in container()["image"]


def test_a_misspelt_key_of_the_container_is_found():
    with pytest.raises(jsonschema.ValidationError, match="postCreateComand"):
        jsonschema.validate(container() | {"postCreateComand": "make setup"}, CONTAINER)
