"""The published contract is that of the code; what it promises, what a diff sees, and what made-up requests find."""

import copy
import json
import os
import re
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
import schemathesis
from accounts import tokens
from accounts.throttling import Throttle
from board.api.openapi import Schema
from board.api.serializers import JobWriteSerializer
from board.models import Company
from board.tests.world import assert_problem
from config.wsgi import application
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.urls import path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.management.commands.spectacular import Command
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.settings import patched_settings
from drf_spectacular.utils import extend_schema_field
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, seed, settings
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.viewsets import ReadOnlyModelViewSet

PAGE = Path(__file__).with_name("README.md")
CONTRACT = Path(__file__).with_name("openapi.json")
COMMAND = "WRITE_CONTRACT=1 .venv/bin/python -m tools.test docs/technologies/openapi-contract && make listings"


def document(**kwargs):
    """Return the OpenAPI document that the code describes."""
    made = SchemaGenerator(**kwargs).get_schema(public=True)
    return json.loads(OpenApiJsonRenderer().render(made))


def published():
    return json.loads(CONTRACT.read_text("utf-8"))


def test_the_published_contract_is_that_of_the_code():
    wanted = json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("WRITE_CONTRACT"):
        CONTRACT.write_text(wanted, "utf-8")
    hint = f"the contract has changed; run: {COMMAND}"
    assert CONTRACT.read_text("utf-8") == wanted, hint
    validate_schema(published())


# What it promises.


@contextmanager
def as_generated():
    """The contract before the job board's own additions."""
    hooks = ["drf_spectacular.hooks.postprocess_schema_enums"]
    with patched_settings({"POSTPROCESSING_HOOKS": hooks}), mock.patch.object(Schema, "get_auth", AutoSchema.get_auth):
        yield


def promises(contract):
    """Count the fields of answers, and those that may be missing."""
    fields = optional = 0
    for name, schema in contract["components"]["schemas"].items():
        if not name.endswith("Request") and name != "Problem":
            given = set(schema.get("properties", ()))
            fields += len(given)
            optional += len(given - set(schema.get("required", ())))
    return {"fields": fields, "optional": optional, "closed by mistake": len(closed(contract))}


# What answers without a token, as the job board's tests of permissions know it.
FOR_ANYBODY = ["/api/jobs/", "/api/jobs/{id}/", "/api/companies/", "/api/companies/{slug}/"]
FOR_ANYBODY += ["/api/skills/", "/api/statistics/", "/api/auth/session/"]


def closed(contract):
    """Return what anybody may read, and the contract asks a token for."""
    return [path for path in FOR_ANYBODY if {} not in contract["paths"][path]["get"]["security"]]


def test_what_is_generated_promises_too_little():
    with as_generated():
        made = document()
    assert promises(made) == {"fields": 50, "optional": 11, "closed by mistake": 2}
    assert closed(made) == ["/api/jobs/", "/api/jobs/{id}/"]
    assert promises(document()) == {"fields": 50, "optional": 0, "closed by mistake": 0}


# A method field, and what the contract says of it.


class Guessed(serializers.ModelSerializer):
    open_jobs = serializers.SerializerMethodField()

    class Meta:
        model = Company
        fields = ("slug", "open_jobs")

    def get_open_jobs(self, company):
        return company.jobs.open().count()


class Told(Guessed):
    def get_open_jobs(self, company) -> int:
        return super().get_open_jobs(company)


class ToldByDecorator(Guessed):
    @extend_schema_field(serializers.IntegerField(min_value=0))
    def get_open_jobs(self, company):
        return super().get_open_jobs(company)


WARNING = (
    'unable to resolve type hint for function "get_open_jobs". '
    "Consider using a type hint or @extend_schema_field. Defaulting to string."
)

NO_EXTENSION = "There was no OpenApiAuthenticationExtension registered for that class."


def described(serializer):
    """Return what a contract says of open_jobs, and the warnings on the way."""

    class Companies(ReadOnlyModelViewSet):
        queryset = Company.objects.all()
        serializer_class = serializer
        permission_classes = (AllowAny,)

    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        made = document(patterns=[path("companies/<int:pk>/", Companies.as_view({"get": "retrieve"}))])
        warnings = list(GENERATOR_STATS._warn_cache)
    return made["components"]["schemas"][serializer.__name__]["properties"]["open_jobs"], warnings


def test_a_method_field_is_a_string_until_told_otherwise(world):
    field, warnings = described(Guessed)
    assert field["type"] == "string"
    assert Guessed(world.company).data["open_jobs"] == 1  # a number
    assert [str(warning).partition("]: ")[2] or str(warning) for warning in warnings] == [WARNING]
    assert described(Told)[0]["type"] == "integer"
    assert described(ToldByDecorator)[0] == {"type": "integer", "minimum": 0, "readOnly": True}


class OwnTokens(BaseAuthentication):
    """A way to sign in that the generator has never met."""

    def authenticate(self, request):
        return None


def test_an_authentication_class_of_your_own_has_no_authorize(capsys):
    class Companies(ReadOnlyModelViewSet):
        queryset = Company.objects.all()
        serializer_class = Told
        authentication_classes = (OwnTokens,)

    GENERATOR_STATS.reset()
    made = document(patterns=[path("companies/<int:pk>/", Companies.as_view({"get": "retrieve"}))])
    GENERATOR_STATS.reset()
    assert "securitySchemes" not in made["components"]
    said = capsys.readouterr().err
    assert f"could not resolve authenticator {OwnTokens}. {NO_EXTENSION}" in said
    assert f"`{NO_EXTENSION}`" in PAGE.read_text("utf-8")


# The difference of two contracts.


def breaking(old, new):
    """Yield what a client of the old contract trips over."""
    for address, operations in old["paths"].items():
        for method in set(operations) - set(new["paths"].get(address, ())):
            yield f"{method.upper()} {address}: gone"
    now_all = new["components"]["schemas"]
    for name, was in old["components"]["schemas"].items():
        now = now_all.get(name, {})
        fields = now.get("properties", {})
        for field, kind in was.get("properties", {}).items():
            if field not in fields:
                yield f"{name}.{field}: gone"
            elif kind.get("type") != fields[field].get("type"):
                yield f"{name}.{field}: another type"
        values = set(was.get("enum", ())) ^ set(now.get("enum", ()))
        yield from (f"{name}: {value!r} is new or gone" for value in values)
        before, after = set(was.get("required", ())), set(now.get("required", ()))
        asked = after - before if name.endswith("Request") else before - after
        word = "is required now" if name.endswith("Request") else "may be missing now"
        yield from (f"{name}.{field}: {word}" for field in asked if field in fields)


def field_of(contract, name):
    return contract["components"]["schemas"][name]["properties"]


def renamed(contract):
    field_of(contract, "JobSummary")["salary_top"] = field_of(contract, "JobSummary").pop("salary_max")


def removed(contract):
    del contract["paths"]["/api/skills/"]


def retyped(contract):
    field_of(contract, "Job")["id"]["type"] = "string"


def new_status(contract):
    contract["components"]["schemas"]["ApplicationStatusEnum"]["enum"].append("invited")


def newly_required(contract):
    field_of(contract, "ApplyRequest")["phone"] = {"type": "string"}
    contract["components"]["schemas"]["ApplyRequest"]["required"].append("phone")


def taken_back(contract):
    contract["components"]["schemas"]["Job"]["required"].remove("is_open")


def new_field(contract):
    field_of(contract, "Job")["remote"] = {"type": "boolean"}


def new_optional(contract):
    field_of(contract, "ApplyRequest")["phone"] = {"type": "string"}


def required_header(contract):
    (key,) = (one for one in contract["paths"]["/api/applications/"]["post"]["parameters"] if one["in"] == "header")
    assert not key.get("required")
    key["required"] = True


def other_unit(contract):
    field_of(contract, "Job")["salary_min"]["description"] = "In thousands."


def other_order(contract):
    contract["paths"]["/api/jobs/"]["get"]["description"] = "List jobs, oldest first."


# What it breaks for clients that ignore unknown fields, and what is reported.
CHANGES = {
    "a field renamed": (renamed, True, "JobSummary.salary_max: gone"),
    "an address removed": (removed, True, "GET /api/skills/: gone"),
    "a number became a string": (retyped, True, "Job.id: another type"),
    "a new status": (new_status, True, "ApplicationStatusEnum: 'invited' is new or gone"),
    "a new required field in a body": (newly_required, True, "ApplyRequest.phone: is required now"),
    "a field that may be missing": (taken_back, True, "Job.is_open: may be missing now"),
    "a new field in an answer": (new_field, False, None),
    "a new optional field in a body": (new_optional, False, None),
    "a header that became required": (required_header, True, None),
    "a salary in thousands": (other_unit, True, None),
    "another order of the list": (other_order, True, None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_the_difference_shows(name):
    change, _, reported = CHANGES[name]
    new = copy.deepcopy(published())
    change(new)
    assert list(breaking(published(), new)) == ([reported] if reported else [])


def test_the_page_says_what_breaks_and_what_is_seen():
    rows = re.findall(r"^\| (.+) \| \**(yes|no)\** \| \**(yes|no)\** \|$", PAGE.read_text("utf-8"), re.M)
    said = {name: (breaks == "yes", seen == "yes") for name, breaks, seen in rows}
    assert said == {name: (breaks, bool(report)) for name, (_, breaks, report) in CHANGES.items()}


def test_the_options_of_the_command_are_there():
    words = "--format openapi-json --file openapi.json --fail-on-warn --validate"
    options = Command().create_parser("manage.py", "spectacular").parse_args(words.split())
    assert options.fail_on_warn and options.validate


# Requests made from the contract.


@contextmanager
def unlimited():
    """Let requests through as fast as they come, in the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        with mock.patch.object(Throttle, "THROTTLE_RATES", dict.fromkeys(Throttle.THROTTLE_RATES)):
            yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


# As the tutorials write it: whatever is sent goes to the database.
TRUSTING = serializers.SlugRelatedField("slug", queryset=Company.objects.all())


def made_up(user, requests, run=0):
    """Send bodies made from the contract to POST /api/jobs/; count them."""
    headers = {"Authorization": f"Bearer {tokens.issue(user)['access']}"}
    contract = schemathesis.openapi.from_wsgi("/api/schema/", application)
    found = {"requests": 0, "unknown fields": 0, "server errors": 0}

    @seed(run)
    @settings(
        max_examples=requests,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=contract["/api/jobs/"]["POST"].as_strategy())
    def send(case):
        answer = case.call(headers=headers)
        found["requests"] += 1
        found["unknown fields"] += "This field is not known." in answer.text
        found["server errors"] += answer.status_code >= 500

    send()
    return found


def trusting():
    """The job board with a field that hands any text to the database."""
    return mock.patch.dict(JobWriteSerializer._declared_fields, company=TRUSTING)


def test_closed_bodies_let_made_up_requests_get_further(world):
    with unlimited():
        assert made_up(world.root, 20) == {"requests": 20, "unknown fields": 0, "server errors": 0}
        with as_generated():
            assert made_up(world.root, 20)["unknown fields"] > 0


def test_the_fault_once_found_is_a_test_of_its_own(world):
    body = {"company": "\0", "title": "Tester"}
    assert_problem(world.client(world.staff).post("/api/jobs/", body, format="json"), 422, "Null characters")
    with trusting():
        assert_problem(world.client(world.staff).post("/api/jobs/", body, format="json"), 500)
