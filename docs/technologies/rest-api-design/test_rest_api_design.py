"""Every write sent twice, one request wrong in eight ways, edits at the same time, and rules of a contract as code."""

import importlib
import json
import re
import uuid
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from accounts import tokens
from accounts.models import Profile, User
from board.api.serializers import ApplicationSerializer, JobSerializer
from board.api.views import ApplicationViewSet
from board.models import Application, Company, Job
from board.tests.world import assert_problem
from django.contrib.sessions.models import Session
from django.test.utils import override_settings
from django.urls import include, path
from django.utils.http import http_date
from drf_spectacular.generators import SchemaGenerator
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient
from rest_framework.viewsets import ModelViewSet
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

PAGE = Path(__file__).with_name("README.md")
VERBS = {"create", "delete", "list", "refresh", "remove", "revoke", "search", "sign-up", "update", "withdraw"}


# The server, changed where the page says so.


class RepeatableApplications(ApplicationViewSet):
    @action(detail=True, methods=["put"])
    def withdrawal(self, request, pk):
        """Make the application withdrawn, whatever was sent before."""
        application = self.get_object()
        if application.user != request.user:
            self.permission_denied(request)
        if application.status == Application.Status.WITHDRAWN:
            return Response(self.get_serializer(application).data)
        return self.change_status(Application.Status.WITHDRAWN, application)


class CarelessJob(ModelSerializer):
    class Meta:
        model = Job
        fields = ("title", "description", "salary_min", "salary_max")


class CarelessJobs(ModelViewSet):
    """Changes a job without asking which version was read."""

    queryset = Job.objects.all()
    serializer_class = CarelessJob


def patterns():
    router = SimpleRouter(use_regex_path=False)
    router.register("repeatable", RepeatableApplications, "repeatable")
    router.register("careless", CarelessJobs, "careless")
    return (*router.urls, path("", include("config.urls")))


@pytest.fixture(autouse=True)
def addresses():
    with override_settings(ROOT_URLCONF=patterns()):
        yield


class Stage:
    """One company with its staff, a job, and an applicant; on any data."""

    def __init__(self):
        self.staff, self.applicant = self.user(), self.user()
        self.company = Company.objects.create(name="Twice", slug=f"twice-{self.staff.pk}")
        self.company.staff.add(self.staff)
        self.job = Job.objects.create(company=self.company, title="Editor")
        self.address = f"/api/jobs/{self.job.pk}/"
        self.writer, self.reader = self.client(self.staff), self.client(self.applicant)

    def user(self):
        user = User.objects.create_user(f"{uuid.uuid4().hex}@example.com")
        Profile.objects.create(user=user)
        return user

    def client(self, user):
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(user)['access']}")
        return client


def twice(send, state):
    """Send a request two times; tell both answers and count the changes."""
    states, answers = [state()], []
    for _ in range(2):
        answers.append(send().status_code)
        states.append(state())
    changes = sum(before != after for before, after in pairwise(states))
    return {"first": answers[0], "second": answers[1], "changes": changes}


# Each returns what to send, and what to look at.


def views(stage):
    return lambda: stage.writer.post(f"{stage.address}views/"), lambda: Job.objects.get(pk=stage.job.pk).views


def create_job(stage):
    body = {"company": stage.company.slug, "title": "Tester"}
    return lambda: stage.writer.post("/api/jobs/", body, format="json"), Job.objects.count


def application(stage, **headers):
    body = {"job": stage.job.pk}
    send = stage.reader.post
    return lambda: send("/api/applications/", body, format="json", headers=headers), Application.objects.count


def application_with_a_key(stage):
    return application(stage, **{"Idempotency-Key": str(uuid.uuid4())})


def withdrawal(stage, send="post", base="/api/applications"):
    sent = Application.objects.create(user=stage.applicant, job=stage.job)

    def state():
        return Application.objects.values_list("status", "status_changed_at").get(pk=sent.pk)

    return lambda: getattr(stage.reader, send)(f"{base}/{sent.pk}/withdrawal/"), state


def repeatable_withdrawal(stage):
    return withdrawal(stage, "put", "/repeatable")


def change_job(stage):
    headers = {"If-Match": stage.writer.get(stage.address).headers["ETag"]}
    send = stage.writer.patch
    return (
        lambda: send(stage.address, {"title": "New"}, format="json", headers=headers),
        lambda: Job.objects.get(pk=stage.job.pk).version,
    )


def change_profile(stage):
    def state():
        return Profile.objects.get(user=stage.applicant).headline

    return lambda: stage.reader.patch("/api/me/", {"headline": "Editor"}, format="json"), state


def refresh(stage):
    """The devices that stay signed in: two tokens, of which one is used."""
    tokens.issue(stage.applicant)
    body = {"refresh": tokens.issue(stage.applicant)["refresh"]}
    held = OutstandingToken.objects.filter(user=stage.applicant, blacklistedtoken=None)
    send = APIClient().post
    return (
        lambda: send("/api/auth/token/refresh/", body, format="json"),
        lambda: sorted(held.values_list("jti", flat=True)),
    )


def sign_out(stage):
    client = APIClient()
    client.force_login(stage.applicant)
    return lambda: client.delete("/api/auth/session/"), Session.objects.count


WRITES = {
    "POST views": (views, 204, 204, 2),
    "POST job": (create_job, 201, 409, 1),
    "POST application": (application, 201, 409, 1),
    "the same with a key": (application_with_a_key, 201, 201, 1),
    "POST withdrawal": (withdrawal, 200, 409, 1),
    "PUT withdrawal": (repeatable_withdrawal, 200, 200, 1),
    "PATCH job, If-Match": (change_job, 200, 412, 1),
    "PATCH profile": (change_profile, 200, 200, 1),
    "DELETE session": (sign_out, 204, 204, 1),
    "POST refresh token": (refresh, 200, 401, 2),
}


@pytest.mark.parametrize("name", WRITES)
def test_every_write_sent_twice(db, name):
    write, first, second, changes = WRITES[name]
    assert twice(*write(Stage())) == {"first": first, "second": second, "changes": changes}


def test_an_answer_with_a_key_is_the_same_answer(db):
    send, _ = application_with_a_key(Stage())
    first, second = send(), send()
    assert first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"]


def careful_post(session, address, body, tries=3):
    """Send a body until there is an answer. Or so it says."""
    for attempt in range(tries):
        try:
            return session.post(address, body, format="json")
        except TimeoutError:
            if attempt == tries - 1:
                raise


class Lossy:
    """A network that delivers the first request and loses its answer."""

    def __init__(self):
        self.lost = 0

    def post(self, *request, **options):
        answer = APIClient().post(*request, **options)
        if not self.lost:
            self.lost = 1
            raise TimeoutError
        return answer


def test_the_careful_client_signs_its_users_out(db):
    stage = Stage()
    tokens.issue(stage.applicant)
    body = {"refresh": tokens.issue(stage.applicant)["refresh"]}
    answer = careful_post(Lossy(), "/api/auth/token/refresh/", body)
    assert answer.status_code == 401
    assert not OutstandingToken.objects.filter(user=stage.applicant, blacklistedtoken=None).exists()


def test_a_refresh_sent_twice_signs_out_everywhere(db):
    send, held = refresh(Stage())
    assert len(held()) == 3  # the client's own, one of another device, and the one to send
    send()
    assert len(held()) == 3
    send()
    assert held() == []


def test_the_message_of_the_second_withdrawal(db):
    send, _ = withdrawal(Stage())
    send()
    assert_problem(send(), 409, "withdrawn cannot become withdrawn")


def test_half_of_them_sound_like_a_failure():
    assert sum(second >= 400 for _, _, second, _ in WRITES.values()) == 5
    assert len(WRITES) == 10


def test_a_stranger_cannot_withdraw_the_repeatable_way_either(db):
    stage = Stage()
    sent = Application.objects.create(user=stage.applicant, job=stage.job)
    assert stage.writer.put(f"/repeatable/{sent.pk}/withdrawal/").status_code == 403
    assert stage.client(stage.user()).put(f"/repeatable/{sent.pk}/withdrawal/").status_code == 404


# One request, wrong in eight ways.


def test_what_is_asked_first(world):
    """Mend one thing at a time; each answer names the next."""
    taken = world.add_job("Taken")
    fresh = world.client(world.staff).get(f"/api/jobs/{world.job.pk}/").headers["ETag"]
    bad = {"title": taken.title, "salary_min": "9", "salary_max": "1"}
    request = {"user": None, "job": world.closed, "If-Match": None, "body": "{"}
    repairs = [
        {},
        {"user": world.outsider},
        {"job": world.job},
        {"user": world.staff},
        {"If-Match": '"stale"'},
        {"If-Match": fresh},
        {"body": json.dumps(bad)},
        {"body": json.dumps({"title": taken.title})},
        {"body": json.dumps({"title": "Free"})},
    ]
    answers = []
    for repair in repairs:
        request |= repair
        headers = {"If-Match": request["If-Match"]} if request["If-Match"] else {}
        client = world.client(request["user"])
        address = f"/api/jobs/{request['job'].pk}/"
        answer = client.generic("PATCH", address, request["body"], "application/json", headers=headers)
        answers.append(answer.status_code)
    assert answers == [401, 404, 403, 428, 412, 400, 422, 409, 200]
    shown = re.findall(r"^\| \d \| .* \| (\d{3}) \|$", PAGE.read_text("utf-8"), re.M)
    assert [int(status) for status in shown] == answers


# Two people edit one job.


def edit_together(user, job, address, whole, if_match):
    """Two forms, read at once: one changes the title, one the salary.

    Returns how many changes are lost, and how many were refused.
    """
    client = APIClient()
    client.force_authenticate(user)
    read = client.get(f"/api/jobs/{job.pk}/")
    form = {name: read.json()[name] for name in ("title", "description", "salary_min", "salary_max")}
    headers = {"If-Match": read.headers["ETag"]} if if_match else {}
    refused = 0
    changes = {"title": f"Edited {job.pk}", "salary_max": "99999.00"}
    for name, value in changes.items():
        body = (form if whole else {}) | {name: value}
        answer = client.patch(f"{address}{job.pk}/", body, format="json", headers=headers)
        refused += answer.status_code == 412
    stored = JobSerializer(Job.objects.get(pk=job.pk)).data
    missing = sum(stored[name] != value for name, value in changes.items())
    return {"lost in silence": missing - refused, "refused": refused}


EDITS = {
    "whole form": ("/careless/", True, False),
    "changed field only": ("/careless/", False, False),
    "whole form, If-Match": ("/api/jobs/", True, True),
}


@pytest.mark.parametrize(
    ("name", "lost", "refused"),
    [("whole form", 1, 0), ("changed field only", 0, 0), ("whole form, If-Match", 0, 1)],
)
def test_two_edits_at_the_same_time(world, name, lost, refused):
    assert edit_together(world.root, world.job, *EDITS[name]) == {"lost in silence": lost, "refused": refused}


# Rules that a program can ask.


def broken_rules(document):
    """Yield 'METHOD address: rule' for each rule that is broken."""
    for address, operations in document["paths"].items():
        words = {word for word in address.split("/") if "{" not in word}
        for method, operation in operations.items():
            headers = {p["name"] for p in operation.get("parameters", ())}
            done = min(operation["responses"])  # such as 200; "default" is last
            errors = operation["responses"].get("default", {}).get("content", {})
            kept = {
                "nouns, not verbs": not words & VERBS,
                "small letters and hyphens": address == address.lower() and "_" not in address,
                "one parameter": address.count("{") <= 1,
                "no body in a GET": method != "get" or "requestBody" not in operation,
                "a list is an object": schema_of(document, operation, done).get("type") != "array",
                "errors are problems": "application/problem+json" in errors,
                "an edit names its version": method not in ("put", "patch") or "If-Match" in headers,
            }
            for rule in (rule for rule in kept if not kept[rule]):
                yield f"{method.upper()} {address}: {rule}"


def schema_of(document, operation, status):
    """Return the schema of an answer, or {}."""
    schema = operation["responses"][status].get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


BROKEN = """
PATCH /api/me/: an edit names its version
POST /api/auth/sign-up/: nouns, not verbs
POST /api/auth/token/refresh/: nouns, not verbs
POST /api/auth/token/revoke/: nouns, not verbs
"""

ARRAY = {"200": {"content": {"application/json": {"schema": {"type": "array"}}}}}
BAD = {
    "paths": {
        "/companies/{slug}/jobs/{id}/skills/": {"get": {"requestBody": {}, "responses": ARRAY}},
        "/Job_List/search/": {"put": {"responses": {"200": {}}}},
    }
}


def test_the_rules_on_the_contract_of_the_job_board():
    with override_settings(ROOT_URLCONF="config.urls"):
        document = SchemaGenerator().get_schema(public=True)
    assert sorted(broken_rules(document)) == BROKEN.split("\n")[1:-1]


def test_each_rule_can_be_broken():
    first, second = ("GET /companies/{slug}/jobs/{id}/skills/", "PUT /Job_List/search/")
    assert list(broken_rules(BAD)) == [
        f"{first}: one parameter",
        f"{first}: no body in a GET",
        f"{first}: a list is an object",
        f"{first}: errors are problems",
        f"{second}: nouns, not verbs",
        f"{second}: small letters and hyphens",
        f"{second}: errors are problems",
        f"{second}: an edit names its version",
    ]


# What else the page says.


def deprecated(response, since, until):
    """Say that this address is on its way out, and when it ends."""
    response["Deprecation"] = f"@{int(since.timestamp())}"
    response["Sunset"] = http_date(until.timestamp())
    response["Link"] = '</api/docs/>; rel="deprecation"'
    return response


def test_the_two_dates_have_two_forms():
    response = deprecated(Response(), datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC))
    assert response["Deprecation"] == "@1798761600"
    assert response["Sunset"] == "Thu, 01 Apr 2027 00:00:00 GMT"


def test_a_method_that_is_not_there_is_405_and_names_those_that_are(world):
    for method in ("QUERY", "DELETE", "PUT"):
        answer = world.client(world.staff).generic(method, f"/api/jobs/{world.job.pk}/")
        assert_problem(answer, 405, f'Method "{method}" not allowed.')
        assert answer.headers["Allow"] == "GET, PATCH, HEAD, OPTIONS"


def test_a_401_names_a_way_to_sign_in(world):
    assert world.client().get("/api/me/").headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_second_key_with_another_body_is_refused(world):
    client = world.client(world.outsider)
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    client.post("/api/applications/", {"job": world.job.pk}, format="json", headers=headers)
    answer = client.post("/api/applications/", {"job": world.elsewhere.pk}, format="json", headers=headers)
    assert_problem(answer, 422, "this Idempotency-Key belongs to another request")


def test_messages(world):
    client = world.client(world.staff)
    address = f"/api/jobs/{world.job.pk}/"
    assert_problem(client.patch(address, {}, format="json"), 428, "Send the ETag you read as If-Match.")
    answer = client.patch(address, {}, format="json", headers={"If-Match": '"old"'})
    assert_problem(answer, 412, "The resource has changed since you read it.")
    answer = client.generic("POST", "/api/jobs/", "{", "application/json")
    assert_problem(answer, 400, "JSON parse error - Expecting property name enclosed in double quotes")
    answer = client.generic("POST", "/api/jobs/", "a=1", "application/x-www-form-urlencoded")
    assert_problem(answer, 415, 'Unsupported media type "application/x-www-form-urlencoded" in request.')


def test_an_application_shows_its_status_and_nothing_to_do_with_it(world):
    data = ApplicationSerializer(world.application).data
    assert data["status"] == "sent"
    assert not any(name.startswith("is_") for name in data)


def test_the_old_name_of_the_rate_limit_package():
    with pytest.raises(ModuleNotFoundError, match="No module named 'ratelimit'"):
        importlib.import_module("ratelimit")
