"""Addresses of requests, entries, picks and standings, under /api/v1/."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from entries.api.requests import PoolRequestsView, RequestViewSet

router = SimpleRouter(trailing_slash=False)
router.register("requests", RequestViewSet, basename="request")

urlpatterns = [
    # As many digits as a bigint takes: more would reach PostgreSQL as an error.
    re_path(r"^pools/(?P<pool_id>[0-9]{1,18})/requests$", PoolRequestsView.as_view(), name="pool-requests"),
    path("", include(router.urls)),
]
