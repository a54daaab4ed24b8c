"""Picks: the owner makes, changes and takes them back until the lock; staff see them once they are revealed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from config.api.arrival import seconds_since_arrival
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import PICK
from config.api.views import ApiView, ApiViewSet
from config.errors import Code, DomainError, Forbidden
from config.phrases import phrase
from entries.api.serializers.picks import (
    BulkAnswerOut,
    BulkBody,
    BulkQuery,
    PickBody,
    PickOut,
    SavedPickOut,
    StepOut,
    answered,
    just_saved,
    shown,
)
from entries.figures import pick_decided
from entries.models import Entry
from entries.queries.picks import is_history_public, pick_history, picks_of
from entries.queries.visible import visible_entries
from entries.services.picks import Wish, delete_pick, save_pick, save_picks
from pools.queries import rounds_of

CLOSED = (Code.ENTRY_NOT_ACTIVE, Code.ENTRY_SUSPENDED, Code.ROUND_NOT_OPEN, Code.DEADLINE_PASSED)
TOO_LATE = frozenset({Code.DEADLINE_PASSED, Code.GAME_STARTED})
REFUSALS = (*CLOSED, Code.TEAM_NOT_PLAYING, Code.TEAM_ALREADY_USED, Code.GAME_STARTED)


def visible_entry(request: Request, entry_id: str) -> Entry:
    """The entry, if it is the caller's own or the caller is staff; a stranger's is not there."""
    entry = visible_entries(caller(request)).select_related("pool").filter(pk=int(entry_id)).first()
    if entry is None:
        raise Http404
    return entry


@contextmanager
def deciding(request: Request) -> Iterator[Callable[[str], None]]:
    """Count what comes of a wish, from the moment at which the request came."""

    def decided(result: str) -> None:
        pick_decided(result, seconds_since_arrival(request.META))

    try:
        yield decided
    except DomainError as refusal:
        decided("late" if refusal.code in TOO_LATE else "refused")
        raise


class EntryPicksViewSet(ApiViewSet):
    """The picks of one entry, by round."""

    family = "picks"
    serializer_class = PickOut
    # Slips: with the nonce of another's pick one could tell it before the lock.
    tells_secrets = True

    @operation(answer=PickOut(many=True), summary="List the picks of an entry")
    def list(self, request: Request, entry_id: str) -> Response:
        """In play order: all picks of an own entry; for staff, those that have locked.

        What was missed is listed without a team. Picks ahead are cancelled by elimination and not listed.
        """
        entry, viewer = visible_entry(request, entry_id), caller(request)
        picks = self.paginate_queryset(picks_of(entry, viewer_id=viewer.pk)) or []
        is_owner = entry.user_id == viewer.pk
        out = [shown(pick, entry_id=entry.pk, with_slip=is_owner) for pick in picks]
        return self.get_paginated_response(PickOut(out, many=True).data)

    @operation(
        name="savePick", body=PickBody, answer=SavedPickOut, errors=REFUSALS, limits=(PICK,), summary="Save a pick"
    )
    def update(self, request: Request, entry_id: str, number: str) -> Response:
        """Pick a team for a round that has not locked, later ones included; the same again changes nothing.

        A two-pick round takes both teams at once, in any order, and answers with both under `picks`. Where each game
        locks for itself, a team whose game has begun stays, and the other one may still change.
        """
        teams = self.valid_body()["teams"]
        with deciding(request) as decided:
            saved = save_pick(entry_id=int(entry_id), user=caller(request), round_number=int(number), teams=teams)
            decided("saved" if any(pick.changed for pick in saved.picks) else "unchanged")
        return Response(SavedPickOut(just_saved(saved)).data)

    @operation(
        name="deletePick", answer=None, errors=(*CLOSED, Code.GAME_STARTED), limits=(PICK,), summary="Take a pick back"
    )
    def destroy(self, request: Request, entry_id: str, number: str) -> Response:
        """Leave the round without picks, also when there are none. Refused after the lock."""
        with deciding(request) as decided:
            is_gone = delete_pick(entry_id=int(entry_id), user=caller(request), round_number=int(number))
            decided("deleted" if is_gone else "unchanged")
        return Response(status=204)


class OldestFirst(KeysetPagination):
    """History reads forward."""

    ordering = ("id",)


class PickHistoryViewSet(ApiViewSet):
    """How one pick changed."""

    family = "picks"
    serializer_class = StepOut
    pagination_class = OldestFirst

    @operation(name="listPickHistory", answer=StepOut(many=True), summary="Show how a pick changed")
    def list(self, request: Request, entry_id: str, number: str) -> Response:
        """Every change, oldest first. To staff it is refused until no pick for the round can change any more."""
        entry = visible_entry(request, entry_id)
        round_ = rounds_of(entry.pool).filter(number=int(number)).first()
        if round_ is None:
            raise Http404
        if entry.user_id != caller(request).pk and not is_history_public(entry.pool, round_):
            raise Forbidden(
                Code.FORBIDDEN, phrase("Round {round} is not locked yet; its picks are secret.", round=number)
            )
        steps = self.paginate_queryset(pick_history(entry_id=entry.pk, round_id=round_.pk))
        return self.get_paginated_response(StepOut(steps, many=True).data)


class BulkPicksView(ApiView):
    """Several picks at once."""

    family = "picks"

    @operation(
        name="savePicks",
        body=BulkBody,
        query=BulkQuery,
        answer=BulkAnswerOut(many=True),
        errors=(*REFUSALS, Code.NOT_FOUND),
        limits=(PICK,),
        summary="Save several picks",
    )
    def put(self, request: Request) -> Response:
        """Up to 100 picks of the caller's own entries, in one transaction, with one answer each, in the order asked.

        With `?atomic=true` the first refusal undoes the others and is the answer.
        """
        items, atomic = self.valid_body()["picks"], self.valid_query()["atomic"]
        wishes = [Wish(item["entry"], item["round"], item["teams"]) for item in items]
        answers = save_picks(user=caller(request), wishes=wishes, atomic=atomic)
        out = [answered(item, answer) for item, answer in zip(items, answers, strict=True)]
        return Response(BulkAnswerOut(out, many=True).data)
