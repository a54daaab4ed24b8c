"""Closed months, for finance: proposed by one, closed by another."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import STAFF
from config.api.views import ReadOnlyViewSet
from config.clock import database_now
from config.errors import Code
from payments.models import PeriodClose
from payments.services.periods import close_period, propose_period, withdraw_period

REFUSALS = (Code.NOT_FOUND, Code.INVALID_TRANSITION, Code.SECOND_NAME_NEEDED, Code.PERIOD_CLOSED)


class PeriodOut(serializers.ModelSerializer[PeriodClose]):
    """One month. `trial_balance` and `digest` are there once it is closed."""

    proposed_by = serializers.IntegerField(source="proposed_by_id")
    closed_by = serializers.IntegerField(source="closed_by_id", allow_null=True)

    class Meta:
        model = PeriodClose
        fields = [
            "id", "first_day", "last_day", "status", "trial_balance", "entries", "last_entry_id", "open_discrepancies",
            "previous_digest", "digest", "proposed_by", "proposed_at", "closed_by", "closed_at",
        ]  # fmt: skip
        read_only_fields = fields


class PeriodBody(serializers.Serializer[Any]):
    """Which month."""

    first_day = serializers.DateField()

    values = {"first_day": {"pattern": "-01$"}}
    examples = {"first_day": "2026-02-01"}


class WithdrawPeriodBody(serializers.Serializer[Any]):
    """Why not."""

    reason = serializers.CharField(max_length=500)


class PeriodViewSet(ReadOnlyViewSet):
    """All months that were closed, or are proposed to be."""

    family = "finance"
    queryset = PeriodClose.objects.all()
    serializer_class = PeriodOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    @operation(summary="List closed months")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a closed month")
    def retrieve(self, request: Call, pk: str) -> Response:
        """With what the books had come to."""
        return super().retrieve(request, pk)

    @operation(
        body=PeriodBody,
        answer=PeriodOut,
        status=201,
        is_located=True,
        errors=REFUSALS,
        limits=(STAFF,),
        summary="Propose to close a month",
        scope=None,
    )
    def create(self, request: Call) -> Response:
        """The one after the last that was closed; somebody else closes it."""
        first_day = self.valid_body()["first_day"]
        period = propose_period(first_day=first_day, by=caller(request), now=database_now())
        return Response(PeriodOut(period).data, status=201, headers={"Location": f"/api/v1/periods/{period.pk}"})

    @action(detail=True, methods=["post"])
    @operation(
        answer=PeriodOut, body=None, errors=(*REFUSALS, Code.SERVICE_UNAVAILABLE), limits=(STAFF,),
        idempotency=Mode.TWO_PHASE, summary="Close a month", fresh=True,
    )  # fmt: skip
    def close(self, request: Call, pk: str) -> Response:
        """For good: what is learned about it later is booked on the first open day."""
        period = close_period(period_id=self.get_object().pk, by=caller(request), now=database_now())
        return Response(PeriodOut(period).data)

    @action(detail=True, methods=["post"])
    @operation(
        answer=PeriodOut,
        body=WithdrawPeriodBody,
        errors=REFUSALS,
        limits=(STAFF,),
        summary="Withdraw a proposal",
        scope=None,
    )
    def withdraw(self, request: Call, pk: str) -> Response:
        """Take it back, or turn it down."""
        reason = self.valid_body()["reason"]
        period = withdraw_period(period_id=self.get_object().pk, by=caller(request), reason=reason)
        return Response(PeriodOut(period).data)
