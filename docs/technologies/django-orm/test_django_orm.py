"""When a queryset asks, what it asks, and what each way to write leaves out."""

import contextlib
import io
from datetime import UTC, datetime
from pathlib import Path

import django
import pytest
from board.models import Company, Job, Skill
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.models import signals
from django.forms import modelform_factory
from django.http import JsonResponse
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.views import View

PAGE = Path(__file__).with_name("README.md")
YESTERDAY = datetime(2026, 11, 23, tzinfo=UTC)


def sql(statement, params=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def newest_by_hand(text=""):
    """Return the titles of the newest 20 open jobs. Not like this."""
    where = "is_open"
    if text:
        where += f" AND title ILIKE '%{text}%'"
    return sql(
        f"SELECT title FROM board_job WHERE {where}"  # noqa: S608  it is
        " ORDER BY created_at DESC, id DESC LIMIT 20"
    )


def newest(text=""):
    """Return the newest 20 open jobs, as a question."""
    jobs = Job.objects.filter(is_open=True)
    if text:
        jobs = jobs.filter(title__icontains=text)
    return jobs.order_by("-created_at", "-id")[:20]


def report(jobs):
    """Return what a page says about some jobs."""
    if not jobs.exists():
        return ["No jobs"]
    lines = [f"{jobs.count()} jobs", f"newest: {jobs[0].title}"]
    lines += [job.title for job in jobs]
    lines.append(f"That was all: {jobs.count()}")
    return lines


def report_of_rows(jobs):
    """Return the same. The first line of code loads all rows."""
    if not jobs:
        return ["No jobs"]
    lines = [f"{jobs.count()} jobs", f"newest: {jobs[0].title}"]
    lines += [job.title for job in jobs]
    lines.append(f"That was all: {jobs.count()}")
    return lines


class OpenTitles(View):
    """Show the titles of the open jobs."""

    queryset = Job.objects.open()

    def get(self, request):
        titles = [job.title for job in self.queryset]
        return JsonResponse({"titles": titles})


def some_jobs(number):
    """Return jobs that are not stored."""
    company = Company.objects.earliest("pk")
    return [Job(company=company, title=f"Imported {n}", is_open=False) for n in range(number)]


def store(jobs):
    """Store jobs one by one."""
    for job in jobs:
        job.save()


def queries_of(ask, *arguments):
    """Return the statements that a call sends; savepoints do not count."""
    with CaptureQueriesContext(connection) as captured:
        ask(*arguments)
    return [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]


@pytest.fixture
def board(db):
    """Dataset S: 200 jobs, of which 161 are open."""
    call_command("seed", size="S", stdout=io.StringIO())


# What it asks.


def test_by_hand_a_search_shows_closed_jobs(world):
    assert newest_by_hand("dev") == [("Backend developer",)]
    assert ("Archivist",) in newest_by_hand("' OR true --")


def test_the_queryset_sends_the_text_as_a_value(world):
    assert [job.title for job in newest("dev")] == ["Backend developer"]
    assert not newest("' OR true --")


def test_the_page_shows_what_django_sends(world):
    (sent,) = queries_of(list, newest("dev").values("title"))
    page = " ".join(PAGE.read_text("utf-8").replace("\n    ", " ").split())
    assert " ".join(sent.split()) in page


def test_the_words_of_the_job_board_are_one_question(board):
    jobs = Job.objects.open().paying(5000).needing("Python").with_company()
    assert len(queries_of(list, jobs)) == 1


# When it asks: queries on a fresh queryset, again on the same, and on one that holds its rows.

FILLS, ASKS, ANEW = (1, 0, 0), (1, 1, 0), (1, 1, 1)
TRIGGERS = {
    "for": (lambda jobs: [job.pk for job in jobs], FILLS),
    "list": (list, FILLS),
    "len": (len, FILLS),
    "if": (bool, FILLS),
    "in": (lambda jobs: Job() in jobs, FILLS),
    "template if": (lambda jobs: Template("{% if jobs %}{% endif %}").render(Context({"jobs": jobs})), FILLS),
    "template length": (lambda jobs: Template("{{ jobs|length }}").render(Context({"jobs": jobs})), FILLS),
    "count": (lambda jobs: jobs.count(), ASKS),
    "exists": (lambda jobs: jobs.exists(), ASKS),
    "contains": (lambda jobs: jobs.contains(Job(pk=1)), ASKS),
    "index": (lambda jobs: jobs[0], ASKS),
    "repr": (repr, ASKS),
    "f-string": (lambda jobs: f"{jobs}", ASKS),
    "ordered first": (lambda jobs: jobs.first(), ASKS),
    "last": (lambda jobs: jobs.last(), ANEW),
    "get": (lambda jobs: jobs.get(title="Baker"), ANEW),
    "all": (lambda jobs: list(jobs.all()), ANEW),
    "filter": (lambda jobs: list(jobs.filter(title="x")), ANEW),
    "values_list": (lambda jobs: list(jobs.values_list("title")), ANEW),
    "iterator": (lambda jobs: list(jobs.iterator()), ANEW),
    "aggregate": (lambda jobs: jobs.aggregate(models.Max("views")), ANEW),
    "pk__in": (lambda jobs: list(Skill.objects.filter(jobs__in=jobs)), ANEW),
    "slice": (lambda jobs: jobs[:2], (0, 0, 0)),
    "chain": (lambda jobs: jobs.filter(title="x").exclude(views=1).order_by("title")[5:9], (0, 0, 0)),
}


@pytest.mark.parametrize(("ask", "expected"), TRIGGERS.values(), ids=TRIGGERS)
def test_when_it_asks(world, ask, expected):
    jobs = Job.objects.order_by("pk")
    fresh, again = len(queries_of(ask, jobs)), len(queries_of(ask, jobs))
    full = Job.objects.order_by("pk")
    list(full)
    assert (fresh, again, len(queries_of(ask, full))) == expected


def test_first_asks_anew_where_nothing_is_sorted(world):
    jobs = Job.objects.all()
    list(jobs)
    assert len(queries_of(lambda: jobs.first())) == 1


def test_what_prints_a_queryset_asks_for_21_rows(world):
    (sent,) = queries_of(repr, Job.objects.all())
    assert sent.endswith(" LIMIT 21")


def test_the_report_asks_four_times_and_its_twin_once(world):
    assert len(queries_of(report, Job.objects.open())) == 4
    assert len(queries_of(report_of_rows, Job.objects.open())) == 1
    assert report(Job.objects.open()) == report_of_rows(Job.objects.open())
    empty = Job.objects.none()
    assert report(empty) == report_of_rows(empty) == ["No jobs"]


def test_a_queryset_of_a_class_is_asked_once_for_ever(world, rf, monkeypatch):
    monkeypatch.setattr(OpenTitles, "queryset", Job.objects.open())
    before = OpenTitles.as_view()(rf.get("/")).content
    assert b"Baker" in before
    world.add_job("Posted later")
    assert OpenTitles.as_view()(rf.get("/")).content == before
    assert len(list(OpenTitles.queryset.all())) == 3


def test_exists_asks_for_one_row_at_most(world):
    (sent,) = queries_of(lambda: Job.objects.open().exists())
    assert sent == 'SELECT 1 AS "a" FROM "board_job" WHERE "board_job"."is_open" LIMIT 1'


def test_a_deferred_field_costs_a_query_for_each_row(board):
    titles = Job.objects.only("title")
    assert len(queries_of(lambda: [job.title for job in titles])) == 1
    assert len(queries_of(lambda: [job.description for job in titles])) == 200
    assert len(queries_of(lambda: list(Job.objects.values_list("title", "description")))) == 1


@pytest.mark.skipif(django.VERSION < (6, 1), reason="fetch modes: Django 6.1")
def test_peers_load_a_deferred_field_together(board):
    titles = Job.objects.only("title").fetch_mode(models.FETCH_PEERS)
    assert len(queries_of(lambda: [job.description for job in titles])) == 2


# What each way to write leaves out.


class Note(models.Model):
    """The job board has no such table: it has one trap of each kind."""

    text = models.TextField(blank=True, null=True)
    pages = models.IntegerField(blank=True, default=0)
    changed_at = models.DateTimeField(auto_now=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "notes"

    def __str__(self):
        return str(self.text)

    def save(self, *args, **kwargs):
        heard.append("save()")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        heard.append("delete()")
        return super().delete(*args, **kwargs)

    def clean(self):
        heard.append("clean()")


heard = []


@pytest.fixture
def notes(db):
    """A table with two notes of yesterday; `heard` holds what Python runs."""
    with connection.schema_editor() as editor:
        editor.create_model(Note)
    Note.objects.bulk_create([Note(text="one"), Note(text="two")])
    Note.objects.update(changed_at=YESTERDAY, created_at=YESTERDAY)
    with contextlib.ExitStack() as stack:
        for name in ("pre_save", "post_save", "pre_delete", "post_delete"):
            stack.enter_context(listening(name))
        heard.clear()
        yield list(Note.objects.order_by("pk"))


@contextlib.contextmanager
def listening(name):
    def receiver(**kwargs):
        heard.append(name)

    signal = getattr(signals, name)
    signal.connect(receiver, sender=Note)
    try:
        yield
    finally:
        signal.disconnect(receiver, sender=Note)


def each(notes, write):
    for note in notes:
        note.text = "new"
        write(note)


SAVED = ["save()", "pre_save", "post_save"]
# statements for two rows, what runs in Python for each row, and whether changed_at is set
WRITES = {
    "save": (lambda notes: each(notes, Note.save), 2, SAVED, True),
    "save, update_fields": (
        lambda notes: each(notes, lambda note: note.save(update_fields=["text"])),
        2,
        SAVED,
        False,
    ),
    "bulk_update": (
        lambda notes: each(notes, lambda note: None) or Note.objects.bulk_update(notes, ["text"]),
        1,
        [],
        False,
    ),
    "update": (lambda notes: Note.objects.update(text="new"), 1, [], False),
}


@pytest.mark.parametrize(("write", "statements", "runs", "stamped"), WRITES.values(), ids=WRITES)
def test_what_a_change_leaves_out(notes, write, statements, runs, stamped):
    assert len(queries_of(write, notes)) == statements
    assert heard == 2 * runs
    stored = Note.objects.values_list("text", "changed_at")
    assert [(text, at > YESTERDAY) for text, at in stored] == 2 * [("new", stamped)]


CREATES = {
    "create": (lambda: [Note.objects.create(text="new") for _ in range(2)], 2, SAVED),
    "bulk_create": (lambda: Note.objects.bulk_create([Note(text="new"), Note(text="new")]), 1, []),
}


@pytest.mark.parametrize(("write", "statements", "runs"), CREATES.values(), ids=CREATES)
def test_what_a_new_row_leaves_out(notes, write, statements, runs):
    assert len(queries_of(write)) == statements
    assert heard == 2 * runs
    new = Note.objects.filter(text="new")
    assert all(note.changed_at > YESTERDAY and note.created_at > YESTERDAY for note in new)
    assert all(note.pk for note in new)


def test_a_queryset_deletes_with_signals_and_without_delete(notes):
    Note.objects.all().delete()
    assert sorted(heard) == ["post_delete", "post_delete", "pre_delete", "pre_delete"]


def test_save_writes_every_column(world):
    mine, theirs = Job.objects.get(pk=world.job.pk), Job.objects.get(pk=world.job.pk)
    theirs.description = "Theirs"
    theirs.save()
    mine.title = "Mine"
    mine.save()
    mine.refresh_from_db()
    assert (mine.title, mine.description) == ("Mine", "")
    theirs.save(update_fields=["description"])
    mine.refresh_from_db()
    assert (mine.title, mine.description) == ("Mine", "Theirs")


def test_a_bulk_create_is_one_statement_and_batches_are_more(world):
    assert len(queries_of(store, some_jobs(10))) == 10
    jobs = some_jobs(10)
    (sent,) = queries_of(Job.objects.bulk_create, jobs)
    assert "SELECT * FROM UNNEST" in sent  # one array for each column
    assert all(job.pk for job in jobs)
    jobs = some_jobs(10)
    assert len(queries_of(lambda: Job.objects.bulk_create(jobs, batch_size=4))) == 3


def test_bulk_update_writes_the_whole_list_of_values_for_each_field(notes):
    note = notes[0]
    (sent,) = queries_of(lambda: Note.objects.bulk_update([note], ["text", "pages"]))
    assert sent.count("CASE WHEN") == 2


# Two kinds of empty.


def test_a_text_that_may_be_null_is_empty_in_two_ways(notes):
    Note.objects.bulk_create([Note(text=""), Note(text=None)])
    assert Note.objects.filter(text="").count() == 1
    assert Note.objects.exclude(text="").count() == 3


def test_blank_without_null_passes_the_form_and_not_the_table(notes):
    form = modelform_factory(Note, fields=["pages"])({"pages": ""})
    assert form.is_valid()
    form.instance.pages = form.cleaned_data["pages"]
    with pytest.raises(IntegrityError, match='null value in column "pages"'), transaction.atomic():
        form.instance.save()


# Reading many rows.

READS = {
    "list(jobs)": lambda jobs: len(list(jobs)),
    "list(values_list())": lambda jobs: len(list(jobs.values_list("pk", "title"))),
    "iterator()": lambda jobs: sum(1 for _ in jobs.iterator()),
    "the same, no cursor": lambda jobs: sum(1 for _ in without_cursor(jobs).iterator()),
}


def without_cursor(jobs):
    """Do as a transaction pooler demands: no cursor on the server."""
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
    return jobs


def memory_of(name, rows):
    """Read so many jobs; return how many bytes the process grew at its peak. Linux only."""
    connection.ensure_connection()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = kilobytes("VmRSS")
    assert READS[name](Job.objects.order_by("pk")[:rows]) == rows
    return (kilobytes("VmHWM") - before) * 1024


def kilobytes(field):
    """Return a line of what Linux says about this process."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])


def first_job(jobs):
    """Return the first job of an iterator, and end the iterator."""
    rows = jobs.iterator()
    try:
        return next(rows)
    finally:
        rows.close()


@pytest.mark.parametrize("name", READS)
def test_each_way_to_read_reads_all(world, name, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", False)
    assert READS[name](Job.objects.order_by("pk")[:3]) == 3


def test_iterator_keeps_no_rows(world):
    jobs = Job.objects.order_by("pk")
    assert len(list(jobs.iterator())) == 3
    assert len(queries_of(list, jobs)) == 1


def holdable_cursors():
    """Read the first of all jobs; return, for each open cursor, whether it outlives its transaction."""
    rows = Job.objects.iterator(chunk_size=1)
    next(rows)
    return [holdable for (holdable,) in sql("SELECT is_holdable FROM pg_cursors WHERE name LIKE '_django%%'")]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_the_cursor_outlives_it(world):
    assert holdable_cursors() == [True]
    with transaction.atomic():
        assert holdable_cursors() == [False]


# What Python says when it goes wrong.

CHOICES = (
    "Choices are: applications, company, company_id, created_at, description, id, is_open, "
    "salary_max, salary_min, skills, title, version, views"
)
MESSAGES = {
    "filter after slice": (
        lambda: Job.objects.all()[:2].filter(pk=1),
        TypeError,
        "Cannot filter a query once a slice has been taken.",
    ),
    "order after slice": (
        lambda: newest().order_by("pk"),
        TypeError,
        "Cannot reorder a query once a slice has been taken.",
    ),
    "keyword": (
        lambda: Job.objects.filter(skill="Python"),
        FieldError,
        f"Cannot resolve keyword 'skill' into field. {CHOICES}",
    ),
    "save of a queryset": (
        lambda: Job.objects.filter(pk=1).save(),
        AttributeError,
        "'JobQuerySet' object has no attribute 'save'",
    ),
    "two rows": (
        lambda: Job.objects.get(is_open=True),
        Job.MultipleObjectsReturned,
        "get() returned more than one Job -- it returned 2!",
    ),
    "no row": (lambda: Job.objects.get(pk=99), Job.DoesNotExist, "Job matching query does not exist."),
    "unsaved": (
        lambda: Job.objects.bulk_create([Job(title="T", company=Company(name="New"))]),
        ValueError,
        "bulk_create() prohibited to prevent data loss due to unsaved related object 'company'.",
    ),
}


@pytest.mark.parametrize(("ask", "kind", "text"), MESSAGES.values(), ids=MESSAGES)
def test_messages(world, ask, kind, text):
    with pytest.raises(kind) as error:
        ask()
    assert str(error.value) == text
