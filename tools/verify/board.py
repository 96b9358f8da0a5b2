"""The job board that blocks run on: real servers, a migrated database, and a small world that no block can change.

The world is the one of the job board's own tests (examples/jobboard/board/tests/world.py), committed once. Each block
runs in a transaction that is rolled back; then sequences and cache are as before, so ids on a page stay true.
"""

import contextlib
import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.services import services

PASSWORD = "correct horse battery staple"  # noqa: S105  of every user of the world
PROJECT = "examples/jobboard"
SEQUENCES = "SELECT schemaname, sequencename, last_value, start_value FROM pg_sequences"


class Board:
    """What verifiers use: `block()` around each block, `copy()` for SQL that no transaction can hold, `token()`."""

    def __init__(self, prefix: str):
        from django.db import connection

        self.connection = connection
        self.prefix = prefix
        with connection.cursor() as cursor:
            cursor.execute(SEQUENCES)
            self.sequences = cursor.fetchall()

    @contextlib.contextmanager
    def block(self) -> Iterator[None]:
        """Roll back what is done inside, whether it raises or not; then restore what a rollback does not."""
        from django.db import transaction

        try:
            with transaction.atomic():
                yield
                transaction.set_rollback(True)
        finally:
            self._restore()

    def _restore(self) -> None:
        with self.connection.cursor() as cursor:
            for schema, name, last, start in self.sequences:
                value = [f'"{schema}"."{name}"', last or start, last is not None]
                cursor.execute("SELECT setval(%s::regclass, %s, %s)", value)
        import redis
        from django.conf import settings

        with contextlib.closing(redis.Redis.from_url(settings.CACHE_URL)) as client:
            for key in client.scan_iter(f"{self.prefix}:*"):  # ours only: the server may be somebody's own
                client.delete(key)

    @contextlib.contextmanager
    def copy(self) -> Iterator[Any]:
        """Yield a psycopg connection in autocommit to a copy of the database, which is dropped afterwards."""
        import psycopg
        from psycopg import sql

        parameters = self.connection.get_connection_params()
        name, copied = parameters["dbname"], parameters["dbname"] + "_copy"
        plain = {key: parameters[key] for key in ("host", "port", "user", "password", "options") if key in parameters}
        self.connection.close()  # a database in use cannot be copied
        with psycopg.connect(**plain, dbname="postgres", autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(copied), sql.Identifier(name))
            )
            try:
                with psycopg.connect(**plain, dbname=copied, autocommit=True) as connection:
                    yield connection
            finally:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(copied)))

    def token(self, kind: str, email: str) -> str:
        """Return a new access or refresh token of a user of the world. Raises LookupError for another address."""
        from accounts import tokens
        from accounts.models import User

        user = User.objects.filter(email=email).first()
        if user is None:
            known = ", ".join(User.objects.order_by("pk").values_list("email", flat=True))
            raise LookupError(f"nobody has the address {email}; the world has: {known}")
        return tokens.issue(user)[kind]


@contextlib.contextmanager
def running(root: Path) -> Iterator[Board]:
    """Start servers, set Django up, migrate, seed; undo all of it on leaving. Once in a process.

    Raises tools.services.ServiceError.
    """
    with services() as lent, tempfile.TemporaryDirectory() as static:
        sys.path.insert(0, str(root / PROJECT))
        os.environ.update(importlib.import_module("local").environment(lent, STATIC_ROOT=static))
        import django
        from django.conf import settings
        from django.test.utils import setup_test_environment

        own = f"blocks_{os.getpid()}"  # runs side by side, on one server if that is what the environment names
        settings.DATABASES["default"]["OPTIONS"].pop("pool", None)  # one connection, which can really be closed
        settings.DATABASES["default"]["TEST"] = {"NAME": f"test_{own}"}
        settings.CACHES["default"]["KEY_PREFIX"] = own
        django.setup()
        setup_test_environment()
        logging.disable(logging.CRITICAL)  # a refused request is what a page may want to show
        from django.db import connection

        name = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            _seed()
            yield Board(own)
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


def _seed() -> None:
    from django.contrib.auth.hashers import make_password

    world = importlib.import_module("board.tests.world").World()
    type(world.applicant).objects.update(password=make_password(PASSWORD))
