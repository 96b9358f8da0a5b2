"""A hidden table becomes a model: what each way keeps, on a job board that began without Application."""

from functools import cache

import pytest
from accounts.models import User
from board.models import Application, Job
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, ProgrammingError, connection, migrations, models, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ProjectState
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

AddField = migrations.AddField
AlterField = migrations.AlterField
CreateModel = migrations.CreateModel
RemoveField = migrations.RemoveField
RunSQL = migrations.RunSQL
SeparateDatabaseAndState = migrations.SeparateDatabaseAndState

# How the job board began: who applied, and nothing else.
PLAIN = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="applied_to")
THROUGH = models.ManyToManyField(settings.AUTH_USER_MODEL, through="board.Application", related_name="applied_to")

LINK = (
    # What the hidden table has: a key, and two foreign keys.
    ("id", models.BigAutoField(primary_key=True)),
    (
        "job",
        models.ForeignKey("board.Job", models.CASCADE, related_name="applications"),
    ),
    (
        "user",
        models.ForeignKey(
            settings.AUTH_USER_MODEL,
            models.CASCADE,
            related_name="applications",
        ),
    ),
)
STATUS = models.CharField(max_length=10, default="sent", db_default="sent")
SENT_AT = models.DateTimeField(null=True, db_default=Now())
# The hidden table has this rule, under a name that Django made.
ONCE = models.UniqueConstraint(fields=("job", "user"), name="application_once_per_job")
MADE_BY_DJANGO = "board_job_applicants_job_id_user_id_41a3d813_uniq"
RENAME = "ALTER TABLE board_job_applicants RENAME CONSTRAINT"
NAME_RULE = RunSQL(  # there, and the way back
    f"{RENAME} {MADE_BY_DJANGO} TO application_once_per_job",
    f"{RENAME} application_once_per_job TO {MADE_BY_DJANGO}",
)


class Migration(migrations.Migration):
    dependencies = (("board", "0001_initial"),)
    operations = (
        SeparateDatabaseAndState(
            state_operations=(  # what Django believes
                CreateModel(
                    "Application",
                    LINK,
                    {"db_table": "board_job_applicants", "constraints": (ONCE,)},
                ),
                AlterField("job", "applicants", THROUGH),
            ),
            database_operations=(NAME_RULE,),  # what is done
        ),
        AddField("application", "status", STATUS),
        # Old links: unknown is NULL, not the day of this migration.
        AddField("application", "sent_at", models.DateTimeField(null=True)),
        AlterField("application", "sent_at", SENT_AT),
    )


class Generated(migrations.Migration):
    """What makemigrations writes; it fails when it runs."""

    operations = (
        CreateModel("Application", (*LINK, ("status", STATUS), ("sent_at", SENT_AT)), {"constraints": (ONCE,)}),
        AlterField("job", "applicants", THROUGH),
    )


class RemovedAndAdded(migrations.Migration):
    """What makes the error go away, and the links."""

    operations = (
        RemoveField("job", "applicants"),
        CreateModel("Application", (*LINK, ("status", STATUS), ("sent_at", SENT_AT)), {"constraints": (ONCE,)}),
        AddField("job", "applicants", THROUGH),
    )


class Copied(migrations.Migration):
    """Every link is written anew."""

    operations = (
        CreateModel("Application", (*LINK, ("status", STATUS), ("sent_at", SENT_AT)), {"constraints": (ONCE,)}),
        RunSQL("INSERT INTO board_application (job_id, user_id) SELECT job_id, user_id FROM board_job_applicants"),
        RemoveField("job", "applicants"),
        AddField("job", "applicants", THROUGH),
    )


class Renamed(migrations.Migration):
    """The same rows under a new name."""

    operations = (
        SeparateDatabaseAndState(
            state_operations=(
                CreateModel("Application", LINK, {"constraints": (ONCE,)}),
                AlterField("job", "applicants", THROUGH),
            ),
            database_operations=(
                NAME_RULE,
                RunSQL("ALTER TABLE board_job_applicants RENAME TO board_application"),
            ),
        ),
        AddField("application", "status", STATUS),
        AddField("application", "sent_at", models.DateTimeField(null=True)),
        AlterField("application", "sent_at", SENT_AT),
    )


WAYS = {"remove and add": RemovedAndAdded, "copy": Copied, "rename": Renamed, "keep the table": Migration}


def sql(statement, params=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


@cache
def first_state():
    """Return the models as they were: Job.applicants, and no Application. Made once: it takes a while."""
    state = ProjectState.from_apps(apps)
    state.remove_model("board", "application")
    state.add_field("board", "job", "applicants", PLAIN, preserve_default=True)
    assert state.apps  # rendered here, and copied from then on
    return state


def go_back():
    """Make the tables as they were. The caller rolls back."""
    state = first_state().clone()
    sql("SET CONSTRAINTS ALL IMMEDIATE")  # else DROP TABLE finds checks that wait
    sql("DROP TABLE board_application")
    hidden = state.apps.get_model("board", "Job").applicants.through
    with connection.schema_editor() as editor:
        editor.create_model(hidden)
    return state


def migrate(migration, before):
    """Run the operations of a migration, as migrate does; return the new state."""
    with connection.schema_editor(atomic=False) as editor:
        for operation in migration.operations:
            after = before.clone()
            operation.state_forwards("board", after)
            operation.database_forwards("board", editor, before, after)
            before = after
    return after


def link(state, job, user):
    """Apply as the code of this state does: one link."""
    state.apps.get_model("board", "Job").objects.get(pk=job.pk).applicants.add(user.pk)


def links_of(state):
    """Return the pairs that this state's code sees."""
    through = state.apps.get_model("board", "Job").applicants.through
    return sorted(through.objects.values_list("job_id", "user_id"))


def still_works(state, job, user):
    """Say whether code of this state can still store a link."""
    try:
        with transaction.atomic():
            link(state, job, user)
    except (ProgrammingError, IntegrityError):
        return False
    return True


def statements(call):
    """Return the SQL that a call sends, without savepoints."""
    with CaptureQueriesContext(connection) as queries:
        call()
    sent = [query["sql"] for query in queries]
    return [text for text in sent if not text.startswith(("SAVEPOINT", "RELEASE"))]


def offered_with_a_bug(user):
    """Return the jobs that were offered to a user. Or so it says."""
    jobs = Job.objects.filter(applications__user=user)
    return jobs.filter(applications__status="offered")


def offered_in_one_filter(user):
    """Return the jobs that were offered to a user."""
    return Job.objects.filter(applications__user=user, applications__status="offered")


def offers(user):
    """Return a user's offers, each with its job and company."""
    sent = user.applications.filter(status="offered")
    return sent.select_related("job__company")


def lines_from_the_people(job):
    """Return who applied and how it stands, beginning with the people."""
    lines = []
    for user in User.objects.filter(applications__job=job):
        application = user.applications.get(job=job)  # again, for each
        lines.append(f"{user.email}: {application.status}")
    return lines


def lines_from_the_link(job):
    """Return the same, beginning with the link."""
    applications = job.applications.select_related("user")
    return [f"{each.user.email}: {each.status}" for each in applications]


@pytest.fixture
def began(world):
    """The job board as it began, with links; its state, a job and two people."""
    job, users = world.job, (world.applicant, world.outsider, world.rival)
    before = go_back()
    for user in users:
        link(before, job, user)
    link(before, world.elsewhere, world.applicant)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    return before


# Moving the links.


def test_makemigrations_writes_the_change_and_migrate_refuses_it(began):
    target = began.clone()
    for operation in Generated.operations:
        operation.state_forwards("board", target)
    questioner = MigrationQuestioner(specified_apps={"board"})
    found = MigrationAutodetector(began, target, questioner).changes(MigrationGraph())
    kinds = [type(operation).__name__ for operation in found["board"][0].operations]
    assert sorted(kinds) == ["AddConstraint", "AlterField", "CreateModel"]
    with pytest.raises(ValueError) as refused, transaction.atomic():
        migrate(Generated, began)
    assert str(refused.value) == (
        "Cannot alter field board.Job.applicants into board.Job.applicants - they are not compatible types (you cannot"
        " alter to or from M2M fields, or add or remove through= on M2M fields)"
    )


@pytest.mark.parametrize(("way", "kept"), [("remove and add", 0), ("copy", 4), ("rename", 4), ("keep the table", 4)])
def test_what_each_way_keeps(began, way, kept):
    before = links_of(began)
    after = links_of(migrate(WAYS[way], began))
    assert len(before) == 4
    assert after == before[:kept]


@pytest.mark.parametrize(("way", "works"), [("rename", False), ("copy", False), ("keep the table", True)])
def test_who_runs_the_old_code_a_moment_longer(began, world, way, works):
    migrate(WAYS[way], began)
    assert still_works(began, world.elsewhere, world.outsider) is works


def test_the_old_code_needs_a_default_in_the_database(began, world):
    operations = [
        AddField("application", "status", models.CharField(max_length=10, default="sent"))
        if getattr(operation, "name", "") == "status"
        else operation
        for operation in Migration.operations
    ]
    migrate(type("InPythonOnly", (), {"operations": operations}), began)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        link(began, world.elsewhere, world.outsider)
    assert str(refused.value).startswith(
        'null value in column "status" of relation "board_job_applicants" violates not-null constraint'
    )


def test_old_links_do_not_know_when_and_new_ones_do(began, world):
    after = migrate(Migration, began)
    new = after.apps.get_model("board", "Application")
    assert set(new.objects.values_list("status", "sent_at")) == {("sent", None)}
    link(began, world.elsewhere, world.outsider)  # by the old code
    assert new.objects.get(user_id=world.outsider.pk, job_id=world.elsewhere.pk).sent_at is not None


def test_the_table_is_the_one_that_a_fresh_database_gets(began):
    after = migrate(Migration, began)
    kept = shape_of("board_job_applicants")
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("DROP TABLE board_job_applicants")
    with connection.schema_editor() as editor:
        editor.create_model(after.apps.get_model("board", "Application"))
    assert kept == shape_of("board_job_applicants")


def shape_of(table):
    """Return columns, and rules without the names that Django makes."""
    columns = sql(
        "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns"
        " WHERE table_name = %s",
        [table],
    )
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    rules = [
        (name if name == ONCE.name else "", tuple(rule["columns"]), rule["unique"], rule["foreign_key"], rule["index"])
        for name, rule in found.items()
        if not name.endswith("_not_null")
    ]
    return sorted(columns), sorted(rules, key=str)


def test_a_rule_that_keeps_its_old_name_breaks_the_next_migration(began):
    first, *others = Migration.operations
    only_state = SeparateDatabaseAndState(state_operations=first.state_operations)
    after = migrate(type("Forgotten", (), {"operations": (only_state, *others)}), began)
    with pytest.raises(ProgrammingError) as failed, transaction.atomic():
        remove = migrations.RemoveConstraint("application", "application_once_per_job")
        migrate(type("Next", (), {"operations": (remove,)}), after)
    assert str(failed.value).startswith(
        'constraint "application_once_per_job" of relation "board_job_applicants" does not exist'
    )


def test_a_link_written_between_copy_and_drop_is_lost(began, world):
    create, copy, *rest = Copied.operations
    between = migrate(type("First", (), {"operations": (create, copy)}), began)
    link(began, world.elsewhere, world.outsider)
    assert len(links_of(began)) == 5
    after = migrate(type("Then", (), {"operations": rest}), between)
    assert len(links_of(after)) == 4


def test_a_default_of_now_dates_every_old_link_to_the_migration(began):
    *others, _, _ = Migration.operations
    after = migrate(type("Dated", (), {"operations": (*others, AddField("application", "sent_at", SENT_AT))}), began)
    when = after.apps.get_model("board", "Application").objects.values_list("sent_at", flat=True)
    assert None not in when
    assert len(set(when)) == 1


def test_the_way_back_keeps_the_pairs(began):
    pairs = links_of(migrate(Migration, began))
    states = [began]
    for operation in Migration.operations:
        states.append(states[-1].clone())
        operation.state_forwards("board", states[-1])
    with connection.schema_editor(atomic=False) as editor:
        for operation, before, after in reversed(list(zip(Migration.operations, states, states[1:], strict=False))):
            operation.database_backwards("board", editor, after, before)
    assert links_of(began) == pairs
    assert shape_of("board_job_applicants")[0] == [(name, "bigint", "NO", None) for name in ("id", "job_id", "user_id")]


def test_rename_breaks_the_old_code_with_this_message(began, world):
    migrate(Renamed, began)
    with pytest.raises(ProgrammingError) as error, transaction.atomic():
        link(began, world.elsewhere, world.outsider)
    assert str(error.value).startswith('relation "board_job_applicants" does not exist')


# What the old methods do to links that have facts.


@pytest.fixture
def with_facts(began, world):
    """The job after the migration: three people, one of them has an offer."""
    after = migrate(Migration, began)
    job = after.apps.get_model("board", "Job").objects.get(pk=world.job.pk)
    job.applications.filter(user_id=world.applicant.pk).update(status="offered")
    return job


def facts_of(job):
    return sorted(job.applications.values_list("user__email", "status"))


def test_set_keeps_who_stays_and_deletes_who_goes(with_facts, world):
    with_facts.applicants.set([world.applicant.pk, world.outsider.pk])
    assert facts_of(with_facts) == [("applicant@example.com", "offered"), ("outsider@example.com", "sent")]


def test_set_with_clear_forgets_every_fact(with_facts, world):
    everybody = [world.applicant.pk, world.outsider.pk, world.rival.pk]
    with_facts.applicants.set(everybody, clear=True)
    assert {status for _, status in facts_of(with_facts)} == {"sent"}


def test_remove_deletes_the_row_with_its_facts(with_facts, world):
    with_facts.applicants.remove(world.applicant.pk)
    assert len(facts_of(with_facts)) == 2
    with_facts.applicants.add(world.applicant.pk)
    assert ("applicant@example.com", "sent") in facts_of(with_facts)


def test_through_defaults_fill_new_rows_and_leave_old_ones(with_facts, world):
    with_facts.applicants.add(world.staff.pk, through_defaults={"status": "reviewed"})
    assert ("staff@example.com", "reviewed") in facts_of(with_facts)
    with_facts.applicants.add(world.applicant.pk, through_defaults={"status": "rejected"})
    assert ("applicant@example.com", "offered") in facts_of(with_facts)


# Asking through the link.


@pytest.fixture
def offer_to_another(world):
    """Two people applied for one job; the rival has the offer."""
    Application.objects.create(user=world.rival, job=world.job, status="offered")
    return world


def test_two_filters_are_content_with_two_different_links(offer_to_another):
    world = offer_to_another
    assert list(offered_with_a_bug(world.applicant)) == [world.job]
    assert not offered_in_one_filter(world.applicant)
    assert not offers(world.applicant)
    assert list(offered_in_one_filter(world.rival)) == [world.job]
    assert str(offered_with_a_bug(world.applicant).query).count("JOIN") == 2
    assert str(offered_in_one_filter(world.applicant).query).count("JOIN") == 1


def test_two_filters_are_one_when_you_begin_with_the_link(offer_to_another):
    one = Application.objects.filter(user=offer_to_another.applicant, status="offered")
    two = Application.objects.filter(user=offer_to_another.applicant).filter(status="offered")
    assert str(one.query).count("JOIN") == str(two.query).count("JOIN") == 0
    assert list(one) == list(two) == []


def test_exclude_cannot_be_mended_by_one_call(offer_to_another):
    """The applicant has no offer, yet the job is left out: somebody has one."""
    mine = {"applications__user": offer_to_another.applicant, "applications__status": "offered"}
    assert offer_to_another.job not in Job.objects.exclude(**mine)
    offer = Application.objects.filter(job=OuterRef("pk"), user=offer_to_another.applicant, status="offered")
    assert offer_to_another.job in Job.objects.filter(~Exists(offer))


def test_begin_with_the_link(offer_to_another):
    world = offer_to_another
    assert lines_from_the_link(world.job) == lines_from_the_people(world.job)
    assert len(statements(lambda: lines_from_the_people(world.job))) == 3
    assert len(statements(lambda: lines_from_the_link(world.job))) == 1

    def shown():
        return [(each.job.title, each.job.company.name) for each in offers(world.rival)]

    assert shown() == [("Backend developer", "Acme")]
    assert len(statements(shown)) == 1


def test_the_job_board_keeps_one_application_for_each_pair(world):
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        Application.objects.create(user=world.applicant, job=world.job)
    assert str(error.value).startswith('duplicate key value violates unique constraint "application_once_per_job"')
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        Application.objects.create(user=world.outsider, job=world.job, status="lost")
    assert str(error.value).startswith(
        'new row for relation "board_application" violates check constraint "application_status_known"'
    )


def test_a_status_follows_only_on_some(world):
    assert world.application.can_become("reviewed")
    assert not world.application.can_become("offered")
