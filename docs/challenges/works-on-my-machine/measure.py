"""Twelve tests on two engines, starts until the settings are complete, and what the real engine costs."""

from board.models import Job
from django.db import transaction
from test_works_on_my_machine import (
    GREEN_ON_POSTGRESQL,
    GREEN_ON_SQLITE,
    REQUIRED,
    Draft,
    deploy_check,
    engines,
    job_board,
    often_written,
    run,
    starts_needed,
)

MEASURES = [
    "docs/challenges/works-on-my-machine/test_works_on_my_machine.py",
    "examples/jobboard/config/environment.py",
]
GREEN = "Twelve tests, each written on the engine on which it is green"
STARTS = "A program whose six variables are missing"
SPEED = "100 tests that store a row, read it and roll back"
CHECK = "manage.py check --deploy"
KINDS = {
    "from SQLite: an error": (GREEN_ON_SQLITE, True),
    "from SQLite: another answer": (GREEN_ON_SQLITE, False),
    "from PostgreSQL: an error": (GREEN_ON_POSTGRESQL, True),
    "from PostgreSQL: another answer": (GREEN_ON_POSTGRESQL, False),
}
SETTINGS = {
    "on this machine": {},
    "with HTTPS_ONLY and DEBUG": {"HTTPS_ONLY": "true", "DEBUG": "true"},
    "with HTTPS_ONLY": {"HTTPS_ONLY": "true"},
}


def measure(lab):
    with lab.dataset("S"):
        assert Job.objects.count() == 200
        with engines():
            for what, (tests, refused) in KINDS.items():
                lab.record(GREEN, what, counts=greens(tests, refused))
            lab.say(SPEED)
            timings = lab.times({engine: lambda e=engine: hundred_tests(e) for engine in ("sqlite", "postgresql")})
            for engine, timing in timings.items():
                lab.record(SPEED, engine, timing=timing)
    starting(lab)
    for what, variables in SETTINGS.items():
        warnings, status = deploy_check(**variables)
        lab.record(CHECK, what, counts={"warnings": warnings, "exit status": status})
    lab.picture(GREEN, "green on SQLite", "green on PostgreSQL")


def greens(tests, refused):
    """Count the greens of those tests that the other engine refuses, or answers differently."""
    kind = [test for test, error in tests.items() if (error is not AssertionError) is refused]
    return {
        "green on SQLite": sum(run(test, "sqlite") is None for test in kind),
        "green on PostgreSQL": sum(run(test, "postgresql") is None for test in kind),
    }


def hundred_tests(engine):
    drafts = Draft.objects.using(engine)
    for number in range(100):
        with transaction.atomic(using=engine):
            made = drafts.create(title=f"Draft {number}")
            assert drafts.get(pk=made.pk).title == made.title
            transaction.set_rollback(True, using=engine)


def starting(lab):
    lab.say(STARTS)
    lab.record(STARTS, "each error hides the next", counts={"starts": starts_needed(REQUIRED, often_written)})
    timing = lab.time(lambda: job_board(set(REQUIRED)))
    lab.record(STARTS, "the job board names all", counts={"starts": starts_needed(REQUIRED, job_board)}, timing=timing)
