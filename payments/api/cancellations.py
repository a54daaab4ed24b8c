"""Cancelling a pool with paid places, for finance: proposed, confirmed by another, watched."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from config.api.operations import operation
from config.api.ratelimit import STAFF
from config.api.views import ApiView
from config.errors import Code
from config.reasons import LONGEST_REASON
from payments.models import Cancellation, CancellationState
from payments.services.cancellations import (
    Progress,
    confirm_cancellation,
    progress_of,
    propose_cancellation,
    withdraw_cancellation,
)
from pools.api.pool_scope import visible_pool


class CancellationBody(serializers.Serializer[None]):
    """Why the pool ends; players read it."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class ConfirmCancellationBody(serializers.Serializer[None]):
    """What the caller has seen; without it, whatever is there by then is given back."""

    fingerprint = serializers.RegexField(
        r"^[0-9a-f]{64}$", required=False,
        help_text="Of the progress: where places or money are others by now, nothing is done.",
    )  # fmt: skip


class RefundsOut(serializers.Serializer[None]):
    """Refunds of the pool in one state."""

    status = serializers.CharField()
    currency = serializers.CharField()
    count = serializers.IntegerField()
    amount_cents = serializers.IntegerField()


class ProgressOut(serializers.Serializer[Progress]):
    """How far the money is. `pot_cents` is what the ledger says; it ends at 0."""

    places_total = serializers.IntegerField()
    places_given_back = serializers.IntegerField()
    pot_cents = serializers.IntegerField()
    payments_open = serializers.IntegerField(help_text="Payments that the provider has not ended yet.")
    unapplied = serializers.IntegerField(help_text="Receipts without a place that wait for a person.")
    refunds = RefundsOut(many=True)
    fingerprint = serializers.CharField(help_text="Of these numbers. To confirm with.")


class CancellationOut(serializers.ModelSerializer[Cancellation]):
    """A cancellation, with how far it is."""

    pool = serializers.IntegerField(source="pool_id", read_only=True)
    proposed_by = serializers.IntegerField(source="proposed_by_id", read_only=True)
    decided_by = serializers.IntegerField(source="decided_by_id", read_only=True, allow_null=True)
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Cancellation
        fields = [
            "id", "pool", "status", "reason", "proposed_by", "proposed_at", "decided_by", "decided_at", "finished_at",
            "progress",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ProgressOut)
    def get_progress(self, cancellation: Cancellation) -> dict[str, Any]:
        """Counted now."""
        return dict(ProgressOut(progress_of(cancellation)).data)


class _OfPool(ApiView):
    permission_classes = [IsFinance]
    limits = (STAFF,)

    def newest(self, request: Call, pool_id: str) -> Cancellation:
        """The one that holds, or else the last that was withdrawn."""
        pool = visible_pool(request, pool_id)
        found = Cancellation.objects.filter(pool=pool).select_related("pool").order_by("-pk")
        row = found.exclude(status=CancellationState.WITHDRAWN).first() or found.first()
        if row is None:
            raise Http404
        return row


class CancellationView(_OfPool):
    """The cancellation of a pool."""

    family = "finance"

    @operation(answer=CancellationOut, summary="Show the cancellation of a pool")
    def get(self, request: Call, pool_id: str) -> Response:
        """With how many places are given back, and where their refunds are. 404 where nobody proposed any."""
        return Response(CancellationOut(self.newest(request, pool_id)).data)

    @operation(
        name="proposePoolCancellation",
        body=CancellationBody,
        answer=CancellationOut,
        status=201,
        errors=(Code.INVALID_TRANSITION, Code.VERSION_CONFLICT),
        summary="Propose to cancel a pool",
        scope=None,
    )
    def post(self, request: Call, pool_id: str) -> Response:
        """Nothing changes until somebody else confirms. Refused for a pool that has ended, or that nobody paid for."""
        pool = visible_pool(request, pool_id)
        made = propose_cancellation(pool=pool, by=caller(request), reason=self.valid_body()["reason"])
        return Response(CancellationOut(made).data, status=201)


class ConfirmCancellationView(_OfPool):
    """The second name."""

    @operation(
        body=ConfirmCancellationBody,
        answer=CancellationOut,
        status=200,
        errors=(Code.INVALID_TRANSITION, Code.VERSION_CONFLICT),
        moves_money=True,
        summary="Confirm the cancellation of a pool",
        fresh=True,
        example={},
    )
    def post(self, request: Call, pool_id: str) -> Response:
        """End the pool and give every fee back, in the background. Never by who proposed it.

        With the `fingerprint` of the progress nothing is done where its numbers are others by now: 409
        `VERSION_CONFLICT`.
        """
        seen = self.valid_body().get("fingerprint")
        row = self.newest(request, pool_id)
        done = confirm_cancellation(cancellation_id=row.pk, by=caller(request), seen=seen)
        return Response(CancellationOut(done).data)


class WithdrawCancellationView(_OfPool):
    """Taking it back."""

    @operation(
        body=None,
        answer=CancellationOut,
        status=200,
        errors=(Code.INVALID_TRANSITION,),
        summary="Withdraw the proposal to cancel a pool",
    )
    def post(self, request: Call, pool_id: str) -> Response:
        """The pool goes on. Refused once it is confirmed."""
        row = self.newest(request, pool_id)
        return Response(CancellationOut(withdraw_cancellation(cancellation_id=row.pk, by=caller(request))).data)
