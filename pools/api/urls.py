"""Addresses of competitions, pools, their rules, and games, under /api/v1/."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from pools.api.amendments import AmendmentViewSet, PoolAmendmentsViewSet
from pools.api.competitions import CompetitionViewSet
from pools.api.events import PoolEventsView
from pools.api.games import GameResultView
from pools.api.logos import PoolLogoView
from pools.api.pools import PoolViewSet
from pools.api.rules import RulesViewSet

router = SimpleRouter(trailing_slash=False)
router.register("competitions", CompetitionViewSet, basename="competition")
router.register("pools", PoolViewSet, basename="pool")
router.register("amendments", AmendmentViewSet, basename="amendment")

# As many digits as a bigint takes: more would reach PostgreSQL as an error.
POOL = r"^pools/(?P<pool_id>[0-9]{1,18})"

pool_rules = RulesViewSet.as_view({"get": "list", "post": "create"})
pool_amendments = PoolAmendmentsViewSet.as_view({"get": "list", "post": "create"})

urlpatterns = [
    *router.urls,
    re_path(POOL + r"/rules$", pool_rules, name="pool-rules"),
    re_path(POOL + r"/events$", PoolEventsView.as_view(), name="pool-events"),
    re_path(POOL + r"/amendments$", pool_amendments, name="pool-amendments"),
    re_path(r"^pools/(?P<pk>[0-9]{1,18})/logo$", PoolLogoView.as_view(), name="pool-logo"),
    re_path(r"^games/(?P<pk>[0-9]{1,18})/result$", GameResultView.as_view(), name="game-result"),
]
