"""Applying, withdrawing and deciding, as a client sees it."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from board.models import Application, IdempotencyKey
from board.tests.world import assert_problem

ADDRESS = "/api/applications/"


def apply(client, job, key=None, **fields):
    headers = {"Idempotency-Key": str(key)} if key else {}
    body = {"job": getattr(job, "pk", job)} | fields
    return client.post(ADDRESS, body, format="json", headers=headers)


def change(client, application, action, status=None):
    body = {"status": status} if status else {}
    address = f"{ADDRESS}{application.pk}/{action}/"
    return client.post(address, body, format="json")


def test_applying_creates_an_application_at_an_address(world):
    client = world.client(world.outsider)
    response = apply(client, world.job, cover_note="Hello")
    assert response.status_code == 201
    body = response.json()
    assert body["status"] == "sent"
    assert body["applicant"] == "outsider@example.com"
    assert body["job"]["id"] == world.job.pk
    assert client.get(response.headers["Location"]).json() == body


def test_a_second_application_is_a_409(world):
    response = apply(world.client(world.applicant), world.job)
    assert_problem(response, 409, "you have applied")
    assert Application.objects.count() == 1


def test_a_closed_job_is_not_there_and_for_its_staff_takes_nothing(world):
    assert_problem(apply(world.client(world.outsider), world.closed), 404)
    response = apply(world.client(world.staff), world.closed)
    assert_problem(response, 409, "takes no more applications")


@pytest.mark.parametrize("job", [0, -1, "x", None, 10**30, True])
def test_a_job_that_is_no_number_of_a_job_is_refused(world, job):
    response = apply(world.client(world.outsider), job)
    assert response.status_code in (404, 422), response.content


@pytest.mark.django_db(transaction=True)
def test_ten_applications_at_the_same_moment_are_one(world):
    clients = [world.client(world.outsider) for _ in range(6)]

    def send(client):
        try:
            return apply(client, world.elsewhere).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        statuses = sorted(threads.map(send, clients))
    assert statuses == [201] + [409] * 5
    assert Application.objects.filter(job=world.elsewhere).count() == 1


def test_the_same_key_gets_the_same_answer(world):
    client, key = world.client(world.outsider), uuid.uuid4()
    first = apply(client, world.job, key)
    again = apply(client, world.job, f'"{key}"')
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"]
    assert Application.objects.filter(user=world.outsider).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_gets_the_same_answer(world):
    clients = [world.client(world.outsider) for _ in range(4)]
    key = uuid.uuid4()

    def send(client):
        try:
            return apply(client, world.job, key).json()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        bodies = list(threads.map(send, clients))
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["status"] == "sent"


def test_a_key_belongs_to_one_request_and_one_user(world):
    client, key = world.client(world.outsider), uuid.uuid4()
    apply(client, world.job, key)
    response = apply(client, world.elsewhere, key)
    assert_problem(response, 422, "another request")
    other = apply(world.client(world.rival), world.job, key)
    assert other.json()["applicant"] == "rival@example.com"


def test_a_failed_request_leaves_no_key(world):
    key = uuid.uuid4()
    assert_problem(apply(world.client(world.applicant), world.job, key), 409)
    assert not IdempotencyKey.objects.exists()


def test_a_key_that_is_no_uuid_is_refused(world):
    response = apply(world.client(world.outsider), world.job, "again")
    errors = assert_problem(response, 422)["errors"]
    assert errors[0]["pointer"] == "/Idempotency-Key"


def test_who_applied_may_withdraw_once(world):
    client = world.client(world.applicant)
    response = change(client, world.application, "withdrawal")
    assert response.json()["status"] == "withdrawn"
    response = change(client, world.application, "withdrawal")
    assert_problem(response, 409, "withdrawn cannot become withdrawn")


@pytest.mark.parametrize("start", Application.Status.values)
@pytest.mark.parametrize("end", Application.Status.values)
def test_the_status_machine(world, start, end):
    allowed = {
        ("sent", "reviewed"),
        ("sent", "withdrawn"),
        ("reviewed", "offered"),
        ("reviewed", "rejected"),
        ("reviewed", "withdrawn"),
    }
    Application.objects.update(status=start)
    if end == "withdrawn":
        client = world.client(world.applicant)
        response = change(client, world.application, "withdrawal")
    else:
        client = world.client(world.staff)
        response = change(client, world.application, "decision", end)
    if end == "sent":  # nobody can ask for it
        assert_problem(response, 422)
    elif (start, end) in allowed:
        assert response.json()["status"] == end
    else:
        assert_problem(response, 409, f"{start} cannot become {end}")
    world.application.refresh_from_db()
    changed = (start, end) in allowed
    assert world.application.status == (end if changed else start)


@pytest.mark.django_db(transaction=True)
def test_an_offer_and_a_withdrawal_at_the_same_moment_have_one_winner(world):
    Application.objects.update(status="reviewed")
    calls = [
        (world.client(world.staff), "decision", "offered"),
        (world.client(world.applicant), "withdrawal", None),
    ]

    def send(call):
        client, action, status = call
        try:
            return change(client, world.application, action, status).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(send, calls)) == [200, 409]


def test_nobody_decides_about_themselves(world):
    own = Application.objects.create(user=world.staff, job=world.job)
    response = change(world.client(world.staff), own, "decision", "reviewed")
    assert_problem(response, 403)


def test_applying_is_limited(world):
    client = world.client(world.outsider)
    for _ in range(30):
        assert apply(client, 0).status_code == 422
    response = apply(client, world.job)
    assert_problem(response, 429)
    assert int(response.headers["Retry-After"]) > 60
    assert client.get(ADDRESS).status_code == 200
