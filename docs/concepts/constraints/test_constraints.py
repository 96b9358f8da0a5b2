"""A rule asked in Python and a rule in the table, at the same moment."""

import contextlib
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from board.models import Application, Job, Skill
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.core.exceptions import ValidationError
from django.db import connection, migrations, models, transaction
from django.db.migrations.state import ProjectState
from django.db.utils import DataError, IntegrityError, OperationalError
from django.forms import modelform_factory
from psycopg.types.range import TimestamptzRange
from rest_framework.serializers import ModelSerializer

THREADS = 8  # the job board's pool holds ten connections

RULES = {
    "check": models.CheckConstraint(
        condition=models.Q(salary_min__lte=models.F("salary_max")),
        name="job_salary_range",
        violation_error_message="The salary ends below its beginning.",
    ),
    "partial unique": models.UniqueConstraint(
        fields=("company", "title"),
        condition=models.Q(is_open=True),  # closed jobs may repeat
        name="job_open_title_unique",
        violation_error_message="This title is open at this company.",
    ),
    "exclusion": ExclusionConstraint(
        expressions=(  # no two rows where both are true
            ("room", RangeOperators.EQUAL),
            ("during", RangeOperators.OVERLAPS),
        ),
        name="interview_room_free",
    ),
}
OPEN_TITLE = RULES["partial unique"]


class Interview(models.Model):
    """An hour in a room. The job board has no such table; this page does."""

    room = models.CharField(max_length=20)
    during = DateTimeRangeField()

    class Meta:
        app_label = "interviews"
        constraints = (RULES["exclusion"],)

    def __str__(self):
        return f"{self.room} {self.during}"


def post_job(company, title):
    """Post an open job, unless the company has one of this title."""
    job = Job(company=company, title=title)
    job.full_clean()  # asks every rule of the model, this one too
    job.save()  # and what did the others do in between?
    return job


@transaction.atomic
def post_job_in_a_transaction(company, title):
    return post_job(company, title)


def get_or_post_job(company, title):
    job, _ = Job.objects.get_or_create(company=company, title=title, is_open=True)
    return job


def book(room, during):
    """Book a room, unless it is taken at that time."""
    interview = Interview(room=room, during=during)
    interview.full_clean()
    interview.save()


def post_if_company_exists(company_id, title):
    """Return the job, or None if there is no such company. Or so it says."""
    try:
        with transaction.atomic():
            return Job.objects.create(company_id=company_id, title=title)
    except IntegrityError:
        return None


class Migration(migrations.Migration):
    dependencies = (("board", "0001_initial"),)
    operations = (
        AddConstraintNotValid(  # new rows only: no scan of the table
            "job",
            models.CheckConstraint(
                condition=models.Q(salary_min__gte=0),
                name="job_salary_not_negative",
            ),
        ),
    )


class NextMigration(migrations.Migration):
    dependencies = (("board", "0002_salary_not_negative"),)
    operations = (ValidateConstraint("job", "job_salary_not_negative"),)


def sql(statement, params=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def at_once(write, *arguments, held=True):
    """Call write in eight threads; return how the calls ended, counted.

    Held, all threads meet before their INSERT: what may happen on an unlucky
    day happens each time. Else they meet before the call, and then run free.
    """
    meeting = threading.Barrier(THREADS)
    ends = []

    def hold(execute, statement, *more):
        if statement.startswith("INSERT"):
            meeting.wait(30)
        return execute(statement, *more)

    def run():
        try:
            connection.ensure_connection()
            if not held:
                meeting.wait(30)
            with connection.execute_wrapper(hold) if held else contextlib.nullcontext():
                write(*arguments)
            ends.append("returned")
        except (ValidationError, IntegrityError, OperationalError) as error:
            ends.append(type(error.__cause__ or error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(ends)


@contextlib.contextmanager
def without_the_rule():
    """Take the rule out of the table; the model still declares it."""
    with connection.schema_editor() as editor:
        editor.remove_constraint(Job, OPEN_TITLE)
    try:
        yield
    finally:
        Job.objects.filter(title__startswith="Tester").delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Job, OPEN_TITLE)


@contextlib.contextmanager
def interviews(*, rule=True):
    """Make the table of interviews, with or without its rule."""
    sql("CREATE EXTENSION IF NOT EXISTS btree_gist")
    with connection.schema_editor() as editor:
        editor.create_model(Interview)
        if not rule:
            editor.remove_constraint(Interview, RULES["exclusion"])
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Interview)


def hour(start):
    """Return an hour of one day, as a range that leaves its end out."""
    day = datetime(2026, 12, 1, tzinfo=UTC)
    return TimestamptzRange(day + timedelta(hours=start), day + timedelta(hours=start + 1))


def constraint_of(error):
    return error.value.__cause__.diag.constraint_name


at_the_same_moment = pytest.mark.django_db(transaction=True)


def test_the_rules_of_the_page_are_those_of_the_job_board():
    assert RULES["check"] in Job._meta.constraints
    assert OPEN_TITLE in Job._meta.constraints


# What the check in Python sees, and what it cannot.


@at_the_same_moment
def test_one_after_the_other_the_check_is_enough(world):
    with without_the_rule():
        post_job(world.company, "Tester")
        with pytest.raises(ValidationError) as refused:
            post_job(world.company, "Tester")
        assert refused.value.messages == ["This title is open at this company."]


@at_the_same_moment
@pytest.mark.parametrize("write", [post_job, post_job_in_a_transaction, get_or_post_job])
def test_at_once_no_check_is_enough(world, write):
    with without_the_rule():
        assert at_once(write, world.company, "Tester") == {"returned": THREADS}
        assert Job.objects.filter(title="Tester").count() == THREADS


@at_the_same_moment
def test_at_once_the_constraint_leaves_one(world):
    ends = at_once(post_job, world.company, "Tester")
    assert ends == {"returned": 1, "UniqueViolation": THREADS - 1}
    assert Job.objects.filter(title="Tester").count() == 1


@at_the_same_moment
def test_get_or_create_over_a_constraint_gives_everybody_the_row(world):
    assert at_once(get_or_post_job, world.company, "Tester") == {"returned": THREADS}
    assert Job.objects.filter(title="Tester").count() == 1


@at_the_same_moment
@pytest.mark.parametrize(("rule", "rows"), [(False, THREADS), (True, 1)])
def test_a_room_is_booked_once_with_the_exclusion(world, rule, rows):
    with interviews(rule=rule):
        ends = at_once(book, "A", hour(9))
        assert ends["returned"] == Interview.objects.count()
        # With the rule never two. Those who have all written wait for each
        # other, and PostgreSQL ends one a second: time may run out for all.
        assert ends["returned"] == rows or (rule and not ends["returned"])
        assert sum(ends.values()) == THREADS
        assert set(ends) <= {"returned", "ExclusionViolation", "DeadlockDetected", "LockNotAvailable", "QueryCanceled"}


def test_hours_that_touch_do_not_overlap(db):
    with interviews():
        book("A", hour(9))
        book("A", hour(10))
        book("B", hour(9))
        with pytest.raises(ValidationError):
            book("A", hour(9.5))
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            Interview.objects.create(room="A", during=hour(9.5))
        assert constraint_of(refused) == "interview_room_free"


@at_the_same_moment
@pytest.mark.parametrize("first_commits", [True, False])
def test_the_second_insert_waits_for_the_first_to_end(world, first_commits):
    ends = []

    def second():
        try:
            with transaction.atomic():
                # However slow the machine is, only the other's end ends it.
                sql("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
                Job.objects.create(company=world.company, title="Tester")
            ends.append("stored")
        except IntegrityError:
            ends.append("refused")
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        Job.objects.create(company=world.company, title="Tester")
        thread.start()
        wait_for_a_waiter()
        assert ends == []
        transaction.set_rollback(not first_commits)
    thread.join()
    assert ends == ["refused" if first_commits else "stored"]
    assert Job.objects.filter(title="Tester").count() == 1


def wait_for_a_waiter():
    """Return when an INSERT waits for another transaction to end."""
    deadline = time.monotonic() + 60
    waiting = """SELECT count(*) FROM pg_stat_activity
                 WHERE wait_event = 'transactionid' AND query LIKE 'INSERT%%'
                   AND datname = current_database()"""
    while sql(waiting) != [(1,)]:
        assert time.monotonic() < deadline, "nobody waits"
        sql("SELECT pg_stat_clear_snapshot()")  # else it stays as first read


# What reaches the database of what a field says.

# A bad value, the field that full_clean() names for it, and whether the table
# refuses it too.
BAD = {
    "null=False": (lambda w: Job(company=w.company, title=None), "title", True),
    "unique=True": (lambda w: Skill(name="SQL"), "name", True),
    "ForeignKey": (lambda w: Job(company_id=0, title="T"), "company", True),
    "PositiveIntegerField": (lambda w: Job(company=w.company, title="T", views=-1), "views", True),
    "max_length, CharField": (lambda w: Job(company=w.company, title="x" * 201), "title", True),
    "blank=False": (lambda w: Job(company=w.company, title=""), "title", False),
    "choices": (lambda w: Application(user=w.outsider, job=w.job, status="lost"), "status", False),
    "validators": (lambda w: Job(company=w.company, title="T", salary_min=-1), "salary_min", False),
    "EmailField": (lambda w: get_user_model()(email="nobody", password=w.outsider.password), "email", False),
    "max_length, TextField": (lambda w: Job(company=w.company, title="T", description="x" * 20_001), None, False),
}


def named_by_full_clean(row):
    """Return the one field that full_clean() complains of, or None."""
    try:
        row.full_clean()
    except ValidationError as error:
        (field,) = error.message_dict
        return field
    return None


def refused_by_the_table(row):
    try:
        with transaction.atomic():
            row.save()
            connection.check_constraints()  # foreign keys, else due at the commit
    except (IntegrityError, DataError):
        return True
    return False


@pytest.mark.parametrize("rule", BAD)
def test_what_reaches_the_database(world, rule):
    make, field, refused = BAD[rule]
    if rule == "choices":  # the job board adds a CHECK; see the field alone
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql("ALTER TABLE board_application DROP CONSTRAINT application_status_known")
    assert named_by_full_clean(make(world)) == field
    assert refused_by_the_table(make(world)) is refused


DOORS = {
    "save": lambda job: job.save(),
    "bulk_create": lambda job: Job.objects.bulk_create([job]),
    "update": lambda job: Job.objects.filter(company=job.company).update(salary_min=9, salary_max=1),
    "SQL": lambda job: sql("UPDATE board_job SET salary_min = 9, salary_max = 1"),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_check_stands_at_every_door(world, door):
    job = Job(company=world.company, title="T", salary_min=9, salary_max=1)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        DOORS[door](job)
    assert constraint_of(refused) == "job_salary_range"
    assert str(refused.value).startswith(
        'new row for relation "board_job" violates check constraint "job_salary_range"'
    )


def test_messages(world):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Job.objects.create(company=world.company, title="Backend developer")
    assert str(refused.value).startswith('duplicate key value violates unique constraint "job_open_title_unique"')
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Job.objects.create(company_id=0, title="T")
        connection.check_constraints()
    assert str(refused.value).startswith('insert or update on table "board_job" violates foreign key constraint')
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Job.objects.create(company=world.company, title=None)
    assert str(refused.value).startswith(
        'null value in column "title" of relation "board_job" violates not-null constraint'
    )


def test_after_a_refused_row_the_transaction_is_broken(world):
    with pytest.raises(transaction.TransactionManagementError) as broken, transaction.atomic():
        with contextlib.suppress(IntegrityError):
            Job.objects.create(company=world.company, title="Backend developer")
        Job.objects.count()
    assert str(broken.value) == (
        "An error occurred in the current transaction. You can't execute queries until the end of the 'atomic' block."
    )


# Where full_clean() and the serializer look away.


def test_a_form_skips_a_constraint_whose_field_it_does_not_show(world):
    form = modelform_factory(Job, fields=("title",))
    shown = form({"title": "Backend developer"}, instance=Job(company=world.company))
    assert shown.is_valid()
    with pytest.raises(IntegrityError), transaction.atomic():
        shown.save()
    form = modelform_factory(Job, fields=("title", "company", "is_open"))
    shown = form({"title": "Backend developer", "company": world.company.pk, "is_open": True})
    assert shown.errors == {"__all__": ["This title is open at this company."]}


def test_it_skips_a_check_as_well(world):
    form = modelform_factory(Job, fields=("title", "salary_min"))
    shown = form({"title": "T", "salary_min": 9}, instance=Job(company=world.company, salary_max=1))
    assert shown.is_valid()
    with pytest.raises(IntegrityError), transaction.atomic():
        shown.save()


def test_a_model_serializer_knows_no_check_constraint(world):
    class Plain(ModelSerializer):
        class Meta:
            model = Job
            fields = ("company", "title", "salary_min", "salary_max")

    bad = Plain(data={"company": world.company.pk, "title": "T", "salary_min": 9, "salary_max": 1})
    assert bad.is_valid()
    with pytest.raises(IntegrityError), transaction.atomic():
        bad.save()


# Where constraints end.


def test_null_passes_a_check_and_repeats_in_a_unique(db):
    sql("CREATE TABLE marks (a int, b int, CHECK (a <= b), UNIQUE (a))")
    sql("INSERT INTO marks VALUES (NULL, 1), (NULL, 1)")
    sql("CREATE TABLE strict (a int, UNIQUE NULLS NOT DISTINCT (a))")
    sql("INSERT INTO strict VALUES (NULL)")
    with pytest.raises(IntegrityError), transaction.atomic():
        sql("INSERT INTO strict VALUES (NULL)")


@at_the_same_moment
def test_a_foreign_key_is_checked_at_the_commit(world):
    assert post_if_company_exists(0, "T") is None
    with pytest.raises(IntegrityError), transaction.atomic():
        assert post_if_company_exists(0, "T") is not None
    assert not Job.objects.filter(title="T").exists()


def test_a_check_cannot_ask_another_table(db):
    with pytest.raises(Exception, match="cannot use subquery in check constraint"), transaction.atomic():
        sql("ALTER TABLE board_job ADD CHECK (company_id IN (SELECT id FROM board_company))")


# Adding a rule to a table that is in use.

TABLE_LOCKS = {"readers": "ACCESS SHARE", "writers": "ROW EXCLUSIVE"}


def who_waits():
    """Return who would wait for board_job at this moment: 1 or 0 for each."""
    other = connection.copy()
    other.set_autocommit(False)
    waits = {}
    try:
        for who, lock in TABLE_LOCKS.items():
            with other.cursor() as cursor:
                try:
                    cursor.execute(f"LOCK TABLE board_job IN {lock} MODE NOWAIT")
                    waits[who] = 0
                except OperationalError:
                    waits[who] = 1
            other.rollback()
    finally:
        other.close()
    return waits


def migrate(migration):
    """Run the operations of a migration, as migrate does, on board_job."""
    state = ProjectState.from_apps(apps)
    with connection.schema_editor(atomic=False) as editor:
        for operation in migration.operations:
            operation.database_forwards("board", editor, state, state_after(state, operation))


def state_after(state, operation):
    after = state.clone()
    operation.state_forwards("board", after)
    return after


@at_the_same_moment
def test_not_valid_binds_new_rows_and_validate_blocks_nobody(world):
    Job.objects.filter(pk=world.job.pk).update(salary_min=-1)
    try:
        with transaction.atomic():
            migrate(Migration)
            assert who_waits() == {"readers": 1, "writers": 1}
        with pytest.raises(IntegrityError), transaction.atomic():
            world.add_job("T", salary_min=-1)
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            validate()
        assert str(refused.value).startswith(
            'check constraint "job_salary_not_negative" of relation "board_job" is violated by some row'
        )
        Job.objects.filter(salary_min__lt=0).update(salary_min=0)
        with transaction.atomic():
            validate()
            assert who_waits() == {"readers": 0, "writers": 0}
    finally:
        sql("ALTER TABLE board_job DROP CONSTRAINT IF EXISTS job_salary_not_negative")


def validate():
    """Run the second migration on the state that the first one leaves."""
    state = ProjectState.from_apps(apps)
    for operation in Migration.operations:
        operation.state_forwards("board", state)
    with connection.schema_editor(atomic=False) as editor:
        for operation in NextMigration.operations:
            operation.database_forwards("board", editor, state, state)
