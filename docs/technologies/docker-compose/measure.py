"""When a gate opens on the first start of PostgreSQL, and how many migrations survive a race."""

from collections import Counter

import test_docker_compose as page
from test_docker_compose import GATES, empty_folder, migrate, start_with_clients

from tools.measure.instruments import RUNS, timing_of

MEASURES = [
    "docs/technologies/docker-compose/test_docker_compose.py::Database",
    "docs/technologies/docker-compose/test_docker_compose.py::GATES",
    "docs/technologies/docker-compose/test_docker_compose.py::behind",
    "docs/technologies/docker-compose/test_docker_compose.py::migrate",
]
SCRIPTS = 1.0
GIVEN = {"1 s": "how long the first start's own scripts take here", "2 s": "the interval in compose.yaml"}
OPENED = f"{RUNS} first starts: when a gate opens, and what its client meets"
SAID = "What those that failed said"
RACED = f"{RUNS} times, 2 web containers migrate an empty database"


def measure(lab):
    found = []
    for run in range(RUNS):
        lab.say(f"first start {run + 1}")
        found.append(start_with_clients(SCRIPTS))
    for gate in GATES:
        errors = [each[gate][1] for each in found]
        timing = timing_of([each[gate][0] for each in found])
        lab.record(OPENED, gate, counts={"refused": sum("refused" in error for error in errors)}, timing=timing)
    lab.picture(OPENED, "refused", "time")
    racing(lab)


def racing(lab):
    lab.say(RACED)
    failed, said = 0, Counter()
    with empty_folder() as home:
        database = page.Database(home)
        database.real.start()
        try:
            for run in range(RUNS):
                with database.connect(autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE race{run}")
                both = [migrate(database.url.rpartition("/")[0] + f"/race{run}") for _ in range(2)]
                for process in both:
                    lines = process.communicate()[1].splitlines()
                    if process.returncode:
                        failed += 1
                        last = [line for line in lines if line.startswith("django.")][-1]
                        said[last.partition(": ")[2].replace("duplicate key value violates ", "")] += 1
        finally:
            database.real.stop()
    lab.record(RACED, "in the command of each web", counts={"processes": 2 * RUNS, "failed": failed})
    for message, times in sorted(said.items()):
        lab.record(SAID, message, counts={"times": times})
