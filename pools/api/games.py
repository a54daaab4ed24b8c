"""Results, as moderators enter them."""

from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsModerator
from config.api.operations import operation
from config.api.ratelimit import STAFF
from config.api.views import ApiView
from config.errors import Code
from pools.api.serializers import GameOut, ResultBody
from pools.models import Game
from pools.services.results import record_result


class GameResultView(ApiView):
    """How one game ended."""

    family = "results"
    permission_classes = [IsModerator]

    @operation(
        body=ResultBody,
        answer=GameOut,
        errors=(Code.INVALID_TRANSITION, Code.CORRECTION_NEEDS_RULING),
        limits=(STAFF,),
        summary="Record the status and score of a game",
    )
    def put(self, request: Request, pk: int) -> Response:
        """Set status and score; the same again changes nothing.

        Final needs both scores. Refused while picks for the round can still change. One person may enter a first
        result, and call a game off before its round locks. To change an outcome that pools are settled on, and to call
        off a game with picks that are locked, takes two: propose a ruling.
        """
        record_result(game_id=pk, by=caller(request), **self.valid_body())
        game = get_object_or_404(Game.objects.select_related("home", "away"), pk=pk)
        return Response(GameOut(game).data)
