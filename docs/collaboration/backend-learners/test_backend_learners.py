"""The texts to copy, and the fault of the worked example."""

import pytest
from django.urls import path
from rest_framework.authentication import SessionAuthentication
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication

QUESTION = """
**SYMPTOM in one line, with the message word for word**
Expected: WHAT. Got: WHAT
Smallest case: COMMAND or 10 LINES, LINK
Tried: THIS -> SAW THAT; THIS -> SAW THAT
Versions: Django X, PostgreSQL Y
"""
LOG = """
SYMPTOM, since WHEN
1. I think: CAUSE. If so, CHECK shows X. It showed: Y -> ruled out
2. I think: CAUSE. If so, CHECK shows X. It showed: X -> likely
Cause: ONE SENTENCE
Fix: COMMIT. Guard: the test that fails without it
"""
REVIEW = """
[must] FILE:LINE: two requests can pass this check at once;
       a UniqueConstraint would refuse the second. Test attached.
[should] FILE:LINE: this loop sends a query for each row.
[idea] FILE:LINE: the name says "get" and it writes.
[question] FILE:LINE: what happens if the list is empty?
"""


@pytest.mark.parametrize("text", [QUESTION, LOG, REVIEW])
def test_a_text_fits_one_screen(text):
    lines = text.strip().split("\n")
    assert len(lines) <= 8 and max(map(len, lines)) <= 80


class Mine(APIView):
    """Signed-in users only; what differs is who is asked first."""

    authentication_classes = (SessionAuthentication, JWTAuthentication)

    def get(self, request):
        return Response(request.user.email)


class MineTokensFirst(Mine):
    authentication_classes = (JWTAuthentication, SessionAuthentication)


urlpatterns = [
    path("session-first/", Mine.as_view()),
    path("tokens-first/", MineTokensFirst.as_view()),
]


@pytest.mark.parametrize(
    ("address", "status", "challenge"),
    [
        ("/session-first/", 403, None),
        ("/tokens-first/", 401, 'Bearer realm="api"'),
    ],
)
def test_who_is_not_signed_in_gets_401(db, settings, address, status, challenge):
    settings.ROOT_URLCONF = __name__
    answer = APIClient().get(address)
    assert answer.status_code == status
    assert answer.headers.get("WWW-Authenticate") == challenge


@pytest.mark.parametrize("address", ["/session-first/", "/tokens-first/"])
def test_a_token_opens_both(world, settings, address):
    client = world.client(world.staff)
    settings.ROOT_URLCONF = __name__
    assert client.get(address).json() == "staff@example.com"


def test_the_job_board_answers_401(client, db):
    answer = client.get("/api/me/")
    assert (answer.status_code, answer.json()["status"]) == (401, 401)
