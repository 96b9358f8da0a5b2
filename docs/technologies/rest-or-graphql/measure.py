"""Three screens of the job board by REST and by GraphQL: requests, bytes, queries and times."""

from types import SimpleNamespace

from board import caching
from board.models import Job
from test_rest_or_graphql import (
    Cards,
    Home,
    Visitor,
    ask_view,
    bearer,
    cards_graphql,
    cards_rest,
    home_graphql,
    home_rest,
    job_graphql,
    job_rest,
    someone,
)

MEASURES = [
    "docs/technologies/rest-or-graphql/test_rest_or_graphql.py::Visitor",
    "docs/technologies/rest-or-graphql/test_rest_or_graphql.py::CARDS",
    "docs/technologies/rest-or-graphql/test_rest_or_graphql.py::JOB",
    "docs/technologies/rest-or-graphql/test_rest_or_graphql.py::HOME",
    "docs/technologies/rest-or-graphql/test_rest_or_graphql.py::Home",
]
GIVEN = {}
FIRST = "Three screens, nothing cached; down: bytes of the answers"
AGAIN = "The same visitor again, nothing has changed; down: bytes of the answers"
SHAPE = "What the client sends, without headers"
LESS = "The list of jobs, by how much of it is asked for"


def measure(lab):
    with lab.dataset("S"):
        user = someone()
        pk = Job.objects.open().latest("pk").pk
        screens = {
            "list, REST": (cards_rest, (), None),
            "list, GraphQL": (cards_graphql, (), None),
            "job, REST": (job_rest, (pk,), None),
            "job, GraphQL": (job_graphql, (pk,), None),
            "home, REST": (home_rest, (), user),
            "home, GraphQL": (home_graphql, (), user),
        }
        visits = {name: fresh(*screen) for name, screen in screens.items()}
        lab.compare(FIRST, visits | {"home, own endpoint": own_endpoint(user)}, counts=traffic)
        lab.compare(AGAIN, {name: again(*screen) for name, screen in screens.items()}, counts=traffic)
        for name, screen in screens.items():
            visitor = fresh(*screen)()
            lab.record(SHAPE, name, counts={"rounds": visitor.rounds, "bytes up": visitor.up})
        for name, address in {"all fields": "/", "?fields=": "/?fields=title,salary_max,company,skills"}.items():
            lab.record(LESS, name, counts={"bytes down": len(ask_view(Cards, address).content)})
        visitor = Visitor()
        cards_graphql(visitor)
        lab.record(LESS, "GraphQL", counts={"bytes down": visitor.down})
    lab.picture(FIRST, "requests", "queries", "time")


def fresh(screen, arguments, user):
    visitor = Visitor(user)

    def visit():
        caching.begin_generation()
        visitor.forget()
        visitor.kept.clear()
        screen(visitor, *arguments)
        return visitor

    return visit


def own_endpoint(user):
    headers = bearer(user)

    def visit():
        caching.begin_generation()
        return SimpleNamespace(requests=1, down=len(ask_view(Home, "/", headers).content))

    return visit


def again(screen, arguments, user):
    visitor = Visitor(user)
    screen(visitor, *arguments)

    def visit():
        visitor.forget()
        screen(visitor, *arguments)
        return visitor

    return visit


def traffic(visitor):
    return {"requests": visitor.requests, "down": visitor.down}
