"""How long innocent readers wait behind an ALTER TABLE, who waits for whom, and two ways to build an index."""

import threading
import time

from django.db import connection
from test_migration_locked_table import ALTER, OPEN, READ, WANTED, connect, patiently, waits_for

from tools.measure.instruments import RUNS, timing_of

MEASURES = [
    "docs/challenges/migration-locked-table/test_migration_locked_table.py::patiently",
    "docs/challenges/migration-locked-table/test_migration_locked_table.py::waits_for",
]
GIVEN = {
    "100 ms": "the wait that the fix allows itself",
    "3 s": "the job board's lock_timeout",
    "10 s": "the job board's idle_in_transaction_session_timeout",
    "20 ms": "a shorter wait, for comparison",
    "2 s": "how long the transaction in the way stays open",
}
READERS = "40 readers of one job in 2 s, while a transaction of 2 s has the table open"
WAITING = "Does it wait for an open transaction? 1 is yes"
INDEX = "An index on 1,000,000 jobs, while one writer writes"
HELD, LATE = 2.0, 0.2


def measure(lab):
    with lab.dataset("S"):
        ways = {
            "no ALTER TABLE": None,
            "ALTER TABLE": lambda: alter("0"),
            "lock_timeout 3 s": lambda: alter("3s"),
            "lock_timeout 100 ms": lambda: again("100ms"),
            "lock_timeout 20 ms": lambda: again("20ms"),
        }
        for name, way in ways.items():
            readers(lab, name, way)
        for opened in OPEN:
            counts = {wanted: waits_for(opened, wanted, "300ms") for wanted in WANTED}
            lab.record(WAITING, opened, counts=counts)
    with lab.dataset("L"):
        for name in ("CREATE INDEX", "CONCURRENTLY"):
            index(lab, name)
    lab.picture(READERS, "time")


def alter(timeout):
    """Alter the table once and undo it; return how many tries it took."""
    with connect(f"SET lock_timeout = '{timeout}'", "BEGIN") as session:
        session.execute(ALTER)
    return 1


def again(timeout):
    """Do it as the page's fix does: give up early, try again."""

    def migrate():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                cursor.execute(ALTER)
            finally:
                cursor.execute("ROLLBACK")

    try:
        return patiently(migrate, timeout)
    finally:
        connection.close()


def readers(lab, name, way):
    found = []
    for turn in range(RUNS + 1):
        lab.say(f"{READERS}: {name}, {turn} of {RUNS}")
        found.append(one_jam(way))
    late, tries, _ = found[-1]
    counts = {"late": late} | ({"tries": tries} if way else {})
    lab.record(READERS, name, counts=counts, timing=timing_of([longest for *_, longest in found[1:]]))


def one_jam(way):
    """Return how many readers waited over 200 ms, the tries of the migration, and the longest wait."""
    waits, tries = [], []
    with connect("BEGIN", READ) as holder:
        began = time.monotonic()
        threads = [threading.Thread(target=lambda: tries.append(way()))] if way else []
        threads += [threading.Thread(target=read, args=(began + 0.1 + n * HELD / 40, waits)) for n in range(40)]
        for thread in threads:
            thread.start()
        time.sleep(HELD - (time.monotonic() - began))
        holder.execute("ROLLBACK")
        for thread in threads:
            thread.join()
    return sum(wait > LATE for wait in waits), sum(tries), max(waits)


def read(at, waits):
    with connect() as session:
        time.sleep(max(0, at - time.monotonic()))
        began = time.monotonic()
        session.execute(READ)
        waits.append(time.monotonic() - began)


def index(lab, name):
    taken, written, longest = [], [], []
    for turn in range(RUNS + 1):
        lab.say(f"{INDEX}: {name}, {turn} of {RUNS}")
        stop, waits = threading.Event(), []
        writer = threading.Thread(target=write, args=(stop, waits))
        with connect() as session:
            writer.start()
            time.sleep(0.1)
            before, began = len(waits), time.monotonic()
            session.execute(WANTED[name])
            taken.append(time.monotonic() - began)
            written.append(len(waits) - before)
            stop.set()
            writer.join()
            longest.append(max(waits[before:]))
            session.execute("DROP INDEX waited")
            session.execute("VACUUM board_job")
    counts = {"writes meanwhile": written[-1]}
    lab.record(INDEX, name, counts=counts, timing=timing_of(taken[1:]))
    lab.record("The longest wait of that writer", name, timing=timing_of(longest[1:]))


def write(stop, waits):
    """Count a view of one job after the other, and how long each takes."""
    with connect() as session:
        number = 0
        while not stop.is_set():
            number += 1
            began = time.monotonic()
            session.execute("UPDATE board_job SET views = views + 1 WHERE id = %s", [number])
            waits.append(time.monotonic() - began)
            time.sleep(0.005)
