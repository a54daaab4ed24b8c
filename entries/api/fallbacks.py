"""An entry's fallback list, for its owner alone."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from config.api.operations import operation
from config.api.ratelimit import PICK
from config.api.views import ApiView
from config.errors import Code, Forbidden
from entries.api.picks import visible_entry
from entries.api.serializers.fallbacks import FallbackBody, FallbackOut
from entries.queries.fallbacks import fallback_of
from entries.services.fallbacks import save_fallback


class FallbackView(ApiView):
    """The teams that fill in where the owner misses a pick."""

    family = "picks"

    @operation(answer=FallbackOut, errors=(Code.FORBIDDEN, Code.NOT_FOUND), summary="Show an entry's fallback list")
    def get(self, request: Request, entry_id: str) -> Response:
        """Codes of teams, best first. The owner's own: to staff it is refused."""
        entry = visible_entry(request, entry_id)
        if entry.user_id != caller(request).pk:
            raise Forbidden(Code.FORBIDDEN, "A fallback list is its owner's alone.")
        return Response(FallbackOut(fallback_of(entry)).data)

    @operation(
        body=FallbackBody,
        answer=FallbackOut,
        errors=(Code.NOT_FOUND, Code.ENTRY_NOT_ACTIVE, Code.ROUND_NOT_OPEN, Code.FALLBACK_NOT_USED),
        limits=(PICK,),
        summary="Save an entry's fallback list",
    )
    def put(self, request: Request, entry_id: str) -> Response:
        """Set the list at any time; an empty one clears it, the same again changes nothing.

        For a round that the player misses, what counts is how the list stood at the round's lock. Its teams are tried
        in order, those whose game has started or that are used up are passed over.
        """
        saved = save_fallback(entry_id=int(entry_id), user=caller(request), teams=self.valid_body()["teams"])
        return Response(FallbackOut(saved).data)
