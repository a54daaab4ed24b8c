"""Competitions with their teams and rounds. Public."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.operations import operation
from config.api.permissions import Public
from config.api.views import ReadOnlyViewSet
from config.clock import database_now
from pools.api.serializers import CompetitionOut, RoundOut, TeamOut
from pools.models import Competition
from pools.queries import rounds_in_full


class CompetitionViewSet(ReadOnlyViewSet):
    """Leagues in a season."""

    family = "pools"
    permission_classes = [Public]
    serializer_class = CompetitionOut
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]{1,40}"

    def get_queryset(self) -> QuerySet[Competition]:
        return Competition.objects.order_by("code")

    @action(detail=True)
    @operation(answer=TeamOut(many=True), summary="List the teams of a competition")
    def teams(self, request: Request, **kwargs: Any) -> Response:
        """Its teams, by code."""
        teams = self.paginate_queryset(self.get_object().teams.order_by("code"))
        return self.get_paginated_response(TeamOut(teams, many=True).data)

    @action(detail=True)
    @operation(answer=RoundOut(many=True), summary="List the rounds of a competition")
    def rounds(self, request: Request, **kwargs: Any) -> Response:
        """Its rounds in play order, each with its games."""
        rounds = self.paginate_queryset(rounds_in_full(self.get_object().rounds.all(), database_now()))
        return self.get_paginated_response(RoundOut(rounds, many=True).data)
