"""ETags: answers that need not be sent again, writes that lose no update."""

import hashlib
import json

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.http import parse_etags
from rest_framework.response import Response

from board.api.errors import PreconditionFailed, PreconditionRequired


def etag_of(data):
    """Return the strong ETag of a representation, made of all that it shows.

    It costs the same queries as the representation: it saves bytes, not work.
    """
    text = json.dumps(data, cls=DjangoJSONEncoder, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def respond(request, data, status=200, headers=None):
    """Return the data with its ETag, or 304 if the client has it already."""
    etag = etag_of(data)
    # no-cache: keep it, but ask before each use. private: in no shared cache.
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"} | (
        headers or {}
    )
    if request.method == "GET":
        wanted = parse_etags(request.headers.get("If-None-Match", ""))
        # If-None-Match compares weakly: a proxy may have marked the ETag so.
        if "*" in wanted or etag in [tag.removeprefix("W/") for tag in wanted]:
            return Response(status=304, headers=headers)
    return Response(data, status=status, headers=headers)


def check_if_match(request, data):
    """Raise unless the client says that it has seen the present data."""
    wanted = parse_etags(request.headers.get("If-Match", ""))
    if not wanted:
        raise PreconditionRequired
    if "*" not in wanted and etag_of(data) not in wanted:
        raise PreconditionFailed
