"""Disputes, for finance to look at; what is done about one is done at the provider."""

from typing import Any

from django.db.models import Q
from rest_framework import serializers
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.permissions import IsFinance
from config.api.filters import CreatedFilter, lookups
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.views import ReadOnlyViewSet
from payments.api.serializers import LARGEST_ID
from payments.models import Dispute, DisputeState, LossBearer
from payments.models.dispute import CLOSED_DISPUTES


class DisputeOut(serializers.ModelSerializer[Dispute]):
    """What a bank says of a charge. `evidence_due_at` is when it decides without us."""

    receipt = serializers.IntegerField(source="receipt_id", read_only=True)
    payment = serializers.IntegerField(source="receipt.payment_id", read_only=True)
    request = serializers.IntegerField(source="receipt.payment.request_id", read_only=True)
    entry = serializers.IntegerField(source="receipt.entry_id", read_only=True, allow_null=True)
    pool = serializers.IntegerField(source="receipt.payment.request.pool_id", read_only=True)
    player = serializers.IntegerField(source="receipt.payment.request.user_id", read_only=True)
    charge_id = serializers.CharField(source="receipt.charge_id", read_only=True)
    borne_by = serializers.ChoiceField(
        LossBearer.choices, read_only=True, allow_blank=True, help_text="Empty while nothing is lost."
    )

    class Meta:
        model = Dispute
        fields = [
            "id", "receipt", "payment", "request", "entry", "pool", "player", "charge_id", "provider",
            "provider_reference", "status", "reason", "amount_cents", "currency", "is_charge_refundable", "borne_by",
            "evidence_due_at", "opened_at", "closed_at",
        ]  # fmt: skip
        read_only_fields = fields


class DisputeFilter(CreatedFilter):
    """Which disputes to list."""

    status = serializers.ChoiceField(DisputeState.choices, required=False)
    is_open = serializers.BooleanField(
        required=False, default=None, allow_null=True, help_text="Whether the bank has not decided yet."
    )
    pool = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)


class DisputeViewSet(ReadOnlyViewSet):
    """All disputes."""

    family = "finance"
    queryset = Dispute.objects.select_related("receipt__payment__request")
    serializer_class = DisputeOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        wanted = self.valid_query()
        is_open = wanted.pop("is_open")
        if is_open is not None:
            is_closed = Q(status__in=CLOSED_DISPUTES)
            queryset = queryset.filter(~is_closed if is_open else is_closed)
        return queryset.filter(**lookups(wanted, pool="receipt__payment__request__pool_id"))

    @operation(query=DisputeFilter, summary="List disputes")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a dispute")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One dispute."""
        return super().retrieve(request, pk)
