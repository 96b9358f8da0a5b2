"""Refresh tokens that work once, and the alarm when one is used twice.

The library rotates tokens too, but it only refuses a used one. A used token
means that two parties hold it and one of them stole it; we cannot tell which,
so every token of that user ends and both have to sign in again.
"""

import logging

from django.db import transaction
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import (
    BlacklistedToken,
    OutstandingToken,
)
from rest_framework_simplejwt.tokens import BlacklistMixin, RefreshToken
from rest_framework_simplejwt.utils import (
    datetime_from_epoch,
    get_md5_hash_password,
)

from accounts.models import User

logger = logging.getLogger(__name__)


class RotatingToken(RefreshToken):
    """A refresh token of which only the id is stored."""

    @classmethod
    def for_user(cls, user):
        """Return a token. Its text is a password in effect: none is kept."""
        token = super(BlacklistMixin, cls).for_user(user)
        OutstandingToken.objects.create(
            user=user,
            jti=token["jti"],
            created_at=token.current_time,
            expires_at=datetime_from_epoch(token["exp"]),
        )
        return token

    def check_blacklist(self):
        """Do not look here whether it was used: using it up is what tells."""


def issue(user):
    """Return a new pair of tokens for the user: {"access": …, "refresh": …}."""
    refresh = RotatingToken.for_user(user)
    return {"access": str(refresh.access_token), "refresh": str(refresh)}


def rotate(encoded):
    """Use up a refresh token and return a new pair. Raises TokenError."""
    token = RotatingToken(encoded)
    user = User.objects.filter(pk=token["user_id"], is_active=True).first()
    if user is None or not same_password(token, user):
        raise TokenError("Token is invalid or expired")
    with transaction.atomic():
        # A unique row decides which of two simultaneous requests was first.
        _, first_use = token.blacklist()
        if first_use:
            return issue(user)
    logger.warning("used refresh token came back: user %s signed out", user.pk)
    revoke_all(user)
    raise TokenError("Token is invalid or expired")


def revoke(encoded):
    """Use up a refresh token without a new one: sign out. Raises TokenError."""
    RotatingToken(encoded).blacklist()


def revoke_all(user):
    """End every refresh token of the user; access tokens end within minutes."""
    tokens = OutstandingToken.objects.filter(
        user=user, blacklistedtoken__isnull=True
    )
    BlacklistedToken.objects.bulk_create(
        [BlacklistedToken(token=token) for token in tokens],
        ignore_conflicts=True,
    )


def same_password(token, user):
    """Say whether the password is still the one the token was issued for."""
    return token.get("hash_password") == get_md5_hash_password(user.password)


def forget_expired():
    """Delete tokens that are refused anyway, because they are too old."""
    OutstandingToken.objects.filter(expires_at__lt=timezone.now()).delete()
