"""One rule behind three doors; what a linter counts; and which way imports point."""

import subprocess
import sys
import textwrap

import pytest
from board import services
from board.models import Application, Job
from board.tests import test_structure
from django.db import transaction


# The first door: a view, with the rules in it.
def apply_by_form(user, job):
    if not job.is_open:
        raise ValueError("this job takes no more applications")
    if job.company.staff.filter(pk=user.pk).exists():  # the new rule
        raise ValueError("you are on the staff of this company")
    return Application.objects.create(user=user, job=job)


# The second: a command that takes applications from a file.
def apply_by_import(user, job):
    if not job.is_open:
        raise ValueError("this job takes no more applications")
    return Application.objects.create(user=user, job=job)


# The third: an action of the admin. It never had the first rule.
def apply_by_admin(user, job):
    return Application.objects.create(user=user, job=job)


class NotYourOwn(services.Conflict):
    """The staff of a company cannot apply there."""


# All doors lead here, so a rule has one place.
def apply(*, user, job):
    """Create an application and return it. Raises Conflict.

    One transaction; the mail is sent after its commit.
    """
    if job.company.is_managed_by(user):
        raise NotYourOwn("you are on the staff of this company")
    return services.apply(user=user, job=job)


def passed_by(door, user, job):
    """Say whether a door lets an application through; nothing is kept."""
    with transaction.atomic():
        try:
            door(user=user, job=job)
            passed = True
        except (ValueError, services.Conflict):
            passed = False
        transaction.set_rollback(True)
    return passed


DOORS = [apply_by_form, apply_by_import, apply_by_admin]


def test_a_rule_that_was_added_at_one_door_is_missing_at_two(world):
    passed = [passed_by(door, world.staff, world.job) for door in DOORS]
    assert passed == [False, True, True]
    assert not passed_by(apply, world.staff, world.job)


def test_the_old_rule_has_been_missing_at_the_admin_all_the_time(world):
    passed = [passed_by(door, world.outsider, world.closed) for door in DOORS]
    assert passed == [False, False, True]
    assert not passed_by(apply, world.outsider, world.closed)


def test_an_applicant_passes_every_door(world):
    assert all(passed_by(door, world.outsider, world.job) for door in [*DOORS, apply])


NESTED = """
def pay(job, amount, known, strict):
    if job.is_open:
        if job.salary_max is not None:
            if job.salary_max >= amount:
                return True
            else:
                return False
        else:
            if job.salary_min is not None:
                if job.salary_min >= amount:
                    return True
                else:
                    return False
            else:
                if strict:
                    return False
                else:
                    return known
    else:
        return False
"""
FLAT = '''
def pay(job, amount, unknown):
    """Say whether an open job may pay the amount."""
    if not job.is_open:
        return False
    end = job.salary_max if job.salary_max is not None else job.salary_min
    return unknown if end is None else end >= amount
'''


def complexity(code):
    """Return the number of ways through a function, as ruff counts them (McCabe)."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "C901", "--output-format", "concise"]
    command += ["--config", "lint.mccabe.max-complexity=0", "-"]
    done = subprocess.run(command, input=textwrap.dedent(code), capture_output=True, text=True)
    return int(done.stdout.partition("(")[2].partition(" >")[0])


def test_the_ways_through_a_function():
    assert (complexity(NESTED), complexity(FLAT)) == (7, 2)


@pytest.mark.parametrize(
    ("salary_min", "salary_max", "is_open"),
    [(None, None, True), (3000, None, True), (None, 3000, True), (1000, 3000, True), (1000, 1500, True),
     (3000, 4000, False)],
)  # fmt: skip
def test_both_forms_say_the_same(salary_min, salary_max, is_open):
    nested, flat = {}, {}
    exec(NESTED, nested)  # noqa: S102  the code of the page
    exec(FLAT, flat)  # noqa: S102
    job = Job(salary_min=salary_min, salary_max=salary_max, is_open=is_open)
    assert nested["pay"](job, 2000, False, True) == flat["pay"](job, 2000, False)


def test_an_import_against_the_direction_is_found(tmp_path):
    file = tmp_path / "models.py"
    file.write_text("def notify():\n    from board.api import views\n")
    found = list(test_structure.imports_of(file))
    assert "board.api.views" in found
    rank = {name: n for n, row in enumerate(test_structure.LAYERS) for name in row.split()}
    assert rank["api"] < rank["models"]
