"""Which layer answers a request, in which order, and what each failure says."""

import contextlib
import logging
import time
from collections import Counter, defaultdict
from unittest import mock

import pytest
import redis
from board.api.serializers import JobSummarySerializer
from board.models import Job
from django.conf import settings
from django.core import checks
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.db.models.signals import post_save
from django.http import HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path
from rest_framework.views import APIView

APP = "https://app.example"  # where the frontend lives
CORS = "corsheaders.middleware.CorsMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
logger = logging.getLogger(__name__)
log = []


def who_asks(get_response):
    """Note who asks, on the way in and on the way out."""

    def middleware(request):
        log.append(f"in: {request.user}")
        response = get_response(request)
        log.append(f"out: {request.user}")
        return response

    return middleware


def note_errors(get_response):
    """Log every exception of a view. Or so it says."""

    def middleware(request):
        try:
            return get_response(request)
        except Exception:
            logger.exception("failed: %s", request.path)
            raise

    return middleware


def note_view_errors(get_response):
    """Log every exception that leaves a view."""

    def middleware(request):
        return get_response(request)

    def process_exception(request, exception):
        logger.error("failed: %s", request.path, exc_info=exception)

    middleware.process_exception = process_exception
    return middleware


def outer(get_response):
    return traced("outer", get_response)


def inner(get_response):
    return traced("inner", get_response)


def gate(get_response):
    """Answer without asking further."""
    return lambda request: log.append("gate") or HttpResponse("closed")


def traced(name, get_response):
    def middleware(request):
        log.append(f"{name}: in")
        response = get_response(request)
        log.append(f"{name}: out")
        return response

    return middleware


def plain(request):
    log.append("view")
    return HttpResponse("plain")


def greeting(request):
    return HttpResponse(f"Hello {request.user}")


def broken(request):
    raise ValueError("a bug")


urlpatterns = [path("plain/", plain), path("greeting/", greeting), path("broken/", broken)]
handler500 = "board.api.errors.server_error"


@pytest.fixture(autouse=True)
def empty_log():
    log.clear()


def mine(*functions):
    """Return the dotted paths of middleware of this file."""
    return [f"{__name__}.{function.__name__}" for function in functions]


def below_common():
    """Return the job board's middleware with CORS below CommonMiddleware: a mistake."""
    rest = [name for name in settings.MIDDLEWARE if name != CORS]
    rest.insert(rest.index(COMMON) + 1, CORS)
    return rest


def at_the_top():
    return [CORS, *(name for name in settings.MIDDLEWARE if name != CORS)]


def frontend(**headers):
    """Return a client that sends what a browser at APP would."""
    return Client(raise_request_exception=False, headers={"origin": APP} | headers)


def queries_of(ask):
    with CaptureQueriesContext(connection) as captured:
        ask()
    return len(captured)


# The order.


@override_settings(ROOT_URLCONF=__name__)
def test_first_in_last_out():
    with override_settings(MIDDLEWARE=mine(outer, inner)):
        assert Client().get("/plain/").content == b"plain"
    assert log == ["outer: in", "inner: in", "view", "inner: out", "outer: out"]


@override_settings(ROOT_URLCONF=__name__)
def test_who_answers_hides_the_layers_below():
    with override_settings(MIDDLEWARE=mine(outer, gate, inner)):
        assert Client().get("/plain/").content == b"closed"
    assert log == ["outer: in", "gate", "outer: out"]


def test_the_order_of_the_middleware():
    order = [name.rpartition(".")[2] for name in settings.MIDDLEWARE]
    for above, below in (
        ("SecurityMiddleware", "SessionMiddleware"),
        ("CorsMiddleware", "CommonMiddleware"),
        ("SessionMiddleware", "AuthenticationMiddleware"),
        ("CsrfViewMiddleware", "AuthenticationMiddleware"),
    ):
        assert order.index(above) < order.index(below)


# The same faults, with CORS where it belongs and below CommonMiddleware.

ASK = {
    "list": lambda client: client.get("/api/jobs/"),
    "wrong host": lambda client: client.get("/api/jobs/", headers={"host": "evil.example"}),
    "no slash": lambda client: client.get("/api/jobs"),
    "preflight": lambda client: client.options("/api/jobs/", headers={"access-control-request-method": "POST"}),
    "unknown address": lambda client: client.get("/api/nothing/"),
    "no token": lambda client: client.post("/api/jobs/", "{}", content_type="application/json"),
}
# status, and whether the browser shows it to the frontend: above, below
SEEN = {
    "list": (200, True, True),
    "wrong host": (400, True, False),
    "no slash": (301, True, False),
    "preflight": (200, True, True),
    "unknown address": (404, True, True),
    "no token": (401, True, True),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_the_browser_is_allowed_to_see(world, settings, name):
    settings.CORS_ALLOWED_ORIGINS = [APP]
    seen = []
    for order in (settings.MIDDLEWARE, below_common()):
        settings.MIDDLEWARE = order
        response = ASK[name](frontend())
        seen.append(response.headers.get("Access-Control-Allow-Origin") == APP)
    assert (response.status_code, *seen) == SEEN[name]


def test_a_bug_in_the_view_keeps_its_cors_header(settings):
    settings.CORS_ALLOWED_ORIGINS = [APP]
    settings.ROOT_URLCONF = __name__
    for order in (settings.MIDDLEWARE, below_common()):
        settings.MIDDLEWARE = order
        response = frontend().get("/broken/")
        assert response.status_code == 500
        assert response.headers["Access-Control-Allow-Origin"] == APP


def test_a_redirect_to_https_stands_above_cors(world, settings):
    """On the job board, SecurityMiddleware is the first: a preflight over http is redirected, and browsers refuse."""
    settings.CORS_ALLOWED_ORIGINS = [APP]
    settings.SECURE_SSL_REDIRECT = True
    response = ASK["preflight"](frontend())
    assert (response.status_code, response.headers["Location"]) == (301, "https://testserver/api/jobs/")
    assert "Access-Control-Allow-Origin" not in response.headers
    settings.MIDDLEWARE = at_the_top()
    assert ASK["preflight"](frontend()).status_code == 200


@pytest.mark.parametrize(
    ("name", "value", "error", "text"),
    [
        (
            "CORS_ALLOWED_ORIGINS",
            "app.example",
            "corsheaders.E013",
            "Origin 'app.example' in CORS_ALLOWED_ORIGINS is missing scheme or netloc",
        ),
        (
            "CORS_ALLOWED_ORIGINS",
            f"{APP}/",
            "corsheaders.E014",
            f"Origin '{APP}/' in CORS_ALLOWED_ORIGINS should not have path",
        ),
        (
            "CSRF_TRUSTED_ORIGINS",
            "app.example",
            "4_0.E001",
            "As of Django 4.0, the values in the CSRF_TRUSTED_ORIGINS setting must start with a scheme "
            "(usually http:// or https://) but found app.example. See the release notes for details.",
        ),
    ],
)
def test_manage_py_check_finds_a_wrong_origin(settings, name, value, error, text):
    setattr(settings, name, [value])
    found = {problem.id: problem.msg for problem in checks.run_checks()}
    assert found[error] == text


def test_no_check_finds_a_scheme_in_allowed_hosts(settings):
    settings.ALLOWED_HOSTS = ["https://jobs.example"]
    assert checks.run_checks() == []
    assert Client().get("/healthz", headers={"host": "jobs.example"}).status_code == 400


# Who asks.


def test_a_token_is_read_in_the_view(world, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *mine(who_asks)]
    assert world.client(world.applicant).get("/api/jobs/").status_code == 200
    assert log == ["in: AnonymousUser", "out: applicant@example.com"]


def test_a_session_is_read_before_it_at_the_first_touch(world, settings):
    settings.ROOT_URLCONF = __name__
    client = Client()
    client.force_login(world.root)
    assert queries_of(lambda: client.get("/plain/")) == 0
    assert queries_of(lambda: client.get("/greeting/")) == 2
    assert client.get("/greeting/").content == b"Hello root@example.com"


# What a middleware hears of an exception.


@pytest.mark.parametrize(("middleware", "heard"), [(note_errors, 0), (note_view_errors, 1)])
def test_an_exception_of_the_view_arrives_as_a_response(settings, caplog, middleware, heard):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = mine(middleware)
    assert Client(raise_request_exception=False).get("/broken/").status_code == 500
    assert caplog.messages.count("failed: /broken/") == heard


def test_the_test_client_raises_it_again(settings, caplog):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = mine(note_errors)
    with pytest.raises(ValueError, match="a bug"):
        Client().get("/broken/")
    assert "failed: /broken/" not in caplog.messages


def sees_text(get_response):
    """Note whether the body is text on its way up."""

    def middleware(request):
        response = get_response(request)
        log.append("text" if response.content.isascii() else "compressed")
        return response

    return middleware


@pytest.mark.parametrize(("below", "seen"), [(False, "text"), (True, "compressed")])
def test_what_stands_above_gzip_sees_no_text(world, settings, below, seen):
    gzip = ["django.middleware.gzip.GZipMiddleware"]
    probe = mine(sees_text)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *(probe + gzip if below else gzip + probe)]
    assert Client().get("/api/jobs/", headers={"accept-encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert log == [seen]


def test_rest_framework_answers_its_own_exceptions(world, settings, caplog):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *mine(note_view_errors)]
    assert world.client().get("/api/jobs/999/").status_code == 404
    assert "failed: /api/jobs/999/" not in caplog.messages


def test_a_signal_is_part_of_the_request(world):
    def receiver(**kwargs):
        raise ValueError("the mail server is away")

    post_save.connect(receiver, sender=Job)
    try:
        with pytest.raises(ValueError, match="the mail server is away"):
            world.add_job("T")
    finally:
        post_save.disconnect(receiver, sender=Job)


# What Django says when it goes wrong.

HOST = "Invalid HTTP_HOST header: 'jobs.example'. You may need to add 'jobs.example' to ALLOWED_HOSTS."
ORIGIN = "Origin checking failed - https://jobs.example does not match any trusted origins."
SLASH = (
    "You called this URL via POST, but the URL doesn't end in a slash and you have APPEND_SLASH set. "
    "Django can't redirect to the slash URL while maintaining POST data. Change your form to point to "
    "testserver/api/jobs/ (note the trailing slash), or set APPEND_SLASH=False in your Django settings."
)


def test_disallowed_host(world, caplog):
    assert Client().get("/api/jobs/", headers={"host": "jobs.example"}).status_code == 400
    (record,) = (record for record in caplog.records if record.name == "django.security.DisallowedHost")
    assert record.getMessage() == HOST


def test_a_host_with_its_scheme_has_another_message(world, caplog):
    Client().get("/api/jobs/", headers={"host": "https://jobs.example"})
    assert (
        "Invalid HTTP_HOST header: 'https://jobs.example'. The domain name provided is not valid according to "
        "RFC 1034/1035."
    ) in caplog.messages


def sign_in(**headers):
    """Send the admin's form, as a proxy passes it on that spoke https with the browser."""
    client = Client(enforce_csrf_checks=True)
    client.get("/admin/login/", headers=headers)
    token = client.cookies["csrftoken"].value
    form = {"username": "a", "password": "b", "csrfmiddlewaretoken": token}
    return client.post("/admin/login/", form, headers=headers)


def test_origin_checking_failed(db, settings, caplog):
    settings.ALLOWED_HOSTS = ["jobs.example"]
    behind_tls = {"host": "jobs.example", "origin": "https://jobs.example", "x-forwarded-proto": "https"}
    refused = sign_in(**behind_tls)
    assert refused.status_code == 403
    assert refused.json()["detail"] == f"CSRF check failed: {ORIGIN}"
    assert f"Forbidden ({ORIGIN}): /admin/login/" in caplog.messages
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    with_referer = behind_tls | {"referer": "https://jobs.example/admin/login/"}
    assert sign_in(**with_referer).status_code == 200  # wrong password, right origin


def test_a_redirect_to_https_that_never_ends(world, settings):
    settings.SECURE_SSL_REDIRECT = True
    ask = {"x-forwarded-proto": "https"}
    response = Client().get("/api/jobs/", headers=ask)
    assert (response.status_code, response.headers["Location"]) == (301, "https://testserver/api/jobs/")
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert Client().get("/api/jobs/", headers=ask).status_code == 200


def test_a_post_without_the_slash(world, settings):
    def post(client):
        return client.post("/api/jobs", "{}", content_type="application/json")

    assert post(Client()).status_code == 301  # production: the browser follows with GET
    assert Client().post("/api/jobs", "{}", content_type="application/json", follow=True).status_code == 200
    settings.DEBUG = True
    with pytest.raises(RuntimeError) as error:
        post(Client())
    assert str(error.value) == SLASH


# Where the time goes.


class Stages:
    """A stopwatch for stages inside stages: each gets its own time only."""

    def __init__(self):
        self.seconds, self.calls, self.inside = defaultdict(float), Counter(), []

    @contextlib.contextmanager
    def stage(self, name):
        self.inside.append(0.0)
        began = time.perf_counter()
        try:
            yield
        finally:
            taken = time.perf_counter() - began
            self.seconds[name] += taken - self.inside.pop()
            self.calls[name] += 1
            if self.inside:
                self.inside[-1] += taken

    def around(self, function, name):
        def timed(*arguments, **named):
            with self.stage(name):
                return function(*arguments, **named)

        return timed


PARTS = {
    "URL resolver": (BaseHandler, "resolve_request"),
    "the view": (BaseHandler, "_get_response"),
    "who, may they": (APIView, "initial"),
    "serializer": (JobSummarySerializer, "to_representation"),
    "Redis": (redis.Redis, "execute_command"),
}


def stages_of(ask):
    """Return the stages of one request, and its response."""
    stages = Stages()
    with contextlib.ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(stages.around(send, "SQL")))
        for name, (owner, method) in PARTS.items():
            stack.enter_context(mock.patch.object(owner, method, stages.around(getattr(owner, method), name)))
        client = Client()
        client.handler.load_middleware()
        with stages.stage("middleware, both ways"):
            response = ask(client)
    return stages, response


def send(execute, *arguments):
    return execute(*arguments)


def test_the_stopwatch_gives_each_stage_its_own_time():
    stages = Stages()
    with stages.stage("outer"):
        time.sleep(0.01)
        with stages.stage("inner"):
            time.sleep(0.05)
    assert stages.seconds["inner"] > stages.seconds["outer"]


def test_the_stages_of_a_list(world):
    token = world.client(world.applicant)._credentials["HTTP_AUTHORIZATION"]
    stages, response = stages_of(lambda client: client.get("/api/jobs/", headers={"authorization": token}))
    assert response.status_code == 200
    assert set(stages.seconds) == {*PARTS, "SQL", "middleware, both ways"}
    assert stages.calls["SQL"] > 2
