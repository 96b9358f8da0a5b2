"""Requests made up from the OpenAPI document: none may be a server error, and
every answer must be one that the document describes.
"""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts import tokens
from accounts.throttling import Throttle
from board.tests.test_permissions import MATRIX
from config.wsgi import application

pytestmark = pytest.mark.django_db

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def operations(django_db_setup, django_db_blocker):
    """Return the operations of the document by name."""
    with django_db_blocker.unblock():  # every request looks for a connection
        schema = schemathesis.openapi.from_wsgi("/api/schema/", application)
    found = [result.ok() for result in schema.get_all_operations()]
    return {operation.label: operation for operation in found}


@pytest.fixture
def api(world, operations, monkeypatch):
    """Yield the operations, with nothing counted, in one transaction."""
    rates = dict.fromkeys(Throttle.THROTTLE_RATES)
    monkeypatch.setattr(Throttle, "THROTTLE_RATES", rates)
    # The test's transaction must outlive the pauses between the requests, and
    # the requests, as it does with the test client of Django.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield operations
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("name", MATRIX)
def test_no_request_is_a_server_error(api, world, name):
    access = tokens.issue(world.root)["access"]
    headers = {"Authorization": f"Bearer {access}", "If-Match": "*"}

    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=api[name].as_strategy())
    def check(case):
        case.call_and_validate(headers=headers, checks=CHECKS)

    check()


def test_text_that_is_no_number_and_no_ascii_is_described_too(api, world):
    for path in (
        "/api/companies/%00/",
        "/api/jobs/\u4e2d\x16 [/",
        "/api/companies/g\u00bb/",
    ):
        response = world.client().get(path)
        instance = response.json()["instance"]
        assert response.status_code == 404
        assert instance.isascii()
        assert " " not in instance
