"""Two suites against every wrong version of a rule, and what each level of test does not see."""

import contextlib
import itertools

import coverage
import pytest
from board import models, services, tasks
from board.models import Application
from board.tests.test_permissions import LISTS, MATRIX, ROLES
from django.core import mail
from django.test import SimpleTestCase
from django.test.testcases import DatabaseOperationForbidden

STATUSES = ("sent", "reviewed", "offered", "rejected", "withdrawn")
ARROWS = {
    ("sent", "reviewed"),
    ("sent", "withdrawn"),
    ("reviewed", "offered"),
    ("reviewed", "rejected"),
    ("reviewed", "withdrawn"),
}


def two_examples():
    """One that may, one that may not: every line of can_become() runs."""
    assert Application(status="sent").can_become("reviewed")
    assert not Application(status="sent").can_become("offered")


def every_pair():
    """The rule itself: these five moves, and no other."""
    for before, after in itertools.product(STATUSES, repeat=2):
        may = Application(status=before).can_become(after)
        assert may == ((before, after) in ARROWS), f"{before} to {after}"


def mutants():
    """Yield every table of moves with one arrow too many or too few."""
    for before, after in itertools.product(STATUSES, repeat=2):
        table = {name: set() for name in STATUSES}
        for start, end in ARROWS ^ {(before, after)}:
            table[start].add(end)
        yield table


def survivors(suite):
    """Return how many mutants there are, and how many a suite lets pass."""
    right, tables, passed = Application.TRANSITIONS, list(mutants()), 0
    try:
        for table in tables:
            Application.TRANSITIONS = table
            with contextlib.suppress(AssertionError):
                suite()
                passed += 1
    finally:
        Application.TRANSITIONS = right
    return len(tables), passed


@pytest.mark.parametrize(("suite", "passed"), [(two_examples, 23), (every_pair, 0)])
def test_how_many_wrong_tables_a_suite_lets_pass(suite, passed):
    suite()
    assert survivors(suite) == (25, passed)


def test_two_examples_run_every_line_of_the_rule():
    measured = coverage.Coverage(data_file=None, include=[models.__file__])
    measured.start()
    two_examples()
    measured.stop()
    first = Application.can_become.__code__.co_firstlineno
    missing = set(measured.analysis(models.__file__)[2])
    lines = range(first + 1, first + 4)
    assert not missing & {line for line in lines if line > first + 1}


def test_the_matrix_asks_every_endpoint_as_everybody():
    assert {len(row) for row in MATRIX.values()} == {len(ROLES)}
    assert len(MATRIX) * len(ROLES) == 138
    assert all(len(row) == len(ROLES) for row in LISTS.values())


def test_a_mock_of_the_database_believes_what_it_is_told(world):
    """Twice the same application: the mock says yes, PostgreSQL says no."""

    class Manager:
        def create(self, **fields):
            return Application(**fields)

    pretended = [Manager().create(user=world.applicant, job=world.job) for _ in range(2)]
    assert len(pretended) == 2
    with pytest.raises(services.Conflict, match="you have applied for this job"):
        services.apply(user=world.applicant, job=world.job)


def test_what_waits_for_the_commit_does_not_run_in_a_test_that_is_rolled_back(
    world, django_capture_on_commit_callbacks, monkeypatch
):
    sent = []
    monkeypatch.setattr(tasks.send_confirmation, "delay", sent.append)
    services.apply(user=world.outsider, job=world.job)
    assert sent == []  # the commit never comes
    with django_capture_on_commit_callbacks(execute=True) as waiting:
        services.apply(user=world.outsider, job=world.elsewhere)
    assert len(waiting) == len(sent) == 1
    assert mail.outbox == []  # and that the worker can send it, no test of this kind knows


class Unit(SimpleTestCase):
    __test__ = False  # used below, not collected


def test_the_messages_of_a_test_without_a_database():
    with pytest.raises(RuntimeError) as told:
        Application.objects.count()
    assert str(told.value).startswith('Database access not allowed, use the "django_db" mark')
    Unit.setUpClass()
    try:
        with pytest.raises(DatabaseOperationForbidden) as told:
            Application.objects.count()
    finally:
        Unit.tearDownClass()
        Unit.doClassCleanups()
    assert str(told.value).startswith("Database queries to 'default' are not allowed in SimpleTestCase subclasses.")
