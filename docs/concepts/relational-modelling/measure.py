"""Which mistakes each design stores, and what a sheet and tables of a million jobs cost."""

import time

from django.db import connection
from test_relational_modelling import DESIGNS, KEYS, WRONG, make, refusal

from tools.measure.instruments import RUNS, timing_of
from tools.measure.results import Bytes

MEASURES = [
    "docs/concepts/relational-modelling/test_relational_modelling.py::TABLES",
    "docs/concepts/relational-modelling/test_relational_modelling.py::RULES",
    "docs/concepts/relational-modelling/test_relational_modelling.py::WRONG",
]
GIVEN = {"8 KiB": "the size of a page that PostgreSQL is built with"}
MISTAKES = "Twelve mistakes: 1 means that the design stores it"
STORED = "How many of the twelve are stored"
BOTH = "The same jobs: size, rows written to rename a company, buffers to show 20"
INSERT = "Insert 500,000 rows, by the kind of key"
IN_TABLES = ("board_job", "board_job_skills", "board_company", "board_skill")


def measure(lab):
    with lab.dataset("S"):
        mistakes(lab)
    with lab.dataset("L"):
        lab.sql("SET statement_timeout = 0")
        sheet(lab)
        compare(lab)
        keys(lab)
    lab.picture(STORED, "stored")


def mistakes(lab):
    found = {}
    for design in DESIGNS:
        with lab.undone():
            make(design)
            found[design] = {mistake: int(refusal(design, mistake) is None) for mistake in WRONG}
    for mistake in WRONG:
        lab.record(MISTAKES, mistake, counts={design: found[design][mistake] for design in DESIGNS})
    for design in DESIGNS:
        lab.record(STORED, design, counts={"stored": sum(found[design].values())})


def sheet(lab):
    """Write the million jobs as a sheet: the same facts, a row for each job."""
    lab.say("writing the sheet")
    lab.sql("""CREATE TABLE sheet AS SELECT j.*, c.name AS company, c.slug, s.skills FROM board_job j
        JOIN board_company c ON c.id = j.company_id
        JOIN (SELECT job_id, string_agg(name, ', ' ORDER BY name) AS skills FROM board_job_skills
              JOIN board_skill k ON k.id = skill_id GROUP BY job_id) s ON s.job_id = j.id ORDER BY j.id""")
    lab.sql("ALTER TABLE sheet DROP company_id, ADD PRIMARY KEY (id)")
    lab.sql("CREATE INDEX sheet_company ON sheet (company)")
    lab.sql("VACUUM (ANALYZE) sheet")


def compare(lab):
    renamed = {"sheet": ("sheet", "company"), "tables": ("board_company", "name")}
    searched = {
        "sheet": "SELECT count(*) FROM sheet WHERE skills LIKE '%C%'",
        "tables": """SELECT count(*) FROM board_job_skills s JOIN board_skill k ON k.id = s.skill_id
            WHERE k.name = 'C'""",
    }
    page = {
        "sheet": "SELECT id, title, company, skills FROM sheet ORDER BY id LIMIT 20",
        "tables": """SELECT j.id, j.title, c.name, string_agg(k.name, ', ')
            FROM (SELECT * FROM board_job ORDER BY id LIMIT 20) j JOIN board_company c ON c.id = j.company_id
            JOIN board_job_skills s ON s.job_id = j.id JOIN board_skill k ON k.id = s.skill_id
            GROUP BY j.id, j.title, c.name""",
    }
    for name, tables in {"sheet": ("sheet",), "tables": IN_TABLES}.items():
        lab.say(name)
        size = sum(lab.sql("SELECT pg_table_size(%s)", [table])[0][0] for table in tables)
        with lab.undone(), connection.cursor() as cursor:
            table, column = renamed[name]
            cursor.execute(f"UPDATE {table} SET {column} = 'Renamed' WHERE {column} = 'Company 1'")  # noqa: S608
            written = cursor.rowcount
        for _ in range(2):  # the second time, the plan finds the catalogue read
            buffers = lab.explain(page[name]).buffers
        counts = {
            "size": Bytes(size),
            "renamed": written,
            "found for C": lab.sql(searched[name])[0][0],
            "buffers": buffers,
        }
        lab.record(BOTH, name, counts=counts)


def keys(lab):
    for name, column in KEYS.items():
        lab.say(name)
        taken = []
        for _ in range(RUNS + 1):
            with lab.undone():
                lab.sql(f"CREATE TABLE keyed ({column}, job bigint)")
                began = time.perf_counter()
                lab.sql("INSERT INTO keyed (job) SELECT generate_series(1, 500000)")
                taken.append(time.perf_counter() - began)
                size = lab.size("keyed_pkey")
        lab.record(INSERT, name, counts={"index size": size}, timing=timing_of(taken[1:]))
