"""Two transactions at the same moment: what is lost, who waits, who is refused."""

import asyncio
import contextlib
import threading
import time
from collections import Counter

import django
import pytest
from board import services
from board.models import Application, Company, Job
from django.core.exceptions import SynchronousOnlyOperation
from django.db import InternalError, OperationalError, connection, transaction
from django.db.models import F

THREADS, EACH = 8, 100  # the job board's pool holds ten connections
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
AGAIN = ("40001", "40P01")  # serialization failure, deadlock


# Five ways to count a view.


def read_add_save(job_id):
    """Count one view of a job. Or so it says."""
    with transaction.atomic():
        job = Job.objects.get(pk=job_id)  # SELECT: say, 7
        job.views += 1  # 8, in Python
        job.save(update_fields=["views"])  # UPDATE ... SET views = 8


def without_atomic(job_id):
    job = Job.objects.get(pk=job_id)
    job.views += 1
    job.save(update_fields=["views"])


def under_a_lock(job_id):
    with transaction.atomic():
        job = Job.objects.select_for_update(no_key=True).get(pk=job_id)
        job.views += 1
        job.save(update_fields=["views"])


def with_f(job_id):
    Job.objects.filter(pk=job_id).update(views=F("views") + 1)


class Stale(Exception):
    """Somebody else has written the row since it was read."""


def if_version_is_the_same(job_id):
    job = Job.objects.get(pk=job_id)
    same = Job.objects.filter(pk=job_id, version=job.version)
    if not same.update(views=job.views + 1, version=job.version + 1):
        raise Stale


def at_level(level):
    """Make this transaction see what its level says, from its first query on."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")


def repeatable(job_id):
    with transaction.atomic():
        at_level("REPEATABLE READ")
        read_add_save(job_id)


def serializable(work, *arguments, tries=5):
    """Run work as if nobody else were there, and again if it is refused."""
    for left in reversed(range(tries)):
        try:
            with transaction.atomic(durable=True):  # the outermost, or an error
                at_level("SERIALIZABLE")
                return work(*arguments)
        except OperationalError as error:
            if not left or error.__cause__.sqlstate not in AGAIN:
                raise


def locked_then_lost(job):
    """Count one view of a job that the caller has loaded."""
    with transaction.atomic():
        Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        job.views += 1
        job.save(update_fields=["views"])


def with_a_call_inside(job_id, call):
    with transaction.atomic():
        with_f(job_id)
        call()


def with_a_call_after(job_id, call):
    with transaction.atomic():
        with_f(job_id)
    call()


# A rule over more than one row.


def leave(company, user):
    """Take a user off the staff, unless nobody would be left."""
    if company.staff.count() > 1:
        company.staff.remove(user)


def leave_under_a_lock(company, user):
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    leave(company, user)


# Two at the same moment.


def elsewhere(work, *arguments):
    """Call work in another thread, on a connection of its own; return or raise what it did."""
    ends = []

    def run():
        try:
            ends.append((work(*arguments), None))
        except Exception as error:
            ends.append((None, error))
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = ends[0]
    if error:
        raise error
    return value


def at_once(work, *arguments, times=1, until_done=False):
    """Let eight threads call work; return the tries, and how they ended."""
    meeting = threading.Barrier(THREADS)
    ends = Counter()

    def run():
        mine = Counter()
        try:
            connection.ensure_connection()
            meeting.wait(30)
            for _ in range(times):
                while (end := one_try(work, arguments)) != "done" and until_done:
                    mine[end] += 1
                mine[end] += 1
        finally:
            connection.close()
            ends.update(mine)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def one_try(work, arguments):
    try:
        work(*arguments)
    except Stale:
        return "stale"
    except OperationalError as error:
        return type(error.__cause__).__name__
    return "done"


def meeting_before(word, *works, nth=1, patience=30):
    """Run works in threads that meet before their nth statement with this word; return how they ended.

    Where one has to wait for the lock of another, it never comes: then give the meeting little patience.
    """
    meeting = threading.Barrier(len(works))
    ends = []

    def run(work):
        seen = []

        def hold(execute, statement, *more):
            if word in statement:
                seen.append(statement)
                if len(seen) == nth:
                    with contextlib.suppress(threading.BrokenBarrierError):
                        meeting.wait(patience)
            return execute(statement, *more)

        try:
            with connection.execute_wrapper(hold):
                work()
            ends.append("done")
        except OperationalError as error:
            ends.append(type(error.__cause__).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(ends)


def ended(script, level):
    """Run a script as a transaction of the level; return what came of it."""
    try:
        with transaction.atomic():
            at_level(level)
            anomaly = script(level)
    except OperationalError as error:
        assert error.__cause__.sqlstate == "40001"
        return "refused"
    return anomaly() or "right"  # asked after the commit


def two_answers(level):
    """Ask the same twice while somebody writes in between."""
    first = Company.objects.count()
    elsewhere(lambda: Company.objects.create(name="New", slug=f"new-{first}"))
    again = Company.objects.count()
    return lambda: "two answers" if again != first else None


def lost_update(level):
    """Read, add and save while somebody does the same in between."""
    job = Job.objects.earliest("pk")
    elsewhere(in_transaction, level, without_atomic, job.pk)
    Job.objects.filter(pk=job.pk).update(views=job.views + 1)
    after = Job.objects.filter(pk=job.pk, views=job.views + 1)
    return lambda: "lost update" if after.exists() else None


def empty_staff(level, other=None):
    """Leave the staff of two while the other leaves as well."""
    company = Company.objects.get(slug="two")
    one, two = company.staff.order_by("pk")
    if company.staff.count() > 1:
        elsewhere(in_transaction, other or level, leave, company, two)
        company.staff.remove(one)
    return lambda: "empty staff" if not company.staff.exists() else None


def in_transaction(level, work, *arguments):
    with transaction.atomic():
        at_level(level)
        work(*arguments)


ANOMALIES = {"two answers": two_answers, "lost update": lost_update, "empty staff": empty_staff}


def company_of_two(one, two):
    company, _ = Company.objects.get_or_create(name="Two", slug="two")
    company.staff.set([one, two])
    return company


at_the_same_moment = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(world):
    return company_of_two(world.staff, world.rival)


# Lost updates.


def views(job):
    job.refresh_from_db()
    return job.views


@at_the_same_moment
def test_all_who_read_before_anybody_writes_count_as_one(world):
    for right, count in enumerate((read_add_save, without_atomic), 1):
        works = [lambda count=count: count(world.job.pk)] * 4
        assert meeting_before("UPDATE", *works) == {"done": 4}
        assert views(world.job) == right  # one more, not four


@at_the_same_moment
def test_nothing_is_lost_with_a_lock_f_a_version_or_a_level(world):
    for turn, count in enumerate((under_a_lock, with_f, if_version_is_the_same, repeatable), 1):
        ends = at_once(count, world.job.pk, times=5, until_done=True)
        assert ends["done"] == THREADS * 5
        assert views(world.job) == THREADS * 5 * turn
        assert set(ends) <= {"done", "stale", "SerializationFailure"}


def test_who_locks_one_object_and_saves_another_loses(world):
    loaded = [Job.objects.get(pk=world.job.pk) for _ in range(2)]
    for job in loaded:  # not even at the same moment
        locked_then_lost(job)
    assert views(world.job) == 1


def test_save_without_update_fields_loses_other_columns(world):
    one, two = (Job.objects.get(pk=world.job.pk) for _ in range(2))
    one.description, two.salary_min = "New", 4000
    one.save()
    two.save()
    assert Job.objects.get(pk=one.pk).description == ""
    one.save(update_fields=["description"])
    assert Job.objects.get(pk=one.pk).salary_min == 4000


@at_the_same_moment
def test_a_conditional_update_asks_again_after_it_has_waited(world):
    sent = Application.objects.filter(pk=world.application.pk, status="sent")
    changed = []
    both = [lambda: changed.append(sent.update(status="withdrawn"))] * 2
    assert meeting_before("UPDATE", *both) == {"done": 2}
    assert sorted(changed) == [0, 1]


def test_f_stays_in_the_object_before_django_6(world):
    world.job.views = F("views") + 1
    world.job.save()
    world.job.save()
    assert views(world.job) == (2 if django.VERSION < (6, 0) else 1)


# Which level stops which anomaly.

EXPECTED = {
    "READ COMMITTED": ("two answers", "lost update", "empty staff"),
    "REPEATABLE READ": ("right", "refused", "empty staff"),
    "SERIALIZABLE": ("right", "refused", "refused"),
}


@at_the_same_moment
def test_what_a_level_stops(world):
    assert sql("SHOW transaction_isolation") == [("read committed",)]
    for level in LEVELS:
        company_of_two(world.staff, world.rival)
        assert tuple(ended(script, level) for script in ANOMALIES.values()) == EXPECTED[level]


@at_the_same_moment
def test_a_dirty_read_never_happens(world):
    with transaction.atomic():
        world.add_job("Not yet")
        seen = elsewhere(Job.objects.filter(title="Not yet").exists)
    assert seen is False


@at_the_same_moment
def test_serializable_protects_only_from_its_equals(world, two):
    assert ended(lambda level: empty_staff(level, "READ COMMITTED"), "SERIALIZABLE") == "empty staff"


@at_the_same_moment
def test_a_row_that_all_share_makes_them_go_in_turn(world, two):
    both = [lambda user=user: in_transaction(LEVELS[0], leave_under_a_lock, two, user) for user in two.staff.all()]
    assert meeting_before("DELETE", *both, patience=0.2) == {"done": 2}
    assert two.staff.count() == 1


@at_the_same_moment
def test_serializable_and_again_leaves_one(world, two):
    both = [lambda user=user: serializable(leave, two, user) for user in two.staff.all()]
    assert meeting_before("DELETE", *both) == {"done": 2}
    assert two.staff.count() == 1


@at_the_same_moment
def test_serializable_must_be_outermost_and_gives_up(world):
    with pytest.raises(RuntimeError) as refused, transaction.atomic():
        serializable(leave)
    assert str(refused.value) == "A durable atomic block cannot be nested within another atomic block."
    tries = []

    def always_refused():
        tries.append(1)
        raise OperationalError from Refused()

    with pytest.raises(OperationalError):
        serializable(always_refused, tries=3)
    assert len(tries) == 3


class Refused(Exception):
    sqlstate = "40001"


# Who waits, and who waits for ever.


def sql(statement, params=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def impatient(work):
    """Say whether work would wait for a lock, and where: at a statement or at the commit."""
    done = []

    def run():
        with transaction.atomic():
            sql("SET LOCAL lock_timeout = '100ms'")
            work()
            done.append(True)

    try:
        elsewhere(run)
    except OperationalError as error:
        assert type(error.__cause__).__name__ == "LockNotAvailable"
        return "at its commit" if done else "at once"
    return ""


def who_waits(job, user):
    """Return where each would wait for somebody who has locked the job."""
    return {
        "readers": impatient(lambda: Job.objects.get(pk=job.pk)),
        "applicants": impatient(lambda: Application.objects.create(user=user, job=job)),
        "writers": impatient(lambda: with_f(job.pk)),
    }


@at_the_same_moment
def test_who_waits_behind_a_lock(world):
    for no_key, applicants in {False: "at its commit", True: ""}.items():
        with transaction.atomic():
            Job.objects.select_for_update(no_key=no_key).get(pk=world.job.pk)
            assert who_waits(world.job, world.outsider) == {
                "readers": "",
                "applicants": applicants,
                "writers": "at once",
            }
        Application.objects.exclude(pk=world.application.pk).delete()
    with transaction.atomic():  # no row, no lock
        assert not Job.objects.select_for_update().filter(title="Tester")
        assert impatient(lambda: world.add_job("Tester")) == ""


def close(*job_ids):
    """Close jobs, one after the other."""
    with transaction.atomic():
        for job_id in job_ids:
            Job.objects.filter(pk=job_id).update(is_open=False)


def apply_and_lock(job, user, *, checked="DEFERRED"):
    """Store an application, then lock its job, as to count or to close it."""
    with transaction.atomic():
        sql(f"SET CONSTRAINTS ALL {checked}")  # when foreign keys are looked up
        Application.objects.create(user=user, job=job)
        Job.objects.select_for_update().get(pk=job.pk)


PAIRS = {
    "two jobs, in opposite order": 1,
    "two jobs, both by key": 0,
    "apply, then lock the job": 0,
    "the same, foreign keys IMMEDIATE": 1,
}


def deadlocks(name, jobs, users):
    """Run the two transactions of that name at once; return how many PostgreSQL ended."""
    one, two = sorted(job.pk for job in jobs)
    if name == "two jobs, in opposite order":
        ends = meeting_before("UPDATE", lambda: close(one, two), lambda: close(two, one), nth=2)
    elif name == "two jobs, both by key":
        ends = meeting_before("UPDATE", *[lambda: close(one, two)] * 2, nth=2, patience=0.2)
    else:
        checked = "IMMEDIATE" if "IMMEDIATE" in name else "DEFERRED"
        works = [lambda user=user: apply_and_lock(jobs[0], user, checked=checked) for user in users]
        ends = meeting_before("FOR UPDATE", *works)
    assert sum(ends.values()) == 2 and set(ends) <= {"done", "DeadlockDetected"}
    return ends["DeadlockDetected"]


@at_the_same_moment
def test_deadlocks(world):
    for name, ended in PAIRS.items():
        assert deadlocks(name, (world.job, world.elsewhere), (world.outsider, world.rival)) == ended, name
        Application.objects.exclude(pk=world.application.pk).delete()


# In Django.


def test_an_inner_atomic_is_a_savepoint(world):
    with transaction.atomic():
        world.add_job("Outer")
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            world.add_job("Inner")
            raise ZeroDivisionError
    assert list(Job.objects.filter(title__in=("Outer", "Inner")).values_list("title", flat=True)) == ["Outer"]


@at_the_same_moment
def test_the_inner_commit_is_no_commit(world):
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        with transaction.atomic():
            world.add_job("Inner")
        assert elsewhere(Job.objects.filter(title="Inner").exists) is False
        raise ZeroDivisionError
    assert not Job.objects.filter(title="Inner").exists()


def test_a_version_refuses_what_a_lock_would_let_through(world):
    seen_by_both = world.job.version
    services.update_job(job_id=world.job.pk, version=seen_by_both, title="One")
    with pytest.raises(services.StaleVersion):
        services.update_job(job_id=world.job.pk, version=seen_by_both, title="Two")


@at_the_same_moment
def test_a_retry_inside_keeps_the_old_snapshot(world):
    with transaction.atomic():
        at_level("REPEATABLE READ")
        Job.objects.count()
        elsewhere(with_f, world.job.pk)
        for _ in range(3):
            with pytest.raises(OperationalError), transaction.atomic():
                with_f(world.job.pk)


@at_the_same_moment
def test_messages(world):
    with pytest.raises(transaction.TransactionManagementError) as refused:
        Job.objects.select_for_update().get(pk=world.job.pk)
    assert str(refused.value) == "select_for_update cannot be used outside of a transaction."

    with transaction.atomic():
        Job.objects.select_for_update().get(pk=world.job.pk)

        def hurried():
            with transaction.atomic():
                Job.objects.select_for_update(nowait=True).get(pk=world.job.pk)

        with pytest.raises(OperationalError) as refused:
            elsewhere(hurried)
    assert str(refused.value) == 'could not obtain lock on row in relation "board_job"'

    with pytest.raises(OperationalError) as refused, transaction.atomic():
        at_level("REPEATABLE READ")
        lost_update("REPEATABLE READ")
    assert str(refused.value) == "could not serialize access due to concurrent update"
    assert refused.value.__cause__.sqlstate == "40001"

    company_of_two(world.staff, world.rival)
    with pytest.raises(OperationalError) as refused, transaction.atomic():
        at_level("SERIALIZABLE")
        empty_staff("SERIALIZABLE")
    assert str(refused.value).startswith("could not serialize access due to read/write dependencies among transactions")

    with pytest.raises(InternalError) as refused, transaction.atomic():
        world.job.refresh_from_db()
        at_level("SERIALIZABLE")
    assert str(refused.value) == "SET TRANSACTION ISOLATION LEVEL must be called before any query"


@at_the_same_moment
def test_messages_of_timeouts(world):
    with transaction.atomic():
        Job.objects.select_for_update().get(pk=world.job.pk)

        def patient():
            with transaction.atomic():
                sql("SET LOCAL lock_timeout = '50ms'")
                with_f(world.job.pk)

        with pytest.raises(OperationalError) as refused:
            elsewhere(patient)
    assert str(refused.value).startswith("canceling statement due to lock timeout")

    def idle():
        with transaction.atomic():
            sql("SET LOCAL idle_in_transaction_session_timeout = '20ms'")
            (pid,) = sql("SELECT pg_backend_pid()")[0]
            elsewhere(until_gone, pid)
            Job.objects.count()

    with pytest.raises(InternalError) as refused:
        elsewhere(idle)
    assert str(refused.value).startswith("terminating connection due to idle-in-transaction timeout")


def until_gone(pid):
    deadline = time.monotonic() + 20
    while sql("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]):
        assert time.monotonic() < deadline, "the idle transaction lives"
        time.sleep(0.01)


@at_the_same_moment
def test_there_is_no_async_atomic(db):
    async def view():
        with transaction.atomic():
            pass

    with pytest.raises(SynchronousOnlyOperation) as refused:
        asyncio.run(view())
    assert str(refused.value) == "You cannot call this from an async context - use a thread or sync_to_async."
