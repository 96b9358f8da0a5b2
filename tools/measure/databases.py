"""Databases for measurements: each dataset is built once, and every use gets a fresh copy of it.

A copy of the million jobs (605 MB) takes a second; so a page may change what it likes, and no page sees another's dead
rows, which would change the counts of buffers.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tools.measure import MeasureError, jobboard
from tools.services import Services, shielded


class Databases:
    """The databases of one run, on the server of DATABASE_URL, under names that nobody else has."""

    def __init__(self, services: Services, root: Path, say: Callable[[str], None]) -> None:
        self.services, self.say = services, say
        self.prefix = f"nexus_measure_{secrets.token_hex(4)}"
        self.facts: dict[str, str] = {}  # size -> what is in it, for those that are built
        self.made: list[str] = []
        jobboard.set_up(services, root)

    def url(self, name: str) -> str:
        return urlunsplit(urlsplit(self.services.database_url)._replace(path=f"/{name}"))

    @contextlib.contextmanager
    def copy(self, size: str) -> Iterator[str]:
        """Point Django, and DATABASE_URL, at a fresh copy of a dataset; drop it afterwards. Raises MeasureError."""
        template = f"{self.prefix}_{size.lower()}"
        if size not in self.facts:
            self._build(size, template)
        name = f"{template}_{secrets.token_hex(4)}"
        self._make(name, template)
        try:
            self._point_at(name)
            jobboard.forget_cached(self.services.redis_url)
            yield self.facts[size]
        finally:
            with shielded():  # a second Ctrl-C must not leave a database behind
                self._point_at("")
                self._drop(name)

    def close(self) -> None:
        """Drop every database that is left."""
        with shielded():
            for name in list(self.made):
                self._drop(name)

    def _build(self, size: str, name: str) -> None:
        from board.management.commands.seed import SIZES
        from django.core.management import call_command
        from django.db import connection

        if size not in SIZES:
            raise MeasureError(f"there is no dataset {size!r}; there are: {', '.join(SIZES)}")
        began = time.monotonic()
        self.say(f"building dataset {size}: {SIZES[size]['jobs']:,} jobs")
        self._make(name)
        try:
            self._point_at(name)
            call_command("migrate", verbosity=0)
            call_command("seed", size=size, stdout=io.StringIO())
            with connection.cursor() as cursor:
                cursor.execute("VACUUM (ANALYZE)")  # index-only scans need the visibility map
            self.facts[size] = jobboard.describe()
        finally:
            self._point_at("")
        self.say(f"built in {time.monotonic() - began:.0f} s")

    def _make(self, name: str, template: str = "template0") -> None:
        import psycopg

        self.made.append(name)
        try:
            self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        except psycopg.errors.InsufficientPrivilege:
            raise MeasureError(
                "the user of DATABASE_URL may not create databases; grant CREATEDB, or unset it"
            ) from None

    def _drop(self, name: str) -> None:
        self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.made.remove(name)

    def _admin(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.services.database_url, autocommit=True) as connection:
            connection.execute(statement)

    def _point_at(self, name: str) -> None:
        """Make the database the one of every new connection here and in child processes; '' for none of ours."""
        from django.db import connection, connections

        connections.close_all()
        connection.close_pool()
        url = self.url(name) if name else self.services.database_url
        connections.settings["default"]["NAME"] = urlsplit(url).path.lstrip("/")
        os.environ["DATABASE_URL"] = url
