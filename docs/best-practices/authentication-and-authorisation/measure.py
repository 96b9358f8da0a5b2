"""Who is still signed in after a theft, and which tests find each of nine broken rules."""

from board.models import Application
from board.tests.world import World
from django.test import override_settings
from test_authentication_and_authorisation import BROKEN, TESTS, WAYS, found_by, stolen

from tools.measure import MeasureError

MEASURES = [
    "docs/best-practices/authentication-and-authorisation/test_authentication_and_authorisation.py",
    "examples/jobboard/accounts/tokens.py",
    "examples/jobboard/board/api/permissions.py",
    "examples/jobboard/board/tests/test_permissions.py::MATRIX",
]
THEFT = "Two hold one refresh token and both use it, the thief first: renewals of 10 each"
FOUND = "Nine rules of a small board, each broken alone: 1 means that the tests fail"


@override_settings(ALLOWED_HOSTS=["testserver"])
def measure(lab):
    with lab.dataset("S"):
        with override_settings(ROOT_URLCONF="test_authentication_and_authorisation"):
            for way in WAYS:
                lab.record(THEFT, way, counts=stolen(way))
            lab.record(
                THEFT, "rotation and blacklist, owner first", counts=stolen("library, rotation and blacklist", "owner")
            )
        lab.picture(THEFT, "thief", "owner")
        total = dict.fromkeys(TESTS, 0)
        for rule in BROKEN:
            with lab.undone():
                # The lists hold what the small board holds, so the board is empty at first.
                lab.sql("TRUNCATE board_application, board_job, board_company, board_skill, accounts_user CASCADE")
                world = World()
                if Application.objects.count() != 1:
                    raise MeasureError("the board is not empty")
                found = found_by(world, rule)
            lab.record(FOUND, rule, counts={name: int(value) for name, value in found.items()})
            total = {name: total[name] + found[name] for name in TESTS}
        lab.record(FOUND, "found, of 9", counts=total)
