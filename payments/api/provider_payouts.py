"""Payouts of providers to our bank, for finance."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.permissions import IsFinance
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.views import ReadOnlyViewSet
from payments.models import ProviderPayout, ProviderPayoutState
from payments.queries import with_bank


class ProviderPayoutOut(serializers.ModelSerializer[ProviderPayout]):
    """A payout of the provider to our bank. Of one that is not automatic nobody can list the items."""

    item_count = serializers.IntegerField(read_only=True, help_text="Of its items, those that are known here.")
    is_in_bank = serializers.BooleanField(read_only=True, help_text="A line of a statement is this payout.")

    class Meta:
        model = ProviderPayout
        fields = [
            "id", "provider", "reference", "livemode", "amount_cents", "currency", "status", "arrives_on", "trace_id",
            "failure", "is_automatic", "listed_count", "listed_cents", "item_count", "items_read_at", "is_in_bank",
            "made_at", "checked_at",
        ]  # fmt: skip
        read_only_fields = fields


class ProviderPayoutFilter(serializers.Serializer[Any]):
    """Which payouts to list."""

    status = serializers.ChoiceField(ProviderPayoutState.choices, required=False)
    is_in_bank = serializers.BooleanField(required=False, allow_null=True, default=None)


class ProviderPayoutViewSet(ReadOnlyViewSet):
    """Payouts of providers to our bank."""

    family = "finance"
    queryset = ProviderPayout.objects.all()
    serializer_class = ProviderPayoutOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def get_queryset(self) -> QuerySet[ProviderPayout]:
        """With how many items, and whether the bank has them."""
        return with_bank(ProviderPayout.objects.all())

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        wanted = {key: value for key, value in self.valid_query().items() if value is not None}
        return queryset.filter(**wanted)

    @operation(query=ProviderPayoutFilter, summary="List payouts of providers")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a payout of a provider")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One payout; what it took along is the report `provider_payouts`."""
        return super().retrieve(request, pk)
