"""Payments as callers see them. Money is in minor units of `currency`."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.filters import CreatedFilter
from payments.models import Payment
from payments.queries import ShownStatus, shown_status

LARGEST_ID = 2**63 - 1


class _PaymentOut(serializers.ModelSerializer[Payment]):
    status = serializers.SerializerMethodField(help_text="pending until the provider confirms the money or its end.")

    class Meta:
        model = Payment

    @extend_schema_field(serializers.ChoiceField(ShownStatus.choices))
    def get_status(self, payment: Payment) -> str:
        return shown_status(payment)


class PaymentOut(_PaymentOut):
    """A payment for a request."""

    request = serializers.IntegerField(source="request_id", read_only=True)
    refunded_cents = serializers.IntegerField(read_only=True, help_text="What of it was given back.")

    class Meta(_PaymentOut.Meta):
        fields = [
            "id", "request", "status", "amount_cents", "refunded_cents", "currency", "provider", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class StartedPaymentOut(_PaymentOut):
    """A payment that waits for the player, and where to pay it."""

    provider_reference = serializers.CharField(read_only=True, help_text="The provider's name for it.")
    client_secret = serializers.SerializerMethodField()
    checkout_url = serializers.SerializerMethodField()

    class Meta(_PaymentOut.Meta):
        fields = [
            "id", "status", "amount_cents", "currency", "provider", "provider_reference", "client_secret",
            "checkout_url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_client_secret(self, payment: Payment) -> str | None:
        """For the provider's own form elements; null where the payment is made on the hosted page."""
        return payment.client_secret or None

    def get_checkout_url(self, payment: Payment) -> str | None:
        """The hosted page; null once it is over."""
        return payment.checkout_url or None


class PaymentFilter(CreatedFilter):
    """Which payments to list; `user` is for finance, others see their own alone."""

    status = serializers.ChoiceField(ShownStatus.choices, required=False)
    request = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    pool = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    user = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)


class TakenOut(serializers.Serializer[None]):
    """News taken in."""

    received = serializers.BooleanField()
