"""What this app keeps about a player, for the player's own data (`accounts.services.own_data`).

Without what only staff and providers say to each other: keys, secrets, notes, who of us decided.
"""

from collections.abc import Iterator

from accounts.models import User
from accounts.services.own_data import Row, section
from payments.models import Instrument, Payment, Payout, PayoutAccount, Receipt, Refund, TaxForm

AT_ONCE = 1000


@section("payments")
def own_payments(user: User) -> Iterator[Row]:
    """Attempts to pay, online and by hand."""
    yield from (
        Payment.objects.filter(request__user=user)
        .order_by("id")
        .values(
            "id", "request_id", "provider", "status", "amount_cents", "currency", "provider_reference", "expires_at",
            "created_at",
        )
        .iterator(chunk_size=AT_ONCE)
    )  # fmt: skip


@section("receipts")
def own_receipts(user: User) -> Iterator[Row]:
    """Money that came."""
    yield from (
        Receipt.objects.filter(payment__request__user=user)
        .order_by("id")
        .values(
            "id", "payment_id", "status", "amount_cents", "currency", "entry_id", "unapplied_because", "received_at"
        )
        .iterator(chunk_size=AT_ONCE)
    )  # fmt: skip


@section("instruments")
def own_instruments(user: User) -> Iterator[Row]:
    """Cards and bank accounts that they paid with, by the provider's names for them."""
    yield from (
        Instrument.objects.filter(user=user).order_by("id").values("id", "provider", "fingerprint", "first_seen_at")
    )


@section("refunds")
def own_refunds(user: User) -> Iterator[Row]:
    """Money that went back."""
    yield from (
        Refund.objects.filter(receipt__payment__request__user=user)
        .order_by("id")
        .values(
            "id", "receipt_id", "status", "origin", "amount_cents", "currency", "reason", "created_at", "sent_at",
            "completed_at",
        )
        .iterator(chunk_size=AT_ONCE)
    )  # fmt: skip


@section("payouts")
def own_payouts(user: User) -> Iterator[Row]:
    """Prizes."""
    yield from (
        Payout.objects.filter(player=user)
        .order_by("id")
        .values(
            "id", "booking__pool_id", "status", "provider", "destination", "won_cents", "amount_cents",
            "withheld_cents", "currency", "requested_at", "paid_at", "returned_at",
        )
        .iterator(chunk_size=AT_ONCE)
    )  # fmt: skip


@section("payout_accounts")
def own_payout_accounts(user: User) -> Iterator[Row]:
    """Where prizes go."""
    yield from (
        PayoutAccount.objects.filter(player=user)
        .order_by("id")
        .values("id", "provider", "reference", "status", "recorded_at", "decided_at")
    )


@section("tax_forms")
def own_tax_forms(user: User) -> Iterator[Row]:
    """Forms on file, of which no copy is kept here."""
    yield from (
        TaxForm.objects.filter(player=user)
        .order_by("id")
        .values("id", "form", "received_on", "valid_through_year", "tin_last_four", "recorded_at")
    )
