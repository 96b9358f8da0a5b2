"""Which guard stands on which way into an endpoint, and what its lookups cost."""

import pytest
from board.api.serializers import CompanySerializer, JobSummarySerializer, JobWriteSerializer, SkillsByName
from board.models import Application, Company, Job, Skill
from board.tests.world import assert_problem
from django.contrib.auth import get_user_model
from django.core.paginator import UnorderedObjectListWarning
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import path
from rest_framework import serializers, settings
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient
from rest_framework.viewsets import GenericViewSet, ModelViewSet
from rest_framework_simplejwt.authentication import JWTAuthentication


class OutOfTheBox(ModelViewSet):
    """What REST framework does if your settings say nothing."""

    permission_classes = (AllowAny,)
    pagination_class = None
    throttle_classes = ()
    filter_backends = ()
    parser_classes = (JSONParser, FormParser, MultiPartParser)
    renderer_classes = (JSONRenderer, BrowsableAPIRenderer)


class EveryField(ModelSerializer):
    class Meta:
        model = Application
        fields = "__all__"


class Applications(OutOfTheBox):
    """Two lines, six operations, no guard."""

    queryset = Application.objects.all()
    serializer_class = EveryField


class IsMine(BasePermission):
    """Looks at one object: did this user send this application?"""

    def has_object_permission(self, request, view, application):
        return application.user_id == request.user.pk


class SignedIn(Applications):
    permission_classes = (IsAuthenticated,)


class ObjectPermission(Applications):
    permission_classes = (IsAuthenticated, IsMine)


class ScopedQueryset(SignedIn):
    def get_queryset(self):  # the only place that all rows pass
        return Application.objects.filter(user=self.request.user)


class NamedFields(ModelSerializer):
    class Meta:
        model = Application
        fields = ("id", "job", "status", "cover_note", "created_at")
        read_only_fields = ("status",)


class Guarded(ScopedQueryset):
    """A guard on each way: the queryset, the fields, the sender."""

    serializer_class = NamedFields

    def perform_create(self, serializer):
        serializer.save(user=self.request.user)


class ManyRelated(ModelSerializer):
    """As the tutorials write it: each name is looked up on its own."""

    skills = serializers.SlugRelatedField("name", many=True, queryset=Skill.objects.all())

    class Meta:
        model = Job
        fields = ("skills",)


class OneLookup(ModelSerializer):
    skills = SkillsByName()

    class Meta:
        model = Job
        fields = ("skills",)


class WithWithdrawal(ObjectPermission):
    @action(detail=True, methods=["post"])
    def withdrawal(self, request, pk):
        """Withdraw my application. Or so it says."""
        application = get_object_or_404(Application, pk=pk)
        application.status = "withdrawn"
        application.save()
        return Response(EveryField(application).data)


class Nested(ModelSerializer):
    """Reads well, and cannot be saved."""

    company = CompanySerializer()

    class Meta:
        model = Job
        fields = ("title", "company")


GUARDS = {
    "out of the box": Applications,
    "IsAuthenticated": SignedIn,
    "+ object permission": ObjectPermission,
    "+ queryset instead": ScopedQueryset,
    "+ named fields": Guarded,
}


def routed(view):
    """Return the address patterns of a viewset, for ROOT_URLCONF."""
    router = SimpleRouter(use_regex_path=False)
    router.register("applications", view, "application")
    return tuple(router.urls)


def client_of(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


def stranger():
    """Return a user who has sent nothing and works nowhere; or nobody."""
    return get_user_model().objects.get_or_create(email="stranger@example.com")[0]


def reached(view, user):
    """Count what belongs to others and a user reaches through a viewset."""
    others = list(Application.objects.exclude(user=user).values_list("pk", flat=True))
    addresses = get_user_model().objects.exclude(pk=user and user.pk).values_list("email", flat=True)
    client = client_of(user)

    def answers(method, *body):
        calls = [method(f"/applications/{pk}/", *body, format="json") for pk in others]
        return sum(call.status_code in (200, 204) for call in calls)

    with override_settings(ROOT_URLCONF=routed(view), ALLOWED_HOSTS=["testserver"]):
        rows = {row["id"] for row in client.get("/applications/").json()}
        page = client.get("/applications/", headers={"Accept": "text/html"}).content.decode()
        return {
            "listed": len(rows & set(others)),
            "read": answers(client.get),
            "changed": answers(client.patch, {"cover_note": "-"}),
            "forged": forge(client, user),
            "deleted": answers(client.delete),
            "e-mails": sum(f">{address}<" in page for address in addresses),
        }


def forge(client, user):
    """Apply in the name of each other person, as already accepted; count them."""
    company, count = Company.objects.earliest("pk"), 0
    for person in get_user_model().objects.exclude(pk=user.pk if user else None):
        job = Job.objects.create(company=company, title=f"For {person.pk}")
        body = {"user": person.pk, "job": job.pk, "status": "offered"}
        client.post("/applications/", body, format="json")
        count += job.applications.filter(user=person, status="offered").count()
    return count


def as_json(jobs):
    """Write by hand what JobSummarySerializer makes of jobs."""
    return [
        {
            "id": job.pk,
            "title": job.title,
            "company": {"name": job.company.name, "slug": job.company.slug},
            "skills": [skill.name for skill in job.skills.all()],
            "salary_min": None if job.salary_min is None else str(job.salary_min),
            "salary_max": None if job.salary_max is None else str(job.salary_max),
            "is_open": job.is_open,
            "created_at": job.created_at.isoformat().replace("+00:00", "Z"),
        }
        for job in jobs
    ]


def lookups(serializer_class, names):
    """Count the queries that checking a body with these skills sends."""
    serializer = serializer_class(data={"skills": names})
    with CaptureQueriesContext(connection) as queries:
        serializer.is_valid(raise_exception=True)
    return len(queries)


def test_the_defaults_are_those_of_rest_framework():
    names = {
        "permission_classes": "DEFAULT_PERMISSION_CLASSES",
        "throttle_classes": "DEFAULT_THROTTLE_CLASSES",
        "filter_backends": "DEFAULT_FILTER_BACKENDS",
        "parser_classes": "DEFAULT_PARSER_CLASSES",
        "renderer_classes": "DEFAULT_RENDERER_CLASSES",
    }
    for attribute, name in names.items():
        ours = [f"{found.__module__}.{found.__name__}" for found in getattr(OutOfTheBox, attribute)]
        assert ours == list(settings.DEFAULTS[name]), name
    assert settings.DEFAULTS["DEFAULT_PAGINATION_CLASS"] is OutOfTheBox.pagination_class is None


def test_two_lines_open_six_operations():
    opened = [(method, pattern.name) for pattern in routed(Applications) for method in pattern.callback.actions]
    assert sorted(opened) == [
        ("delete", "application-detail"),
        ("get", "application-detail"),
        ("get", "application-list"),
        ("patch", "application-detail"),
        ("post", "application-list"),
        ("put", "application-detail"),
    ]


# Three applications of others; seven people and a stranger.
@pytest.mark.parametrize(
    ("guard", "expected"),
    [
        ("out of the box", (3, 3, 3, 7, 3, 7)),
        ("IsAuthenticated", (3, 3, 3, 7, 3, 7)),
        ("+ object permission", (3, 0, 0, 7, 0, 7)),
        ("+ queryset instead", (0, 0, 0, 7, 0, 7)),
        ("+ named fields", (0, 0, 0, 0, 0, 0)),
    ],
)
def test_what_each_guard_leaves_open(world, guard, expected):
    for name in ("one@example.com", "two@example.com"):
        Application.objects.create(user=world.user(name), job=world.job)
    user = None if guard == "out of the box" else stranger()
    assert tuple(reached(GUARDS[guard], user).values()) == expected


def test_an_applicant_cannot_decide_with_named_fields_only(world):
    address = f"/applications/{world.application.pk}/"

    def status_after(view):
        with override_settings(ROOT_URLCONF=routed(view)):
            answer = client_of(world.applicant).patch(address, {"status": "offered"}, format="json")
        world.application.refresh_from_db()
        return answer.status_code, world.application.status

    assert status_after(Guarded) == (200, "sent")  # left out in silence
    with override_settings(ROOT_URLCONF=routed(Guarded)):
        body = {"job": world.elsewhere.pk, "status": "offered"}
        answer = client_of(world.applicant).post("/applications/", body, format="json")
    assert (answer.status_code, answer.json()["status"]) == (201, "sent")
    assert status_after(ScopedQueryset) == (200, "offered")


def test_hiding_a_field_takes_the_unique_check_with_it(world):
    body = {"user": world.applicant.pk, "job": world.job.pk}
    client = client_of(world.applicant)
    with override_settings(ROOT_URLCONF=routed(SignedIn)):
        answer = client.post("/applications/", body, format="json")
    assert answer.json()["errors"][0]["detail"] == "The fields user, job must make a unique set."
    with (
        override_settings(ROOT_URLCONF=routed(Guarded)),
        pytest.raises(IntegrityError, match="application_once_per_job"),
        transaction.atomic(),
    ):
        client.post("/applications/", body, format="json")
    answer = world.client(world.applicant).post("/api/applications/", {"job": world.job.pk}, format="json")
    assert answer.status_code == 409


def test_a_related_field_offers_every_row_there_is(world):
    """The list hides the closed job; the field of a write takes it."""
    user = stranger()
    assert world.closed not in Job.objects.visible_to(user)
    with override_settings(ROOT_URLCONF=routed(Guarded)):
        page = client_of(user).get("/applications/", headers={"Accept": "text/html"})
        answer = client_of(user).post("/applications/", {"job": world.closed.pk}, format="json")
    assert f">{world.closed.title}<" in page.content.decode()
    assert answer.status_code == 201
    body = {"job": world.closed.pk}
    assert world.client(user).post("/api/applications/", body, format="json").status_code == 404


def test_an_action_that_looks_up_by_itself_asks_nobody(world):
    at = f"/applications/{world.application.pk}/withdrawal/"
    with override_settings(ROOT_URLCONF=routed(WithWithdrawal)):
        assert client_of(stranger()).post(at).status_code == 200
    world.application.refresh_from_db()
    assert world.application.status == "withdrawn"
    assert world.client(stranger()).post(f"/api{at}").status_code == 404


def test_a_related_field_asks_for_each_item(world):
    names = [f"Skill {n}" for n in range(50)]
    Skill.objects.bulk_create(Skill(name=name) for name in names)
    assert [lookups(ManyRelated, names[:n]) for n in (1, 10, 50)] == [1, 10, 50]
    assert [lookups(OneLookup, names[:n]) for n in (1, 10, 50)] == [1, 1, 1]
    assert lookups(ManyRelated, ["SQL"] * 1000) == 1000


def test_by_hand_is_what_the_serializer_writes(world):
    jobs = Job.objects.for_display()
    assert as_json(jobs) == JobSummarySerializer(jobs, many=True).data


def test_errors_of_many_are_keyed_by_index(world):
    body = [{"company": "acme", "title": "A"}, {"company": "acme", "title": ""}]
    serializer = JobWriteSerializer(data=body, many=True)
    assert not serializer.is_valid()
    assert serializer.errors == {1: {"title": ["This field may not be blank."]}}


def test_logged_out_is_401_or_403_by_the_first_class(world):
    class SessionFirst(SignedIn):
        authentication_classes = (SessionAuthentication, JWTAuthentication)

    with override_settings(ROOT_URLCONF=routed(SessionFirst)):
        assert_problem(APIClient().get("/applications/"), 403, "Authentication credentials were not provided.")
    assert_problem(world.client().get("/api/applications/"), 401, "Authentication credentials were not provided.")


# Messages, word for word as the page shows them.


class NoQueryset(GenericViewSet):
    serializer_class = EveryField

    def list(self, request):
        return Response(self.get_serializer(self.get_queryset(), many=True).data)


def test_messages_about_the_queryset(world):
    with pytest.raises(AssertionError) as error:
        SimpleRouter().register("applications", NoQueryset)
    assert str(error.value) == (
        "`basename` argument not specified, and could not automatically determine the name from the viewset, "
        "as it does not have a `.queryset` attribute."
    )
    with override_settings(ROOT_URLCONF=routed(NoQueryset)), pytest.raises(AssertionError) as error:
        client_of(world.applicant).get("/applications/")
    assert str(error.value) == (
        "'NoQueryset' should either include a `queryset` attribute, or override the `get_queryset()` method."
    )


def test_message_about_the_name_in_the_address(world):
    addresses = (path("applications/<int:application_id>/", SignedIn.as_view({"get": "retrieve"})),)
    with override_settings(ROOT_URLCONF=addresses), pytest.raises(AssertionError) as error:
        client_of(world.applicant).get("/applications/1/")
    assert str(error.value) == (
        'Expected view SignedIn to be called with a URL keyword argument named "pk". '
        "Fix your URL conf, or set the `.lookup_field` attribute on the view correctly."
    )


def test_message_about_a_field_that_is_not_listed():
    class Wrong(ModelSerializer):
        open_jobs = serializers.IntegerField()

        class Meta:
            model = Company
            fields = ("name",)

    with pytest.raises(AssertionError) as error:
        _ = Wrong().fields
    assert str(error.value) == (
        "The field 'open_jobs' was declared on serializer Wrong, but has not been included in the 'fields' option."
    )


def test_message_about_a_nested_write(world):
    serializer = Nested(data={"title": "T", "company": {"name": "N", "slug": "n"}})
    serializer.is_valid(raise_exception=True)
    with pytest.raises(AssertionError) as error:
        serializer.save()
    assert str(error.value).startswith("The `.create()` method does not support writable nested fields by default.")


def test_message_about_a_page_without_an_order(world):
    class Numbered(SignedIn):
        pagination_class = PageNumberPagination

    Numbered.pagination_class.page_size = 2
    with override_settings(ROOT_URLCONF=routed(Numbered)), pytest.warns(UnorderedObjectListWarning) as warned:
        client_of(world.root).get("/applications/")
    assert str(warned[0].message).startswith("Pagination may yield inconsistent results with an unordered object_list")
