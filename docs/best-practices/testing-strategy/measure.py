"""What one case costs at each level, and how many wrong rules a suite lets pass."""

from accounts.models import User
from board import services
from board.models import Application
from rest_framework.test import APIClient
from test_testing_strategy import every_pair, survivors, two_examples

MEASURES = [
    "docs/best-practices/testing-strategy/test_testing_strategy.py",
    "examples/jobboard/board/models.py::Application",
    "examples/jobboard/board/services.py::change_status",
]

MUTANTS = "A rule with one arrow too many or too few: 25 wrong versions"
LEVELS = "The same move, sent to reviewed, tried once at each level"


def measure(lab):
    for name, suite in {"two examples": two_examples, "every pair": every_pair}.items():
        tried, passed = survivors(suite)
        lab.record(MUTANTS, name, counts={"tried": tried, "survive": passed})
    lab.picture(MUTANTS, "survive")
    with lab.dataset("S"):
        application = Application.objects.filter(status="sent", job__is_open=True).first()
        client = APIClient(SERVER_NAME="localhost")
        client.force_authenticate(User.objects.get(email="admin@example.com"))
        address = f"/api/applications/{application.pk}/decision/"

        def api():
            answer = client.post(address, {"status": "reviewed"}, format="json")
            assert answer.status_code == 200, answer.content

        variants = {
            "the rule alone": lambda: Application(status="sent").can_become("reviewed"),
            "the service, on PostgreSQL": lambda: services.change_status(
                application_id=application.pk, status="reviewed"
            ),
            "the endpoint": api,
        }
        lab.compare(LEVELS, variants, undo=True, runs=15)
