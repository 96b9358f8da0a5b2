"""Each write of the job board sent twice, and a hundred jobs that two people edit at once."""

from unittest import mock

from accounts.throttling import Throttle
from board.models import Job
from django.contrib.auth import get_user_model
from django.test.utils import override_settings
from test_rest_api_design import EDITS, WRITES, Stage, edit_together, patterns, twice

MEASURES = [
    "docs/technologies/rest-api-design/test_rest_api_design.py::RepeatableApplications",
    "docs/technologies/rest-api-design/test_rest_api_design.py::WRITES",
    "docs/technologies/rest-api-design/test_rest_api_design.py::twice",
    "docs/technologies/rest-api-design/test_rest_api_design.py::edit_together",
    "examples/jobboard/board/api/views.py::ApplicationViewSet",
    "examples/jobboard/board/api/views.py::JobViewSet",
    "examples/jobboard/board/idempotency.py::once",
]
GIVEN = {}
TWICE = "Each write sent twice: both answers, and how often something changed"
EDITED = "100 jobs, each edited by two people who read it at the same time"


def measure(lab):
    host = override_settings(ALLOWED_HOSTS=["testserver"], ROOT_URLCONF=patterns())
    no_limits = mock.patch.object(Throttle, "THROTTLE_RATES", dict.fromkeys(Throttle.THROTTLE_RATES))
    with lab.dataset("S"), host, no_limits:
        for name, (write, *_) in WRITES.items():
            lab.say(name)
            with lab.undone():
                lab.record(TWICE, name, counts=twice(*write(Stage())))
        root = get_user_model().objects.create_superuser("root@example.com", None)
        jobs = list(Job.objects.order_by("pk")[:100])
        for name, how in EDITS.items():
            lab.say(name)
            with lab.undone():
                sums = {"lost in silence": 0, "refused": 0}
                for job in jobs:
                    for what, count in edit_together(root, job, *how).items():
                        sums[what] += count
                lab.record(EDITED, name, counts=sums)
    lab.picture(EDITED, "lost in silence", "refused")
