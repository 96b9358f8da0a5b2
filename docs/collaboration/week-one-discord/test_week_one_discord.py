"""The messages to copy: they fit the channel, and the filled-in one names addresses that exist."""

import re

import pytest
from django.urls import resolve

ANNOUNCEMENT = """
**PROJECT-NAME**: ONE SENTENCE, FOR WHOM
Users: WHO-THEY-ARE (ROLE, ROLE)
First endpoints:
- `GET /api/THINGS/` list, filter by FIELD
- `POST /api/THINGS/` create, signed in
- `POST /api/THINGS/ID/ACTION/` CHANGE ITS STATE
Looking for: NUMBER frontend learners, screens first
Contract by DAY, here: LINK-TO-REPOSITORY
Free: DAY and DAY, HOUR to HOUR UTC
"""
EXAMPLE = """
**Job board**: companies publish jobs, people apply, companies decide
Users: applicants, company staff
First endpoints:
- `GET /api/jobs/` list, filter by skill and pay
- `POST /api/applications/` apply, signed in
- `POST /api/applications/1/withdrawal/` take it back
Looking for: 2 frontend learners, screens first
Contract by Wednesday, here: LINK-TO-REPOSITORY
Free: Tuesday and Thursday, 17:00 to 19:00 UTC
"""
TO_A_FRONTEND_LEARNER = """
Hi @NAME, you wrote that you look for an API about SUBJECT.
Mine lists THINGS and lets people ACTION: LINK-TO-ANNOUNCEMENT
Which screen would you build first? A sketch on paper is enough.
For it I send you an example of every answer, also the unhappy ones, by DAY.
"""
INVITATION = """
Session 1 of 2, DAY, HOUR UTC, 60 minutes, LINK-TO-CALL
Bring: one screen each; I bring the contract as LINK
1. (10 min) each screen: loading, empty, failed
2. (25 min) its endpoints: fields, names, what may be null
3. (15 min) errors: 401, 403, 404, 409, 422, and who shows what
4. (10 min) who does what until session 2
No time? Answer with the question you would have asked.
"""
UPDATE = """
PROJECT-NAME, week NUMBER
Works: ENDPOINT, ENDPOINT
Changed: FIELD is now FIELD, old name until DATE
Next: ENDPOINT by DAY
Stuck on: SYMPTOM, tried THIS, LINK-TO-ISSUE
"""
MESSAGES = [ANNOUNCEMENT, EXAMPLE, TO_A_FRONTEND_LEARNER, INVITATION, UPDATE]
DISCORD = 2000  # characters that a message may have


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_fits_into_one_post_and_one_screen(message):
    lines = message.strip().split("\n")
    assert len(message) < DISCORD / 2, "somebody will fill it in"
    assert len(lines) <= 10 and max(map(len, lines)) <= 80


def test_the_example_is_the_announcement_filled_in():
    head = re.compile(r"^(\w+ ?\w*):", re.M)
    assert head.findall(EXAMPLE) == head.findall(ANNOUNCEMENT)
    assert set(re.findall(r"[A-Z]+(?:-[A-Z]+)+", EXAMPLE)) == {"LINK-TO-REPOSITORY"}


def test_the_endpoints_of_the_example_exist():
    addresses = re.findall(r"`(?:GET|POST) (/\S+)`", EXAMPLE)
    assert len(addresses) == 3 and all(resolve(address) for address in addresses)


def test_the_agenda_fills_the_hour():
    assert sum(map(int, re.findall(r"\((\d+) min\)", INVITATION))) == 60
