"""Requests that their sender may repeat, because no answer arrived."""

from django.db import transaction

from board.models import IdempotencyKey


class KeyReused(Exception):
    """The key was sent before with another request."""


@transaction.atomic
def once(*, user, key, fingerprint, action):
    """Return the stored answer for the key; run the action if there is none.

    `action` returns a status and a body. Its effects and its answer are one
    transaction: there cannot be one without the other. A second request at
    the same moment waits at the unique index until the first has committed.
    An action that raises leaves no key, so it can be tried again.
    Raises KeyReused if the fingerprints of the two requests differ.
    """
    record, created = IdempotencyKey.objects.get_or_create(
        user=user, key=key, defaults={"fingerprint": fingerprint}
    )
    if created:
        record.status_code, record.body = action()
        record.save(update_fields=["status_code", "body"])
    elif record.fingerprint != fingerprint:
        raise KeyReused("this Idempotency-Key belongs to another request")
    return record
