"""How often somebody may ask, and what happens while the cache is down."""

import hashlib
import logging

from redis.exceptions import RedisError
from rest_framework.exceptions import APIException
from rest_framework.throttling import SimpleRateThrottle

logger = logging.getLogger(__name__)


class CacheDown(APIException):
    """A request that must be counted cannot be counted."""

    status_code = 503
    default_detail = "Try again in a minute."
    default_code = "cannot_count"


class Throttle(SimpleRateThrottle):
    """Counts requests in the cache, by client address or by user."""

    open_when_down = True

    def allow_request(self, request, view):
        """Return whether the request may go on. Raises CacheDown."""
        try:
            return super().allow_request(request, view)
        except RedisError as error:
            logger.warning("cannot count '%s' requests: %s", self.scope, error)
            if self.open_when_down:
                return True
            raise CacheDown from error

    def get_cache_key(self, request, view):
        who = request.user.pk or self.get_ident(request)
        return f"throttle:{self.scope}:{who}"


class AnonymousThrottle(Throttle):
    scope = "anonymous"

    def get_cache_key(self, request, view):
        if request.user.is_authenticated:
            return None
        return super().get_cache_key(request, view)


class UserThrottle(Throttle):
    scope = "user"

    def get_cache_key(self, request, view):
        if not request.user.is_authenticated:
            return None
        return super().get_cache_key(request, view)


class SignUpThrottle(Throttle):
    scope = "sign-up"
    open_when_down = False


class SignInThrottle(Throttle):
    """Slows down one client that tries many passwords.

    It closes when it cannot count: guessing must not be free while the cache
    is down. Counting is not exact under parallel requests, so this slows an
    attack down; what stops it is a lockout or a second factor.
    """

    scope = "sign-in"
    open_when_down = False


class AccountThrottle(SignInThrottle):
    """Slows down many clients that try passwords of one account."""

    def get_cache_key(self, request, view):
        data = request.data if isinstance(request.data, dict) else {}
        email = str(data.get("email", "")).strip().lower()
        # Hashed: addresses have no place in the keys of a cache.
        return f"throttle:account:{hashlib.sha256(email.encode()).hexdigest()}"
