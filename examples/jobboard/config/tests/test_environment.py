"""Values from the environment: each kind, right and wrong."""

import pytest

from config import environment as parse

RANDOM = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.mark.parametrize(
    ("parser", "text", "value"),
    [
        (parse.boolean, "False", False),
        (parse.boolean, "1", True),
        (parse.integer, "-3", -3),
        (parse.words, " a, b ,,c", ["a", "b", "c"]),
        (parse.secret, RANDOM, RANDOM),
        (parse.secrets, f"{RANDOM},{RANDOM}", [RANDOM, RANDOM]),
        (parse.redis, "rediss://h:1/2", "rediss://h:1/2"),
        (parse.mail, "console://", ("console", {})),
    ],
)
def test_right_values(parser, text, value):
    parsed = parser(text)
    if parser is parse.mail:
        parsed = (parsed[0].split(".")[-2], parsed[1])
    assert parsed == value


def test_a_database_url_may_hold_any_character():
    url = "postgres://me%40home:p%2Fw@db/shop"
    assert parse.postgres(url) == {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "db",
        "PORT": 5432,
        "USER": "me@home",
        "PASSWORD": "p/w",
        "NAME": "shop",
    }


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://u:p@mail", 25, False, False),
        ("smtp://u:p@mail:587?tls=starttls", 587, True, False),
        ("smtps://u:p@mail", 465, False, True),
    ],
)
def test_a_mail_url(url, port, tls, ssl):
    backend, options = parse.mail(url)
    assert backend.endswith("smtp.EmailBackend")
    assert options["port"] == port
    assert (options["use_tls"], options["use_ssl"]) == (tls, ssl)
    assert options["timeout"]


@pytest.mark.parametrize(
    ("parser", "text"),
    [
        (parse.boolean, "yes"),
        (parse.integer, "1.5"),
        (parse.secret, "a" * 60),
        (parse.redis, "redis:///0"),
        (parse.postgres, "mysql://h/x"),
        (parse.postgres, "postgres://h:99999/x"),
    ],
)
def test_wrong_values_are_refused_without_being_shown(parser, text):
    with pytest.raises(ValueError) as caught:
        parser(text)
    assert "mysql" not in str(caught.value)


def test_a_secret_may_come_from_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{RANDOM}\n")
    environment = parse.Environment({"SECRET_KEY_FILE": str(file)})
    assert environment.read("SECRET_KEY", parse.secret) == RANDOM
    environment.stop_if_wrong()


def test_every_problem_is_told_at_once():
    environment = parse.Environment({"DEBUG": "maybe"})
    environment.read("DEBUG", parse.boolean, False)
    environment.read("ALLOWED_HOSTS", parse.words)
    assert environment.read("PROXIES", parse.integer, 0) == 0
    with pytest.raises(SystemExit) as caught:
        environment.stop_if_wrong()
    assert str(caught.value).splitlines() == [
        "settings: DEBUG is 'maybe', not true or false",
        "settings: ALLOWED_HOSTS is missing;"
        " give it a list separated by commas",
    ]
