"""Hostile requests, sent to a careless API and to the job board's: which are refused, stored, or a server error."""

import json

import pytest
from accounts.models import User
from board.models import Company, Job, Skill
from config.urls import handler400, handler404, handler500  # noqa: F401  the test's URLs answer as the job board's do
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from rest_framework import serializers
from rest_framework.generics import CreateAPIView, ListCreateAPIView, UpdateAPIView
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.response import Response


class CarelessJobSerializer(serializers.ModelSerializer):
    company = serializers.SlugRelatedField("slug", queryset=Company.objects.all())
    skills = serializers.SlugRelatedField("name", queryset=Skill.objects.all(), many=True, required=False)

    class Meta:
        model = Job
        fields = "__all__"


class CarelessJobs(ListCreateAPIView, UpdateAPIView):
    """What the query says goes into the ORM, what the body says into the row."""

    permission_classes = (AllowAny,)
    parser_classes = (JSONParser,)
    serializer_class = CarelessJobSerializer

    def get_queryset(self):
        return Job.objects.filter(is_open=True)

    def list(self, request):
        asked = request.GET.dict()
        jobs = self.get_queryset().order_by(asked.pop("sort", "pk"))
        if "search" in asked:
            jobs = jobs.extra(where=["title ILIKE '%%" + asked.pop("search") + "%%'"])  # noqa: S610
        return Response({"results": CarelessJobSerializer(jobs.filter(**asked), many=True).data})


class CarelessUserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = "__all__"


class CarelessSignUp(CreateAPIView):
    permission_classes = (AllowAny,)
    serializer_class = CarelessUserSerializer


urlpatterns = [
    path("", include("config.urls")),
    path("careless/jobs/", CarelessJobs.as_view()),
    path("careless/jobs/<int:pk>/", CarelessJobs.as_view()),
    path("careless/auth/sign-up/", CarelessSignUp.as_view()),
]

JOB = {"company": "acme", "title": "Tester"}
PERSON = {"email": "new@example.com", "password": "a long and quiet walk"}
DEEP = "[" * 60_000  # Python gives up before it misses the end
# name: (method, path, query or body); a text is sent as it is.
PAYLOADS = {
    "a list, not an object": ("POST", "jobs/", [JOB]),
    "half a document": ("POST", "jobs/", '{"company": "acme"'),
    "NaN as a salary": ("POST", "jobs/", '{"company": "acme", "title": "Tester", "salary_max": NaN}'),
    "a salary of 5,000 digits": (
        "POST",
        "jobs/",
        '{"company": "acme", "title": "T", "salary_max": ' + "9" * 5000 + "}",
    ),
    "60,000 brackets deep": ("POST", "jobs/", '{"company": "acme", "title": ' + DEEP + "}"),
    "1 MB of title": ("POST", "jobs/", JOB | {"title": "x" * 1_000_000}),
    "NUL in the title": ("POST", "jobs/", JOB | {"title": "Test\0er"}),
    "NUL in the company": ("POST", "jobs/", JOB | {"company": "ac\0me"}),
    "half a surrogate pair in the company": ("POST", "jobs/", JOB | {"company": "\ud800"}),
    "an object as the company": ("POST", "jobs/", JOB | {"company": {"slug": "acme"}}),
    "a misspelt field": ("POST", "jobs/", JOB | {"salry_max": 5000}),
    "views: 1000000": ("POST", "jobs/", JOB | {"views": 1_000_000}),
    "salaries the wrong way round": ("POST", "jobs/", JOB | {"salary_min": 9, "salary_max": 1}),
    "salary_min above the stored maximum": ("PATCH", "jobs/{job}/", {"salary_min": 9000}),
    "another company's slug": ("PATCH", "jobs/{job}/", {"company": "other"}),
    "is_superuser at sign-up": ("POST", "auth/sign-up/", PERSON | {"is_superuser": True}),
    "sort=nonsense": ("GET", "jobs/", {"sort": "nonsense"}),
    "sort by the staff's password": ("GET", "jobs/", {"sort": "company__staff__password"}),
    "filter by the staff's password": ("GET", "jobs/", {"company__staff__password__startswith": "argon2"}),
    "an unknown filter": ("GET", "jobs/", {"nonsense": "1"}),
    "NUL in a filter": ("GET", "jobs/", {"search": "\0"}),
    "an apostrophe in a search": ("GET", "jobs/", {"search": "O'Brien"}),
    "SQL in a search": ("GET", "jobs/", {"search": "')) OR ((title ILIKE '"}),
    "is_open=banana": ("GET", "jobs/", {"is_open": "banana"}),
    "title: 123": ("POST", "jobs/", JOB | {"title": 123}),
    "an invisible title": ("POST", "jobs/", JOB | {"title": "\u200b"}),
    "the same key twice": ("POST", "jobs/", '{"company": "acme", "title": "A", "title": "B"}'),
}
CARELESS, OURS = "/careless/", "/api/"


def sent(world, api, name):
    """Send a payload as a member of Acme's staff, in a transaction that is rolled back; return the response."""
    method, address, data = PAYLOADS[name]
    cache.clear()
    client = world.client(world.staff)
    address = api + address.format(job=world.job.pk)
    with transaction.atomic():
        if method == "GET":
            answer = client.get(address, data)
        else:
            body = data if isinstance(data, str) else json.dumps(data)
            answer = client.generic(method, address, body, "application/json", headers={"If-Match": "*"})
        transaction.set_rollback(True)
    return answer


@pytest.fixture
def both(settings, world):
    settings.ROOT_URLCONF = __name__
    return world


@pytest.mark.parametrize(
    ("name", "careless", "ours"),
    [
        ("a list, not an object", 422, 422),
        ("half a document", 400, 400),
        ("NaN as a salary", 400, 400),
        ("a salary of 5,000 digits", 400, 400),
        ("60,000 brackets deep", 500, 400),
        ("1 MB of title", 400, 400),
        ("NUL in the title", 422, 422),
        ("NUL in the company", 500, 422),
        ("half a surrogate pair in the company", 422, 422),
        ("an object as the company", 422, 422),
        ("a misspelt field", 201, 422),
        ("views: 1000000", 201, 422),
        ("salaries the wrong way round", 500, 422),
        ("salary_min above the stored maximum", 500, 422),
        ("another company's slug", 200, 422),
        ("is_superuser at sign-up", 201, 422),
        ("sort=nonsense", 500, 400),
        ("sort by the staff's password", 200, 400),
        ("filter by the staff's password", 200, 400),
        ("an unknown filter", 500, 400),
        ("NUL in a filter", 500, 400),
        ("an apostrophe in a search", 500, 200),
        ("SQL in a search", 200, 200),
        ("is_open=banana", 500, 200),
        ("title: 123", 201, 201),
        ("an invisible title", 201, 201),
        ("the same key twice", 201, 201),
    ],
)
def test_what_a_hostile_request_is_told(both, name, careless, ours):
    assert (sent(both, CARELESS, name).status_code, sent(both, OURS, name).status_code) == (careless, ours)


def test_every_payload_has_a_row():
    rows = test_what_a_hostile_request_is_told.pytestmark[0].args[1]
    assert [name for name, _, _ in rows] == list(PAYLOADS)


# --- What the accepted ones did -----------------------------------------------


def test_a_careless_sign_up_makes_a_superuser_with_a_password_in_clear(both, client):
    body = PERSON | {"is_superuser": True, "is_staff": True}
    client.post("/careless/auth/sign-up/", body, content_type="application/json")
    user = User.objects.get(email=PERSON["email"])
    assert (user.is_superuser, user.is_staff, user.password) == (True, True, PERSON["password"])


def test_a_careless_update_moves_a_job_to_another_company(both, client):
    client.patch(f"/careless/jobs/{both.job.pk}/", {"company": "other"}, content_type="application/json")
    assert Job.objects.get(pk=both.job.pk).company.slug == "other"


def test_views_is_ignored_since_it_is_not_editable_and_nobody_is_told(both, client):
    answer = client.post("/careless/jobs/", JOB | {"views": 7}, content_type="application/json")
    assert (answer.status_code, answer.json()["views"]) == (201, 0)


def test_sql_in_a_search_shows_closed_jobs(both, client):
    found = client.get("/careless/jobs/", PAYLOADS["SQL in a search"][2]).json()["results"]
    assert "Archivist" in {job["title"] for job in found}


LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789@.-_"


def guess(ask):
    """Read a text letter by letter; `ask` says whether it starts so. Return it and how many questions it took."""
    known, questions = "", 0
    while True:
        for letter in LETTERS:
            questions += 1
            if ask(known + letter):
                known += letter
                break
        else:
            return known, questions


def starts_with(client, text):
    cache.clear()  # a visitor has 60 requests a minute; the attack is the same, and takes minutes
    asked = {"company__slug": "acme", "company__staff__email__startswith": text}
    return bool(client.get("/careless/jobs/", asked).json()["results"])


def test_a_visitor_reads_an_address_through_the_filters(both, client):
    assert guess(lambda text: starts_with(client, text)) == ("staff@example.com", 274)


def look_ups(client, address, count):
    """Post a job that needs `count` skills; return the status and how many queries looked skills up by name."""
    body = JOB | {"skills": [f"skill {n}" for n in range(count)]}
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        status = client.post(address, body, format="json").status_code
        transaction.set_rollback(True)
    return status, sum('WHERE "board_skill"."name"' in query["sql"] for query in captured)


@pytest.mark.parametrize(("count", "careless", "ours"), [(20, (201, 20), (201, 1)), (1000, (201, 1000), (422, 0))])
def test_what_a_long_list_of_names_costs(both, count, careless, ours):
    Skill.objects.bulk_create(Skill(name=f"skill {n}") for n in range(count))
    client = both.client(both.staff)
    assert look_ups(client, "/careless/jobs/", count) == careless
    assert look_ups(client, "/api/jobs/", count) == ours


# --- What the job board accepts -----------------------------------------------


def test_a_filter_that_is_no_boolean_is_no_filter(both):
    titles = {job["title"] for job in sent(both, OURS, "is_open=banana").json()["results"]}
    assert {"Archivist", "Baker"} < titles, "closed and open ones"


def test_two_spellings_of_one_title_are_two_jobs(both):
    client = both.client(both.staff)
    answers = [client.post("/api/jobs/", JOB | {"title": title}, format="json") for title in ("Zo\u00eb", "Zoe\u0308")]
    assert [answer.status_code for answer in answers] == [201, 201]


def test_the_last_of_two_keys_wins_and_a_number_becomes_text(both):
    assert sent(both, OURS, "the same key twice").json()["title"] == "B"
    assert sent(both, OURS, "title: 123").json()["title"] == "123"


# --- Messages -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a list, not an object", "Invalid data. Expected a dictionary, but got list."),
        ("half a document", "JSON parse error - Expecting ',' delimiter"),
        ("NaN as a salary", "JSON parse error - Out of range float values are not JSON compliant: 'NaN'"),
        ("60,000 brackets deep", "This nests too deeply."),
        ("NUL in the title", "Null characters are not allowed."),
        ("half a surrogate pair in the company", "Surrogate characters are not allowed: U+D800."),
        ("an object as the company", "Not a valid string."),
        ("a misspelt field", "This field is not known."),
        ("an unknown filter", "This parameter is not known."),
    ],
)
def test_a_message_says_what_is_wrong(both, name, message):
    document = sent(both, OURS, name).json()
    said = [document["detail"], *(error["detail"] for error in document.get("errors", []))]
    assert any(text.startswith(message) for text in said), said


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("60,000 brackets deep", "maximum recursion depth exceeded"),
        ("NUL in the company", "PostgreSQL text fields cannot contain NUL (0x00) bytes"),
        ("salaries the wrong way round", 'violates check constraint "job_salary_range"'),
        ("sort=nonsense", "Cannot resolve keyword 'nonsense' into field."),
        ("an apostrophe in a search", 'syntax error at or near "Brien"'),
        ("is_open=banana", "“banana” value must be either True or False."),
    ],
)
def test_what_the_log_of_the_careless_one_says(both, name, message):
    assert message in str(sent(both, CARELESS, name).exc_info[1])
