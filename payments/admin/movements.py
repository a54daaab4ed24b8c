"""Movements of our balance at the providers, as they list them: read-only, and on the pages of what they belong to."""

from typing import ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from config.admin import ReadOnlyAdmin, ReadOnlyInline
from config.phrases import shown_amount
from payments.admin.ways import journal_of, way
from payments.models import Movement


def _shown(minor: int, movement: Movement) -> str:
    return shown_amount(minor, movement.currency)


class _Amounts:
    """The three amounts in whole units, of the currency that it was settled in."""

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, movement: Movement) -> str:
        """Before the fee."""
        return _shown(movement.amount_cents, movement)

    @admin.display(description="Fee", ordering="fee_cents")
    def fee(self, movement: Movement) -> str:
        """What the provider kept."""
        return _shown(movement.fee_cents, movement)

    @admin.display(description="Net", ordering="net_cents")
    def net(self, movement: Movement) -> str:
        """What it was worth to us."""
        return _shown(movement.net_cents, movement)


class MovementInline(_Amounts, ReadOnlyInline):
    """What moved because of it."""

    model = Movement
    fields = readonly_fields = ("reference", "kind", "category", "amount", "fee", "net", "occurred_at", "available_at")
    ordering = ("id",)
    hide_title = True


@admin.register(Movement)
class MovementAdmin(_Amounts, ReadOnlyAdmin):
    """One row for each, written once."""

    handbook = "finance/reconciliation#movements-and-payouts-of-the-provider"
    list_display = ("reference", "provider", "kind", "amount", "fee", "net", "occurred_at", "belongs_to")
    list_filter: ClassVar = (
        "provider",
        ("kind", ChoicesDropdownFilter),
        "currency",
        "livemode",
        "occurred_at",
    )
    search_fields = ("reference__exact", "receipt__charge_id__exact")
    search_help_text = "Movement or charge at the provider"
    ordering = ("-id",)
    fields = (
        "provider", "reference", "kind", "category", "amount", "fee", "net", "exchange_rate", "livemode", "receipt",
        "refund", "dispute", "booked", "occurred_at", "available_at", "created_at",
    )  # fmt: skip
    readonly_fields = ("amount", "fee", "net", "booked")

    @admin.display(description="Belongs to")
    def belongs_to(self, movement: Movement) -> SafeString | str:
        """The closest thing that it moved for."""
        for kind in ("dispute", "refund", "receipt"):
            number = getattr(movement, f"{kind}_id")
            if number is not None:
                return way(kind, number)
        return ""

    @admin.display(description="Booked")
    def booked(self, movement: Movement) -> SafeString:
        """Its entries in the journal; the amount of a charge or a refund is booked with that."""
        return journal_of([("movement", f"{movement.provider}:{movement.reference}")])
