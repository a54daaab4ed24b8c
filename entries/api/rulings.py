"""Rulings: proposed by one moderator, confirmed by another; read by every player of the pool."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsModerator
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import STAFF
from config.api.views import ApiView, ApiViewSet, ReadOnlyViewSet
from config.errors import Code
from entries.api.rounds import CsvRenderer
from entries.api.serializers.rulings import (
    ConfirmBody,
    PoolRulingOut,
    PreviewOut,
    ProposeBody,
    ReversalBody,
    RulingFilter,
    RulingOut,
)
from entries.models import Ruling
from entries.queries.rulings import rulings_in_full, rulings_of_pool
from entries.services.rulings import (
    confirm_ruling,
    preview_ruling,
    previewed_file,
    propose_reversal,
    propose_ruling,
    withdraw_ruling,
)
from pools.api.pool_scope import visible_pool
from pools.queries import audience

# What the world may have against a ruling, when it is proposed, looked at or confirmed.
REFUSALS = (
    Code.NOT_FOUND, Code.RULING_STALE, Code.INVALID_TRANSITION, Code.POOL_CLOSED, Code.ENTRY_NOT_ACTIVE,
    Code.ROUND_NOT_OPEN, Code.DEADLINE_PASSED, Code.TEAM_NOT_PLAYING, Code.TEAM_ALREADY_USED,
)  # fmt: skip


class PoolRulingsViewSet(ApiViewSet):
    """What was ruled in one pool."""

    family = "rulings"
    serializer_class = PoolRulingOut
    pagination_class = KeysetPagination
    permission_classes = [IsAuthenticated]

    @operation(answer=PoolRulingOut(many=True), summary="List the rulings of a pool")
    def list(self, request: Request, pool_id: str) -> Response:
        """The confirmed ones, newest first, with reason, both names, and whether one of the two plays in the pool.

        Its own, and those about games of the rounds that it plays. For its players and for staff.
        """
        pool, user = visible_pool(request, pool_id), caller(request)
        if not (user.is_back_office or audience.is_player(pool.pk, user.pk)):
            raise Http404
        page = self.paginate_queryset(rulings_of_pool(pool)) or []
        return self.get_paginated_response(PoolRulingOut(page, many=True).data)


class RulingViewSet(ReadOnlyViewSet):
    """All rulings, for moderators."""

    family = "rulings"
    queryset = Ruling.objects.all()
    serializer_class = RulingOut
    pagination_class = KeysetPagination
    permission_classes = [IsModerator]

    def get_queryset(self) -> QuerySet[Ruling]:
        """With what their sentences name."""
        return rulings_in_full()

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        asked: dict[str, Any] = self.valid_query()
        names = {"competition": "competition__code"}
        return queryset.filter(**{names.get(key, key): value for key, value in asked.items()})

    @operation(query=RulingFilter, summary="List rulings")
    def list(self, request: Request) -> Response:
        """Proposed, confirmed and withdrawn ones, newest first."""
        return super().list(request)

    @operation(summary="Show a ruling")
    def retrieve(self, request: Request, pk: str) -> Response:
        """One ruling."""
        return super().retrieve(request, pk)

    @operation(
        body=ProposeBody,
        answer=RulingOut,
        status=201,
        errors=REFUSALS,
        limits=(STAFF,),
        summary="Propose a ruling",
        fresh=True,
    )
    def create(self, request: Request) -> Response:
        """Nothing changes until another moderator confirms; what could not be confirmed now is refused.

        A game: `not_played`, `stands`, `moved` (`to_round`, `kickoff_at`) or `score`, also over a final one. A pick:
        `round` and `teams`, in a round whose picks are public. An entry: `disqualify`, or `reinstate` one that is out.
        """
        body = self.valid_body()
        made = propose_ruling(
            kind=body["kind"],
            by=caller(request),
            reason=body["reason"],
            game_id=body.get("game"),
            entry_id=body.get("entry"),
            details=body.get("details"),
        )
        return shown(made, status=201)

    @action(detail=True, methods=["get"])
    @operation(answer=PreviewOut, errors=REFUSALS, limits=(STAFF,), summary="Preview a ruling")
    def preview(self, request: Request, pk: str) -> Response:
        """Who would be revived, who would fall, and which titles and how much money would move, if it were confirmed.

        Everything that confirming does, done and undone: it may take as long. At most 100 lines of each sort.
        """
        return Response(PreviewOut(preview_ruling(ruling=self.get_object(), by=caller(request))).data)

    @action(detail=True, methods=["post"])
    @operation(
        body=ConfirmBody,
        answer=RulingOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        summary="Confirm a ruling",
        fresh=True,
        example={},
    )
    def confirm(self, request: Request, pk: str) -> Response:
        """Carry it out and settle, in one step. Never by who proposed it, nor by the owner of the entry concerned.

        With the `fingerprint` of the preview exactly what it showed is done, or nothing: 409 `RULING_STALE` where it
        would come to anything else by now.
        """
        seen = self.valid_body().get("fingerprint")
        return shown(confirm_ruling(ruling=self.get_object(), by=caller(request), seen=seen))

    @action(detail=True, methods=["post"])
    @operation(
        body=None, answer=RulingOut, status=200, errors=(Code.INVALID_TRANSITION,), limits=(STAFF,),
        summary="Withdraw a ruling", scope=None,
    )  # fmt: skip
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take a proposal back."""
        return shown(withdraw_ruling(ruling=self.get_object(), by=caller(request)))

    @action(detail=True, methods=["post"])
    @operation(
        name="reverseRuling",
        body=ReversalBody,
        answer=RulingOut,
        status=201,
        errors=REFUSALS,
        limits=(STAFF,),
        summary="Propose a reversal",
        fresh=True,
    )
    def reversal(self, request: Request, pk: str) -> Response:
        """A ruling that undoes this one, so that all is as before; somebody else confirms it.

        Refused once a later ruling decides about the same. A reversal is undone by proposing the decision again.
        """
        reason = self.valid_body()["reason"]
        return shown(propose_reversal(ruling=self.get_object(), by=caller(request), reason=reason), status=201)


class PreviewCsvView(ApiView):
    """The whole preview, for spreadsheets."""

    family = "rulings"
    permission_classes = [IsModerator]
    renderer_classes = [CsvRenderer]

    @operation(
        answer=None,
        media_types={"text/csv": OpenApiTypes.STR},
        errors=REFUSALS,
        limits=(STAFF,),
        summary="Preview a ruling as CSV",
    )
    def get(self, request: Request, pk: str) -> FileResponse:
        """Every entry that would change, one line each."""
        ruling = Ruling.objects.filter(pk=int(pk)).first()
        if ruling is None:
            raise Http404
        return csv_answer(previewed_file(ruling=ruling, by=caller(request)), f"ruling-{ruling.pk}.csv")


def csv_answer(file: Any, name: str) -> FileResponse:
    """The file, to be kept under this name."""
    return FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


def shown(ruling: Ruling, *, status: int = 200) -> Response:
    """The ruling as it stands now, read again with what its sentence names."""
    return Response(RulingOut(rulings_in_full().get(pk=ruling.pk)).data, status=status)
