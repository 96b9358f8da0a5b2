"""Writes about accounts."""

from django.db import IntegrityError, transaction

from accounts.models import Profile, User


class EmailTaken(Exception):
    """Somebody has signed up with this address."""


@transaction.atomic
def sign_up(*, email, password, first_name="", last_name=""):
    """Create a user with a profile and return the user. Raises EmailTaken.

    Here, and not in a signal: who reads the code sees both rows appear.
    """
    try:
        # A savepoint: after a database error PostgreSQL refuses everything
        # until the innermost block is rolled back.
        with transaction.atomic():
            user = User.objects.create_user(
                email, password, first_name=first_name, last_name=last_name
            )
    except IntegrityError as error:
        raise EmailTaken("this address has an account") from error
    Profile.objects.create(user=user)
    return user
