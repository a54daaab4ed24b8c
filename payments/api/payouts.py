"""Payouts of prizes, for finance to look at."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.permissions import IsFinance
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.views import ReadOnlyViewSet
from payments.api.serializers import LARGEST_ID
from payments.models import Payout, PayoutState


class PayoutOut(serializers.ModelSerializer[Payout]):
    """A prize on its way. `amount_cents` is before `withheld_cents`."""

    pool = serializers.IntegerField(source="booking.pool_id", read_only=True)
    entry = serializers.IntegerField(source="entry_id", read_only=True)
    player = serializers.IntegerField(source="player_id", read_only=True)

    class Meta:
        model = Payout
        fields = [
            "id", "pool", "entry", "player", "status", "amount_cents", "withheld_cents", "currency", "provider",
            "requested_at", "approved_at", "paid_at", "returned_at",
        ]  # fmt: skip
        read_only_fields = fields


class PayoutFilter(serializers.Serializer[Payout]):
    """Which payouts to list."""

    status = serializers.ChoiceField(PayoutState.choices, required=False)
    pool = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)


class PayoutViewSet(ReadOnlyViewSet):
    """All payouts."""

    queryset = Payout.objects.select_related("booking")
    serializer_class = PayoutOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        names = {"status": "status", "pool": "booking__pool_id"}
        return queryset.filter(**{names[key]: value for key, value in self.valid_query().items()})

    @operation(query=PayoutFilter, summary="List payouts")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a payout")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One payout."""
        return super().retrieve(request, pk)
