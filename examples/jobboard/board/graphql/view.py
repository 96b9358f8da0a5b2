"""GraphQL over HTTP, behind the same door as the REST API."""

import json

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView
from strawberry.django.views import GraphQLView as StrawberryView

from board.graphql.schema import schema

MEDIA_TYPE = "application/graphql-response+json"


class ResponseView(StrawberryView):
    """Answers in the media type of GraphQL over HTTP, if the client takes it.

    There, a document that was refused is a 400. In plain JSON, as of old,
    everything is a 200.
    """

    def decode_json(self, data):
        try:
            return super().decode_json(data)
        except RecursionError:
            raise json.JSONDecodeError("nests too deeply", "", 0) from None

    def create_response(self, response_data, sub_response):
        response = super().create_response(response_data, sub_response)
        if MEDIA_TYPE in self.request.headers.get("Accept", ""):
            response.headers["Content-Type"] = MEDIA_TYPE
            if response_data.get("data") is None and "errors" in response_data:
                response.status_code = 400
        return response


class GraphQLView(APIView):
    """Authenticates, checks CSRF and counts requests as every other endpoint.

    Everybody may ask; what they get is decided by row and by field.
    """

    permission_classes = (AllowAny,)
    graphql = staticmethod(
        ResponseView.as_view(schema=schema, allow_queries_via_get=False)
    )

    def perform_content_negotiation(self, request, force=False):
        """Accept what REST framework cannot render: the page is HTML."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(exclude=True)
    def get(self, request):
        """Show GraphiQL."""
        return self.graphql(request._request)

    @extend_schema(exclude=True)
    def post(self, request):
        """Execute a document."""
        request._request.user = request.user
        return self.graphql(request._request)
