"""Who stands where in a pool. Public; picks show once their round is revealed."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.permissions import Public
from config.api.views import ApiViewSet
from config.pages.views import kept_answer
from entries.api.serializers.standings import StandingOut, StandingsQuery
from entries.queries.standings import Standings
from pools.api.pool_scope import visible_pool


class StandingsPagination(KeysetPagination):
    """Best first; equals in the order of their ids."""

    ordering = ("standing", "id")


class StandingsViewSet(ApiViewSet):
    """The standings of one pool."""

    family = "pools"
    permission_classes = [Public]
    pagination_class = StandingsPagination
    serializer_class = StandingOut

    @operation(query=StandingsQuery, answer=StandingOut(many=True), summary="Show the standings of a pool")
    def list(self, request: Request, pool_id: str) -> Response:
        """Winners first, then who is still in, then the others by how far they came. Void places have no rank."""
        pool = visible_pool(request, pool_id)
        if (kept := kept_answer(self)) is not None:
            return kept
        standings = Standings(pool)
        asked: dict[str, Any] = self.valid_query()
        entries = standings.entries(asked.get("status"))
        if search := asked.get("search"):
            entries = entries.filter(user__display_name__icontains=search)
        elif isinstance(self.paginator, StandingsPagination):
            self.paginator.known_total = standings.total(asked.get("status"))
        page = self.paginate_queryset(entries) or []
        return self.get_paginated_response(StandingOut(standings.of(page), many=True).data)
