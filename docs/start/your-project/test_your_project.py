"""Five projects: the rule that prevents the classic bug of each, tried on PostgreSQL."""

import hashlib
import hmac
import json

import pytest
from accounts.models import User
from django.conf import settings
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Q
from django.http import HttpResponse
from django.http.request import RawPostDataException
from django.test import Client, RequestFactory
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny

USER = settings.AUTH_USER_MODEL
LABEL = "your_project"


class Product(models.Model):
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.PositiveIntegerField(default=0)  # CHECK (stock >= 0)
    is_listed = models.BooleanField(default=True)

    class Meta:
        app_label = LABEL
        constraints = (models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),)
        indexes = (
            models.Index(
                fields=("price", "id"),
                condition=Q(is_listed=True),
                name="product_listed_price",
            ),
        )


# One statement: it looks and writes at once, so two buyers cannot both win.
def sell(product_id, quantity):
    """Take from the stock; return whether there was enough."""
    enough = Product.objects.filter(pk=product_id, stock__gte=quantity)
    return enough.update(stock=F("stock") - quantity) == 1


def sell_and_hope(product, quantity):
    """The same as it is usually written: look, then write what was seen."""
    if product.stock >= quantity:
        product.stock -= quantity
        product.save()
        return True
    return False


# Over the raw body: parsing and writing JSON again changes the bytes.
def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Return whether whoever sent the body knows the secret."""
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), signature.encode())


class Favourite(models.Model):
    user = models.ForeignKey(USER, on_delete=models.CASCADE)
    tmdb_id = models.PositiveBigIntegerField()  # theirs, not ours

    class Meta:
        app_label = LABEL
        constraints = (models.UniqueConstraint(fields=("user", "tmdb_id"), name="favourite_once"),)


class Option(models.Model):
    poll = models.PositiveBigIntegerField()
    text = models.CharField(max_length=200)

    class Meta:
        app_label = LABEL


class Vote(models.Model):
    """The poll stands here too, or nothing could count votes per poll."""

    user = models.ForeignKey(USER, on_delete=models.CASCADE)
    poll = models.PositiveBigIntegerField()
    option = models.ForeignKey(Option, on_delete=models.PROTECT)

    class Meta:
        app_label = LABEL
        constraints = (models.UniqueConstraint(fields=("user", "poll"), name="vote_once_per_poll"),)


class Follow(models.Model):
    follower = models.ForeignKey(USER, models.CASCADE, related_name="+")
    followed = models.ForeignKey(USER, models.CASCADE, related_name="+")

    class Meta:
        app_label = LABEL
        constraints = (
            models.UniqueConstraint(fields=("follower", "followed"), name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followed")), name="follow_not_self"),
        )


TABLES = (Product, Favourite, Option, Vote, Follow)


@pytest.fixture
def tables(db):
    with connection.schema_editor(atomic=False) as editor:
        for model in TABLES:
            editor.create_model(model)
            assert model._meta.db_table.startswith(LABEL)


@pytest.fixture
def ada(tables):
    return User.objects.create_user("ada@example.com")


@pytest.fixture
def bob(tables):
    return User.objects.create_user("bob@example.com")


def test_two_buyers_of_the_last_book(tables):
    book = Product.objects.create(name="Book", price=20, stock=1)
    first, second = (Product.objects.get(pk=book.pk) for _ in range(2))
    assert [sell_and_hope(first, 1), sell_and_hope(second, 1)] == [True, True]  # 2 sold of 1
    assert Product.objects.get().stock == 0  # and the row looks right

    Product.objects.update(stock=1)
    assert [sell(book.pk, 1), sell(book.pk, 1)] == [True, False]
    assert Product.objects.get().stock == 0


def test_a_callback_is_signed_over_its_bytes():
    body, secret = b'{"order": 7,  "amount": "12.50"}', "test key"
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert is_signed(body, signature, secret)
    assert not is_signed(body.replace(b"12.50", b"0.50"), signature, secret)
    assert not is_signed(json.dumps(json.loads(body)).encode(), signature, secret)  # the same order, other bytes
    assert not is_signed(body, "é", secret)  # compare_digest refuses text that is not ASCII


def paid(request):
    """The callback as a plain view."""
    return HttpResponse(status=200)


urlpatterns = [
    path("payments/callback/", paid),
    path("payments/exempt/", csrf_exempt(paid)),
]


def test_a_callback_has_no_token_of_our_forms(settings, caplog):
    settings.ROOT_URLCONF = __name__
    provider = Client(enforce_csrf_checks=True)
    assert provider.post("/payments/callback/", {}, "application/json").status_code == 403
    assert caplog.messages == ["Forbidden (CSRF cookie not set.): /payments/callback/"]
    assert provider.post("/payments/exempt/", {}, "application/json").status_code == 200


READ = "You cannot access body after reading from request's data stream"


def test_the_bytes_are_read_before_the_stream():
    call = RequestFactory().post("/", b'{"order": 7}', content_type="application/json")
    assert call.read() == b'{"order": 7}'
    with pytest.raises(RawPostDataException) as refused:
        _ = call.body
    assert str(refused.value) == READ


@api_view(["POST"])
@permission_classes([AllowAny])
def both(request):
    return HttpResponse(json.dumps(request.data).encode() + request.body)


def test_rest_framework_keeps_the_bytes():
    call = RequestFactory().post("/", b'{"order":7}', content_type="application/json")
    assert both(call).content == b'{"order": 7}{"order":7}'


def violated(write):
    """Return the name of the constraint that refuses a write."""
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        write()
    return refused.value.__cause__.diag.constraint_name


def test_stock_and_price_are_never_negative(tables):
    book = Product.objects.create(name="Book", price=20, stock=1)
    rows = Product.objects.filter(pk=book.pk)
    assert violated(lambda: rows.update(stock=F("stock") - 2)) == "your_project_product_stock_check"
    assert violated(lambda: rows.update(price=-1)) == "product_price_not_negative"


def test_a_favourite_is_one_row(ada):
    Favourite.objects.create(user=ada, tmdb_id=603)
    assert violated(lambda: Favourite.objects.create(user=ada, tmdb_id=603)) == "favourite_once"
    same, created = Favourite.objects.get_or_create(user=ada, tmdb_id=603)
    assert not created and same.tmdb_id == 603


def test_a_user_votes_once_in_a_poll(ada, bob):
    yes, no = (Option.objects.create(poll=1, text=text) for text in ("yes", "no"))
    Vote.objects.create(user=ada, poll=1, option=yes)
    assert violated(lambda: Vote.objects.create(user=ada, poll=1, option=no)) == "vote_once_per_poll"
    Vote.objects.create(user=bob, poll=1, option=no)
    # Unique per option is what tutorials write; it lets one user vote for both.
    assert Vote.objects.values("user", "option").distinct().count() == 2


def test_nobody_follows_twice_or_themselves(ada, bob):
    Follow.objects.create(follower=ada, followed=bob)
    assert violated(lambda: Follow.objects.create(follower=ada, followed=bob)) == "follow_once"
    assert violated(lambda: Follow.objects.create(follower=ada, followed=ada)) == "follow_not_self"
