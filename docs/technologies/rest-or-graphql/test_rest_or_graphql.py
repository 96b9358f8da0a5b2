"""Three screens, asked for both ways: requests, bytes and queries, and what a second visit costs."""

import io
import itertools
import json

import pytest
from accounts import tokens
from accounts.models import User
from board import caching
from board.api.serializers import JobSummarySerializer
from board.models import Application, Job, Skill
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

ADDRESSES = itertools.cycle(range(250))

CARDS = """{ jobs(first: 20) { edges { node {
  title salaryMax company { name } skills { name } } } } }"""
JOB = """query ($id: ID!) { job(id: $id) {
  title description
  company { name openJobs jobs(first: 5) { edges { node { title } } } } } }"""
HOME = """{ statistics { openJobs }
  jobs(first: 5) { edges { node { title company { name } } } }
  skills(first: 20) { edges { node { name } } }
  applications(first: 5) { edges { node { status job { title } } } } }"""


class Visitor:
    """A client that counts what goes over the wire, without headers."""

    def __init__(self, user=None):
        # An address of its own, so that no limit on requests is met.
        self.client = APIClient(SERVER_NAME="localhost", REMOTE_ADDR=f"10.0.{next(ADDRESSES)}.1")
        if user:
            self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(user)['access']}")
        self.kept = {}
        self.forget()

    def forget(self):
        self.requests = self.rounds = self.up = self.down = 0

    def get(self, *addresses):
        """Ask for addresses side by side; return what they hold."""
        self.rounds += 1
        return [self.one(address) for address in addresses]

    def one(self, address):
        """Do as a browser does: keep the answer and its ETag, and ask whether it still holds."""
        etag, body = self.kept.get(address, ("", None))
        response = self.client.get(address, headers={"If-None-Match": etag} if etag else {})
        assert response.status_code in (200, 304), response.content
        self.count(len(address), response)
        if response.status_code == 200:
            body = response.json()
            self.kept[address] = response.headers.get("ETag", ""), body
        return body

    def ask(self, document, **variables):
        """Send a GraphQL document; return its data."""
        self.rounds += 1
        body = json.dumps({"query": document, "variables": variables})
        response = self.client.post("/graphql/", body, content_type="application/json")
        assert "errors" not in response.json(), response.content
        self.count(len(body), response)
        return response.json()["data"]

    def count(self, up, response):
        self.requests += 1
        self.up += up
        self.down += len(response.content)


def nodes(page):
    return [edge["node"] for edge in page["edges"]]


def cards_rest(visitor):
    """Return what the list of jobs shows."""
    (page,) = visitor.get("/api/jobs/")
    return [(job["title"], job["salary_max"], job["company"]["name"], sorted(job["skills"])) for job in page["results"]]


def cards_graphql(visitor):
    return [
        (job["title"], job["salaryMax"], job["company"]["name"], sorted(skill["name"] for skill in job["skills"]))
        for job in nodes(visitor.ask(CARDS)["jobs"])
    ]


def job_rest(visitor, pk):
    """Return what the page of a job shows: it, and its company."""
    (job,) = visitor.get(f"/api/jobs/{pk}/")
    slug = job["company"]["slug"]
    company, others = visitor.get(
        f"/api/companies/{slug}/",
        f"/api/jobs/?company={slug}",
    )
    titles = [other["title"] for other in others["results"][:5]]
    about = company["name"], company["open_jobs"]
    return job["title"], job["description"], *about, titles


def job_graphql(visitor, pk):
    job = visitor.ask(JOB, id=pk)["job"]
    company = job["company"]
    titles = [other["title"] for other in nodes(company["jobs"])]
    return job["title"], job["description"], company["name"], company["openJobs"], titles


def home_rest(visitor):
    """Return what a signed-in visitor sees first."""
    statistics, jobs, skills, mine = visitor.get("/api/statistics/", "/api/jobs/", "/api/skills/", "/api/applications/")
    return {
        "open_jobs": statistics["open_jobs"],
        "jobs": [{"title": job["title"], "company": job["company"]["name"]} for job in jobs["results"][:5]],
        "skills": [skill["name"] for skill in skills["results"][:20]],
        "applications": [{"status": row["status"], "job": row["job"]["title"]} for row in mine["results"][:5]],
    }


def home_graphql(visitor):
    data = visitor.ask(HOME)
    return {
        "open_jobs": data["statistics"]["openJobs"],
        "jobs": [{"title": job["title"], "company": job["company"]["name"]} for job in nodes(data["jobs"])],
        "skills": [skill["name"] for skill in nodes(data["skills"])],
        "applications": [{"status": row["status"], "job": row["job"]["title"]} for row in nodes(data["applications"])],
    }


def card(job):
    return {"title": job.title, "company": job.company.name}


def line(application):
    return {"status": application.status, "job": application.job.title}


class Home(APIView):
    """Answer what the home screen shows, in one request."""

    permission_classes = (IsAuthenticated,)

    def get(self, request):
        user, newest = request.user, ("-created_at", "-id")
        jobs = Job.objects.visible_to(user).with_company()
        mine = Application.objects.visible_to(user)
        mine = mine.select_related("job").order_by(*newest)
        skills = Skill.objects.order_by("name")[:20]
        answer = {
            "open_jobs": caching.statistics()["open_jobs"],
            "jobs": [card(job) for job in jobs.order_by(*newest)[:5]],
            "skills": [skill.name for skill in skills],
            "applications": [line(row) for row in mine[:5]],
        }
        return Response(answer)


class CardSerializer(JobSummarySerializer):
    """A job with the fields that ?fields= names, or all."""

    def get_fields(self):
        fields = super().get_fields()
        wanted = self.context["request"].query_params.get("fields")
        names = wanted.split(",") if wanted else fields
        return {name: fields[name] for name in fields if name in names}


def bearer(user):
    """Return headers that sign a user in."""
    return {"Authorization": f"Bearer {tokens.issue(user)['access']}"}


def ask_view(view, address, headers=None):
    """Return the answer of a view that has no URL in the job board."""
    return view.as_view()(APIRequestFactory().get(address, headers=headers)).render()


class Cards(APIView):
    """The list of jobs, with CardSerializer."""

    permission_classes = (AllowAny,)

    def get(self, request):
        jobs = Job.objects.visible_to(request.user).for_display().order_by("-created_at", "-id")[:20]
        return Response({"next": None, "results": CardSerializer(jobs, many=True, context={"request": request}).data})


def titles_of(response):
    """Return the titles for the list; the client shows "no jobs" if empty."""
    if response.status_code != 200:
        raise RuntimeError("the board cannot be reached")
    data = response.json()["data"] or {}
    jobs = data.get("jobs") or {"edges": []}
    return [edge["node"]["title"] for edge in jobs["edges"]]


DECISION = """\
# 7. REST for everybody, GraphQL for our own reads

Status: accepted, 2026-11-26. Look at it again when a second client is ours.

Context. Three screens. The home screen takes 4 requests in REST, the page of
a job 3 in 2 rounds. Writes need 409, 412 and Idempotency-Key, which exist.

Decision. Everything can be done by REST. The same reads are also in GraphQL,
for clients whose screens change weekly. GraphQL has no mutations.

Consequences. Two contracts, one set of queryset rules. No 304 in GraphQL.
Limits in board/graphql/limits.py must be kept up to date.

Way back. Count documents by name for a month. If one screen is left, write
its endpoint, wait until its document is not sent any more, remove the route.
"""


@pytest.fixture
def board(db):
    """Dataset S: 200 jobs, of which 161 are open."""
    call_command("seed", size="S", stdout=io.StringIO())


def someone():
    """Return a user with applications, who is on no company's staff."""
    return User.objects.filter(applications__isnull=False, companies=None).order_by("pk").first()


def count(screen, *arguments, user=None):
    """Return requests, rounds and queries of a screen, and what it shows."""
    visitor = Visitor(user)
    caching.begin_generation()  # the cache of the server holds nothing
    with CaptureQueriesContext(connection) as captured:
        shown = screen(visitor, *arguments)
    queries = [query for query in captured if "SAVEPOINT" not in query["sql"]]
    return (visitor.requests, visitor.rounds, len(queries)), shown


def test_the_list(board):
    rest, graphql = count(cards_rest), count(cards_graphql)
    assert rest[1] == graphql[1]
    assert (rest[0], graphql[0]) == ((1, 1, 2), (1, 1, 2))


def test_the_page_of_a_job(board):
    pk = Job.objects.open().latest("pk").pk
    rest, graphql = count(job_rest, pk), count(job_graphql, pk)
    assert rest[1] == graphql[1]
    assert (rest[0], graphql[0]) == ((3, 2, 5), (1, 1, 3))


def test_the_home_screen_both_ways_and_with_an_endpoint_of_its_own(board):
    user = someone()
    rest, graphql = count(home_rest, user=user), count(home_graphql, user=user)
    assert rest[1] == graphql[1]
    assert (rest[0], graphql[0]) == ((4, 1, 14), (1, 1, 8))
    caching.begin_generation()
    headers = bearer(user)
    with CaptureQueriesContext(connection) as captured:
        own = ask_view(Home, "/", headers)
    assert own.data == rest[1]
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) == 8


def test_a_second_visit_is_304_in_rest_and_everything_again_in_graphql(board):
    visitor = Visitor()
    first = cards_rest(visitor)
    visitor.forget()
    with CaptureQueriesContext(connection) as captured:
        assert cards_rest(visitor) == first
    assert (visitor.requests, visitor.down, len(captured)) == (1, 0, 0)
    cards_graphql(visitor)
    visitor.forget()
    with CaptureQueriesContext(connection) as captured:
        cards_graphql(visitor)
    assert visitor.down > 1000
    assert len(captured) == 2


def test_rest_can_send_less_too(board):
    whole = ask_view(Cards, "/")
    less = ask_view(Cards, "/?fields=title,company,skills,salary_max")
    assert set(less.data["results"][0]) == {"title", "company", "skills", "salary_max"}
    assert len(less.content) < len(whole.content)


def test_a_refusal_looks_like_an_empty_list(world):
    for document, refused in ((CARDS, False), (CARDS.replace("first: 20", "first: 51"), True)):
        response = world.client().post("/graphql/", {"query": document}, format="json")
        assert response.status_code == 200
        assert bool(titles_of(response)) is not refused
        assert ("errors" in response.json()) is refused


def test_the_messages_of_the_page(world):
    response = world.client().get("/api/jobs/?fields=title")
    assert response.status_code == 400
    assert "This parameter is not known." in response.content.decode()
    response = world.client().post("/graphql/", {"query": CARDS.replace("salaryMax", "salary_max")}, format="json")
    assert response.json()["errors"][0]["message"] == (
        "Cannot query field 'salary_max' on type 'Job'. Did you mean 'salaryMax' or 'salaryMin'?"
    )
    response = world.client().get("/graphql/", {"query": "{ __typename }"}, headers={"Accept": "application/json"})
    assert (response.status_code, response.content) == (400, b"queries are not allowed when using GET")
    assert world.client().generic("QUERY", "/graphql/", "{ __typename }").status_code == 405
