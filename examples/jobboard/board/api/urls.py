"""Addresses of the job board, below /api/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from board.api import views

router = SimpleRouter(use_regex_path=False)
router.register("jobs", views.JobViewSet, "job")
router.register("applications", views.ApplicationViewSet, "application")
router.register("companies", views.CompanyViewSet, "company")
router.register("skills", views.SkillViewSet, "skill")

urlpatterns = [
    *router.urls,
    path("statistics/", views.StatisticsView.as_view(), name="statistics"),
]
