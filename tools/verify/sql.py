"""SQL: executed on the migrated PostgreSQL, statement by statement, and rolled back.

A block with a statement that a transaction cannot hold, or that is about transactions, runs on a copy of the database
that is dropped afterwards: CREATE INDEX CONCURRENTLY, VACUUM, BEGIN … COMMIT are executed for real, too.
"""

import re
from collections.abc import Iterator
from typing import Any

from tools.listings.fences import Fence
from tools.portable.problem import Problem
from tools.verify.board import Board

OUTSIDE = {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE TRANSACTION", "VACUUM"}
CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.I)
SERVER = re.compile(r"^(ALTER\s+SYSTEM|(CREATE|DROP|ALTER)\s+(DATABASE|ROLE|USER|TABLESPACE))\b", re.I)
CORRECT = "correct the statement"


def verify(fence: Fence, board: Board) -> Iterator[Problem]:
    """Report the first statement that PostgreSQL refuses, at the line it names."""
    statements = list(_statements(fence.code))
    if not statements:
        yield fence.problem(1, "there is no statement to execute", "write one, or say it in a sentence")
    for line, _, bare in statements:
        if SERVER.match(bare):
            fix = 'only databases of our own are touched: title="sketch"'
            yield fence.problem(line, f"'{' '.join(bare.split()[:2])}' changes the whole server", fix)
            return
    if any(_needs_copy(bare) for _, _, bare in statements):
        with board.copy() as connection:
            yield from _execute(fence, statements, connection)
        return
    with board.block():
        yield from _execute(fence, statements, board.connection.connection)


def _execute(fence: Fence, statements: list[tuple[int, str, str]], connection: Any) -> Iterator[Problem]:
    import psycopg

    for line, text, _ in statements:
        try:
            connection.execute(text)
        except psycopg.Error as error:
            start = len(text) - len(text.lstrip()) + 1  # where no position is given: a rule of the data was broken
            position = int(error.diag.statement_position or start)
            hint = error.diag.message_hint or error.diag.message_detail
            message = error.diag.message_primary or str(error)
            yield fence.problem(line + text[: position - 1].count("\n"), message, hint or CORRECT)
            return


def _needs_copy(bare: str) -> bool:
    words = bare.upper().rstrip(";").split()
    return bool(words) and (words[0] in OUTSIDE or " ".join(words[:2]) in OUTSIDE or bool(CONCURRENTLY.search(bare)))


def _statements(code: str) -> Iterator[tuple[int, str, str]]:
    """The statements of a block: line of the first character, text, text without comments and strings."""
    import sqlparse
    from sqlparse import tokens

    position = 0
    for parsed in sqlparse.parse(code):
        text = str(parsed)
        kept = [t.value for t in parsed.flatten() if t.ttype not in tokens.Comment and t.ttype not in tokens.String]
        bare = " ".join("".join(kept).split())
        if bare.strip("; "):
            yield code[:position].count("\n") + 1, text, bare
        position += len(text)
