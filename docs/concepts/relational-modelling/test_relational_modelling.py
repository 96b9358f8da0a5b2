"""Which wrong states a sheet stores, and which tables refuse; each on PostgreSQL."""

import pytest
from board.models import Application, Job
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.db.models import Count, Exists, OuterRef

SHEET = """
CREATE TABLE sheet (company text, city text, title text,
                    skills text, pay_from text, pay_to text, posted text)
"""
TYPED = """
CREATE TABLE sheet (company text NOT NULL, city text NOT NULL, title text NOT NULL,
                    skills text NOT NULL, pay_from numeric(10, 2), pay_to numeric(10, 2),
                    posted date NOT NULL)
"""
TABLES = """
CREATE TABLE company (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    city text NOT NULL  -- a fact of the company: once for each
);
CREATE TABLE skill (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL
);
CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company_id bigint NOT NULL REFERENCES company,
    title text NOT NULL,
    pay_from numeric(10, 2),
    pay_to numeric(10, 2),
    posted date NOT NULL
);
CREATE TABLE job_skill (
    job_id bigint REFERENCES job,
    skill_id bigint REFERENCES skill,
    PRIMARY KEY (job_id, skill_id)
);
"""
RULES = """
CREATE UNIQUE INDEX ON company (lower(name));
CREATE UNIQUE INDEX ON skill (lower(name));
ALTER TABLE job
    ADD CHECK (title <> ''),
    ADD CHECK (pay_from >= 0),
    ADD CHECK (pay_from <= pay_to),
    ADD UNIQUE (company_id, title);
"""
FILL_SHEET = """
INSERT INTO sheet VALUES
    ('Acme', 'Nairobi', 'Developer', 'Python, SQL', '3000', '4000', '2026-11-01'),
    ('Acme', 'Nairobi', 'Tester', 'SQL', '2000', '2500', '2026-11-02'),
    ('Beta', 'Accra', 'Baker', '', NULL, NULL, '2026-11-03')
"""
FILL_TYPED = FILL_SHEET.replace("'3000', '4000'", "3000, 4000").replace("'2000', '2500'", "2000, 2500")
FILL_TABLES = """
INSERT INTO company (name, city) VALUES ('Acme', 'Nairobi'), ('Beta', 'Accra');
INSERT INTO skill (name) VALUES ('Python'), ('SQL');
INSERT INTO job (company_id, title, pay_from, pay_to, posted) VALUES
    (1, 'Developer', 3000, 4000, '2026-11-01'),
    (1, 'Tester', 2000, 2500, '2026-11-02'),
    (2, 'Baker', NULL, NULL, '2026-11-03');
INSERT INTO job_skill VALUES (1, 1), (1, 2), (2, 2)
"""
DESIGNS = {
    "sheet": (SHEET, FILL_SHEET),
    "with types": (TYPED, FILL_TYPED),
    "tables": (TABLES, FILL_TABLES),
    "with rules": (TABLES + RULES, FILL_TABLES),
}

NEW = "INSERT INTO sheet (company, city, title, skills, pay_from, pay_to, posted) VALUES"
JOB = "INSERT INTO job (company_id, title, pay_from, pay_to, posted) VALUES"
# The same mistake in a sheet and in tables. None: there is no place to make it.
WRONG = {
    "a company in two cities": ("UPDATE sheet SET city = 'Lagos' WHERE title = 'Tester'", None),
    "a company in two spellings": (
        f"{NEW} ('ACME', 'Nairobi', 'Cook', '', NULL, NULL, '2026-11-04')",
        "INSERT INTO company (name, city) VALUES ('ACME', 'Nairobi')",
    ),
    "a company nobody knows": (
        f"{NEW} ('Acmee', 'Nairobi', 'Cook', '', NULL, NULL, '2026-11-04')",
        f"{JOB} (99, 'Cook', NULL, NULL, '2026-11-04')",
    ),
    "no company": (
        f"{NEW} ('', '', 'Cook', '', NULL, NULL, '2026-11-04')",
        f"{JOB} (NULL, 'Cook', NULL, NULL, '2026-11-04')",
    ),
    "no title": (
        f"{NEW} ('Acme', 'Nairobi', '', '', NULL, NULL, '2026-11-04')",
        f"{JOB} (1, '', NULL, NULL, '2026-11-04')",
    ),
    "the same job twice": (
        f"{NEW} ('Acme', 'Nairobi', 'Tester', 'SQL', NULL, NULL, '2026-11-04')",
        f"{JOB} (1, 'Tester', NULL, NULL, '2026-11-04')",
    ),
    "a skill twice in a job": (
        "UPDATE sheet SET skills = 'SQL, SQL' WHERE title = 'Tester'",
        "INSERT INTO job_skill VALUES (2, 2)",
    ),
    "a skill in two spellings": (
        "UPDATE sheet SET skills = 'sql' WHERE title = 'Tester'",
        "INSERT INTO skill (name) VALUES ('sql')",
    ),
    "pay in words": (
        f"{NEW} ('Acme', 'Nairobi', 'Cook', '', 'a lot', NULL, '2026-11-04')",
        f"{JOB} (1, 'Cook', 'a lot', NULL, '2026-11-04')",
    ),
    "pay below zero": (
        f"{NEW} ('Acme', 'Nairobi', 'Cook', '', '-100', NULL, '2026-11-04')",
        f"{JOB} (1, 'Cook', -100, NULL, '2026-11-04')",
    ),
    "pay that ends below its start": (
        f"{NEW} ('Acme', 'Nairobi', 'Cook', '', '3000', '2000', '2026-11-04')",
        f"{JOB} (1, 'Cook', 3000, 2000, '2026-11-04')",
    ),
    "a day that is in no calendar": (
        f"{NEW} ('Acme', 'Nairobi', 'Cook', '', NULL, NULL, '2026-02-31')",
        f"{JOB} (1, 'Cook', NULL, NULL, '2026-02-31')",
    ),
}


def sql(statement, params=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def make(design):
    """Make the tables of a design and fill them. The caller rolls back."""
    for statements in DESIGNS[design]:
        for statement in statements.split(";"):
            if statement.strip():
                sql(statement)


def refusal(design, mistake):
    """Return the SQLSTATE of a refused mistake, "no place" or None if it is stored."""
    in_sheet, in_tables = WRONG[mistake]
    statement = in_sheet if "sheet" in DESIGNS[design][0] else in_tables
    if statement is None:
        return "no place"
    try:
        with transaction.atomic():
            sql(typed(statement) if design == "with types" else statement)
    except DatabaseError as error:
        return error.__cause__.sqlstate
    return None


def typed(statement):
    """Write numbers without quotes, as a typed column wants them."""
    for number in ("-100", "3000", "2000"):
        statement = statement.replace(f"'{number}'", number)
    return statement


def stored(design):
    """Return the mistakes that a design stores."""
    with transaction.atomic():
        make(design)
        found = [mistake for mistake in WRONG if refusal(design, mistake) is None]
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize(("design", "count"), [("sheet", 12), ("with types", 10), ("tables", 6), ("with rules", 0)])
def test_each_step_stores_fewer_mistakes(db, design, count):
    assert len(stored(design)) == count


def test_types_refuse_only_what_is_no_number_and_no_day(db):
    assert set(stored("sheet")) - set(stored("with types")) == {"pay in words", "a day that is in no calendar"}


def test_who_refuses_what(db):
    with transaction.atomic():
        make("with rules")
        found = {mistake: refusal("with rules", mistake) for mistake in WRONG}
        transaction.set_rollback(True)
    assert found == {
        "a company in two cities": "no place",
        "a company in two spellings": "23505",
        "a company nobody knows": "23503",
        "no company": "23502",
        "no title": "23514",
        "the same job twice": "23505",
        "a skill twice in a job": "23505",
        "a skill in two spellings": "23505",
        "pay in words": "22P02",
        "pay below zero": "23514",
        "pay that ends below its start": "23514",
        "a day that is in no calendar": "22008",
    }


# The three anomalies.


def test_update_anomaly(db):
    make("sheet")
    sql(WRONG["a company in two cities"][0])
    assert sql("SELECT count(DISTINCT city) FROM sheet WHERE company = 'Acme'") == [(2,)]


def test_delete_anomaly(db):
    make("sheet")
    sql("DELETE FROM sheet WHERE title = 'Baker'")
    assert sql("SELECT city FROM sheet WHERE company = 'Beta'") == []
    make("tables")
    sql("DELETE FROM job WHERE title = 'Baker'")
    assert sql("SELECT city FROM company WHERE name = 'Beta'") == [("Accra",)]


def test_insert_anomaly(db):
    make("with types")
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        sql("INSERT INTO sheet (company, city) VALUES ('Gamma', 'Lagos')")
    assert str(refused.value).startswith(
        'null value in column "title" of relation "sheet" violates not-null constraint'
    )
    make("tables")
    sql("INSERT INTO company (name, city) VALUES ('Gamma', 'Lagos')")


def test_messages(db):
    make("with rules")
    expected = {
        "pay in words": 'invalid input syntax for type numeric: "a lot"',
        "a day that is in no calendar": 'date/time field value out of range: "2026-02-31"',
        "a company nobody knows": 'insert or update on table "job" violates foreign key constraint',
    }
    for mistake, message in expected.items():
        with pytest.raises(DatabaseError) as refused, transaction.atomic():
            sql(WRONG[mistake][1])
        assert str(refused.value).startswith(message)


# Lists in a column.


def test_a_list_in_a_column_finds_what_it_does_not_hold(db):
    make("sheet")
    sql("UPDATE sheet SET skills = 'C++, CSS' WHERE title = 'Tester'")
    assert sql("SELECT title FROM sheet WHERE skills LIKE '%C%'") == [("Tester",)]


# NULL.


def test_null_is_neither_equal_nor_different(db):
    make("tables")
    equal = sql("SELECT count(*) FROM job WHERE pay_from = 3000")[0][0]
    different = sql("SELECT count(*) FROM job WHERE pay_from <> 3000")[0][0]
    assert (equal, different, sql("SELECT count(*) FROM job")[0][0]) == (1, 1, 3)
    assert sql("SELECT count(*) FROM job WHERE pay_from IS DISTINCT FROM 3000") == [(2,)]


def test_not_in_with_one_null_finds_nobody(db):
    make("tables")
    sql("CREATE TABLE person (id bigint PRIMARY KEY); INSERT INTO person VALUES (1), (2), (3)")
    sql("ALTER TABLE job ADD contact_id bigint REFERENCES person")
    sql("UPDATE job SET contact_id = 1 WHERE title = 'Tester'")
    assert sql("SELECT id FROM person WHERE id NOT IN (SELECT contact_id FROM job)") == []
    asked = "SELECT id FROM person p WHERE NOT EXISTS (SELECT FROM job j WHERE j.contact_id = p.id) ORDER BY id"
    assert sql(asked) == [(2,), (3,)]


def paid_like_no_closed_job(jobs):
    """Return the open jobs whose upper pay no closed job has. Or so it says."""
    closed = jobs.filter(is_open=False)
    taken = closed.values("salary_max")
    return jobs.filter(is_open=True).exclude(salary_max__in=taken)


def test_django_writes_not_in_as_well(world):
    assert world.closed.salary_max is None
    assert world.job.salary_max == 5000
    assert world.job not in paid_like_no_closed_job(Job.objects.all())
    known = Job.objects.exclude(salary_max=None)
    assert world.job in paid_like_no_closed_job(known)
    same = Job.objects.filter(is_open=False, salary_max=OuterRef("salary_max"))
    assert world.job in Job.objects.filter(~Exists(same), is_open=True)


def test_djangos_exclude_keeps_null_where_sql_does_not(world):
    sql("UPDATE board_job SET salary_max = NULL WHERE id <> %s", [world.job.pk])
    assert Job.objects.exclude(salary_max=5000).count() == Job.objects.count() - 1
    assert sql("SELECT count(*) FROM board_job WHERE salary_max <> 5000") == [(0,)]


# Types that lie.


def test_money_in_a_float(db):
    assert sql("SELECT 0.1::float8 + 0.2::float8 = 0.3::float8, 0.1::numeric + 0.2 = 0.3") == [(False, True)]
    assert sql("SELECT (0.1::float8 + 0.2::float8)::text") == [("0.30000000000000004",)]


def test_a_time_without_zone_is_another_moment_for_each_session(db):
    sql("CREATE TABLE seen (plain timestamp, zoned timestamptz)")
    for zone in ("Africa/Nairobi", "Africa/Accra"):
        sql(f"SET LOCAL TIME ZONE '{zone}'")
        sql("INSERT INTO seen VALUES (now(), now())")  # one moment in this transaction
    assert sql("SELECT count(DISTINCT plain), count(DISTINCT zoned) FROM seen") == [(2, 1)]


# A copy with a reason.


def test_a_join_tells_today_and_a_snapshot_tells_then(db):
    make("tables")
    sql("CREATE TABLE application (job_id bigint REFERENCES job, pay_then numeric(10, 2))")
    sql("INSERT INTO application SELECT id, pay_from FROM job WHERE title = 'Tester'")
    sql("UPDATE job SET pay_from = 1500 WHERE title = 'Tester'")
    assert sql("SELECT pay_from, pay_then FROM application JOIN job ON job.id = job_id") == [(1500, 2000)]


def test_a_stored_count_drifts_when_one_door_forgets_it(world):
    sql("SET CONSTRAINTS ALL IMMEDIATE")  # else ALTER TABLE finds checks that wait
    sql("ALTER TABLE board_job ADD applied int NOT NULL DEFAULT 0")
    sql("UPDATE board_job j SET applied = (SELECT count(*) FROM board_application WHERE job_id = j.id)")
    Application.objects.filter(job=world.job).delete()  # knows nothing of the column
    assert sql("SELECT applied FROM board_job WHERE id = %s", [world.job.pk]) == [(1,)]
    assert Job.objects.annotate(n=Count("applications")).get(pk=world.job.pk).n == 0


# Keys.


def test_postgresql_makes_keys_that_grow(db):
    version = int(sql("SHOW server_version_num")[0][0])
    if version < 180000:
        with pytest.raises(ProgrammingError), transaction.atomic():
            sql("SELECT uuidv7()")
        return
    keys = [key for (key,) in sql("SELECT uuidv7() FROM generate_series(1, 100)")]
    assert keys == sorted(keys)
    random = [key for (key,) in sql("SELECT gen_random_uuid() FROM generate_series(1, 100)")]
    assert random != sorted(random)


KEYS = {
    "bigint identity": "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "uuidv7()": "id uuid DEFAULT uuidv7() PRIMARY KEY",
    "random UUID": "id uuid DEFAULT gen_random_uuid() PRIMARY KEY",
}
