"""Where the time of one request goes, and what a request costs that is answered on the way."""

from accounts import tokens
from accounts.models import User
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from test_django_request_lifecycle import APP, ASK, PARTS, frontend, stages_of

from tools.measure.instruments import timing_of

MEASURES = [
    "docs/technologies/django-request-lifecycle/test_django_request_lifecycle.py::Stages",
    "docs/technologies/django-request-lifecycle/test_django_request_lifecycle.py::PARTS",
    "docs/technologies/django-request-lifecycle/test_django_request_lifecycle.py::stages_of",
    "docs/technologies/django-request-lifecycle/test_django_request_lifecycle.py::ASK",
    "examples/jobboard/config/settings.py::MIDDLEWARE",
    "examples/jobboard/board/api/views.py::JobViewSet",
]
GIVEN = {}
STAGES = "GET /api/jobs/ with a token: 20 of 161 open jobs, each stage alone"
ANSWERED = "Requests that are answered on the way, and one that goes through"
RUNS = 25
NAMES = ["middleware, both ways", *PARTS, "SQL"]
COLD, WARM = "cold", "warm"  # the cache


def measure(lab):
    with lab.dataset("S"), override_settings(CORS_ALLOWED_ORIGINS=[APP], ALLOWED_HOSTS=["testserver"]):
        stages(lab)
        answered(lab)
    lab.picture(STAGES, "time")


def stages(lab):
    user = User.objects.get(email="user1@example.com")
    headers = {"authorization": f"Bearer {tokens.issue(user)['access']}"}
    for state in (COLD, WARM):
        lab.say(f"{STAGES}: {state}")
        found = []
        for _ in range(RUNS + 1):
            if state == COLD:
                cache.clear()  # the page, and the count of the throttle
            connection.ensure_connection()
            taken, response = stages_of(lambda client: client.get("/api/jobs/", headers=headers))
            assert response.status_code == 200, response.content
            found.append(taken)
        for name in NAMES:
            calls = found[-1].calls[name]
            if calls:
                timing = timing_of([taken.seconds[name] for taken in found[1:]])
                lab.record(STAGES, f"{state}: {name}", counts={"calls": calls}, timing=timing)


def answered(lab):
    client = frontend()

    def asked(name):
        cache.clear()
        return ASK[name](client)

    rows = {
        name: (lambda name=name: asked(name))
        for name in ("preflight", "wrong host", "no slash", "unknown address", "no token", "list")
    }
    lab.compare(ANSWERED, rows, runs=RUNS, counts=lambda response: {"status": response.status_code})
