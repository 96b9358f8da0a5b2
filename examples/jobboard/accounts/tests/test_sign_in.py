"""Signing up, in and out: by token and by session."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts import tokens
from accounts.models import Profile, User
from board.tests.world import assert_problem

pytestmark = pytest.mark.django_db

PASSWORD = "a long and quiet walk"
EMAIL = "new@example.com"


@pytest.fixture
def client():
    return APIClient(raise_request_exception=False)


@pytest.fixture
def user():
    return User.objects.create_user(EMAIL, PASSWORD)


def sign_in(client, password=PASSWORD):
    body = {"email": EMAIL, "password": password}
    return client.post("/api/auth/token/", body, format="json")


def refresh(client, token):
    return client.post(
        "/api/auth/token/refresh/", {"refresh": token}, format="json"
    )


def me(client, access):
    headers = {"Authorization": f"Bearer {access}"}
    return client.get("/api/me/", headers=headers)


def test_sign_up_makes_a_user_with_a_profile_who_can_sign_in(client):
    body = {"email": "New@Example.com", "password": PASSWORD, "first_name": "N"}
    response = client.post("/api/auth/sign-up/", body, format="json")
    assert response.status_code == 201
    assert response.json() == {"email": EMAIL}
    user = User.objects.get()
    assert user.profile
    assert user.password.startswith("argon2")

    pair = sign_in(client).json()
    assert me(client, pair["access"]).json()["email"] == EMAIL


def test_an_address_is_taken_whatever_its_case(client, user):
    body = {"email": "NEW@example.com", "password": PASSWORD}
    response = client.post("/api/auth/sign-up/", body, format="json")
    assert_problem(response, 409, "this address has an account")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"password": "short"}, "/password"),
        ({"password": "new@example.com"}, "/password"),
        ({"email": "nobody"}, "/email"),
        ({"is_staff": True}, "/is_staff"),
    ],
)
def test_sign_up_refuses_what_breaks_a_rule(client, changes, pointer):
    body = {"email": EMAIL, "password": PASSWORD} | changes
    response = client.post("/api/auth/sign-up/", body, format="json")
    errors = assert_problem(response, 422)["errors"]
    assert {error["pointer"] for error in errors} == {pointer}
    assert not User.objects.exists()


def test_the_database_itself_refuses_an_upper_case_address(user):
    with pytest.raises(IntegrityError, match="user_email_lower_case"):
        with transaction.atomic():
            User.objects.update(email="New@example.com")


def test_wrong_credentials_are_a_401_that_names_a_way_to_sign_in(client, user):
    for response in (
        sign_in(client, "wrong"),
        client.post(
            "/api/auth/token/",
            {"email": "nobody@example.com", "password": PASSWORD},
            format="json",
        ),
        client.get("/api/me/"),
        me(client, "not.a.token"),
    ):
        assert_problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_refresh_token_works_once(client, user):
    first = sign_in(client).json()
    second = refresh(client, first["refresh"]).json()
    assert second["refresh"] != first["refresh"]
    assert me(client, second["access"]).status_code == 200


def test_a_used_refresh_token_that_comes_back_ends_all_of_them(client, user):
    other_device = sign_in(client).json()
    stolen = sign_in(client).json()["refresh"]
    thief = refresh(client, stolen).json()

    assert_problem(refresh(client, stolen), 401, "invalid or expired")

    assert_problem(refresh(client, thief["refresh"]), 401)
    assert_problem(refresh(client, other_device["refresh"]), 401)


@pytest.mark.django_db(transaction=True)
def test_two_uses_at_the_same_moment_have_one_winner(user):
    token = tokens.issue(user)["refresh"]

    def use(_):
        try:
            return refresh(APIClient(), token).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        statuses = sorted(threads.map(use, range(4)))
    assert statuses == [200, 401, 401, 401]


@pytest.mark.parametrize("event", ["deleted", "inactive", "new password"])
def test_tokens_end_with_the_account_or_its_password(client, user, event):
    pair = tokens.issue(user)
    if event == "deleted":
        user.delete()
    else:
        user.is_active = event != "inactive"
        user.set_password("another long and quiet walk")
        user.save()
    assert_problem(refresh(client, pair["refresh"]), 401)
    assert_problem(me(client, pair["access"]), 401)


def test_only_refresh_tokens_refresh_and_revoke(client, user):
    access = tokens.issue(user)["access"]
    assert_problem(refresh(client, access), 401, "wrong type")
    body = {"refresh": "not.a.token"}
    response = client.post("/api/auth/token/revoke/", body, format="json")
    assert_problem(response, 401)


def test_a_revoked_token_refreshes_nothing(client, user):
    token = tokens.issue(user)["refresh"]
    body = {"refresh": token}
    response = client.post("/api/auth/token/revoke/", body, format="json")
    assert response.status_code == 204
    assert_problem(refresh(client, token), 401)


def test_no_token_is_stored_and_expired_ones_are_forgotten(user):
    tokens.issue(user)
    old, new = OutstandingToken.objects.get(), tokens.issue(user)["refresh"]
    assert old.token == ""
    old.expires_at = timezone.now() - timedelta(seconds=1)
    old.save()
    tokens.forget_expired()
    left = OutstandingToken.objects.get()
    assert left.jti == tokens.RotatingToken(new)["jti"]


def test_a_session_needs_the_csrf_token_from_the_sign_in_on(user):
    browser = APIClient(enforce_csrf_checks=True)
    body = {"email": EMAIL, "password": PASSWORD}
    response = browser.post("/api/auth/session/", body, format="json")
    assert_problem(response, 403, "CSRF")

    def csrf():
        return {"X-CSRFToken": browser.cookies["csrftoken"].value}

    assert browser.get("/api/auth/session/").json() == {"email": None}
    response = browser.post(
        "/api/auth/session/", body, format="json", headers=csrf()
    )
    assert response.json() == {"email": EMAIL}
    assert response.cookies["sessionid"]["httponly"]
    assert browser.get("/api/auth/session/").json() == {"email": EMAIL}

    profile = {"headline": "Writes tests"}
    response = browser.patch("/api/me/", profile, format="json")
    assert_problem(response, 403, "CSRF")
    response = browser.patch("/api/me/", profile, format="json", headers=csrf())
    assert response.json()["headline"] == "Writes tests"

    response = browser.delete("/api/auth/session/", headers=csrf())
    assert response.status_code == 204
    assert browser.get("/api/auth/session/").json() == {"email": None}


def test_the_profile_is_made_when_it_is_missing_and_keeps_its_owner(
    client, user
):
    client.force_authenticate(user)
    body = {"about": "Walks", "email": "other@example.com"}
    response = client.patch("/api/me/", body, format="json")
    assert response.json()["email"] == EMAIL
    assert Profile.objects.get().about == "Walks"
    response = client.put("/api/me/", body, format="json")
    assert_problem(response, 405)


def test_guessing_passwords_is_slowed_down(client, user):
    for _ in range(10):
        assert sign_in(client, "wrong").status_code == 401
    response = sign_in(client)
    assert_problem(response, 429)
    assert 0 < int(response.headers["Retry-After"]) <= 60


def test_many_clients_that_guess_one_password_are_slowed_down(user):
    def attempt(number, email=EMAIL):
        client = APIClient(REMOTE_ADDR=f"192.0.2.{number}")
        body = {"email": email, "password": "wrong"}
        return client.post("/api/auth/session/", body, format="json")

    assert {attempt(n).status_code for n in range(10)} == {401}
    assert_problem(attempt(11), 429)
    assert attempt(11, "other@example.com").status_code == 401


def test_a_client_cannot_choose_the_address_it_is_counted_by(client, user):
    for number in range(10):
        headers = {"X-Forwarded-For": f"192.0.2.{number}"}
        client.post("/api/auth/sign-up/", {}, format="json", headers=headers)
    response = client.post(
        "/api/auth/sign-up/",
        {},
        format="json",
        headers={"X-Forwarded-For": "192.0.2.99"},
    )
    assert_problem(response, 429)


def test_a_body_that_is_no_object_is_counted_and_refused(client):
    response = client.post("/api/auth/token/", [1], format="json")
    assert_problem(response, 422)


def test_a_superuser_signs_in_with_the_address():
    root = User.objects.create_superuser("Root@Example.com", PASSWORD)
    assert (root.is_staff, root.is_superuser) == (True, True)
    assert User.objects.get_by_natural_key("ROOT@example.com") == root
    assert str(root) == "root@example.com"
    assert str(Profile(user=root)) == f"Profile of {root.pk}"
