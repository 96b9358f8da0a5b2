"""What must be true of the project as a whole."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

import local

# Each may import those to its right, and nothing to its left.
LAYERS = ["admin api graphql management", "services idempotency", "tasks"]
LAYERS += ["caching", "models", "querysets"]


def imports_of(path):
    """Yield the dotted names that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_imports_point_one_way():
    rank = {name: n for n, row in enumerate(LAYERS) for name in row.split()}
    wrong = []
    for path in sorted(local.HERE.glob("board/**/*.py")):
        parts = path.relative_to(local.HERE / "board").with_suffix("").parts
        if parts[0] not in rank:  # tests, migrations
            continue
        for name in imports_of(path):
            target = name.split(".")[1:2] if name.startswith("board") else []
            up = target and rank.get(target[0], 99) < rank[parts[0]]
            beside = target and rank.get(target[0]) == rank[parts[0]] == 0
            if up or (beside and target[0] != parts[0]):
                wrong.append(f"{path.name} imports {name}")
    for path in local.HERE.glob("accounts/*.py"):
        names = imports_of(path)
        wrong += [f"{path}: {n}" for n in names if n.startswith("board")]
    assert wrong == []


def test_migrations_are_complete(db):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_openapi_document_is_valid_and_says_what_every_operation_does():
    document = SchemaGenerator().get_schema(public=True)
    validate_schema(document)
    for operations in document["paths"].values():
        for operation in operations.values():
            content = operation["responses"]["default"]["content"]
            assert list(content) == ["application/problem+json"]
            assert operation["summary"].endswith("."), operation
    tags = document["paths"]["/api/jobs/{id}/"]["get"]["tags"]
    assert tags == ["jobs"]


def test_the_openapi_document_promises_answers_and_closes_bodies():
    document = SchemaGenerator().get_schema(public=True)
    for name, schema in document["components"]["schemas"].items():
        fields = set(schema.get("properties", ()))
        optional = fields - set(schema.get("required", ()))
        if name == "Problem":
            assert optional == {"errors"}
        elif name.endswith("Request"):
            assert schema["additionalProperties"] is False
        else:
            assert optional == set(), name


def manage(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *arguments],
        cwd=local.HERE,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )


def test_the_checks_for_production_find_nothing():
    done = manage(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        HTTPS_ONLY="true",
        MAIL_URL="smtps://mail.example",
    )
    assert done.returncode == 0, done.stderr


def test_wrong_settings_end_every_program_with_a_line_each():
    wrong = {
        "SECRET_KEY": "short",
        "DEBUG": "maybe",
        "DATABASE_URL": "sqlite:///db.sqlite3",
        "REDIS_URL": "",
        "MAIL_URL": "smtp://host:port",
        "BROKER_URL_FILE": "/no/such/file",
        "BROKER_URL": "",
        "STATEMENT_TIMEOUT_MS": "soon",
    }
    done = manage("check", **wrong)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "settings: SECRET_KEY is too short or too regular;"
        " give it 50 random characters",
        "settings: DEBUG is 'maybe', not true or false",
        "settings: DATABASE_URL is not a postgres://HOST URL",
        "settings: STATEMENT_TIMEOUT_MS is 'soon', not a whole number",
        "settings: REDIS_URL is missing;"
        " give it a URL such as redis://:PASSWORD@HOST:6379/0",
        "settings: BROKER_URL [Errno 2] No such file or directory:"
        " '/no/such/file'",
        "settings: MAIL_URL Port could not be cast to integer value as 'port'",
    ]


def program(name, *arguments):
    """Run a linter of this environment; return what it says, "" if nothing."""
    path = shutil.which(name, path=str(Path(sys.executable).parent))
    if not path:
        pytest.skip(f"there is no {name} for this machine")
    done = subprocess.run(
        [path, *arguments], cwd=local.HERE, capture_output=True, text=True
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_the_image_and_the_stack_please_their_linters():
    assert program("hadolint", "Dockerfile") == ""
    schema = "--builtin-schema=vendor.compose-spec"
    assert program("check-jsonschema", schema, "compose.yaml") == ""


def test_the_image_has_two_stages_and_runs_as_nobody_in_particular():
    text = (local.HERE / "Dockerfile").read_text()
    instructions = [line.split(" ", 1) for line in text.splitlines() if line]
    last = {name: value for name, *rest in instructions for value in rest}
    assert [name for name, *_ in instructions].count("FROM") == 2
    assert int(last["USER"]) > 0
    assert last["CMD"].startswith("["), "a shell would keep the SIGTERM"
    assert "--require-hashes" in text
    assert "HEALTHCHECK" in last


def test_the_stack_opens_one_port_to_this_machine_and_keeps_its_data():
    stack = yaml.safe_load((local.HERE / "compose.yaml").read_text())
    services = stack["services"]
    ports = {name: s["ports"] for name, s in services.items() if "ports" in s}
    assert ports == {"web": ["127.0.0.1:8000:8000"]}
    assert services["db"]["image"].startswith("postgres:18")
    # Below 18 it was …/data; there, the data would end with the container.
    assert services["db"]["volumes"] == ["database:/var/lib/postgresql"]
    assert "allkeys-lru" in services["cache"]["command"]
    assert "noeviction" in services["broker"]["command"]
    for name in ("db", "cache", "broker", "worker"):
        assert services[name]["healthcheck"]["test"], name


def test_the_stack_waits_for_longer_than_the_server_and_the_tasks():
    stack = yaml.safe_load((local.HERE / "compose.yaml").read_text())
    given = {
        name: int(service["stop_grace_period"].removesuffix("s"))
        for name, service in stack["services"].items()
        if "stop_grace_period" in service
    }
    text = (local.HERE / "Dockerfile").read_text()
    server = re.search(r"--graceful-timeout=(\d+)", text)
    assert given["web"] > int(server[1])
    assert given["worker"] > settings.CELERY_TASK_TIME_LIMIT


def test_the_stack_gives_the_project_every_setting_that_it_needs():
    stack = yaml.safe_load((local.HERE / "compose.yaml").read_text())
    secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    variables = {
        name: re.sub(r"\$\{[^}]*\}", secret, value)
        for name, value in stack["services"]["web"]["environment"].items()
    }
    # Only these: what the tests run with must not fill a gap.
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=local.HERE,
        env=variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_servers_find_their_entry_points():
    from config import asgi, wsgi

    assert isinstance(asgi.application, ASGIHandler)
    assert isinstance(wsgi.application, WSGIHandler)


def test_the_pages_for_people_ask_no_other_host(db, client):
    for address in ("/api/docs/", "/graphql/"):
        response = client.get(address, headers={"Accept": "text/html"})
        assert response.status_code == 200
        text = response.content.decode()
        assert "<script" in text
        for attribute in ('src="', 'href="'):
            links = [part.split('"')[0] for part in text.split(attribute)[1:]]
            assert links
            assert not [link for link in links if "//" in link], links


def test_unknown_addresses_and_health(db, client, rf):
    from board.tests.world import assert_problem

    assert_problem(client.get("/nothing/"), 404, "nothing at this address")
    assert client.get("/healthz").content == b"ok"
    client.raise_request_exception = False
    response = client.get("/api/jobs/", HTTP_HOST="evil.example")
    assert_problem(response, 400, "cannot be understood")
