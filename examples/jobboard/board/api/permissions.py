"""Who may do what with one object.

REST framework does not ask these classes about the rows of a list, nor about
creation: querysets and views answer for those.
"""

from rest_framework.permissions import SAFE_METHODS, BasePermission


class IsCompanyStaffOrReadOnly(BasePermission):
    """Who sees a job may read it; the company's staff may change it."""

    def has_permission(self, request, view):
        return request.method in SAFE_METHODS or request.user.is_authenticated

    def has_object_permission(self, request, view, job):
        if request.method in SAFE_METHODS:
            return True
        return job.company.is_managed_by(request.user)


class IsApplicant(BasePermission):
    """Only who applied may withdraw."""

    def has_object_permission(self, request, view, application):
        return application.user_id == request.user.pk


class DecidesOnApplication(BasePermission):
    """Only the company's staff may decide, and nobody about themselves."""

    def has_object_permission(self, request, view, application):
        return (
            application.user_id != request.user.pk
            and application.job.company.is_managed_by(request.user)
        )
