"""Results: everybody reads them, moderators enter them."""

from rest_framework.generics import get_object_or_404
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsModerator
from config.api.editing import seen_by, versioned
from config.api.operations import operation
from config.api.permissions import Public
from config.api.ratelimit import STAFF
from config.api.views import ApiView
from config.errors import Code
from pools.api.serializers import GameOut, ResultBody
from pools.models import Game
from pools.services.results import record_result


class GameResultView(ApiView):
    """How one game ended."""

    family = "results"
    has_path_parameters = True

    def get_permissions(self) -> list[BasePermission]:
        """Everybody looks; moderators enter."""
        return [Public() if self.request.method in ("GET", "HEAD") else IsModerator()]

    @operation(
        answer=GameOut, errors=(Code.NOT_FOUND,), scope="pools:read", summary="Show the status and score of a game"
    )
    def get(self, request: Request, pk: str) -> Response:
        """One game. Its `ETag` begins with the version that `If-Match` compares when a result is recorded."""
        return _shown(int(pk))

    @operation(
        body=ResultBody,
        answer=GameOut,
        errors=(Code.INVALID_TRANSITION, Code.CORRECTION_NEEDS_RULING),
        limits=(STAFF,),
        if_match=True,
        summary="Record the status and score of a game",
    )
    def put(self, request: Request, pk: str) -> Response:
        """Set status and score; the same again changes nothing.

        Final needs both scores. Refused while picks for the round can still change. One person may enter a first
        result, and call a game off before its round locks. To change an outcome that pools are settled on, and to call
        off a game with picks that are locked, takes two: propose a ruling.
        """
        record_result(game_id=int(pk), by=caller(request), seen=seen_by(request), **self.valid_body())
        return _shown(int(pk))


def _shown(game_id: int) -> Response:
    game = get_object_or_404(Game.objects.select_related("home", "away"), pk=game_id)
    return versioned(Response(GameOut(game).data), game)
