"""HTTP: each request of a block is sent to the job board; what comes back must be what the page shows."""

import json
import re
from collections.abc import Iterator
from http.client import responses
from typing import Any

from tools.listings.fences import Fence
from tools.portable.problem import Problem
from tools.verify import exchange
from tools.verify.board import PASSWORD, Board

TOKEN = re.compile(r"<(access|refresh) token of ([^<>\s]+)>")
PASSWORD_MARK = "<password>"  # noqa: S105
ANY = "…"
SHOW = "show what the job board answers"
REASONS = responses | {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110; older Pythons differ


def verify(fence: Fence, board: Board) -> Iterator[Problem]:
    """Report a status, a header or a part of a body that is not the one received; the requests follow each other."""
    from django.test import Client

    try:
        pairs = exchange.read(fence.code)
    except exchange.FormError as error:
        yield fence.problem(error.line, error.message, error.fix)
        return
    with board.block():
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        for request, shown in pairs:
            try:
                received = _send(client, request, board)
            except LookupError as error:
                yield fence.problem(request.line, str(error), "name one of them")
                return
            yield from _differences(fence, shown, received)


def _send(client: Any, request: exchange.Message, board: Board) -> Any:
    def filled(text: str) -> str:
        return TOKEN.sub(lambda m: board.token(m[1], m[2]), text).replace(PASSWORD_MARK, PASSWORD)

    headers = {name.lower(): filled(value) for _, name, value in request.headers}
    kind = headers.pop("content-type", "")
    method, address = request.start
    return client.generic(method, address, filled(request.body).strip("\n"), kind, headers=headers)


def _differences(fence: Fence, shown: exchange.Message, received: Any) -> Iterator[Problem]:
    status, reason = shown.start
    answered = f"{received.status_code} {REASONS.get(received.status_code, '')}".strip()
    if status != str(received.status_code):
        why = " ".join(received.content.decode(errors="replace").split())[:200]
        if raised := getattr(received, "exc_info", None):
            why = f"{raised[0].__name__}: {raised[1]}"
        yield fence.problem(shown.line, f"the status is {answered}, not {status} ({why})", SHOW)
        return
    if reason and f"{status} {reason}" != answered:
        yield fence.problem(shown.line, f"'{status} {reason}' is called '{answered}'", f"write '{answered}'")
    for line, name, value in shown.headers:
        got = received.headers.get(name)
        if got is None or not _matches(value, got):
            said = f"the header {name} is '{got}'" if got is not None else f"there is no header {name}"
            yield fence.problem(line, said, SHOW)
    text = shown.body.strip()
    if text:
        got = received.content.decode(errors="replace")
        if wrong := _body(text, got):
            yield fence.problem(shown.body_line, wrong, SHOW)


def _body(shown: str, got: str) -> str:
    """What is wrong with the body that a page shows, or ''."""
    try:
        received = json.loads(got)
    except ValueError:
        return "" if _matches(f"{ANY}{shown}{ANY}", got) else f"the body is '{got[:200]}'"
    try:
        wanted = json.loads(shown)
    except ValueError as error:
        return f"the body shown is not JSON: {error}"
    return _part(wanted, received, "the body")


def _part(wanted: Any, got: Any, where: str) -> str:
    """What of `wanted` is not in `got`, or ''. An object may leave keys out, a list nothing."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key, value in wanted.items():
            if key not in got:
                return f"{where} has no '{key}'; it has: {', '.join(got)}"
            if wrong := _part(value, got[key], f"'{key}'"):
                return wrong
        return ""
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        wrong = [_part(w, g, f"item {n} of {where}") for n, (w, g) in enumerate(zip(wanted, got, strict=True), 1)]
        return next(filter(None, wrong), "")
    if isinstance(wanted, list) and isinstance(got, list):
        return f"{where} has {len(got)} items, not {len(wanted)}"
    if wanted == ANY or (isinstance(wanted, str) and isinstance(got, str) and _matches(wanted, got)):
        return ""
    same = wanted == got and type(wanted) is type(got)
    return "" if same else f"{where} is {json.dumps(got, ensure_ascii=False)[:200]}"


def _matches(shown: str, got: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in shown.split(ANY))
    return re.fullmatch(pattern, got, re.S) is not None
