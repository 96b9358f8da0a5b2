"""What a careless API and the job board answer to 27 hostile requests, and how fast a filter gives a secret away."""

from board.tests.world import World
from django.test import override_settings
from rest_framework.test import APIClient
from test_input_validation import CARELESS, OURS, PAYLOADS, guess, sent, starts_with

MEASURES = [
    "docs/best-practices/input-validation/test_input_validation.py",
    "examples/jobboard/accounts/serializers.py::StrictSerializer",
    "examples/jobboard/board/api/filters.py",
    "examples/jobboard/board/api/parsers.py",
    "examples/jobboard/board/api/serializers.py",
]
GIVEN = {
    "60 requests": "what the throttle allows in a minute",
    "64 KiB": "the limit of a body in the settings",
    "1 MB": "the length of a title that is sent",
}
STATUS = "The status of each request"
TOTAL = "27 hostile requests by outcome"
READ = "Requests until a visitor has read the address of Acme's staff"
APIS = {"careless": CARELESS, "job board": OURS}


@override_settings(ROOT_URLCONF="test_input_validation", ALLOWED_HOSTS=["testserver"])
def measure(lab):
    with lab.dataset("S"):
        # The small board of the tests; the seeded one has other companies.
        lab.sql("TRUNCATE board_application, board_job, board_company, board_skill, accounts_user CASCADE")
        world = World()
        found = {name: {api: sent(world, path, name).status_code for api, path in APIS.items()} for name in PAYLOADS}
        for api in APIS:
            kinds = [statuses[api] // 100 for statuses in found.values()]
            counts = {"server error": kinds.count(5), "done": kinds.count(2), "refused": kinds.count(4)}
            lab.record(TOTAL, api, counts=counts)
        lab.picture(TOTAL, "server error", "done", "refused")
        for name, statuses in found.items():
            lab.record(STATUS, name, counts=statuses)
        visitor = APIClient()
        address, questions = guess(lambda text: starts_with(visitor, text))
        assert address == world.staff.email
        lab.record(READ, "letter by letter, careless", counts={"requests": questions})
