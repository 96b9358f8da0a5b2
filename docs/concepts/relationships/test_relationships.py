"""What PostgreSQL knows of a relation, what following one sends, and what a delete takes along."""

import contextlib
import importlib
import re
import sys

import django
import pytest
from accounts.models import Profile, User
from board.models import Application, Company, Job, Skill
from django.apps import apps
from django.core.exceptions import FieldError
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.state import ProjectState
from django.db.models.deletion import ProtectedError, RestrictedError
from django.db.models.signals import post_delete, post_init
from django.test.utils import CaptureQueriesContext, isolate_apps

# The SQL of the three fields, without the columns that are no keys.
SQL = """
-- Job.company, one-to-many: a column, a foreign key, an index
CREATE TABLE "board_job" ("company_id" bigint NOT NULL);
ALTER TABLE "board_job" ADD FOREIGN KEY ("company_id")
    REFERENCES "board_company" ("id") DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX ON "board_job" ("company_id");

-- Profile.user, one-to-one: the same, and UNIQUE makes the index
CREATE TABLE "accounts_profile" ("user_id" bigint NOT NULL UNIQUE);
ALTER TABLE "accounts_profile" ADD FOREIGN KEY ("user_id")
    REFERENCES "accounts_user" ("id") DEFERRABLE INITIALLY DEFERRED;

-- Job.skills, many-to-many: a table of two foreign keys
CREATE TABLE "board_job_skills"
    ("job_id" bigint NOT NULL, "skill_id" bigint NOT NULL);
ALTER TABLE "board_job_skills" ADD UNIQUE ("job_id", "skill_id");
ALTER TABLE "board_job_skills" ADD FOREIGN KEY ("job_id")
    REFERENCES "board_job" ("id") DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "board_job_skills" ADD FOREIGN KEY ("skill_id")
    REFERENCES "board_skill" ("id") DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX ON "board_job_skills" ("job_id");
CREATE INDEX ON "board_job_skills" ("skill_id");
"""


def fields_that_hold_keys():
    """The fields of the job board along which a company is deleted."""
    staff, skills = Company.staff.through, Job.skills.through
    fields = [(Job, "company"), (Application, "job"), (staff, "company"), (skills, "job")]
    return [model._meta.get_field(name) for model, name in fields]


@contextlib.contextmanager
def on_delete(rule, *fields):
    """Give fields of the job board another rule, as a change of the models would."""
    before = [field.remote_field.on_delete for field in fields]
    for field in fields:
        field.remote_field.on_delete = rule
    try:
        yield
    finally:
        for field, old in zip(fields, before, strict=True):
            field.remote_field.on_delete = old


def cascading():
    """Let a company take its jobs along, and a job its applications."""
    return on_delete(models.CASCADE, *fields_that_hold_keys())


@contextlib.contextmanager
def cascading_in_the_database():
    """The same by PostgreSQL's own ON DELETE CASCADE; Django does nothing. Ends with a rollback."""
    with on_delete(models.DO_NOTHING, *fields_that_hold_keys()), transaction.atomic():
        sql("SET CONSTRAINTS ALL IMMEDIATE")  # else ALTER TABLE finds checks that wait
        for field in fields_that_hold_keys():
            table, column = field.model._meta.db_table, field.column
            name = foreign_key_of(table, column)
            target = field.related_model._meta.db_table
            sql(
                f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} FOREIGN KEY ({column})"
                f" REFERENCES {target} (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"
            )
        yield
        transaction.set_rollback(True)


@contextlib.contextmanager
def listening(model):
    """Have a receiver for deleted rows, as an audit log or a search index has."""

    def receiver(**_):
        pass

    post_delete.connect(receiver, sender=model)
    try:
        yield
    finally:
        post_delete.disconnect(receiver, sender=model)


@contextlib.contextmanager
def built():
    """Yield a list that grows by each model instance that Django builds."""
    instances = []

    def receiver(instance, **_):
        instances.append(type(instance))

    post_init.connect(receiver, weak=False)
    try:
        yield instances
    finally:
        post_init.disconnect(receiver)


def sql(statement, params=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def foreign_key_of(table, column):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    (name,) = (name for name, rule in found.items() if rule["foreign_key"] and rule["columns"] == [column])
    return name


def company_with(jobs):
    """Make a company with so many jobs: an application and two skills for each."""
    company = Company.objects.create(name=f"With {jobs}", slug=f"with-{jobs}")
    user = User.objects.create(email=f"with-{jobs}@example.com")
    skills = [Skill.objects.get_or_create(name=name)[0] for name in ("Python", "SQL")]
    made = Job.objects.bulk_create(Job(company=company, title=f"Job {n}") for n in range(jobs))
    Application.objects.bulk_create(Application(user=user, job=job) for job in made)
    needs = Job.skills.through
    needs.objects.bulk_create(needs(job=job, skill=skill) for job in made for skill in skills)
    return company


def refused(company):
    """Try to delete a company that PROTECT keeps; return the error."""
    try:
        company.delete()
    except ProtectedError as error:
        return error
    raise AssertionError("the company is gone")


def log_refusal(company):
    """Write down why a company cannot be deleted, as a log does."""
    return str(refused(company))  # one more query for each job


def refusal(company):
    """Return why a company cannot be deleted, in one query."""
    return f"{company} has {company.jobs.count()} jobs"


def headline(user):
    """Return a user's headline, or nothing if there is no profile."""
    return user.profile.headline if user.profile else ""


def rows_read(table):
    """Return how many rows of a table were read in this transaction."""
    found = sql(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = %s", [table]
    )
    return found[0][0]


def drop_indexes_that_begin_with(table, column):
    """Leave a table as one made by hand: foreign keys, and no index for this one."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    for name, rule in found.items():
        if rule["index"] and not rule["unique"] and rule["columns"][:1] == [column]:
            sql(f"DROP INDEX {name}")


def statements(call, *arguments):
    """Return the SQL that a call sends, without savepoints."""
    with CaptureQueriesContext(connection) as queries:
        call(*arguments)
    sent = [query["sql"] for query in queries]
    return [text for text in sent if not text.startswith(("SAVEPOINT", "RELEASE"))]


def twice(call, *arguments):
    """Return how many queries a call sends the first time, and the second."""
    return tuple(len(statements(call, *arguments)) for _ in range(2))


# What PostgreSQL knows.


def created(*tables):
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for model in tables:
            editor.create_model(model)
    return editor.collected_sql


def without_names(statement):
    """Drop what only names a constraint or an index: the page does without."""
    return re.sub(r'CONSTRAINT "\w+" |(?<=CREATE INDEX )"\w+" ', "", statement.rstrip(";"))


def test_the_sql_of_the_page_is_what_django_sends(db):
    sent = [without_names(statement) for statement in created(Job, Profile)]
    shown = [" ".join(statement.split()) for statement in without_comments(SQL).split(";")[:-1]]
    for statement in shown:
        if statement.startswith("CREATE TABLE"):
            table, columns = statement.removesuffix(")").split(" (")
            (whole,) = (line for line in sent if line.startswith(f"{table} ("))
            assert all(column in whole for column in columns.split(", "))
        else:
            assert statement in sent
    keys = [line for line in sent if "FOREIGN KEY" in line]
    assert len(keys) == 4
    assert set(keys) <= set(shown)  # the page leaves none out


def without_comments(text):
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


@pytest.mark.parametrize(
    "change",
    [
        {"on_delete": models.CASCADE},
        {"on_delete": models.DO_NOTHING},
        {"related_name": "vacancies"},
        {"related_query_name": "vacancy"},
    ],
)
def test_names_and_on_delete_never_reach_postgresql(db, change):
    field = models.ForeignKey(Company, **{"on_delete": models.PROTECT, "related_name": "jobs"} | change)
    assert sql_of(migrations.AlterField("job", "company", field)) == []


def test_one_to_one_is_a_unique_foreign_key(db):
    field = models.OneToOneField(Company, models.PROTECT, related_name="job")
    alter = [line for line in sql_of(migrations.AlterField("job", "company", field)) if "UNIQUE" in line]
    assert len(alter) == 1
    assert alter[0].endswith('UNIQUE ("company_id");')


def sql_of(operation):
    """Return what sqlmigrate would show for one operation on the job board."""
    before = ProjectState.from_apps(apps)
    after = before.clone()
    operation.state_forwards("board", after)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        operation.database_forwards("board", editor, before, after)
    return [line for line in editor.collected_sql if not line.startswith("--")]


def test_in_a_transaction_the_refusal_waits_for_its_end(world):
    with transaction.atomic():
        sql("DELETE FROM board_company WHERE id = %s", [world.company.pk])  # no error yet
        with pytest.raises(IntegrityError):
            sql("SET CONSTRAINTS ALL IMMEDIATE")  # as the commit does
        transaction.set_rollback(True)
    assert Company.objects.filter(pk=world.company.pk).exists()


def test_by_hand_the_database_refuses_whatever_on_delete_says(world):
    sql("SET CONSTRAINTS ALL IMMEDIATE")  # as at the commit, here and below
    with cascading():
        with pytest.raises(IntegrityError) as error, transaction.atomic():
            sql("DELETE FROM board_company WHERE id = %s", [world.company.pk])
        assert str(error.value).startswith('update or delete on table "board_company" violates foreign key constraint')
        Application.objects.all().delete()
        world.company.delete()
    assert not Company.objects.filter(slug="acme").exists()


# Both directions.


def test_what_each_direction_sends(world):
    job = Job.objects.get(pk=world.job.pk)
    company = Company.objects.get(pk=world.company.pk)
    user = User.objects.get(pk=world.outsider.pk)
    profile = Profile.objects.get(user=user)
    assert twice(lambda: job.company_id) == (0, 0)
    assert twice(lambda: job.company) == (1, 0)
    assert twice(lambda: list(company.jobs.all())) == (1, 1)
    assert twice(lambda: user.profile) == (1, 0)
    assert twice(lambda: profile.user) == (1, 0)
    assert twice(lambda: list(job.skills.all())) == (1, 1)
    assert twice(lambda: list(world.sql.jobs.all())) == (1, 1)


def test_each_side_knows_where_it_came_from(world):
    company = Company.objects.get(pk=world.company.pk)
    assert len(statements(lambda: [job.company for job in company.jobs.all()])) == 1
    user = User.objects.get(pk=world.outsider.pk)
    assert user.profile.user is user
    assert not statements(lambda: user.profile.user)


def test_the_bug_raises_for_the_user_it_was_written_for(world):
    assert headline(world.outsider) == ""
    with pytest.raises(User.profile.RelatedObjectDoesNotExist):
        headline(User.objects.create_user("new@example.com"))


def test_a_missing_one_to_one_is_an_error_and_is_remembered(db):
    user = User.objects.create_user("new@example.com")
    user = User.objects.get(pk=user.pk)
    with pytest.raises(User.profile.RelatedObjectDoesNotExist) as missing:
        _ = user.profile
    assert str(missing.value) == "User has no profile."
    assert issubclass(type(missing.value), AttributeError)
    assert not hasattr(user, "profile")
    assert not statements(hasattr, user, "profile")
    Profile.objects.create(user_id=user.pk)
    assert not hasattr(user, "profile")  # what is in memory does not hear of it
    user.refresh_from_db()
    assert user.profile


def test_filters_go_both_ways_and_backwards_repeats(world):
    assert Job.objects.filter(company__slug="acme").count() == 2
    assert list(Company.objects.filter(jobs__title="Baker")) == [world.other_company]
    assert Company.objects.filter(jobs__isnull=False).count() == 3
    assert Company.objects.filter(jobs__isnull=False).distinct().count() == 2
    assert list(Skill.objects.filter(jobs__company__slug="acme").order_by("name")) == [world.python, world.sql]


def test_writing_from_either_side(world):
    company, job = world.company, world.elsewhere
    assert statements(company.jobs.add, job)[0].startswith('UPDATE "board_job" SET "company_id"')
    assert not hasattr(company.jobs, "remove")
    with pytest.raises(AttributeError) as error:
        company.jobs.remove(job)
    assert str(error.value) == "'RelatedManager' object has no attribute 'remove'"
    (added,) = statements(world.python.jobs.add, job)
    assert added.endswith("ON CONFLICT DO NOTHING")
    assert list(job.skills.all()) == [world.python]
    world.python.jobs.remove(job)
    assert not job.skills.exists()


def test_the_pair_is_stored_once(world):
    world.job.skills.add(world.python, world.python)
    assert Job.skills.through.objects.filter(job=world.job, skill=world.python).count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.skills.through.objects.create(job=world.job, skill=world.python)


def test_messages(world):
    with pytest.raises(FieldError) as error:
        Company.objects.filter(job__title="Baker")
    assert str(error.value) == (
        "Cannot resolve keyword 'job' into field. Choices are: created_at, id, jobs, name, slug, staff"
    )
    with pytest.raises(ValueError) as error:
        Job(title="T").company = 3
    assert str(error.value) == 'Cannot assign "3": "Job.company" must be a "Company" instance.'
    with pytest.raises(ValueError) as error:
        Job(title="T", company=Company(name="New", slug="new")).save()
    assert str(error.value) == "save() prohibited to prevent data loss due to unsaved related object 'company'."
    with pytest.raises(ValueError) as error:
        Job(title="T", company=world.company).skills.add(world.sql)
    assert str(error.value) == (
        '"<Job: T>" needs to have a value for field "id" before this many-to-many relationship can be used.'
    )
    with pytest.raises(TypeError) as error:
        world.company.jobs = [world.job]
    assert str(error.value) == (
        "Direct assignment to the reverse side of a related set is prohibited. Use jobs.set() instead."
    )


def test_two_keys_to_one_model_need_two_names():
    with isolate_apps("board"):

        class Person(models.Model):
            class Meta:
                app_label = "board"

        class Referral(models.Model):
            giver = models.ForeignKey(Person, models.CASCADE)
            taker = models.ForeignKey(Person, models.SET_NULL)

            class Meta:
                app_label = "board"

    errors = {(error.id, error.msg) for error in Referral.check()}
    clash = "Reverse accessor 'Person.referral_set' for 'board.Referral.giver' clashes with reverse accessor for"
    assert ("fields.E304", f"{clash} 'board.Referral.taker'.") in errors
    assert ("fields.E320", "Field specifies on_delete=SET_NULL, but cannot be null.") in errors


def test_models_that_import_each_other(tmp_path, monkeypatch):
    (tmp_path / "people_of_page.py").write_text("from jobs_of_page import Job\nclass User: pass\n")
    (tmp_path / "jobs_of_page.py").write_text("from people_of_page import User\nclass Job: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError) as error:
        importlib.import_module("jobs_of_page")
    assert str(error.value).startswith(
        "cannot import name 'Job' from partially initialized module 'jobs_of_page' (most likely due to a circular"
    )
    assert "jobs_of_page" not in sys.modules


# What a delete takes along.


@pytest.mark.parametrize(("jobs", "sent"), [(10, 6), (100, 6), (250, 8)])
def test_cascade_reads_the_jobs_and_deletes_them_by_hundreds(db, jobs, sent):
    company = company_with(jobs)
    with cascading(), built() as instances:
        found = statements(company.delete)
    assert len(found) == sent, found
    assert instances == [Job] * jobs
    assert not Application.objects.exists()
    assert not Job.skills.through.objects.exists()


def test_a_receiver_makes_django_read_what_it_deletes(db):
    company = company_with(250)
    with cascading(), listening(Application), built() as instances:
        found = statements(company.delete)
    assert len(found) == 11, found
    assert instances.count(Application) == 250


def test_the_database_does_it_in_one_statement_and_sends_no_signal(db):
    company = company_with(250)
    heard = []

    def hear(instance, **_):
        heard.append(type(instance))

    post_delete.connect(hear)
    try:
        with cascading_in_the_database(), built() as instances:
            found = statements(company.delete)
            assert not Job.objects.exists()
            assert not Application.objects.exists()
    finally:
        post_delete.disconnect(hear)
    assert len(found) == 1
    assert found[0].startswith('DELETE FROM "board_company" WHERE')
    assert instances == []
    assert heard == [Company]


def test_protect_reads_every_row_to_refuse(db):
    company = company_with(30)
    with built() as instances:
        found = statements(refused, company)
    assert len(found) == 1
    assert instances == [Job] * 30
    assert len(statements(refusal, company)) == 1


def test_a_printed_refusal_asks_once_more_for_each_row(db):
    company = company_with(30)
    assert len(statements(log_refusal, company)) == 31
    text = log_refusal(company)
    assert text.startswith(
        "(\"Cannot delete some instances of model 'Company' because they are referenced through protected foreign"
        " keys: 'Job.company'.\", {<Job: Job "
    )
    assert text.count("<Job: ") == 30


def test_a_foreign_key_without_index_reads_the_whole_table_for_each_deleted_row(db):
    company_with(40)
    read = {}
    for indexed in (True, False):
        with transaction.atomic():
            if not indexed:
                drop_indexes_that_begin_with("board_application", "job_id")
            company = company_with(10)
            with cascading():
                before = rows_read("board_application")
                company.delete()
                sql("SET CONSTRAINTS ALL IMMEDIATE")
                read[indexed] = rows_read("board_application") - before
            transaction.set_rollback(True)
    assert read[False] >= 10 * 40
    assert read[False] > 3 * read[True]


def fair_models():
    """A job fair with halls and stands. The job board has none; this page does."""
    with isolate_apps("board"):

        class Fair(models.Model):
            class Meta:
                app_label = "board"

        class Hall(models.Model):
            fair = models.ForeignKey(Fair, models.CASCADE)

            class Meta:
                app_label = "board"

        class Stand(models.Model):
            fair = models.ForeignKey(Fair, models.CASCADE)
            hall = models.ForeignKey(Hall, models.RESTRICT, null=True)

            class Meta:
                app_label = "board"

    return Fair, Hall, Stand


@pytest.fixture
def fair(db):
    """A fair, its only hall, and the class of the stand that is in both."""
    Fair, Hall, Stand = fair_models()
    with connection.schema_editor() as editor:
        for model in (Fair, Hall, Stand):
            editor.create_model(model)
    whole = Fair.objects.create()
    hall = Hall.objects.create(fair=whole)
    Stand.objects.create(fair=whole, hall=hall)
    return whole, hall, Stand


def test_restrict_lets_go_what_goes_anyway_and_protect_does_not(fair):
    whole, hall, Stand = fair
    with pytest.raises(RestrictedError):
        hall.delete()
    with on_delete(models.PROTECT, Stand._meta.get_field("hall")):
        for row in (hall, whole):
            with pytest.raises(ProtectedError):
                row.delete()
    whole.delete()
    assert not Stand.objects.exists()


def test_set_null_is_one_update(fair):
    _, hall, Stand = fair
    with on_delete(models.SET_NULL, Stand._meta.get_field("hall")):
        sent = statements(hall.delete)
    assert [line.split()[0] for line in sent] == ["UPDATE", "DELETE"]
    assert Stand.objects.get().hall_id is None


def test_deleting_a_user_takes_the_applications_along(world):
    """The job board says so: they are the user's own words."""
    world.applicant.delete()
    assert not Application.objects.exists()
    assert Job.objects.filter(pk=world.job.pk).exists()


@pytest.mark.skipif(django.VERSION < (6, 1), reason="DB_CASCADE is new in Django 6.1")
def test_db_cascade_reaches_postgresql(db):
    field = models.ForeignKey(Company, models.DB_CASCADE, related_name="jobs")
    assert any("ON DELETE CASCADE" in line for line in sql_of(migrations.AlterField("job", "company", field)))
