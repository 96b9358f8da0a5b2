"""Who is still signed in after a theft, which tests find a broken rule, and the messages on the way."""

from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

import pytest
from accounts import tokens
from accounts.models import User
from board.api import permissions, views
from board.models import Application, Company
from board.querysets import ApplicationQuerySet, JobQuerySet
from board.tests.test_permissions import ALL, LISTS, MATRIX, OPEN, ROLES, client_of, send
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.db import ProgrammingError, connection, transaction
from django.urls import include, path
from rest_framework.permissions import AllowAny
from rest_framework.test import APIClient
from rest_framework_simplejwt import tokens as library
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

PASSWORD = "a long and quiet walk"  # noqa: S105
OURS, THEIRS = "/api/auth/token/", "/library/token/"
urlpatterns = [
    path("", include("config.urls")),
    path("library/token/", TokenObtainPairView.as_view()),
    path("library/token/refresh/", TokenRefreshView.as_view()),
]

# --- A stolen refresh token ---------------------------------------------------

ROTATION = {"ROTATE_REFRESH_TOKENS": True}
AS_DOCUMENTED = {"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True}
WAYS = {
    "library, as it comes": (THEIRS, {}, True),
    "library, rotation": (THEIRS, ROTATION, True),
    "library, rotation and blacklist": (THEIRS, AS_DOCUMENTED, True),
    "the same, app not installed": (THEIRS, AS_DOCUMENTED, False),
    "the job board": (OURS, {}, True),
}


@contextmanager
def configured(changes, installed=True):
    """Set options of the library; without its app, it defines no method of a blacklist."""
    options = {"ROTATE_REFRESH_TOKENS": False, "BLACKLIST_AFTER_ROTATION": False} | changes
    with mock.patch.multiple(api_settings, **options):
        if installed:
            yield
            return
        missing = ("verify", "check_blacklist", "blacklist", "outstand", "for_user")
        kept = {name: library.BlacklistMixin.__dict__[name] for name in missing}
        for name in missing:
            delattr(library.BlacklistMixin, name)
        try:
            yield
        finally:
            for name, method in kept.items():
                setattr(library.BlacklistMixin, name, method)


class Holder:
    """Somebody who holds a refresh token and keeps the newest one that they get."""

    def __init__(self, address, refresh):
        self.address, self.refresh = address, refresh

    def renew(self):
        """Ask for new tokens; return whether there were any."""
        cache.clear()  # of what counts requests
        body = {"refresh": self.refresh}
        answer = APIClient(raise_request_exception=False).post(f"{self.address}refresh/", body, format="json")
        if answer.status_code == 200:
            self.refresh = answer.json().get("refresh", self.refresh)
        return answer.status_code == 200


def stolen(way, first="thief"):
    """Two hold one token and use it, one after the other; return how many of 10 more renewals each then gets."""
    address, changes, installed = WAYS[way]
    with configured(changes, installed):
        user = User.objects.create_user("holder@example.com", PASSWORD)
        issue = tokens.issue if address == OURS else lambda u: {"refresh": str(library.RefreshToken.for_user(u))}
        refresh = issue(user)["refresh"]
        thief, owner = Holder(address, refresh), Holder(address, refresh)
        for holder in (thief, owner) if first == "thief" else (owner, thief):
            holder.renew()
        found = {"thief": sum(thief.renew() for _ in range(10)), "owner": sum(owner.renew() for _ in range(10))}
    user.delete()
    return found


@pytest.fixture
def library_too(settings, db):
    settings.ROOT_URLCONF = __name__


@pytest.mark.parametrize(
    ("way", "first", "thief", "owner"),
    [
        ("library, as it comes", "thief", 10, 10),
        ("library, rotation", "thief", 10, 10),
        ("library, rotation and blacklist", "thief", 10, 0),
        ("library, rotation and blacklist", "owner", 0, 10),
        ("the same, app not installed", "thief", 10, 10),
        ("the job board", "thief", 0, 0),
        ("the job board", "owner", 0, 0),
    ],
)
def test_who_is_still_in_after_both_have_used_the_token(library_too, way, first, thief, owner):
    assert stolen(way, first) == {"thief": thief, "owner": owner}


def test_two_tabs_that_refresh_at_once_look_like_a_theft(library_too):
    first_tab, second_tab = (Holder(OURS, None) for _ in range(2))
    user = User.objects.create_user("tabs@example.com", PASSWORD)
    first_tab.refresh = second_tab.refresh = tokens.issue(user)["refresh"]
    assert [first_tab.renew(), second_tab.renew()] == [True, False]
    assert not first_tab.renew(), "the alarm ended the good one as well"


# --- Which tests find a broken rule -------------------------------------------


def everything(queryset, user):
    return queryset


def list_of_everything(view):
    visible = Application.objects.all() if view.action == "list" else Application.objects.visible_to(view.request.user)
    return visible.for_display()


def yes(*_):
    return True


BROKEN = {
    "applications: AllowAny": (views.ApplicationViewSet, "permission_classes", (AllowAny,)),
    "applications: all visible": (ApplicationQuerySet, "visible_to", everything),
    "applications: all in the list": (views.ApplicationViewSet, "get_queryset", list_of_everything),
    "applicants decide": (permissions.DecidesOnApplication, "has_object_permission", yes),
    "staff withdraw": (permissions.IsApplicant, "has_object_permission", yes),
    "anybody edits a job": (permissions.IsCompanyStaffOrReadOnly, "has_object_permission", yes),
    "anybody posts for a company": (Company, "is_managed_by", yes),
    "closed jobs: all visible": (JobQuerySet, "visible_to", everything),
    "a job changes its company": (views, "JobUpdateSerializer", views.JobWriteSerializer),
}
TESTS = ("two people", "statuses", "lists")


def may(endpoint):
    """Return the first role that the endpoint lets in."""
    return next(role for role, status in zip(ROLES, MATRIX[endpoint], strict=True) if status < 300)


def asked(world, endpoint, roles):
    """Say whether the endpoint answers these roles as the matrix has it; each finds the same rows."""
    for role in roles:
        with transaction.atomic():
            answer = send(world, client_of(world, role), endpoint)
            transaction.set_rollback(True)
        if answer.status_code != MATRIX[endpoint][ROLES.index(role)]:
            return False
    return True


def lists_hold(world):
    """Say whether each role's lists hold what the role may see."""
    for column, role in enumerate(ROLES):
        client = client_of(world, role)
        jobs = {job["title"] for job in client.get("/api/jobs/").json()["results"]}
        page = client.get("/api/applications/").json()
        count = len(page["results"]) if "results" in page else None
        if (jobs, count) != (LISTS["jobs"][column], LISTS["applications"][column]):
            return False
    return True


def found_by(world, rule):
    """Break one rule and return which tests fail: {"two people": False, "statuses": True, …}."""
    endpoints = [name for name in MATRIX if "/jobs/" in name or "/applications/" in name]
    with mock.patch.object(*BROKEN[rule]):
        cache.clear()
        passed = (
            all(asked(world, name, ("nobody", may(name))) for name in endpoints),
            all(asked(world, name, ROLES) for name in endpoints),
            lists_hold(world),
        )
    return {name: not good for name, good in zip(TESTS, passed, strict=True)}


@pytest.mark.parametrize(
    ("rule", "tests"),
    [
        ("applications: all visible", {"statuses", "lists"}),
        ("applications: all in the list", {"lists"}),
        ("anybody posts for a company", {"statuses"}),
        ("closed jobs: all visible", {"lists"}),
        ("a job changes its company", set()),
    ],
)
def test_which_tests_find_a_broken_rule(world, rule, tests):
    assert {name for name, found in found_by(world, rule).items() if found} == tests


def test_unbroken_all_three_pass(world):
    with mock.patch.dict(BROKEN, {"none": (views, "JobUpdateSerializer", views.JobUpdateSerializer)}):
        assert not any(found_by(world, "none").values())
    assert OPEN < ALL


# --- What ends a session, what ends a token -----------------------------------


@pytest.fixture
def member(db):
    return User.objects.create_user("member@example.com", PASSWORD)


def me(access=None, client=None, header="Bearer {}"):
    client = client or APIClient(raise_request_exception=False)
    return client.get("/api/me/", headers={"Authorization": header.format(access)} if access else {})


def sign_out(user, client, refresh):
    client.delete("/api/auth/session/")
    tokens.revoke(refresh)


def new_password(user, client, refresh):
    user.set_password("another long and quiet walk")
    user.save()


def deactivate(user, client, refresh):
    User.objects.update(is_active=False)


@pytest.mark.parametrize(
    ("event", "session", "token"), [(sign_out, 401, 200), (new_password, 401, 401), (deactivate, 401, 401)]
)
def test_what_works_in_the_next_second(member, event, session, token):
    browser, pair = APIClient(), tokens.issue(member)
    browser.force_login(member)
    assert (me(client=browser).status_code, me(pair["access"]).status_code) == (200, 200)
    event(member, browser, pair["refresh"])
    assert (me(client=browser).status_code, me(pair["access"]).status_code) == (session, token)


def test_a_new_password_leaves_the_library_refreshing_for_nothing(library_too, member):
    refresh = str(library.RefreshToken.for_user(member))
    new_password(member, None, None)
    answer = APIClient().post(f"{THEIRS}refresh/", {"refresh": refresh}, format="json")
    assert answer.status_code == 200
    assert me(answer.json()["access"]).json()["detail"] == "The user's password has been changed."


def test_a_deleted_user_is_a_server_error_of_the_library(library_too, member):
    refresh, ours = str(library.RefreshToken.for_user(member)), tokens.issue(member)["refresh"]
    member.delete()
    client = APIClient(raise_request_exception=False)
    answers = [
        client.post(f"{way}refresh/", {"refresh": token}, format="json").status_code
        for way, token in ((THEIRS, refresh), (OURS, ours))
    ]
    assert answers == [500, 401]


@pytest.mark.parametrize("email", ["member@example.com", "nobody@example.com"])
def test_an_unknown_address_costs_the_same_work(member, email):
    work = []
    encode, verify = Argon2PasswordHasher.encode, Argon2PasswordHasher.verify
    with (
        mock.patch.object(Argon2PasswordHasher, "encode", lambda *a: work.append(1) or encode(*a)),
        mock.patch.object(Argon2PasswordHasher, "verify", lambda *a: work.append(1) or verify(*a)),
    ):
        answer = APIClient().post(OURS, {"email": email, "password": "wrong"}, format="json")
    assert (answer.status_code, answer.json()["detail"]) == (401, "Wrong e-mail address or password.")
    assert len(work) == 1


# --- Messages -----------------------------------------------------------------


def expired(user):
    token = library.AccessToken.for_user(user)
    token.set_exp(lifetime=-timedelta(minutes=1))
    return str(token)


@pytest.mark.parametrize(
    ("make", "header", "detail"),
    [
        (lambda user: "", "", "Authentication credentials were not provided."),
        (lambda user: tokens.issue(user)["access"], "{}", "Authentication credentials were not provided."),
        (lambda user: tokens.issue(user)["access"], "JWT {}", "Authentication credentials were not provided."),
        (
            lambda user: tokens.issue(user)["access"],
            "Bearer Bearer {}",
            "Authorization header must contain two space-delimited values",
        ),
        (lambda user: tokens.issue(user)["refresh"], "Bearer {}", "Given token not valid for any token type"),
        (expired, "Bearer {}", "Given token not valid for any token type"),
        (lambda user: "null", "Bearer {}", "Given token not valid for any token type"),
    ],
)
def test_what_a_wrong_header_is_told(member, make, header, detail):
    answer = me(make(member), header=header)
    assert (answer.status_code, answer.json()["detail"]) == (401, detail)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda user: str(library.RefreshToken.for_user(user)), "Token has wrong type"),
        (expired, "Token is expired"),
        (lambda user: "null", "Token is invalid"),
    ],
)
def test_the_reason_stands_one_level_deeper(member, make, reason):
    with pytest.raises(library.TokenError, match=reason):
        library.AccessToken(make(member))


def test_the_library_names_a_blacklisted_token_and_a_wrong_password(library_too, member):
    refresh = str(library.RefreshToken.for_user(member))
    with configured(AS_DOCUMENTED):
        first, second = (
            APIClient().post(f"{THEIRS}refresh/", {"refresh": refresh}, format="json").json() for _ in range(2)
        )
    assert "refresh" in first and second["detail"] == "Token is blacklisted"
    answer = APIClient().post(THEIRS, {"email": member.email, "password": "wrong"}, format="json")
    assert answer.json()["detail"] == "No active account found with the given credentials"


def test_without_its_migration_the_first_sign_in_fails(library_too, member):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE token_blacklist_outstandingtoken CASCADE")
    with pytest.raises(ProgrammingError, match='relation "token_blacklist_outstandingtoken" does not exist'):
        APIClient().post(THEIRS, {"email": member.email, "password": PASSWORD}, format="json")


def test_a_cookie_needs_the_csrf_token_and_a_bearer_token_does_not(member):
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(member)
    answer = browser.patch("/api/me/", {"headline": "Hi"}, format="json")
    assert (answer.status_code, answer.json()["detail"]) == (403, "CSRF Failed: CSRF cookie not set.")
    access = tokens.issue(member)["access"]
    strict = APIClient(enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {access}"}
    assert strict.patch("/api/me/", {"headline": "Hi"}, format="json", headers=headers).status_code == 200


def test_the_eleventh_guess_is_told_to_wait(member):
    answers = [APIClient().post(OURS, {"email": member.email, "password": "x"}, format="json") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert answers[-1].json()["detail"].startswith("Request was throttled. Expected available in ")
