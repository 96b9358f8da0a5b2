"""What lists can be filtered by. What is not named here is refused."""

import django_filters as filters
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError

from board.models import Application, Job


class KnownParametersBackend(DjangoFilterBackend):
    """Refuses unknown parameters: a misspelt filter must not match all."""

    def filter_queryset(self, request, queryset, view):
        filterset = self.get_filterset(request, queryset, view)
        filters = filterset.filters if filterset else ()
        known = view.paginator.parameters.union(filters)
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            raise ValidationError(
                dict.fromkeys(unknown, "This parameter is not known.")
            )
        return super().filter_queryset(request, queryset, view)


class JobFilter(filters.FilterSet):
    company = filters.CharFilter(
        field_name="company__slug", lookup_expr="iexact"
    )
    skill = filters.CharFilter(method="by_skill", max_length=60)
    is_open = filters.BooleanFilter()
    pays = filters.NumberFilter(method="by_pay", min_value=0, max_digits=10)
    search = filters.CharFilter(method="by_title", max_length=80)

    class Meta:
        model = Job
        fields = ()

    def by_skill(self, queryset, name, value):
        return queryset.needing(value)

    def by_pay(self, queryset, name, value):
        return queryset.paying(value)

    def by_title(self, queryset, name, value):
        return queryset.matching(value)


class ApplicationFilter(filters.FilterSet):
    class Meta:
        model = Application
        fields = ("job", "status")
