"""What two transactions at the same moment do to each other, and what each remedy costs."""

import functools
import time

from accounts.models import User
from board.models import Application, Job
from test_transactions_and_locks import (
    ANOMALIES,
    EACH,
    LEVELS,
    PAIRS,
    THREADS,
    at_once,
    company_of_two,
    deadlocks,
    empty_staff,
    ended,
    if_version_is_the_same,
    in_transaction,
    leave_under_a_lock,
    meeting_before,
    read_add_save,
    repeatable,
    under_a_lock,
    with_a_call_after,
    with_a_call_inside,
    with_f,
    without_atomic,
)

from tools.measure.instruments import timing_of

MEASURES = ["docs/concepts/transactions-and-locks/test_transactions_and_locks.py"]
GIVEN = {
    "50 ms": "the call that the page makes up",
    "1 s": "deadlock_timeout, PostgreSQL's default",
    "3 s": "lock_timeout in the job board's settings",
    "10 s": "idle_in_transaction_session_timeout, there too",
}
ROUNDS, PAIR_ROUNDS = 5, 10
COUNTER = "8 threads count 100 views each, 5 times: 4,000 is right"
LEVEL = "Two transactions in a fixed order, 10 times each: what went wrong"
DEAD = "Two transactions that lock, 10 times: how many PostgreSQL ended"
CALL = "8 transactions change one job and make a call of 50 ms"

WAYS = {
    "read, add, save": (without_atomic, False),
    "the same in atomic()": (read_add_save, False),
    "REPEATABLE READ": (repeatable, False),
    "the same, retried": (repeatable, True),
    "version, retried": (if_version_is_the_same, True),
    "select_for_update()": (under_a_lock, False),
    "F()": (with_f, False),
}
KINDS = {"two answers": "two answers", "lost update": "lost updates", "empty staff": "empty staffs"}


def measure(lab):
    with lab.dataset("S"):
        counting(lab)
        levels(lab)
        locking(lab)
        calling(lab)
    lab.picture(COUNTER, "counted")


def counting(lab):
    job = Job.objects.earliest("pk")
    found = {name: {"counted": 0, "lost": 0, "tries": 0} for name in WAYS}
    seconds = {name: [] for name in WAYS}
    for work, until_done in WAYS.values():
        at_once(work, job.pk, times=5, until_done=until_done)  # the warm-up
    for number in range(ROUNDS):  # in turns: a busy machine slows all alike
        lab.say(f"{COUNTER}: round {number + 1}")
        for name, (work, until_done) in WAYS.items():
            Job.objects.filter(pk=job.pk).update(views=0)
            began = time.perf_counter()
            ends = at_once(work, job.pk, times=EACH, until_done=until_done)
            seconds[name].append(time.perf_counter() - began)
            assert ends.total() >= THREADS * EACH
            job.refresh_from_db()
            found[name]["counted"] += job.views
            found[name]["lost"] += ends["done"] - job.views
            found[name]["tries"] += ends.total()
    for name, counts in found.items():
        lab.record(COUNTER, name, counts=counts, timing=timing_of(seconds[name]))


def levels(lab):
    pair = User.objects.order_by("pk")[:2]
    for level in LEVELS:
        lab.say(f"{LEVEL}: {level}")
        found = dict.fromkeys(KINDS.values(), 0) | {"refused": 0}
        for name, script in ANOMALIES.items():
            for _ in range(PAIR_ROUNDS):
                company_of_two(*pair)
                end = ended(script, level)
                found[KINDS.get(end, end)] = found.get(KINDS.get(end, end), 0) + 1
                assert end in (name, "refused", "right")
        found.pop("right", None)
        lab.record(LEVEL, level, counts=found)
    mixed = functools.partial(empty_staff, other="READ COMMITTED")
    empty = 0
    for _ in range(PAIR_ROUNDS):
        company_of_two(*pair)
        empty += ended(mixed, "SERIALIZABLE") == "empty staff"
    lab.record(LEVEL, "SERIALIZABLE, other not", counts={"empty staffs": empty})
    empty = 0
    for _ in range(PAIR_ROUNDS):
        company = company_of_two(*pair)
        leaving = functools.partial(in_transaction, LEVELS[0], leave_under_a_lock, company)
        ends = meeting_before("DELETE", *(functools.partial(leaving, user) for user in pair), patience=0.2)
        assert ends == {"done": 2}
        empty += not company.staff.exists()
    lab.record(LEVEL, "company locked first", counts={"empty staffs": empty, "refused": 0})


def locking(lab):
    jobs, users = Job.objects.order_by("pk")[:2], User.objects.order_by("pk")[:2]
    Application.objects.all().delete()
    for name in PAIRS:
        lab.say(f"{DEAD}: {name}")
        ends = 0
        for _ in range(PAIR_ROUNDS):
            ends += deadlocks(name, jobs, users)
            Application.objects.all().delete()
        lab.record(DEAD, name, counts={"deadlocks": ends})


def calling(lab):
    job = Job.objects.earliest("pk")
    for name, work in {"inside the transaction": with_a_call_inside, "after the commit": with_a_call_after}.items():
        lab.say(f"{CALL}: {name}")
        timing = lab.time(lambda work=work: at_once(work, job.pk, functools.partial(time.sleep, 0.05)))
        lab.record(CALL, name, timing=timing)
