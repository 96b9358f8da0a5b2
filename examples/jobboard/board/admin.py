"""The admin. A list names the relations it shows, or it asks once per row."""

from django.contrib import admin

from board import caching
from board.models import Application, Company, DailyStatistics, Job, Skill


class ForgetsJobs(admin.ModelAdmin):
    """The admin writes past the services, so it says itself what changed."""

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        caching.forget_jobs_on_commit()

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        caching.forget_jobs_on_commit()

    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        caching.forget_jobs_on_commit()


@admin.register(Company)
class CompanyAdmin(ForgetsJobs):
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("staff",)


@admin.register(Skill)
class SkillAdmin(ForgetsJobs):
    search_fields = ("name",)


@admin.register(Job)
class JobAdmin(ForgetsJobs):
    list_display = ("title", "company", "is_open", "views", "created_at")
    list_filter = ("is_open",)
    list_select_related = ("company",)
    search_fields = ("title", "company__name")
    autocomplete_fields = ("company", "skills")
    readonly_fields = ("views", "version", "created_at")
    # COUNT(*) of a million rows, on every page, only to print the number.
    show_full_result_count = False

    def save_model(self, request, obj, form, change):
        """Raise the version, so that an API client's older ETag is stale."""
        obj.version += 1 if change else 0
        super().save_model(request, obj, form, change)


@admin.register(Application)
class ApplicationAdmin(admin.ModelAdmin):
    """Read-only: the status moves by the services, which know the rules."""

    list_display = ("id", "user", "job", "status", "created_at")
    list_filter = ("status",)
    list_select_related = ("user", "job")
    search_fields = ("user__email", "job__title")
    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(DailyStatistics)
class DailyStatisticsAdmin(admin.ModelAdmin):
    list_display = ("day", "open_jobs", "new_jobs", "new_applications")
    date_hierarchy = "day"
