"""Addresses of competitions, pools and games, under /api/v1/."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from pools.api.competitions import CompetitionViewSet
from pools.api.games import GameResultView
from pools.api.pools import PoolViewSet

router = SimpleRouter(trailing_slash=False)
router.register("competitions", CompetitionViewSet, basename="competition")
router.register("pools", PoolViewSet, basename="pool")

urlpatterns = [
    *router.urls,
    re_path(r"^games/(?P<pk>[0-9]{1,18})/result$", GameResultView.as_view(), name="game-result"),
]
