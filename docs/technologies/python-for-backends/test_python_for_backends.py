"""A small domain module, its edges, and the traps that it was written around."""

import contextlib
import csv
import logging
import math
import sys
import tracemalloc
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import FrozenInstanceError, dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest
from board.models import Company, Job
from django.core.exceptions import ValidationError

logger = logging.getLogger(__name__)
CENT = Decimal("0.01")


def label(salary_min):
    """Return what the list says about the pay. Or so it says."""
    if not salary_min:
        return "pay unknown"
    return f"from {salary_min}"


def label_of(salary_min):
    """Return what the list says about the pay."""
    if salary_min is None:
        return "pay unknown"
    return f"from {salary_min}"


# The core: values in, values out. It imports no Django.


class BadRow(ValueError):
    """A row that is no job; the message says why."""


@dataclass(frozen=True)
class Salary:
    """What a job pays a month. None is an end that nobody named."""

    low: Decimal | None = None
    high: Decimal | None = None

    def __post_init__(self):
        if None not in (self.low, self.high) and self.low > self.high:
            raise BadRow(f"{self.low} is more than {self.high}")


def raised(amount: Decimal, factor: Decimal) -> Decimal:
    """Return an amount times a factor, in cents; half a cent goes up."""
    return (amount * factor).quantize(CENT, ROUND_HALF_UP)


def parse_amount(text: str) -> Decimal | None:
    """Return the amount of a text, None if it is empty. Raises BadRow."""
    if not text.strip():
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise BadRow(f"{text!r} is no amount") from error
    if not amount.is_finite():  # "NaN" and "Infinity" are decimals
        raise BadRow(f"{text!r} is no amount")
    return amount


def parse_row(row: list[str]) -> tuple[str, Salary]:
    """Return the title and the salary of a row. Raises BadRow."""
    try:
        title, low, high = row
    except ValueError as error:
        raise BadRow(f"{len(row)} columns where 3 are due") from error
    return title, Salary(parse_amount(low), parse_amount(high))


# The edges: they open, write and log.


class JobStore(Protocol):
    """Where jobs go. Whatever has this method is one."""

    def add(self, title: str, salary: Salary) -> None:
        """Keep a job."""


def import_jobs(rows: Iterable[list[str]], store: JobStore) -> int:
    """Store the good rows, log the bad; return how many are stored."""
    stored = 0
    for number, row in enumerate(rows, 1):
        try:
            title, salary = parse_row(row)
        except BadRow as error:
            logger.warning("row %s: %s", number, error)
            continue
        store.add(title, salary)
        stored += 1
    return stored


def read_rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a file, one at a time; close it at the end."""
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.reader(file)


class ListStore:
    def __init__(self):
        self.jobs = []

    def add(self, title, salary):
        self.jobs.append((title, salary))


class DjangoStore:
    def __init__(self, company):
        self.company = company

    def add(self, title, salary):
        Job.objects.create(company=self.company, title=title, salary_min=salary.low, salary_max=salary.high)


# The same with mistakes.


def parsed(rows):
    """Yield title and salary of each row. Raises BadRow."""
    for row in rows:
        yield parse_row(row)


def import_all_or_none(rows, store):
    """Store all rows, or none if one is bad. Or so it says."""
    try:
        jobs = parsed(rows)
    except BadRow as error:
        logger.warning("nothing stored: %s", error)
        return
    for title, salary in jobs:
        store.add(title, salary)


def import_all_or_none_mended(rows, store):
    try:
        jobs = list(parsed(rows))
    except BadRow as error:
        logger.warning("nothing stored: %s", error)
        return
    for title, salary in jobs:
        store.add(title, salary)


def with_skill(skill, skills=[]):  # noqa: B006  the trap
    skills.append(skill)
    return skills


ROWS = [["Baker", "2000", "3000"], ["Clerk", "9000", "8000"], ["Cook", "", "2500.50"], ["Diver", "much", ""]]
GOOD = [("Baker", Salary(Decimal(2000), Decimal(3000))), ("Cook", Salary(None, Decimal("2500.50")))]


# The rule and its label.


def test_no_pay_is_not_unknown_pay():
    assert label(Decimal(0)) == "pay unknown"
    assert label_of(Decimal(0)) == "from 0"
    assert label(None) == label_of(None) == "pay unknown"
    assert label(Decimal(5)) == label_of(Decimal(5)) == "from 5"


@pytest.mark.parametrize("empty", [0, 0.0, Decimal(0), "", [], {}, timedelta(0), Salary()])
def test_what_is_false(empty):
    assert bool(empty) == isinstance(empty, Salary)


def test_a_salary_cannot_end_below_its_beginning():
    with pytest.raises(BadRow, match=r"^9000 is more than 8000$"):
        Salary(Decimal(9000), Decimal(8000))


def test_a_salary_is_a_value():
    assert Salary(Decimal("1.0")) == Salary(Decimal("1.00"))
    assert len({Salary(), Salary(None, None)}) == 1
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'low'"):
        Salary().low = Decimal(1)


def test_hints_check_nothing():
    assert Salary("1000", "900").low == "1000"  # as texts, "1000" < "900"
    with pytest.raises(BadRow, match=r"^9 is more than 80$"):
        Salary("9", "80")
    assert parse_amount.__annotations__["text"] is str


@pytest.mark.parametrize("text", ["much", "1,000", "NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount(text):
    with pytest.raises(BadRow, match=r"is no amount$"):
        parse_amount(text)


def test_what_is_an_amount():
    assert parse_amount("  ") is None
    assert parse_amount("2500.50") == Decimal("2500.50")
    assert parse_amount("1e3") == 1000


# Exceptions.


def test_the_cause_is_kept():
    with pytest.raises(BadRow) as bad:
        parse_amount("much")
    assert isinstance(bad.value.__cause__, InvalidOperation)
    with pytest.raises(BadRow, match=r"^2 columns where 3 are due$"):
        parse_row(["Baker", "2000"])


def test_bad_rows_are_logged_and_good_ones_stored(caplog):
    store = ListStore()
    assert import_jobs(ROWS, store) == 2
    assert store.jobs == GOOD
    assert caplog.messages == ["row 2: 9000 is more than 8000", "row 4: 'much' is no amount"]


def test_the_same_edge_with_the_database(world):
    store = DjangoStore(world.company)
    assert import_jobs(ROWS, store) == 2
    assert list(Job.objects.filter(title="Cook").values_list("salary_min", "salary_max")) == [
        (None, Decimal("2500.50"))
    ]


def test_the_core_knows_more_than_the_form(world):
    """The database refuses NaN only by its number of digits; a form and the core refuse the text."""
    with pytest.raises(ValidationError):
        Job(company=world.company, title="T", salary_min=Decimal("NaN")).full_clean()


def test_a_bug_is_not_a_bad_row():
    class Broken:
        def add(self, title, salary):
            raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        import_jobs(ROWS, Broken())


# Generators.


def test_a_generator_runs_nothing_before_it_is_read():
    jobs = parsed(None)  # no error, although None has no rows
    with pytest.raises(TypeError, match="'NoneType' object is not iterable"):
        next(jobs)


def test_all_or_none_stores_some(caplog):
    store = ListStore()
    with pytest.raises(BadRow):
        import_all_or_none(ROWS, store)
    assert store.jobs == GOOD[:1]
    assert caplog.messages == []
    store = ListStore()
    import_all_or_none_mended(ROWS, store)
    assert store.jobs == []
    assert caplog.messages == ["nothing stored: 9000 is more than 8000"]


def test_a_generator_is_read_once():
    jobs = parsed(ROWS[:1])
    assert len(list(jobs)) == 1
    assert list(jobs) == []


def test_a_file_stays_open_until_the_generator_ends(tmp_path, monkeypatch):
    path = tmp_path / "jobs.csv"
    path.write_text("Baker,2000,3000\nCook,,2500.50\n")
    assert list(read_rows(path)) == [["Baker", "2000", "3000"], ["Cook", "", "2500.50"]]
    opened = []
    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda *arguments, **named: opened.append(real(*arguments, **named)) or opened[-1]
    )
    rows = read_rows(path)
    assert opened == []  # not opened yet
    next(rows)
    assert not opened[0].closed
    with contextlib.closing(rows):
        pass
    assert opened[0].closed


# Money.

AMOUNTS = range(200_000, 300_000)  # cents: 2,000.00 to 2,999.99
FACTOR = "1.025"
RAISES = {
    "float, round()": lambda: [round(cents / 100 * float(FACTOR), 2) for cents in AMOUNTS],
    "Decimal, default rounding": lambda: [(Decimal(cents) / 100 * Decimal(FACTOR)).quantize(CENT) for cents in AMOUNTS],
    "Decimal, ROUND_HALF_UP": lambda: [raised(Decimal(cents) / 100, Decimal(FACTOR)) for cents in AMOUNTS],
    "int, in cents": lambda: [(cents * 1025 + 500) // 1000 for cents in AMOUNTS],
}


def wrong(results):
    """Count the results that are not the true one, half a cent going up."""
    truth = RAISES["int, in cents"]()
    cents = (result if isinstance(result, int) else round(result * 100) for result in results)
    return sum(result != right for result, right in zip(cents, truth, strict=True))


@pytest.mark.parametrize(("name", "expected"), [("float, round()", 2176), ("Decimal, default rounding", 1250)])
def test_cents_that_are_wrong(name, expected):
    assert wrong(RAISES[name]()) == expected


def test_cents_that_are_right():
    assert wrong(RAISES["Decimal, ROUND_HALF_UP"]()) == 0


def test_the_classic_example_is_stale():
    total = 0.0
    for _ in range(10):
        total += 0.1
    assert total != 1.0
    assert (sum([0.1] * 10) == 1.0) == (sys.version_info >= (3, 12))
    assert math.fsum([0.1] * 10) == 1.0
    assert 0.1 + 0.2 != 0.3
    assert Decimal("0.1") + Decimal("0.2") == Decimal("0.3")
    assert Decimal(0.1) != Decimal("0.1")  # noqa: RUF032  the trap


def test_decimal_and_float_do_not_mix():
    with pytest.raises(TypeError) as error:
        Decimal("2500.50") * 1.025
    assert str(error.value) == "unsupported operand type(s) for *: 'decimal.Decimal' and 'float'"


def test_a_decimal_has_28_digits_unless_you_ask_for_more():
    with localcontext(prec=5):
        assert Decimal("2500.55") + 0 == Decimal("2500.6")


# Time.

CAIRO = ZoneInfo("Africa/Cairo")  # its clocks go forward on 24 April 2026
POSTED = datetime(2026, 4, 23, 12, tzinfo=CAIRO)


def test_a_day_of_the_wall_clock_may_have_23_hours():
    closes = POSTED + timedelta(hours=24)
    assert closes.hour == 12
    assert closes - POSTED == timedelta(hours=24)
    assert closes.astimezone(UTC) - POSTED.astimezone(UTC) == timedelta(hours=23)
    closes = (POSTED.astimezone(UTC) + timedelta(hours=24)).astimezone(CAIRO)
    assert closes.hour == 13


def test_naive_and_aware_do_not_compare():
    with pytest.raises(TypeError) as error:
        assert datetime(2026, 4, 23) < POSTED
    assert str(error.value) == "can't compare offset-naive and offset-aware datetimes"


def test_utcnow_is_deprecated():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert datetime.utcnow().tzinfo is None
    assert bool(caught) == (sys.version_info >= (3, 12))


def test_django_warns_of_a_naive_datetime(world):
    job = world.job
    job.created_at = datetime(2026, 4, 23)
    with pytest.warns(RuntimeWarning) as warned:
        job.save()
    assert str(warned[0].message) == (
        "DateTimeField Job.created_at received a naive datetime (2026-04-23 00:00:00) while time zone "
        "support is active."
    )


# Defaults.


def test_a_mutable_default_is_shared():
    assert with_skill("Python") == ["Python"]
    assert with_skill("SQL") == ["Python", "SQL"]
    with_skill.__defaults__[0].clear()


def test_a_dataclass_refuses_a_mutable_default():
    with pytest.raises(ValueError) as error:

        @dataclass
        class Draft:
            skills: list = []  # noqa: RUF008  the trap

    assert str(error.value) == "mutable default <class 'list'> for field skills is not allowed: use default_factory"


# What measure.py asks.


def peak(read):
    """Return how many bytes Python held at most during a call."""
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


READS = {
    "list(rows)": lambda path: len([parse_row(row) for row in list(read_rows(path))]),
    "one at a time": lambda path: sum(1 for row in read_rows(path) if parse_row(row)),
}


@pytest.mark.parametrize("name", READS)
def test_each_way_to_read(tmp_path, name):
    path = tmp_path / "jobs.csv"
    path.write_text("Baker,2000,3000\nCook,,2500.50\n")
    assert READS[name](path) == 2


def refused_by_the_core():
    with contextlib.suppress(BadRow):
        Salary(Decimal(9000), Decimal(8000))


def refused_by_the_model(company):
    with contextlib.suppress(ValidationError):
        Job(company=company, title="T", salary_min=Decimal(9000), salary_max=Decimal(8000)).full_clean()


def refused_by_the_api(client, slug):
    body = {"company": slug, "title": "T", "salary_min": "9000", "salary_max": "8000"}
    response = client.post("/api/jobs/", body, format="json")
    assert response.status_code == 422, response.content


def test_three_places_refuse_the_same_salary(world):
    refused_by_the_core()
    refused_by_the_model(world.company)
    refused_by_the_api(world.client(world.staff), "acme")
    assert Company.objects.count() == 2
