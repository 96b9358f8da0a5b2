"""What a generated contract promises, what requests made from it find, and what it costs to make."""

from django.contrib.auth import get_user_model
from django.test.utils import override_settings
from test_openapi_contract import as_generated, breaking, document, made_up, promises, published, trusting, unlimited

MEASURES = [
    "docs/technologies/openapi-contract/test_openapi_contract.py::promises",
    "docs/technologies/openapi-contract/test_openapi_contract.py::breaking",
    "docs/technologies/openapi-contract/test_openapi_contract.py::made_up",
    "docs/technologies/openapi-contract/test_openapi_contract.py::TRUSTING",
    "examples/jobboard/board/api/openapi.py::say_what_is_sent",
    "examples/jobboard/board/api/openapi.py::Schema",
    "examples/jobboard/board/api/serializers.py::RelatedByName",
]
GIVEN = {}
RUNS = 10
PROMISED = "What the contract says of 50 fields in answers, and of who may read"
FOUND = "A fault in POST /api/jobs/: bodies made from the contract, in 10 runs"
COST = "The contract of 23 operations"


def measure(lab):
    with as_generated():
        lab.record(PROMISED, "as generated", counts=promises(document()))
    lab.record(PROMISED, "with two additions", counts=promises(document()))
    with lab.dataset("S"), unlimited(), override_settings(ALLOWED_HOSTS=["*"]):
        root = get_user_model().objects.create_superuser("root@example.com", None)
        with trusting():
            with as_generated():
                found(lab, "open bodies, 50", root, 50)
            found(lab, "closed bodies, 10", root, 10)
            found(lab, "closed bodies, 50", root, 50)
        found(lab, "fault mended, 50", root, 50)
    lab.compare(
        COST,
        {
            "make it": document,
            "compare with the published": lambda: list(breaking(published(), published())),
        },
    )
    lab.picture(PROMISED, "optional", "closed by mistake")


def found(lab, name, user, requests):
    """Record what several runs find, each with bodies of its own."""
    lab.say(name)
    runs = [made_up(user, requests, run) for run in range(RUNS)]
    counts = {
        "requests": sum(run["requests"] for run in runs),
        "unknown": sum(run["unknown fields"] for run in runs),
        "errors 500": sum(run["server errors"] for run in runs),
        "runs with any": sum(run["server errors"] > 0 for run in runs),
    }
    lab.record(FOUND, name, counts=counts)
