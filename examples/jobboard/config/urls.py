"""Every address of the project."""

from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from board.graphql.view import GraphQLView

handler400 = "board.api.errors.bad_request"
handler404 = "board.api.errors.not_found"
handler500 = "board.api.errors.server_error"

urlpatterns = [
    path("api/", include("accounts.urls")),
    path("api/", include("board.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema")),
    # The view authenticates as the REST API does, CSRF check included.
    path("graphql/", csrf_exempt(GraphQLView.as_view()), name="graphql"),
    path("admin/", admin.site.urls),
    # Says that this process answers; a database that is down must not make
    # the orchestrator restart every web process as well.
    path(
        "healthz", lambda request: HttpResponse("ok", content_type="text/plain")
    ),
]
