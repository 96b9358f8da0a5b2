"""Addresses of the account endpoints, below /api/."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("auth/sign-up/", views.SignUpView.as_view(), name="sign-up"),
    path("auth/token/", views.TokenView.as_view(), name="token"),
    path(
        "auth/token/refresh/", views.TokenRefreshView.as_view(), name="refresh"
    ),
    path("auth/token/revoke/", views.TokenRevokeView.as_view(), name="revoke"),
    path("auth/session/", views.SessionView.as_view(), name="session"),
    path("me/", views.MyProfileView.as_view(), name="me"),
]
