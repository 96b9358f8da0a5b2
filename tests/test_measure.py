"""tools/measure: what is written was measured, all of it or nothing; the check knows what is old."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import ROOT, run

from tools.measure import MeasureError, claims, fingerprint, machine, pages, picture, report, results
from tools.measure import check as measure_check
from tools.measure.results import Bytes, Row, Table, Timing

PAGE = "challenges/n-plus-one"
QUERYSETS = "examples/jobboard/board/querysets.py"
TEST = """
def one_by_one():
    from board.models import Job

    return [job.company.name for job in Job.objects.all()]


def test_one_query_for_each_job(): assert 201 == 201
"""
MEASURE = f'''
"""Names of companies."""
from board.models import Job
from test_n_plus_one import one_by_one

MEASURES = ["{QUERYSETS}::JobQuerySet.with_company"]
GIVEN = {{"300 ms": "what people notice"}}


def joined():
    return [job.company.name for job in Job.objects.with_company()]


def measure(lab):
    with lab.dataset("S"):
        both = {{"one by one": one_by_one, "joined": joined}}
        lab.compare("Show 200 jobs", both, counts=lambda names: {{"rows": len(names)}})
'''
# Everything else a lab can do, and what it promises, in assertions of its own.
INSTRUMENTS = """
import os
from board.models import Job, Skill
from django.db import transaction
from tools.measure import MeasureError

MEASURES = ["examples/jobboard/board/querysets.py::JobQuerySet.open"]
PACKAGES = ["celery"]


def add():
    with transaction.atomic():
        Skill.objects.create(name="Measuring")
    return Skill.objects.count()


def page_at(depth):
    return list(Job.objects.order_by("pk")[depth : depth + 5])


def measure(lab):
    with lab.dataset("S"):
        assert os.environ["DATABASE_URL"].endswith(lab.sql("SELECT current_database()")[0][0])
        before = Skill.objects.count()
        with lab.undone():
            assert lab.queries(add) == (2, before + 1), "savepoints and BEGIN do not count"
            lab.sql("DROP INDEX job_open_newest")
        assert lab.size("job_open_newest") > 0
        assert lab.time(add, undo=True).runs == 5
        assert Skill.objects.count() == before
        plan = lab.plan("The open jobs", "all", Job.objects.open().order_by("title"))
        assert plan.types[0] == "Sort" and plan.rows == Job.objects.open().count() and plan.buffers > 0
        pairs = Job.skills.through.objects.count()
        assert lab.explain("DELETE FROM board_job_skills").nodes[0] == "ModifyTable on board_job_skills"
        assert Job.skills.through.objects.count() == pairs > 0, "an explained statement is undone"
        lab.record("Index", "newest open", counts={"size": lab.size("job_open_newest")}, note="partial")
        lab.curve("Depth", "rows skipped", [10, 100], {"OFFSET": page_at}, picture="time")
        lab.redis.set("jobboard:1:x", 1)
        Job.skills.through.objects.all().delete()
    with lab.dataset("S"):
        assert Job.skills.through.objects.count() == pairs, "every dataset is a fresh copy"
        assert not lab.redis.exists("jobboard:1:x")
    for wrong in (
        lambda: lab.time(add, runs=4),
        lab.dataset("M").__enter__,
        lambda: lab.picture("Index"),
        lambda: lab.record("Index", "a word", counts={"size": "many"}),
        lambda: lab.record("Index", "no number", counts={"size": float("nan")}),
    ):
        try:
            wrong()
        except MeasureError:
            continue
        raise AssertionError(wrong)
"""
BROKEN = (
    f'MEASURES = ["{QUERYSETS}::JobQuerySet.open"]\n\n\ndef measure(lab):\n    lab.record("t", "w")\n    return 1 / 0\n'
)
LEAVING = BROKEN.replace("return 1 / 0", "raise SystemExit(0)")
TOO_FEW = BROKEN.replace("return 1 / 0", "lab.time(print, runs=4)")
ENDLESS = (
    BROKEN.partition("def")[0]
    + 'import time\n\n\ndef measure(lab):\n    with lab.dataset("S"):\n        lab.say("now")\n        time.sleep(60)\n'
)


def write(root, name, **files):
    folder = root / "docs" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / ".".join(file.rsplit("_", 1))).write_text(text, "utf-8")
    return folder


def make_project(root):
    """Make a project of its own at root: our tools, the real job board, no pages."""
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "examples").mkdir()
    (root / "examples/jobboard").symlink_to(ROOT / "examples/jobboard")
    return root


def measure(root, *arguments):
    return run(sys.executable, "-m", "tools.measure", *arguments, cwd=root)


# --- on real servers ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A project with two pages that measure and three that fail, and how one run over all of them ended."""
    root = make_project(tmp_path_factory.mktemp("measured"))
    write(root, "challenges/broken", measure_py=BROKEN, results_txt="old", results_svg="old")
    write(root, "challenges/few", measure_py=TOO_FEW)
    write(root, "challenges/leaving", measure_py=LEAVING)
    write(root, PAGE, measure_py=MEASURE, test_n_plus_one_py=TEST)
    write(root, "concepts/instruments", measure_py=INSTRUMENTS)
    return root, measure(root)


def test_a_page_is_measured(measured):
    root, done = measured
    text = (root / "docs" / PAGE / "results.txt").read_text("utf-8")
    assert re.search(r"^one by one +S +201 +200 +[\d.,]+ ms +[\d.,]+ to [\d.,]+ ms$", text, re.M), text + done.stderr
    assert re.search(r"^joined +S +1 +200 +[\d.,]+ ms ", text, re.M)
    medians = [Decimal(found.replace(",", "")) for found in re.findall(r"200 +([\d.,]+) ms", text)]
    assert medians[0] > medians[1], "201 queries are slower than one by far"
    assert max(map(len, text.splitlines())) <= 80
    assert text.index("queries") < text.index("median") < text.index("spread of 5 runs")
    for line in ("data      S: 200 jobs (", "machine   ", "versions  Python 3.", f"command   make measure PAGE={PAGE}"):
        assert f"\n{line}" in text
    assert re.search(r"Django \d.+ PostgreSQL \d.+ (Valkey|Redis) \d.+ psycopg 3", " ".join(text.split()))
    assert re.search(r"^date      20\d\d-\d\d-\d\d$", text, re.M)
    assert list(report.measured_code(text)) == ["measure.py", f"{QUERYSETS}::JobQuerySet.with_company"]
    svg = (root / "docs" / PAGE / "results.svg").read_text("utf-8")
    ElementTree.fromstring(svg)  # noqa: S314  our own
    assert "201 queries" in svg and "1 query<" in svg and " ms</text>" in svg
    assert check(root, [pages.find(root, PAGE)]) == []


def test_the_instruments_keep_their_promises(measured):
    root, done = measured
    assert (root / "docs/concepts/instruments/results.txt").exists(), done.stderr
    text = (root / "docs/concepts/instruments/results.txt").read_text("utf-8")
    assert "  plan: Sort, Seq Scan on board_job" in text
    assert re.search(r"^newest open +S +[\d.]+ KiB$", text, re.M)
    assert "OFFSET, 100 rows skipped" in text and "celery 5." in text
    assert "OFFSET" in (root / "docs/concepts/instruments/results.svg").read_text("utf-8")


def test_a_page_that_fails_keeps_its_results_and_stops_no_other(measured):
    root, done = measured
    assert done.returncode == 1
    where = "docs/challenges/broken/measure.py:6: ZeroDivisionError: division by zero; the old results stay"
    assert where in done.stderr and "Traceback" not in done.stderr
    assert "docs/challenges/leaving/measure.py:6: SystemExit: 0; the old results stay" in done.stderr
    assert "docs/challenges/few/measure.py:6: runs=4: a median needs at least 5 runs; the old" in done.stderr
    assert "[1 of 5] challenges/broken" in done.stderr and "2 of 5 measured" in done.stderr
    for name in ("results.txt", "results.svg"):
        assert (root / "docs/challenges/broken" / name).read_text() == "old"
    assert [path for path in (root / "docs").rglob("*") if path.name.startswith((".", "__"))] == []


@pytest.fixture
def servers():
    """A directory for servers that every account may enter, as pytest's own tmp_path is not."""
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_leaves_the_old_results_and_no_server(tmp_path, servers, number, status):
    root = make_project(tmp_path)
    folder = write(root, "challenges/endless", measure_py=ENDLESS, results_txt="old", results_svg="old")
    env = os.environ | {"PYTHONPATH": str(root), "TMPDIR": str(servers)}
    command = [sys.executable, "-m", "tools.measure", "challenges/endless"]
    process = subprocess.Popen(command, cwd=root, env=env, stderr=subprocess.PIPE, text=True)
    while (line := process.stderr.readline()) and not line.endswith("now\n"):
        pass
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == status, said
    assert said == ("measure: interrupted; the old results stay\n" if number == signal.SIGINT else "")
    assert {path.name for path in folder.iterdir()} == {"measure.py", "results.svg", "results.txt"}
    assert (folder / "results.txt").read_text() == (folder / "results.svg").read_text() == "old"
    assert list(servers.iterdir()) == []


# --- the command line ---------------------------------------------------------------------------------------------


def test_a_page_that_cannot_be_measured_is_answered_in_one_line(tmp_path):
    write(tmp_path, PAGE, measure_py="")
    write(tmp_path, "concepts/indexing", README_md="# Indexing")
    for name in (PAGE, f"docs/{PAGE}/", f"docs/{PAGE}/README.md", f"docs/{PAGE}/measure.py"):
        assert pages.find(tmp_path, name).name == PAGE
    for name, message in {
        "challenges/n-plus-won": f"there is no page challenges/n-plus-won; near: {PAGE}",
        "n-plus-one": f"there is no page n-plus-one; near: {PAGE}",
        "concepts/indexing": f"the page concepts/indexing has no measure.py; pages that measure: {PAGE}",
    }.items():
        with pytest.raises(MeasureError) as raised:
            pages.find(tmp_path, name)
        assert str(raised.value) == message


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["challenges/nowhere-at-all"], 1, "measure: there is no page challenges/nowhere-at-all"),
        (["--chek"], 2, "usage: "),
        (["a", "b"], 2, "usage: "),
    ],
)
def test_a_wrong_call_is_answered_in_one_line(arguments, status, said):
    done = measure(ROOT, *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(said) and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("def measure(lab): pass", ":1: say which code it measures: MEASURES = "),
        ("x = 1\nMEASURES = [x]", ":2: MEASURES must be written out"),
        ("MEASURES = [", ":1: '[' was never closed"),
        ("\nMEASURES = ['code.py::opne']", ":2: code.py: has no 'opne'; "),
        ("MEASURES = ['bad.py']", ":1: bad.py: line 1: "),
        ("MEASURES = ['bad.py::f']", ":1: bad.py: is not valid Python: line 1: "),
        ("MEASURES = ['gone.py']", ":1: gone.py: there is no such file; write its path from the root"),
        ("MEASURES = ['latin.py']", ":1: latin.py: it is not text in UTF-8"),
        ("MEASURES = 'code.py'", ":1: MEASURES has another form; write MEASURES = ["),
        ("MEASURES: list = ['code.py']\nGIVEN = 5", ":2: GIVEN has another form; write GIVEN = {"),
        ("MEASURES = ['code.py']\nGIVEN = {5: 's'}", ":2: GIVEN has another form"),
        ("MEASURES = ['code.py']\nPACKAGES = 'celery'", ":2: PACKAGES has another form"),
    ],
)
def test_what_a_page_declares_wrongly_is_named_with_its_line(tmp_path, script, message):
    write(tmp_path, PAGE, measure_py=script)
    (tmp_path / "code.py").write_text("def open(): pass\n")
    (tmp_path / "bad.py").write_text("def f(:\n")
    (tmp_path / "latin.py").write_bytes(b"x = 'caf\xe9'\n")
    write(tmp_path, PAGE, README_md="It took 5 s.") if "GIVEN" in script else None
    (problem,) = check(tmp_path)
    assert problem.startswith(f"docs/{PAGE}/measure.py{message}")


def test_a_script_that_is_no_text_is_named(tmp_path):
    (write(tmp_path, PAGE, README_md="It took 5 s.") / "measure.py").write_bytes(b"x = 'caf\xe9'\n")
    assert check(tmp_path) == [f"docs/{PAGE}/measure.py:1: it is not text in UTF-8; save it as such"]


def test_a_measure_py_that_no_run_finds_is_named(tmp_path):
    write(tmp_path, "challenges", measure_py=MEASURE)
    write(tmp_path, f"{PAGE}/part", measure_py=MEASURE, results_txt="1 ms")
    says = ":1: it is never run; move it to the folder of a page, docs/<section>/<page>/"
    assert check(tmp_path) == [f"docs/challenges/measure.py{says}", f"docs/{PAGE}/part/measure.py{says}"]


def test_a_package_that_is_not_installed_is_named_before_anything_is_measured():
    machine.installed(["psycopg"], "x.py:1")
    with pytest.raises(MeasureError, match=r"^x\.py:1: PACKAGES names 'celry', which is not installed"):
        machine.installed(["psycopg", "celry"], "x.py:1")


# --- the check of results -----------------------------------------------------------------------------------------


@pytest.fixture
def page(tmp_path):
    """A page whose results are current, written without servers."""
    (tmp_path / "examples/jobboard/board").mkdir(parents=True)
    (tmp_path / QUERYSETS).write_text("class JobQuerySet:\n    def with_company(self):\n        return self\n")
    write(tmp_path, PAGE, measure_py=MEASURE, test_n_plus_one_py=TEST)
    page = pages.find(tmp_path, PAGE)
    rows = [Row("one by one", "S", {"queries": 201}, Timing(0.11, 0.104, 0.131, 5)), Row("joined", "S", {"queries": 1})]
    tables = [Table("Show 200 jobs", rows)]
    body = report.text(tables, {"S": "200 jobs"}, {"machine": "m"}, pages.fingerprints(page))
    svg = picture.draw(tables, None)
    report.replace({page.results: report.sealed(body, svg), page.picture: svg})
    assert check(tmp_path) == []
    return page


CHECK = (
    "import pathlib, sys; from tools.measure.check import check; print(*check(pathlib.Path(sys.argv[1])), sep='\\n')"
)
AGAIN = f"measure again: make measure PAGE={PAGE}"
TXT = f"docs/{PAGE}/results.txt:1:"


def check(root, wanted=None):
    """What the check says, as a person reads it."""
    return [str(problem) for problem in measure_check.check(root, wanted)]


def edited(page, path, old, new):
    """Return what the check says after an edit; a process of its own, as tools.symbols reads a file only once."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    done = run(sys.executable, "-c", CHECK, page.root, cwd=ROOT)
    return done.stderr or done.stdout.strip()


def test_changed_code_is_named_with_the_command(page):
    assert edited(page, page.root / QUERYSETS, "return self", "return self.all()") == (
        f"{TXT} the measured code has changed (board/querysets.py::JobQuerySet.with_company); {AGAIN}"
    )


def test_changed_measure_py_is_named(page):
    assert edited(page, page.script, '"S"', '"L"') == f"{TXT} measure.py has changed since; {AGAIN}"


def test_format_comments_docstrings_and_given_do_not_count(page):
    assert edited(page, page.script, '"300 ms": ', '"500 ms": "a limit", "300 ms": ') == ""
    assert edited(page, page.script, "    with lab", '    """Compare."""\n    # twice\n\n    with  lab') == ""
    assert edited(page, page.root / QUERYSETS, "return self", '"""Join."""\n        return (self)  # all') == ""


def test_results_changed_by_hand_are_refused(page):
    problem = f"{TXT} results.txt or results.svg was changed by hand, or one of them is older; {AGAIN}"
    assert edited(page, page.results, "201", "301") == problem
    assert edited(page, page.results, "301", "201") == ""
    assert edited(page, page.picture, "201 queries", "301 queries") == problem


def test_results_survive_a_checkout_with_windows_line_ends(page):
    for path in (page.results, page.picture):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert check(page.root) == []


def test_results_that_are_no_text_are_named(page):
    page.results.write_bytes(b"caf\xe9")
    write(page.root, PAGE, README_md="It took 5 s.")
    assert check(page.root) == [f"{TXT} results.txt or results.svg is not text in UTF-8; {AGAIN}"]


def test_missing_results_are_named(page):
    page.picture.unlink()
    assert check(page.root) == [f"{TXT} results.svg is missing; {AGAIN}"]
    page.results.unlink()
    assert check(page.root) == [f"docs/{PAGE}/measure.py:1: it was never run; measure: make measure PAGE={PAGE}"]


def test_results_without_a_measurement_are_refused(page):
    page.script.unlink()
    says = ":1: nothing says how this was measured; add measure.py, or delete it"
    assert check(page.root) == [f"docs/{PAGE}/results.{end}{says}" for end in ("svg", "txt")]


def test_both_files_are_replaced_or_none(page):
    old = page.results.read_text()
    with pytest.raises(TypeError):
        report.replace({page.results: "new", page.picture: None})
    assert page.results.read_text() == old
    assert not list(page.folder.glob(".*"))


# --- the check of prose -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prose",
    [
        "It sent 201 queries, then 1 query, and took 110 ms (104 to 131 ms).",
        "From 201 queries → 1; 201 → 1 queries.",
        "We wait `500 ms`, or 300 ms, and read 1 000 000 rows in 5 minutes, 8 times, 60 %.",
        "```text\n999 queries\n```\n\n<!-- 999 ms --> [a](999%20ms.md) ten queries in Django 5.2",
        "> ```mermaid\n> flowchart LR\n>   a -->|201 queries| b\n> ```\n\n`9 ms`",
        "- a list\n\n    ```text\n    999 queries\n    ```\n",
        "---\ndescription: 999 ms\n---\n\n# It",
    ],
)
def test_prose_that_was_measured_or_does_not_look_so_passes(page, prose):
    write(page.root, PAGE, README_md=prose)
    assert check(page.root) == []


@pytest.mark.parametrize(
    ("prose", "claim", "line"),
    [
        ("# It\n\nIt sent\n205 queries.", "205 queries", 4),
        ("It took 0.013 ms.", "0.013 ms", 1),
        ("It took 201 ms.", "201 ms", 1),
        ("- good\n- the index has 1.1 MB", "1.1 MB", 2),
        ("> It read 12 731\n> buffers.", "12731 buffers", 1),
        ("From 201 queries → 2", "2 queries", 1),
        ("104 to 132 ms", "132 ms", 1),
        ("| a | 7 s |\n| b | 110 ms |", "7 s", 1),
        ("`code` and 9 ms, ```more``` too", "9 ms", 1),
        ("```mermaid\nflowchart LR\n  a -->|9 ms| b\n```\n\n```text\n8 ms\n```", "9 ms", 3),
    ],
)
def test_prose_that_nobody_measured_is_named(page, prose, claim, line):
    write(page.root, PAGE, README_md=prose)
    (problem,) = check(page.root)
    assert problem.startswith(
        f"docs/{PAGE}/README.md:{line}: '{claim}' is in no results.txt and no test of this page; "
    )


def test_every_page_of_a_folder_is_read(page):
    write(page.root, PAGE, more_md="It took 9 ms.")
    (problem,) = check(page.root)
    assert problem.startswith(f"docs/{PAGE}/more.md:1: '9 ms' is in no results.txt")


def test_a_list_of_pages_is_held_to_the_results_it_links_to(page):
    good = f"- [N+1]({PAGE.partition('/')[2]}/README.md): 201 queries → 1\n- [Other](other/README.md): 77 ms\n"
    write(page.root, "challenges", README_md=good)
    assert check(page.root) == []
    write(page.root, "challenges", README_md=good.replace("201", "202"))
    assert [problem.partition("; ")[0] for problem in check(page.root)] == [
        "docs/challenges/README.md:1: '202 queries' is in no results.txt and no test of this page"
    ]


def test_a_column_of_the_results_makes_its_noun_a_claim():
    found = claims.claims("625 lost updates, 1 lost\nupdate, 3 rows", {*claims.UNITS, "lost updates"})
    assert [(int(value), unit) for value, unit, _ in found] == [(625, "lost updates"), (1, "lost updates")]


# --- hashes and text ----------------------------------------------------------------------------------------------

SOURCE = (
    'class A:\n    """Doc."""\n\n    @decorated\n    def f(self, x=None):\n        return f"{x!r:>{3}}" + "a"  # why\n'
)
SAME = SOURCE.replace("Doc", "Other").replace("  # why", "").replace('"a"', "'a'").replace("x=None", "x = None,")


def hash_of(tmp_path, name, text, reference="::A.f"):
    (tmp_path / name).write_text(text)
    return fingerprint.of_reference(tmp_path, name + reference)


def test_a_hash_is_of_the_code_and_not_of_its_looks(tmp_path):
    first = hash_of(tmp_path, "a.py", SOURCE)
    assert hash_of(tmp_path, "b.py", "import os\n\n\n" + SAME) == first
    for number, (old, new) in enumerate(
        {"@decorated": "@other", "x=None": "x=0", '"a"': '"b"', ">{3}": ">{4}"}.items()
    ):
        assert hash_of(tmp_path, f"c{number}.py", SOURCE.replace(old, new)) != first
    assert hash_of(tmp_path, "d.py", SOURCE + "x = 1\n", "") != hash_of(tmp_path, "e.py", SOURCE, "")
    assert hash_of(tmp_path, "f.sql", "SELECT 1  \n", "") == hash_of(tmp_path, "g.sql", "\nSELECT 1", "")


def test_a_hash_does_not_depend_on_the_version_of_python(tmp_path):
    # Written down, because the suite runs on several versions.
    assert hash_of(tmp_path, "a.py", SOURCE) == "de6d91577d7b"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0000042, "4.20 µs"),
        (0.000013, "0.013 ms"),
        (0.0036, "3.60 ms"),
        (0.0999, "99.9 ms"),
        (0.09996, "100 ms"),
        (0.1374, "137 ms"),
        (4.342, "4,342 ms"),
        (21.34, "21.3 s"),
    ],
)
def test_times_have_three_digits(seconds, text):
    assert results.time_text(seconds) == text


def test_sizes_name_their_power():
    assert [str(Bytes(n)) for n in (512, 8192, 1_153_434, 3 * 2**30)] == [
        "512 bytes",
        "8.00 KiB",
        "1.10 MiB",
        "3.00 GiB",
    ]


def test_a_table_fits_80_columns_or_says_that_it_cannot():
    wordy = Row(
        "select_for_update, which holds each row until its transaction ends, and so on", "L", {"lost updates": 3}
    )
    lines = Table("t", [wordy]).text().splitlines()
    assert max(map(len, lines)) <= 80 and lines[3].endswith("  L             3") and len(lines) == 5
    with pytest.raises(MeasureError, match="the table 't' is wider than 80 columns"):
        Table("t", [Row("w", "L", {f"a rather long count {n}": n for n in range(4)})]).text()


def test_a_long_symbol_goes_on_the_next_line():
    name = "examples/jobboard/board/management/commands/seed.py::Seed.write_applications"
    text = report.text([Table("t", [Row("w")])], {}, {}, {"measure.py": "0" * 12, name: "1" * 12})
    assert max(map(len, text.splitlines())) <= 80
    assert report.measured_code(report.sealed(text, "")) == {"measure.py": "0" * 12, name: "1" * 12}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (("u", ()), "there is no table 'u' to draw; there are: t"),
        (("t", ("found",)), "'t' has no found to draw"),
        (("t", ("time",)), "'t' cannot be drawn: "),
    ],
)
def test_a_picture_of_what_is_not_there_is_refused(wanted, message):
    with pytest.raises(MeasureError, match=message):
        picture.draw([Table("t", [Row("w", counts={"lost": 1})])], wanted)
