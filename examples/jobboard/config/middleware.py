"""What happens to every response."""

from django.utils.cache import patch_vary_headers


def no_store_by_default(get_response):
    """Keep answers out of every cache, unless the view said otherwise.

    Most answers depend on who asks. A view that forgot to think about caches
    is slow in the browser; it must not show one person's data to another.
    """

    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response

    return middleware
