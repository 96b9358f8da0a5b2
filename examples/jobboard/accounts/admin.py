"""The users' pages in the admin."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm

from accounts.models import Profile, User


class EmailUserCreationForm(AdminUserCreationForm):
    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("email",)
        field_classes = {}


class ProfileInline(admin.StackedInline):
    model = Profile


@admin.register(User)
class EmailUserAdmin(UserAdmin):
    """Django's own pages, with the address in the place of the user name."""

    add_form = EmailUserCreationForm
    inlines = (ProfileInline,)
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "is_active", "is_staff")
    search_fields = ("email", "first_name", "last_name")
    fieldsets = (
        (None, {"fields": ("email", "password", "first_name", "last_name")}),
        *UserAdmin.fieldsets[2:],
    )
    add_fieldsets = ((None, {"fields": ("email", "password1", "password2")}),)
