"""What a frontend meets on its first day: the browser's rules about origins, in a real browser."""

import json
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from accounts import tokens
from board.models import Job
from board.tests.world import World
from corsheaders.checks import check_settings
from django.urls import resolve
from playwright.sync_api import sync_playwright

from tools import browser as chromium

PAGE = (Path(__file__).parent / "README.md").read_text("utf-8")

# The contract's examples, one for each answer that a screen must show.
EXAMPLES = {
    "GET /api/jobs/": (200, {"next": None, "results": []}),
    "POST /api/applications/": (
        409,
        {
            "type": "about:blank",
            "title": "Conflict",
            "status": 409,
            "detail": "you have applied for this job",
            "instance": "/api/applications/",
        },
    ),
}


# Answers as the contract's examples do, for a page of one origin.
def mock(examples, origin):
    class Mock(BaseHTTPRequestHandler):
        def answer(self):
            called = f"{self.command} {self.path.partition('?')[0]}"
            status, body = examples.get(called, (404, {"status": 404}))
            if self.command == "OPTIONS":
                status, body = 204, None
            self.send_response(status)
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Methods", "*")
            allowed = "authorization, content-type"
            self.send_header("Access-Control-Allow-Headers", allowed)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            if body is not None:
                self.wfile.write(json.dumps(body).encode())

        do_GET = do_POST = do_PATCH = do_DELETE = do_OPTIONS = answer

        def log_message(self, *words):
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Mock)


class Blank(BaseHTTPRequestHandler):
    """The frontend: a page without content, from an origin of its own."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>frontend</title>")

    def log_message(self, *words):
        pass


@contextmanager
def running(server):
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Browser:
    """Chromium, driven from a thread of its own: its driver's event loop would stop Django's database code in ours."""

    def __init__(self):
        self.thread = ThreadPoolExecutor(1)
        self.driver = self.do(lambda: sync_playwright().start())
        path, flags = chromium.require(), chromium.flags()
        self.running = self.do(lambda: self.driver.chromium.launch(executable_path=path, args=flags))

    def do(self, action):
        return self.thread.submit(action).result(timeout=60)

    def close(self):
        self.do(self.running.close)
        self.do(self.driver.stop)
        self.thread.shutdown()


@pytest.fixture(scope="module")
def browser():
    opened = Browser()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def origin():
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Blank)) as address:
        yield address


CALL = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options)
    const text = await answer.text()
    return {status: answer.status, url: answer.url, etag: answer.headers.get("ETag"), text}
  } catch (error) { return {error: String(error)} }
}"""


class Frontend:
    """A tab of the frontend's origin; call() is fetch(), said is what the console printed."""

    def __init__(self, browser, origin):
        self.browser, self.said = browser, []
        self.page = browser.do(browser.running.new_page)
        browser.do(lambda: self.page.on("console", lambda line: self.said.append(line.text)))
        browser.do(lambda: self.page.goto(origin))

    def call(self, url, **options):
        return self.browser.do(lambda: self.page.evaluate(CALL, [url, options]))

    def close(self):
        self.browser.do(self.page.close)


@pytest.fixture
def frontend(browser, origin):
    opened = Frontend(browser, origin)
    yield opened
    opened.close()


@pytest.fixture
def api(transactional_db, live_server):
    return live_server.url


def exact(message, address, origin):
    """The message as the page prints it, with the addresses of `make jobboard` and of a frontend."""
    return message.replace(address, "http://127.0.0.1:8001").replace(origin, "http://localhost:5173")


def test_an_origin_that_is_not_listed_reads_nothing(frontend, api, origin, settings):
    settings.CORS_ALLOWED_ORIGINS = []
    assert frontend.call(f"{api}/api/jobs/") == {"error": "TypeError: Failed to fetch"}
    assert f"`{exact(frontend.said[0], api, origin)}`" in PAGE


def test_a_blocked_call_was_made_all_the_same(frontend, api, settings):
    settings.CORS_ALLOWED_ORIGINS = []
    world = World()
    url = f"{api}/api/jobs/{world.job.pk}/views/"
    assert frontend.call(url, method="POST") == {"error": "TypeError: Failed to fetch"}
    assert Job.objects.get(pk=world.job.pk).views == 1


def test_a_preflight_stops_what_a_form_could_not_send(frontend, api, origin, settings):
    settings.CORS_ALLOWED_ORIGINS = []
    world = World()
    token = tokens.issue(world.applicant)["access"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"job": world.elsewhere.pk})
    said = frontend.call(f"{api}/api/applications/", method="POST", headers=headers, body=body)
    assert said == {"error": "TypeError: Failed to fetch"}
    assert world.applicant.applications.count() == 1  # the one it had
    assert f"`{exact(frontend.said[0], api, origin)}`" in PAGE


def test_a_listed_origin_reads_the_answer_and_the_exposed_headers(frontend, api, origin, settings):
    settings.CORS_ALLOWED_ORIGINS = [origin]
    job = World().job
    answer = frontend.call(f"{api}/api/jobs/{job.pk}/")
    assert answer["status"] == 200 and json.loads(answer["text"])["id"] == job.pk
    assert answer["etag"].startswith('"') or answer["etag"].startswith("W/")
    settings.CORS_EXPOSE_HEADERS = []
    assert frontend.call(f"{api}/api/jobs/{job.pk}/", cache="no-store")["etag"] is None
    assert frontend.said == []


def test_without_the_last_slash_a_post_arrives_as_a_get(frontend, api, origin, settings):
    settings.CORS_ALLOWED_ORIGINS = [origin]
    world = World()
    headers = {"Authorization": f"Bearer {tokens.issue(world.applicant)['access']}"}
    headers["Content-Type"] = "application/json"
    body = json.dumps({"job": world.elsewhere.pk})
    answer = frontend.call(f"{api}/api/applications", method="POST", headers=headers, body=body)
    # 301, which a browser follows with GET: the list, no error, and nothing was sent.
    assert (answer["status"], list(json.loads(answer["text"]))) == (200, ["next", "results"])
    assert frontend.said == [] and world.applicant.applications.count() == 1
    answer = frontend.call(f"{api}/api/applications/", method="POST", headers=headers, body=body)
    assert answer["status"] == 201


@pytest.mark.parametrize(
    ("origins", "problem"),
    [(["localhost:5173"], "corsheaders.E013"), (["http://localhost:5173/"], "corsheaders.E014")],
)
def test_a_misspelt_origin_is_found_by_check(settings, origins, problem):
    settings.CORS_ALLOWED_ORIGINS = origins
    (found,) = check_settings()
    assert found.id == problem and f"`{found.msg}`" in PAGE


def test_all_origins_with_credentials_trusts_every_site(db, client, settings):
    settings.CORS_ALLOW_ALL_ORIGINS = True
    answer = client.get("/api/jobs/", headers={"origin": "https://evil.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://evil.example"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


def test_an_address_that_is_not_in_the_contract(db, client, caplog):
    answer = client.get("/api/job/")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is nothing at this address.")
    assert caplog.messages == ["Not Found: /api/job/"]
    assert all(f"`{message}`" in PAGE for message in (answer.json()["detail"], *caplog.messages))


def test_the_mock_answers_a_page_of_another_origin(frontend, origin):
    with running(mock(EXAMPLES, origin)) as api:
        assert json.loads(frontend.call(f"{api}/api/jobs/?sort=newest")["text"])["results"] == []
        refused = frontend.call(f"{api}/api/applications/", method="POST", headers={"Authorization": "Bearer x"})
        assert refused["status"] == 409
        assert frontend.call(f"{api}/api/nothing/")["status"] == 404
    assert [line for line in frontend.said if "CORS" in line] == []


def test_the_examples_are_what_the_job_board_answers(world, db):
    for called, (status, body) in EXAMPLES.items():
        method, path = called.split()
        assert resolve(path)
        client = world.client(world.applicant)
        send = getattr(client, method.lower())
        answer = send(path, {"job": world.job.pk}, format="json") if method == "POST" else send(path)
        assert answer.status_code == status and answer.json().keys() == body.keys()


def test_urllib_needs_no_cors(api):
    with urllib.request.urlopen(f"{api}/api/jobs/") as answer:  # noqa: S310  our own server
        assert answer.status == 200
