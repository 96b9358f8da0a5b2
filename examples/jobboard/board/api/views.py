"""The endpoints: they check who asks and for what; services do the rest."""

import hashlib
import json
import uuid

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.throttling import UserThrottle
from accounts.views import validated
from board import caching, services
from board.api import conditional
from board.api.filters import ApplicationFilter, JobFilter
from board.api.permissions import (
    DecidesOnApplication,
    IsApplicant,
    IsCompanyStaffOrReadOnly,
)
from board.api.serializers import (
    ApplicationSerializer,
    ApplySerializer,
    CompanyWithJobsSerializer,
    DecisionSerializer,
    JobSerializer,
    JobSummarySerializer,
    JobUpdateSerializer,
    JobWriteSerializer,
    SkillSerializer,
    StatisticsSerializer,
)
from board.idempotency import once
from board.models import Application, Company, Job, Skill

IF_MATCH = OpenApiParameter("If-Match", str, "header", required=True)
IDEMPOTENCY_KEY = OpenApiParameter("Idempotency-Key", uuid.UUID, "header")


class ApplyThrottle(UserThrottle):
    scope = "apply"


class JobViewSet(GenericViewSet):
    queryset = Job.objects.none()
    permission_classes = (IsCompanyStaffOrReadOnly,)
    serializer_class = JobSerializer
    filterset_class = JobFilter
    lookup_value_converter = "int"
    sorts = {
        "newest": "-created_at",
        "oldest": "created_at",
        "title": "title",
    }

    def get_queryset(self):
        """Return the jobs this user may see: on lists as on details."""
        return Job.objects.visible_to(self.request.user).for_display()

    @extend_schema(responses=JobSummarySerializer(many=True))
    def list(self, request):
        """List jobs, newest first."""
        page = caching.job_list(
            user=request.user,
            url=request.build_absolute_uri(),
            compute=lambda: self.page(request),
        )
        return conditional.respond(request, page)

    def page(self, request):
        jobs = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        data = JobSummarySerializer(jobs, many=True).data
        return self.get_paginated_response(data).data

    def retrieve(self, request, pk):
        """Show a job. Its ETag is what an update must send."""
        return self.show(self.get_object())

    @extend_schema(request=JobWriteSerializer, responses={201: JobSerializer})
    def create(self, request):
        """Create a job at a company whose staff you are on."""
        fields = validated(JobWriteSerializer, request)
        if not fields["company"].is_managed_by(request.user):
            raise PermissionDenied("Only the company's staff may do this.")
        job = services.create_job(**fields)
        address = reverse("job-detail", [job.pk], request=request)
        return self.show(job, status=201, headers={"Location": address})

    @extend_schema(
        request=JobUpdateSerializer,
        responses=JobSerializer,
        parameters=[IF_MATCH],
    )
    def partial_update(self, request, pk):
        """Change a job that nobody has changed since you read it."""
        job = self.get_object()
        conditional.check_if_match(request, JobSerializer(job).data)
        serializer = JobUpdateSerializer(job, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        services.update_job(job_id=job.pk, version=job.version, **fields)
        return self.show(self.get_object())

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"], permission_classes=[AllowAny])
    def views(self, request, pk):
        """Count a view. A write, so not a side effect of reading the job."""
        services.count_view(job_id=self.get_object().pk)
        return Response(status=204)

    def show(self, job, **kwargs):
        return conditional.respond(
            self.request, JobSerializer(job).data, **kwargs
        )


class ApplicationViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet
):
    """Your own applications, and those for the companies you act for."""

    queryset = Application.objects.none()
    serializer_class = ApplicationSerializer
    filterset_class = ApplicationFilter
    lookup_value_converter = "int"
    sorts = {"newest": "-created_at", "oldest": "created_at"}

    def get_queryset(self):
        """Return the user's own, and those for companies the user acts for."""
        visible = Application.objects.visible_to(self.request.user)
        return visible.for_display()

    def get_throttles(self):
        extra = [ApplyThrottle()] if self.action == "create" else []
        return super().get_throttles() + extra

    @extend_schema(
        request=ApplySerializer,
        responses={201: ApplicationSerializer},
        parameters=[IDEMPOTENCY_KEY],
    )
    def create(self, request):
        """Apply for a job. With an Idempotency-Key it is safe to send again."""
        fields = validated(ApplySerializer, request)
        key = idempotency_key(request)
        if key is None:
            status, body = self.apply(**fields)
        else:
            answer = once(
                user=request.user,
                key=key,
                fingerprint=fingerprint(request),
                action=lambda: self.apply(**fields),
            )
            status, body = answer.status_code, answer.body
        address = reverse("application-detail", [body["id"]], request=request)
        return Response(body, status=status, headers={"Location": address})

    def apply(self, job, cover_note):
        jobs = Job.objects.visible_to(self.request.user).for_display()
        job = get_object_or_404(jobs, pk=job)
        application = services.apply(
            user=self.request.user, job=job, cover_note=cover_note
        )
        return 201, ApplicationSerializer(application).data

    @extend_schema(request=None, responses=ApplicationSerializer)
    @action(
        detail=True,
        methods=["post"],
        permission_classes=[IsAuthenticated, IsApplicant],
    )
    def withdrawal(self, request, pk):
        """Withdraw an application that is not decided."""
        return self.change_status(Application.Status.WITHDRAWN)

    @extend_schema(request=DecisionSerializer, responses=ApplicationSerializer)
    @action(
        detail=True,
        methods=["post"],
        permission_classes=[IsAuthenticated, DecidesOnApplication],
    )
    def decision(self, request, pk):
        """Review an application; then offer or reject."""
        application = self.get_object()  # who may not see it gets 404, not 422
        status = validated(DecisionSerializer, request)["status"]
        return self.change_status(status, application)

    def change_status(self, status, application=None):
        application = application or self.get_object()
        changed = services.change_status(
            application_id=application.pk, status=status
        )
        return Response(ApplicationSerializer(changed).data)


class CompanyViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet
):
    """Companies, each with the number of its open jobs."""

    queryset = Company.objects.with_open_jobs()
    permission_classes = (AllowAny,)
    serializer_class = CompanyWithJobsSerializer
    lookup_field = "slug"
    lookup_value_converter = "slug"
    sorts = {"name": "name"}


class SkillViewSet(mixins.ListModelMixin, GenericViewSet):
    """The skills that jobs ask for."""

    queryset = Skill.objects.all()
    permission_classes = (AllowAny,)
    serializer_class = SkillSerializer
    sorts = {"name": "name"}


class StatisticsView(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(responses=StatisticsSerializer)
    def get(self, request):
        """Show the numbers of the board; up to five minutes old."""
        return conditional.respond(request, caching.statistics())


def idempotency_key(request):
    """Return the key of the request, or None. Raises ValidationError."""
    text = request.headers.get("Idempotency-Key")
    if text is None:
        return None
    try:
        return uuid.UUID(text.strip().strip('"'))
    except ValueError:
        raise ValidationError(
            {"Idempotency-Key": "This is not a UUID."}
        ) from None


def fingerprint(request):
    """Return a digest that two requests share if they ask for the same."""
    text = json.dumps(request.data, sort_keys=True)
    return hashlib.sha256(f"{request.path} {text}".encode()).hexdigest()
