"""The form of an `http` block: requests, each followed by the response that the page promises.

    POST /api/jobs/1/applications/
    Authorization: Bearer <access token of applicant@example.com>
    Content-Type: application/json

    {"cover_note": "I build search."}

    HTTP/1.1 409 Conflict
    Content-Type: application/problem+json

    {"status": 409}

A request is its line, headers, and after a blank line its body. The status line of the response is never left out;
its headers and its body may be, and show only what matters. `…` stands for any text in them.
"""

import re
from dataclasses import dataclass, field

METHODS = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|QUERY"
REQUEST = re.compile(rf"^({METHODS}) (/\S*)(?: HTTP/[\d.]+)?$")
STATUS = re.compile(r"^HTTP/[\d.]+ (\d{3})(?: (.+))?$")
HEADER = re.compile(r"^([A-Za-z][A-Za-z0-9-]*): *(.*)$")


class FormError(Exception):
    """A block that has not this form. `line` is 1-based in the block."""

    def __init__(self, line: int, message: str, fix: str):
        super().__init__(message)
        self.line, self.message, self.fix = line, message, fix


@dataclass
class Message:
    """A request or a response. `start` holds the parts of its first line; lines are 1-based in the block."""

    line: int
    start: tuple[str, str]
    headers: list[tuple[int, str, str]] = field(default_factory=list)
    body: str = ""
    body_line: int = 0


def read(code: str) -> list[tuple[Message, Message]]:
    """Return the requests of a block with their responses. Raises FormError."""
    messages: list[tuple[bool, Message]] = []
    in_body = False
    for number, line in enumerate(code.split("\n")[:-1], 1):
        request, status = REQUEST.match(line), STATUS.match(line)
        if request or status:
            start = request or status
            messages.append((bool(request), Message(number, (start[1], start[2] or ""))))
            in_body = False
        elif not messages:
            raise FormError(number, "the block does not begin with a request", "write a line such as 'GET /api/jobs/'")
        elif in_body:
            messages[-1][1].body += line + "\n"
        elif not line.strip():
            in_body, messages[-1][1].body_line = True, number + 1
        elif header := HEADER.match(line):
            messages[-1][1].headers.append((number, header[1], header[2].strip()))
        else:
            raise FormError(number, "this is neither a header nor, after a blank line, a body", "write 'Name: value'")
    pairs = []
    for index in range(0, len(messages), 2):
        is_request, message = messages[index]
        if not is_request:
            raise FormError(message.line, "a response without a request", "write the request above it")
        if index + 1 == len(messages) or messages[index + 1][0]:
            fix = "write the status line that it gets below it, such as 'HTTP/1.1 200 OK'"
            raise FormError(message.line, "a request without its response", fix)
        pairs.append((message, messages[index + 1][1]))
    if not pairs:
        raise FormError(0, "the block is empty", "write a request and its response")
    return pairs
