"""What a migration does to the table, to those who wait, and to code of before."""

import sys
import uuid
from collections import Counter
from io import StringIO

import pytest
from board.models import Job
from django.apps import apps
from django.contrib.postgres.functions import RandomUUID
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.exceptions import InconsistentMigrationHistory, IrreversibleError
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.models.functions import Now
from django.db.utils import IntegrityError, OperationalError, ProgrammingError

TOKENS = {
    "default": models.UUIDField(default=uuid.uuid4),
    "db_default": models.UUIDField(db_default=RandomUUID()),
}

# What the tables of the page are about, by the name that they have there.
CHANGES = {
    "add null=True": migrations.AddField("job", "remote", models.BooleanField(null=True)),
    "add default=False": migrations.AddField("job", "remote", models.BooleanField(default=False)),
    "add db_default=False": migrations.AddField("job", "remote", models.BooleanField(db_default=False)),
    "add default=uuid4": migrations.AddField("job", "token", TOKENS["default"]),
    "add Now()": migrations.AddField("job", "seen_at", models.DateTimeField(db_default=Now())),
    "add RandomUUID()": migrations.AddField("job", "token", TOKENS["db_default"]),
    "longer description": migrations.AlterField("job", "description", models.TextField(max_length=40_000)),
    "longer title": migrations.AlterField("job", "title", models.CharField(max_length=300)),
    "shorter title": migrations.AlterField("job", "title", models.CharField(max_length=100)),
    "wider integer": migrations.AlterField("job", "version", models.PositiveBigIntegerField(default=1)),
    "null=False": migrations.AlterField("job", "salary_min", models.DecimalField(max_digits=10, decimal_places=2)),
    "add an index": migrations.AddIndex("job", models.Index(fields=("views",), name="job_views")),
    "rename": migrations.RenameField("job", "description", "text"),
    "remove": migrations.RemoveField("job", "description"),
}


class ForgetDescription(migrations.Migration):
    """First release: the code forgets the column, the table keeps it."""

    dependencies = (("board", "0001_initial"),)
    operations = (
        migrations.AlterField(
            "job",
            "description",
            models.TextField(db_default=""),  # for who does not name it
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("job", "description"),
            ],
        ),
    )


class DropDescription(migrations.Migration):
    """Next release, when no process knows the column any more."""

    dependencies = (("board", "0002_forget_description"),)
    operations = (
        migrations.RunSQL(
            "ALTER TABLE board_job DROP COLUMN description",
            "ALTER TABLE board_job ADD description text DEFAULT '' NOT NULL",
        ),
    )


def fill_remote(apps, schema_editor, size=1000):
    """Give old rows a value, in transactions of at most `size` rows."""
    job = apps.get_model("board", "Job")  # as it is at this migration
    rest = todo = job.objects.filter(remote=None).order_by("pk")
    while keys := list(rest.values_list("pk", flat=True)[:size]):
        # `todo` again: somebody may have filled a row meanwhile.
        todo.filter(pk__in=keys).update(remote=False)
        rest = todo.filter(pk__gt=keys[-1])  # not from row 1 again


class FillRemote(migrations.Migration):
    atomic = False  # else one transaction holds every batch

    dependencies = (("board", "0002_job_remote"),)
    operations = (
        migrations.RunPython(
            fill_remote,
            migrations.RunPython.noop,  # the way back: nothing to do
        ),
    )


def fill_from_row_1(apps, schema_editor, size=1000):
    """Fill as the usual loop does: look for the next empty rows, from row 1."""
    job = apps.get_model("board", "Job")
    todo = job.objects.filter(remote=None)
    while keys := list(todo.values_list("pk", flat=True)[:size]):
        job.objects.filter(pk__in=keys).update(remote=False)


def close_old_jobs(apps, schema_editor):
    from board.models import Job

    for job in Job.objects.filter(created_at__year__lt=2020):
        job.is_open = False
        job.save()


def fill_at_once(apps, schema_editor):
    apps.get_model("board", "Job").objects.filter(remote=None).update(remote=False)


def sql(statement, params=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def board(world):
    """A few rows, with nothing left to check at the commit."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    return world


# Two states of the project, and the code that each of them stands for.


def states(operations):
    """Return the project before and after some operations."""
    before = ProjectState.from_apps(apps)
    after = before.clone()
    for operation in operations:
        operation.state_forwards("board", after)
    return before, after


def migrate(operations, before=None):
    """Run operations on the tables as migrate does, in the transaction around."""
    state = before or ProjectState.from_apps(apps)
    with connection.schema_editor(atomic=False) as editor:
        for operation in operations:
            after = state.clone()
            operation.state_forwards("board", after)
            operation.database_forwards("board", editor, state, after)
            state = after
    return state


def fails(state):
    """Read and write a job as the code of a state does; 1 where that fails."""
    job = state.apps.get_model("board", "Job")
    values = {"company_id": Job.objects.values_list("company", flat=True)[0], "title": "Typesetter"}
    if not job._meta.get_field("salary_min").null:
        values["salary_min"] = 1  # this code knows that it must
    return {
        "reads": refused(lambda: list(job.objects.all()[:1])),
        "writes": refused(lambda: job.objects.create(**values)),
    }


def refused(act):
    """Say whether PostgreSQL refuses: 1 or 0. Nothing stays."""
    try:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    except (ProgrammingError, IntegrityError):
        return 1
    return 0


def survivors(operations, before=None):
    """Return where the new code fails before a migration, and the old code after it."""
    state = before or ProjectState.from_apps(apps)
    after = state.clone()
    for operation in operations:
        operation.state_forwards("board", after)
    new = fails(after)
    migrate(operations, state)
    old = fails(state)
    return {
        "old reads": old["reads"],
        "old writes": old["writes"],
        "new reads": new["reads"],
        "new writes": new["writes"],
    }


def ready(name):
    """Do what a change needs first: SET NOT NULL wants no NULL."""
    if name == "null=False":
        Job.objects.filter(salary_min=None).update(salary_min=0)


SURVIVORS = {  # old code after the migration: reads, writes; new code before it: the same
    "add null=True": (0, 0, 1, 1),
    "add default=False": (0, 1, 1, 1),
    "add db_default=False": (0, 0, 1, 1),
    "null=False": (0, 1, 0, 0),
    "longer title": (0, 0, 0, 0),
    "add an index": (0, 0, 0, 0),
    "rename": (1, 1, 1, 1),
    "remove": (1, 1, 0, 1),
}


@pytest.mark.parametrize("name", SURVIVORS)
def test_which_code_survives(board, name):
    ready(name)
    assert tuple(survivors([CHANGES[name]]).values()) == SURVIVORS[name]


def test_a_field_leaves_in_two_releases_and_all_code_survives(board):
    first, second = ForgetDescription.operations, DropDescription.operations
    assert survivors(first) == {"old reads": 0, "old writes": 0, "new reads": 0, "new writes": 1}
    _, forgotten = states(first)
    assert set(survivors(second, forgotten).values()) == {0}
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'board_job' AND column_name = %s"
    assert sql(columns, ["description"]) == [(0,)]


def test_the_database_cannot_forget_a_field_that_the_state_has_forgotten(board):
    """Why the second release is SQL: RemoveField looks for the field in the state."""
    _, forgotten = states(ForgetDescription.operations)
    with pytest.raises(KeyError, match="description"):
        migrate([migrations.RemoveField("job", "description")], forgotten)


# What the table goes through.


def files():
    """Return the file of the table and of each of its indexes."""
    return dict(
        sql(
            """SELECT c.oid, c.relfilenode FROM pg_class AS c
               WHERE c.oid = 'board_job'::regclass OR c.oid IN
               (SELECT indexrelid FROM pg_index WHERE indrelid = 'board_job'::regclass)"""
        )
    )


def built(operations):
    """Return how many files a migration built: of the table, of its indexes."""
    before = files()
    migrate(operations)
    after = files()
    return len(set(after.values()) - set(before.values()))


BUILT = {  # the table and its five indexes make six
    "add null=True": 0,
    "add default=False": 0,
    "add db_default=False": 0,
    "add default=uuid4": 0,
    "add Now()": 0,
    "add RandomUUID()": 6,
    "longer description": 0,
    "longer title": 2,
    "shorter title": 6,
    "wider integer": 6,
    "null=False": 0,
    "add an index": 1,
    "rename": 0,
    "remove": 0,
}


@pytest.mark.parametrize("name", BUILT)
def test_how_much_is_built_anew(board, name):
    assert len(files()) == 6
    ready(name)
    assert built([CHANGES[name]]) == BUILT[name]


def test_a_longer_title_is_free_where_no_index_has_a_condition_or_an_expression(board):
    """PostgreSQL keeps plain indexes; it does not look into the others."""
    sql("DROP INDEX job_open_title_unique, job_title_trigrams")
    sql("CREATE INDEX plain ON board_job (title)")
    assert built([CHANGES["longer title"]]) == 0


@pytest.mark.parametrize(("kind", "different"), [("default", 1), ("db_default", 3)])
def test_a_default_of_python_is_called_once_for_all_rows(board, kind, different):
    migrate([migrations.AddField("job", "token", TOKENS[kind])])
    assert sql("SELECT count(DISTINCT token) FROM board_job") == [(different,)]


def test_so_a_unique_one_is_refused(board):
    field = models.UUIDField(default=uuid.uuid4, unique=True)
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        migrate([migrations.AddField("job", "token", field)])
    assert str(error.value).startswith('could not create unique index "board_job_token_key"')
    assert "is duplicated." in str(error.value)


def test_the_sql_of_a_default_drops_it_again(db):
    assert statements(CHANGES["add default=False"]) == [
        'ALTER TABLE "board_job" ADD COLUMN "remote" boolean DEFAULT false NOT NULL;',
        'ALTER TABLE "board_job" ALTER COLUMN "remote" DROP DEFAULT;',
    ]
    assert statements(CHANGES["add db_default=False"]) == [
        'ALTER TABLE "board_job" ADD COLUMN "remote" boolean DEFAULT false NOT NULL;',
    ]


def statements(operation):
    """Return what sqlmigrate prints for an operation."""
    before, after = states([operation])
    with connection.schema_editor(collect_sql=True) as editor:
        operation.database_forwards("board", editor, before, after)
        return [line for line in editor.collected_sql if not line.startswith("--")]


LOCKS = {"readers": "ACCESS SHARE", "writers": "ROW EXCLUSIVE"}


def who_waits():
    """Return who would wait for board_job at this moment: 1 or 0 for each."""
    other = connection.copy()
    other.set_autocommit(False)
    waits = {}
    try:
        for who, lock in LOCKS.items():
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


@pytest.mark.django_db(transaction=True)
def test_who_waits():
    for name, readers in {"add null=True": 1, "remove": 1, "add an index": 0}.items():
        with transaction.atomic():
            migrate([CHANGES[name]])
            assert who_waits() == {"readers": readers, "writers": 1}
            transaction.set_rollback(True)


def test_since_postgresql_18_not_null_can_be_validated_later(board):
    if connection.pg_version < 180000:
        pytest.skip("NOT NULL ... NOT VALID is new in PostgreSQL 18")
    null = "SELECT count(*) > 0 FROM board_job WHERE salary_min IS NULL"
    assert sql(null) == [(True,)]
    sql("ALTER TABLE board_job ADD CONSTRAINT pay_known NOT NULL salary_min NOT VALID")  # old rows are let be
    Job.objects.filter(salary_min=None).update(salary_min=0)
    sql("ALTER TABLE board_job VALIDATE CONSTRAINT pay_known")


# Data migrations.


@pytest.mark.parametrize("fill", [fill_remote, fill_from_row_1, fill_at_once])
def test_each_way_fills_every_row(board, fill):
    filled(fill, size=2)
    assert sql("SELECT count(*) FROM board_job WHERE remote IS NULL") == [(0,)]


def filled(fill, **options):
    """Add the column, fill it, and return the statements that were sent."""
    after = migrate([CHANGES["add null=True"]])
    sent = Counter()

    def count(execute, statement, *arguments):
        sent[statement.split()[0]] += 1
        return execute(statement, *arguments)

    with connection.execute_wrapper(count), connection.schema_editor(atomic=False) as editor:
        fill(after.apps, editor, **(options if fill is not fill_at_once else {}))
    return sent


def test_batches_leave_what_others_wrote(board):
    after = migrate([CHANGES["add null=True"]])
    sql("UPDATE board_job SET remote = true WHERE id = %s", [board.job.pk])
    fill_remote(after.apps, None)
    assert sql("SELECT remote FROM board_job WHERE id = %s", [board.job.pk]) == [(True,)]
    assert filled_again(after) == {"SELECT": 1}  # a second run finds nothing to do


def filled_again(after):
    sent = Counter()
    with connection.execute_wrapper(lambda execute, q, *rest: sent.update([q.split()[0]]) or execute(q, *rest)):
        fill_remote(after.apps, None)
    return sent


def test_the_model_of_today_asks_for_columns_of_tomorrow(board, monkeypatch):
    """A data migration that imports its model breaks when a later one adds a field."""
    _, later = states([CHANGES["add null=True"]])
    today = later.apps.get_model("board", "Job")  # what `from board.models import Job` gives then
    monkeypatch.setattr("board.models.Job", today)
    with pytest.raises(ProgrammingError) as error, transaction.atomic():
        close_old_jobs(None, None)
    assert str(error.value).startswith("column board_job.remote does not exist")


def test_a_historical_model_has_fields_and_no_methods(board):
    before, _ = states([])
    historical = before.apps.get_model("board", "Job")
    assert historical is not Job
    assert not hasattr(historical.objects, "open")
    assert str(historical.objects.get(pk=board.job.pk)) == f"Job object ({board.job.pk})"


def test_rows_and_tables_in_one_transaction(world):
    """A foreign key that is due at the commit forbids the ALTER TABLE before."""
    with pytest.raises(OperationalError) as error, transaction.atomic():
        Job.objects.create(company=world.company, title="Typesetter")
        migrate([CHANGES["add null=True"]])
    assert str(error.value) == 'cannot ALTER TABLE "board_job" because it has pending trigger events'


def test_without_a_reverse_there_is_no_way_back(board):
    before, _ = states([])
    for way_back in (None, migrations.RunPython.noop):
        migration = migrations.Migration("0002_fill", "board")
        migration.operations = [migrations.RunPython(fill_remote, way_back)]
        with connection.schema_editor(atomic=False) as editor:
            if way_back:
                migration.unapply(before, editor)
            else:
                with pytest.raises(
                    IrreversibleError, match=r"Operation <RunPython .*> in board.0002_fill is not revers"
                ):
                    migration.unapply(before, editor)


# Three records of one schema: models, files, and the tables.


@pytest.fixture
def branches(tmp_path, monkeypatch, settings, db):
    """Return a function that writes a migration of the board into a folder of ours."""
    folder = tmp_path / f"board_{uuid.uuid4().hex}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    first = (
        "from importlib import import_module\nMigration = import_module('board.migrations.0001_initial').Migration\n"
    )
    (folder / "0001_initial.py").write_text(first)
    monkeypatch.syspath_prepend(str(tmp_path))
    settings.MIGRATION_MODULES = {"board": folder.name}

    def write(name, operation):
        text = f"""from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("board", "0001_initial")]
    operations = [{operation}]
"""
        (folder / f"{name}.py").write_text(text)

    write.folder = folder
    return write


REMOTE = 'migrations.AddField("job", "remote", models.BooleanField(null=True))'
BADGE = 'migrations.AddField("job", "token", models.UUIDField(null=True))'


def test_two_branches_conflict(branches):
    branches("0002_job_remote", REMOTE)
    branches("0002_job_token", BADGE)
    for command in ("migrate", "makemigrations"):
        with pytest.raises(CommandError) as error:
            call_command(command, verbosity=0)
        assert str(error.value) == (
            "Conflicting migrations detected; multiple leaf nodes in the migration graph: "
            "(0002_job_remote, 0002_job_token in board).\n"
            "To fix them run 'python manage.py makemigrations --merge'"
        )
    call_command("makemigrations", merge=True, interactive=False, verbosity=0)
    assert (branches.folder / "0003_merge_0002_job_remote_0002_job_token.py").exists()
    call_command("migrate", verbosity=0)
    assert sql("SELECT remote, token FROM board_job") == []


def test_a_merge_mends_the_graph_and_nothing_else(branches):
    branches("0002_job_remote", REMOTE)
    branches("0002_remote_work", REMOTE)  # the same column, twice
    call_command("makemigrations", merge=True, interactive=False, verbosity=0)
    with pytest.raises(ProgrammingError) as error, transaction.atomic():
        call_command("migrate", verbosity=0)
    assert str(error.value).startswith('column "remote" of relation "board_job" already exists')


def test_makemigrations_compares_models_with_files_and_never_looks_at_tables(branches):
    assert drift() == (0, "No changes detected")
    sql("ALTER TABLE board_job DROP COLUMN description CASCADE")
    assert drift() == (0, "No changes detected")  # and every page is broken
    with pytest.raises(ProgrammingError, match=r"column board_job.description does not exist"), transaction.atomic():
        list(Job.objects.all())
    branches("0002_job_remote", REMOTE)  # a file without its model
    assert drift()[0] == 1


def drift():
    """Return what the guard of the page says, and how it ends."""
    out = StringIO()
    try:
        call_command("makemigrations", check_changes=True, dry_run=True, interactive=False, stdout=out)
    except SystemExit as error:
        return error.code, out.getvalue().strip()
    return 0, out.getvalue().strip()


def test_fake_writes_the_record_and_not_the_table(branches):
    branches("0002_job_remote", REMOTE)
    call_command("migrate", "board", fake=True, verbosity=0)
    out = StringIO()
    call_command("migrate", "board", stdout=out)  # the table is not looked at
    assert "No migrations to apply." in out.getvalue()
    with pytest.raises(ProgrammingError) as error, transaction.atomic():
        sql("SELECT board_job.remote FROM board_job")
    assert str(error.value).startswith("column board_job.remote does not exist")


def test_an_applied_migration_that_is_edited_does_nothing(branches):
    branches("0002_job_remote", REMOTE)
    call_command("migrate", "board", verbosity=0)
    branches("0002_job_remote", f"{REMOTE}, {BADGE}")
    for name in [name for name in sys.modules if name.startswith(branches.folder.name)]:
        del sys.modules[name]
    out = StringIO()
    call_command("migrate", "board", stdout=out)
    assert "No migrations to apply." in out.getvalue()
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'board_job'"
    assert ("remote",) in sql(columns)
    assert ("token",) not in sql(columns)


def test_a_rename_that_nobody_confirms_is_a_loss(board):
    """Without an answer makemigrations drops the old column and adds an empty one."""
    before, after = states([CHANGES["rename"]])
    (found,) = MigrationAutodetector(before, after).changes(graph=no_graph())["board"]
    kinds = [type(operation).__name__ for operation in found.operations]
    assert kinds == ["RemoveField", "AddField"]


def no_graph():
    from django.db.migrations.loader import MigrationLoader

    return MigrationLoader(connection).graph


def test_a_user_model_that_came_too_late(db):
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("accounts", "0001_initial")
    recorder.record_unapplied("board", "0001_initial")
    for options in ({}, {"fake": True}):  # --fake is no way out
        with pytest.raises(InconsistentMigrationHistory) as error:
            call_command("migrate", verbosity=0, **options)
        assert str(error.value) == (
            "Migration admin.0001_initial is applied before its dependency accounts.0001_initial on database 'default'."
        )


def test_not_null_meets_an_old_row(board):
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        migrate([CHANGES["null=False"]])
    assert str(error.value).startswith('column "salary_min" of relation "board_job" contains null values')


def test_the_old_code_and_a_field_with_a_default(board):
    before, _ = states([])
    migrate([CHANGES["add default=False"]])
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        before.apps.get_model("board", "Job").objects.create(company_id=board.company.pk, title="Typesetter")
    assert str(error.value).startswith(
        'null value in column "remote" of relation "board_job" violates not-null constraint'
    )


# The guards.


def test_every_change_of_a_model_has_its_migration(db):
    # Ends with SystemExit when models and files differ, and with
    # CommandError when two branches have not been merged.
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
