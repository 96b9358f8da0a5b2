"""What the page says of the job board: its rules, its statuses, its addresses and its data."""

import io
import re
from pathlib import Path

import pytest
from accounts.models import Profile, User
from board.models import Application, Company, Job, Skill
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.urls import get_resolver

PAGE = (Path(__file__).parent / "README.md").read_text("utf-8")


# The words of the page -> a write that breaks the rule, past all of Python.
RULES = {
    "A user has one e-mail address, and nobody else has it": (
        lambda world: User.objects.bulk_create([User(email="staff@example.com")])
    ),
    "An address is kept in lower case": (lambda world: User.objects.bulk_create([User(email="Staff@example.com")])),
    "A user has at most one profile": (lambda world: Profile.objects.bulk_create([Profile(user=world.staff)])),
    "A company's slug is unique, in upper or lower case": (
        lambda world: Company.objects.create(name="Again", slug="ACME")
    ),
    "A skill has one row": lambda world: Skill.objects.create(name="SQL"),
    "A salary ends above its beginning": (lambda world: Job.objects.update(salary_min=9000, salary_max=1)),
    "A company has one open job of a title": (lambda world: world.add_job("Backend developer")),
    "A user applies once for a job": (
        lambda world: Application.objects.bulk_create([Application(user=world.applicant, job=world.job)])
    ),
    "A status is one of five": (lambda world: Application.objects.update(status="lost")),
    "A job belongs to a company that exists": (lambda world: Job.objects.update(company=0)),
}


def rows(heading):
    """Return the cells of the table below a heading of the page, without its head."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.*) \|$", part, re.M)[2:]
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


@pytest.mark.parametrize("rule", RULES)
def test_the_database_refuses_a_write_that_breaks_the_rule(world, rule):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        RULES[rule](world)
        connection.check_constraints()  # foreign keys wait for the commit
    constraint = refused.value.__cause__.diag.constraint_name
    named = next(cells[1] for cells in rows("Ten rules") if cells[0] == rule)
    assert constraint.startswith(named.strip("`").removesuffix("…"))


def test_the_page_names_every_rule_that_is_tried():
    assert [cells[0] for cells in rows("Ten rules")] == list(RULES)


def test_a_closed_job_frees_its_title(world):
    Job.objects.filter(pk=world.job.pk).update(is_open=False)
    assert world.add_job("Backend developer").pk


def test_the_drawn_transitions_are_those_of_the_model():
    diagram = PAGE.partition("stateDiagram-v2")[2].partition("```")[0]
    drawn = set(re.findall(r"^ +(\w+) --> (\w+)", diagram, re.M))
    allowed = {(str(before), str(after)) for before, afters in Application.TRANSITIONS.items() for after in afters}
    assert drawn == allowed


def test_the_page_lists_every_address():
    named = get_resolver().reverse_dict
    forms = [named[name][0][0][0] for name in named if isinstance(name, str)]
    addresses = {re.sub(r"%\((\w+)\)s", r"{\1}", form) for form in forms}
    said = [address for cells in rows("Addresses") for address in re.findall("`/(.+?)`", cells[0])]
    assert sorted(said) == sorted(name.replace("{pk}", "{id}") for name in addresses)


def test_the_small_data_set(db):
    call_command("seed", size="S", stdout=io.StringIO())
    counted = {
        "users": User.objects.count() - 1,  # and the administrator
        "companies": Company.objects.count(),
        "skills": Skill.objects.count(),
        "jobs": Job.objects.count(),
        "of them open": Job.objects.open().count(),
        "skills of jobs": Job.skills.through.objects.count(),
        "applications": Application.objects.count(),
    }
    said = {cells[0]: int(cells[1]) for cells in rows("Two sets of data")}
    assert (
        said
        == counted
        == {
            "users": 40,
            "companies": 20,
            "skills": 50,
            "jobs": 200,
            "of them open": 161,
            "skills of jobs": 600,
            "applications": 160,
        }
    )
