"""The user, who signs in with an e-mail address, and the profile."""

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower


class UserManager(BaseUserManager):
    """Creates users; addresses are kept in lower case, everywhere."""

    @classmethod
    def normalize_email(cls, email):
        return (email or "").strip().lower()

    def get_by_natural_key(self, email):
        return self.get(email=self.normalize_email(email))

    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        flags = {"is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **flags, **fields)


class User(AbstractUser):
    """Somebody who can sign in.

    Our own model from the first migration on: it cannot be swapped in later
    without rewriting every foreign key to it.
    """

    username = None
    email = models.EmailField(unique=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ()

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"
        constraints = (
            # With it, the ordinary unique index is case-insensitive.
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")),
                name="user_email_lower_case",
            ),
        )

    def __str__(self):
        return self.email


class Profile(models.Model):
    """What a user tells about themselves; exactly one for each user."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="profile"
    )
    headline = models.CharField(max_length=120, blank=True, default="")
    about = models.TextField(max_length=4000, blank=True, default="")

    def __str__(self):
        return f"Profile of {self.user_id}"
