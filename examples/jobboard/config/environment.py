"""Typed values from environment variables; every problem is reported, at once.

A parser takes the text of a variable and returns its value, or raises
ValueError with what is wrong. Its docstring says what it expects.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

REQUIRED = object()


class Environment:
    """Reads variables and remembers what was wrong with them."""

    def __init__(self, variables):
        self.variables = variables
        self.problems = []

    def read(self, name, parse, default=REQUIRED):
        """Return the parsed variable or its default; note what is wrong.

        NAME_FILE may name a file that holds the value: that is how secrets
        reach a container without standing in its environment.
        """
        try:
            text = self.variables.get(name) or self.from_file(name)
            if text:
                return parse(text)
            if default is REQUIRED:
                raise ValueError(f"is missing; give it {parse.__doc__}")
            return default
        except (ValueError, OSError) as error:
            self.problems.append(f"{name} {error}")
            return None

    def from_file(self, name):
        path = self.variables.get(f"{name}_FILE")
        return Path(path).read_text().strip() if path else ""

    def stop_if_wrong(self):
        """End the program with one line for each problem and status 1."""
        if self.problems:
            raise SystemExit(
                "\n".join(f"settings: {problem}" for problem in self.problems)
            )


def boolean(text):
    """true or false"""
    # bool("false") is True: only these words count, anything else is an error.
    words = {"true": True, "1": True, "false": False, "0": False}
    try:
        return words[text.lower()]
    except KeyError:
        raise ValueError(f"is {text!r}, not true or false") from None


def integer(text):
    """a whole number"""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"is {text!r}, not a whole number") from None


def words(text):
    """a list separated by commas"""
    return [word.strip() for word in text.split(",") if word.strip()]


def secret(text):
    """at least 50 random characters"""
    if len(text) < 50 or len(set(text)) < 5:
        raise ValueError(
            "is too short or too regular; give it 50 random characters"
        )
    return text


def secrets(text):
    """a list of earlier secrets, separated by commas"""
    return [secret(word) for word in words(text)]


def redis(text):
    """a URL such as redis://:PASSWORD@HOST:6379/0"""
    return checked_url(text, {"redis", "rediss"}) and text


def postgres(text):
    """a URL such as postgres://USER:PASSWORD@HOST:5432/NAME"""
    url = checked_url(text, {"postgres", "postgresql"})
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": url.hostname,
        "PORT": url.port or 5432,
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "NAME": unquote(url.path.lstrip("/")),
    }


def mail(text):
    """a URL such as smtp://USER:PASSWORD@HOST:587?tls=starttls or console://"""
    if text == "console://":
        return "django.core.mail.backends.console.EmailBackend", {}
    url = checked_url(text, {"smtp", "smtps"})
    return "django.core.mail.backends.smtp.EmailBackend", {
        "host": url.hostname,
        "port": url.port or (465 if url.scheme == "smtps" else 25),
        "username": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "use_tls": url.query == "tls=starttls",
        "use_ssl": url.scheme == "smtps",
        "timeout": 5,  # a silent mail server must not hold a worker for ever
    }


def checked_url(text, schemes):
    """Return the parts of a URL; no message shows it, for its password."""
    url = urlsplit(text)
    if url.scheme not in schemes or not url.hostname:
        raise ValueError(f"is not a {min(schemes)}://HOST URL")
    url.port  # noqa: B018  raises ValueError itself
    return url
