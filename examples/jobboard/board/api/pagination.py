"""Pages that neither skip nor repeat rows while others are being added."""

from django.core import signing
from django.db.models import Q
from django.utils.http import urlencode
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

PAGE_SIZE = 20


class CursorPagination(BasePagination):
    """Continues after the last row that the client has seen.

    A view names its orders in `sorts`; the first is the default. Rows of one
    value are told apart by their key. REST framework's own class counts such
    rows with an offset, and so repeats some when others come before them.

    The cursor is signed for its list and order: it cannot be made up, and it
    need not be checked for anything else.
    """

    parameters = frozenset({"sort", "cursor"})

    def paginate_queryset(self, queryset, request, view=None):
        """Return the rows of the page the request asks for."""
        self.url = request.build_absolute_uri(request.path)
        self.query = request.query_params.dict()
        sort = self.query.get("sort", next(iter(view.sorts)))
        if sort not in view.sorts:
            names = ", ".join(view.sorts)
            raise ValidationError({"sort": f"Choose from {names}."})
        self.order = view.sorts[sort]
        self.salt = f"cursor of {view.basename} by {sort}"
        key = "-pk" if self.order.startswith("-") else "pk"
        queryset = queryset.order_by(self.order, key)
        if "cursor" in self.query:
            queryset = queryset.filter(after(self.order, *self.position()))
        # One row more than shown tells whether there is a next page.
        rows = list(queryset[: PAGE_SIZE + 1])
        self.more = len(rows) > PAGE_SIZE
        self.page = rows[:PAGE_SIZE]
        return self.page

    def position(self):
        """Return value and key of the last row seen. Raises ValidationError."""
        try:
            return signing.loads(self.query["cursor"], salt=self.salt)
        except signing.BadSignature:
            message = "This is not a cursor of this list in this order."
            raise ValidationError({"cursor": message}) from None

    def next_link(self):
        if not self.more:
            return None
        last, field = self.page[-1], self.order.removeprefix("-")
        value = last._meta.get_field(field).value_to_string(last)
        cursor = signing.dumps([value, last.pk], salt=self.salt)
        return f"{self.url}?{urlencode(self.query | {'cursor': cursor})}"

    def get_paginated_response(self, data):
        return Response({"next": self.next_link(), "results": data})

    def get_paginated_response_schema(self, schema):
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view):
        text = {"type": "string"}
        sort = text | {"enum": list(view.sorts)}
        return [
            {"name": "sort", "in": "query", "schema": sort},
            {"name": "cursor", "in": "query", "schema": text},
        ]


def after(order, value, key):
    """Return the condition of the rows that follow on a value and a key.

    The first part is implied by the second. It is there for the planner,
    which makes a range of an index out of it, and nothing out of an OR.
    """
    field = order.removeprefix("-")
    beyond = "lt" if order.startswith("-") else "gt"
    return Q(**{f"{field}__{beyond}e": value}) & (
        Q(**{f"{field}__{beyond}": value})
        | Q(**{field: value, f"pk__{beyond}": key})
    )
