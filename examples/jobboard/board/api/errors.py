"""Every error of the API in one shape: a problem document of RFC 9457.

{"type": "about:blank", "title": "Not Found", "status": 404,
 "detail": "…", "instance": "/api/jobs/7/", "errors": [{…}]}
"""

from http import HTTPStatus

from django.db import OperationalError
from django.http import JsonResponse
from django.utils.encoding import escape_uri_path
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.views import exception_handler as default_handler

from accounts.services import EmailTaken
from board.idempotency import KeyReused
from board.services import Conflict, StaleVersion

MEDIA_TYPE = "application/problem+json"

# What an exception of ours means in HTTP; the services know nothing of it.
STATUS_OF = {
    Conflict: 409,
    EmailTaken: 409,
    StaleVersion: 412,
    KeyReused: 422,
}


class PreconditionFailed(APIException):
    status_code = 412
    default_detail = "The resource has changed since you read it."


class PreconditionRequired(APIException):
    status_code = 428
    default_detail = "Send the ETag you read as If-Match."


class Busy(APIException):
    status_code = 503
    default_detail = "The database is busy. Try again in a moment."


def exception_handler(exception, context):
    """Return the response for an exception of a view, or None for a bug."""
    if type(exception) in STATUS_OF:
        status = STATUS_OF[type(exception)]
        exception = APIException(str(exception))
        exception.status_code = status
    elif isinstance(exception, OperationalError):
        exception = Busy()
    response = default_handler(exception, context)
    if response is None:
        return None
    request = context["request"]
    response.status_code = status_of(response.status_code, exception, request)
    response.data = problem(request, response.status_code, response.data)
    response.content_type = MEDIA_TYPE
    return response


def status_of(status, exception, request):
    """Tell a body that breaks a rule, 422, from a malformed request, 400.

    A safe request has only its query string to be wrong about.
    """
    if (
        isinstance(exception, ValidationError)
        and request.method not in SAFE_METHODS
    ):
        return 422
    return status


def problem(request, status, data):
    """Return the problem document for what REST framework says is wrong."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "instance": escape_uri_path(request.path),
    }
    if isinstance(data, dict) and "detail" in data:
        return document | {"detail": str(data["detail"])}
    return document | {
        "detail": "The request breaks the rules named in errors.",
        "errors": list(flatten(data)),
    }


def flatten(data, pointer=""):
    """Yield {"pointer": "/skills/0", "detail": "…"} for each message.

    Errors nest as the request does: dictionaries by field, and by index.
    """
    if isinstance(data, dict):
        for name, value in data.items():
            step = "" if name == "non_field_errors" else f"/{name}"
            yield from flatten(value, pointer + step)
    elif isinstance(data, list):
        for value in data:
            yield from flatten(value, pointer)
    else:
        yield {"pointer": pointer, "detail": str(data)}


def plain_problem(request, status, detail):
    """Return a problem where no view of REST framework is involved."""
    document = problem(request, status, {"detail": detail})
    return JsonResponse(document, status=status, content_type=MEDIA_TYPE)


def bad_request(request, exception):
    return plain_problem(request, 400, "This request cannot be understood.")


def csrf_failure(request, reason=""):
    return plain_problem(request, 403, f"CSRF check failed: {reason}")


def not_found(request, exception):
    return plain_problem(request, 404, "There is nothing at this address.")


def server_error(request):
    return plain_problem(request, 500, "We have made a mistake. It is logged.")
