"""What a start with wrong settings says, what a new key ends, and what Django's error page hides."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import jwt
import pytest
from accounts import tokens
from django.conf import settings as running
from django.views.debug import SafeExceptionReporterFilter

JOBBOARD = Path(__file__).resolve().parents[3] / "examples/jobboard"
PAGE = (Path(__file__).parent / "README.md").read_text("utf-8")

# Python reads any text that is not empty as true.
AS_OFTEN_TAUGHT = "DEBUG = os.environ.get('DEBUG', False)"

NOTHING = """
settings: SECRET_KEY is missing; give it at least 50 random characters
settings: ALLOWED_HOSTS is missing; give it a list separated by commas
settings: DATABASE_URL is missing; give it a URL such as postgres://USER:PASSWORD@HOST:5432/NAME
settings: REDIS_URL is missing; give it a URL such as redis://:PASSWORD@HOST:6379/0
settings: BROKER_URL is missing; give it a URL such as redis://:PASSWORD@HOST:6379/0
settings: MAIL_URL is missing; give it a URL such as smtp://USER:PASSWORD@HOST:587?tls=starttls or console://
"""
WRONG = """
settings: SECRET_KEY is too short or too regular; give it 50 random characters
settings: DEBUG is 'no', not true or false
settings: PROXIES is 'two', not a whole number
settings: DATABASE_URL is not a postgres://HOST URL
"""


def start(**variables):
    """Load the settings in a process that has only these variables; return its status and what it said."""
    command = [sys.executable, "-c", "import config.settings"]
    done = subprocess.run(command, cwd=JOBBOARD, env=variables, capture_output=True, text=True)
    return done.returncode, done.stderr


RIGHT = {
    "SECRET_KEY": secrets.token_urlsafe(64),
    "ALLOWED_HOSTS": "jobs.example",
    "DATABASE_URL": "postgres://me:hunter2@127.0.0.1/jobs",
    "REDIS_URL": "redis://127.0.0.1/0",
    "BROKER_URL": "redis://127.0.0.1/1",
    "MAIL_URL": "console://",
}


def test_an_empty_environment_is_told_all_that_is_missing():
    status, said = start()
    assert (status, said.strip()) == (1, NOTHING.strip())
    assert len(said.splitlines()) == 6


def test_wrong_values_are_named_all_at_once_and_no_password_is_shown():
    wrong = {"SECRET_KEY": "short", "DEBUG": "no", "PROXIES": "two"}
    status, said = start(**RIGHT | wrong | {"DATABASE_URL": "mysql://me:hunter2@127.0.0.1/jobs"})
    assert (status, said.strip()) == (1, WRONG.strip())
    assert "hunter2" not in said


def test_right_values_start():
    assert start(**RIGHT) == (0, "")


def test_a_secret_may_stand_in_a_file(tmp_path):
    file = tmp_path / "secret_key"
    file.write_text(f"{RIGHT['SECRET_KEY']}\n")
    others = {name: value for name, value in RIGHT.items() if name != "SECRET_KEY"}
    assert start(**others, SECRET_KEY_FILE=str(file)) == (0, "")
    status, said = start(**others, SECRET_KEY_FILE=str(tmp_path / "nowhere"))
    assert status == 1 and "SECRET_KEY [Errno 2] No such file or directory" in said


def test_the_word_false_is_true(monkeypatch):
    monkeypatch.setenv("DEBUG", "False")
    names = {"os": os}
    exec(AS_OFTEN_TAUGHT, names)  # noqa: S102  the line of the page
    assert names["DEBUG"] == "False" and bool(names["DEBUG"]) is True


NEW_KEY = secrets.token_urlsafe(64)


@pytest.mark.parametrize(("kept", "email"), [(False, None), (True, "staff@example.com")])
def test_a_new_key_signs_out_everybody_unless_the_old_one_is_kept(world, client, settings, kept, email):
    client.force_login(world.staff)
    old, settings.SECRET_KEY = settings.SECRET_KEY, NEW_KEY
    settings.SECRET_KEY_FALLBACKS = [old] if kept else []
    assert client.get("/api/auth/session/").json()["email"] == email


def test_a_token_is_checked_with_the_new_key_alone(world):
    token = tokens.issue(world.staff)["access"]
    audience = {"audience": "jobboard-api", "algorithms": ["HS256"]}
    assert jwt.decode(token, running.SECRET_KEY, **audience)["user_id"]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, NEW_KEY, **audience)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("DATABASE_PASSWORD", "hunter2", False),
        ("DATABASES", {"default": {"PASSWORD": "hunter2"}}, False),
        ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1/jobs", True),
        ("SENTRY_DSN", "https://hunter2@errors.example/1", True),
        ("EMAIL_URL", "smtp://me:hunter2@mail.example", True),
    ],
)
def test_the_error_page_hides_by_the_name_of_a_setting(name, value, shown):
    cleansed = SafeExceptionReporterFilter().cleanse_setting(name, value)
    assert ("hunter2" in str(cleansed)) is shown


# What the libraries of cache and broker take is a whole address.
WHOLE_ADDRESSES = {"CACHE_URL", "CACHES", "CELERY_BROKER_URL"}
SHOWN = """
import config.settings as own
from django.conf import settings
from django.views.debug import SafeExceptionReporterFilter
settings.configure(**{name: getattr(own, name) for name in dir(own) if name.isupper()})
safe = SafeExceptionReporterFilter().get_safe_settings()
print(*sorted(name for name, value in safe.items() if "hunter2" in str(value)))
"""


def test_the_error_page_shows_three_settings_of_the_job_board_with_a_password():
    urls = {"REDIS_URL": "redis://:hunter2@127.0.0.1/0", "BROKER_URL": "redis://:hunter2@127.0.0.1/1"}
    command = [sys.executable, "-c", SHOWN]
    done = subprocess.run(command, cwd=JOBBOARD, env=RIGHT | urls, capture_output=True, text=True)
    assert set(done.stdout.split()) == WHOLE_ADDRESSES, done.stderr
    assert all(f"`{name}`" in PAGE for name in WHOLE_ADDRESSES)


IGNORED = "The following paths are ignored by one of your .gitignore files:"


def test_git_keeps_an_ignored_file_out_and_says_how_to_force_it_in(tmp_path):
    (tmp_path / ".gitignore").write_text(".env\n")
    (tmp_path / ".env").write_text("SECRET_KEY=nobody's\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C"}
    ask = {"cwd": tmp_path, "env": clean, "capture_output": True, "text": True}
    subprocess.run(["git", "init", "-q"], check=True, **ask)
    refused = subprocess.run(["git", "add", ".env"], **ask)
    assert refused.returncode == 1
    said = refused.stderr.splitlines()
    assert said[:2] == [IGNORED, ".env"] and "Use -f if you really want to add them." in said[2]
    assert f"`{IGNORED}`" in PAGE
