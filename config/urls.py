"""Composition root: every address of the system."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config import health, metrics
from config.api import docs

urlpatterns = [
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/schema/", docs.schema, name="schema"),
    path("api/docs/", docs.swagger, name="docs"),
    path("api/redoc/", docs.redoc, name="redoc"),
    path("admin/", admin.site.urls),
    path("health", health.live),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("ready", health.ready),
    path("health/detailed", health.detailed),
    path("metrics", metrics.expose),
    path("", RedirectView.as_view(pattern_name="docs"), name="home"),
]
