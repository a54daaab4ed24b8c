"""Money that arrived, and the list of what waits for a person: filter by unapplied."""

from typing import ClassVar

from django.contrib import admin
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)

from accounts.admin.history import WithHistory
from config.admin import ReadOnlyAdmin
from config.money import format_amount
from payments.models import Receipt, ReceiptChange


@admin.register(Receipt)
class ReceiptAdmin(WithHistory, ReadOnlyAdmin):
    """One row for each charge that succeeded."""

    change_model = ReceiptChange
    list_display = (
        "id", "player", "pool", "amount", "status", "unapplied_because", "entry_number", "source", "received_at",
        "charge_id",
    )  # fmt: skip
    list_select_related = ("payment__request__pool", "payment__request__user", "entry")
    list_filter: ClassVar = (
        ("status", ChoicesDropdownFilter),
        "unapplied_because",
        ("payment__request__pool", AutocompleteSelectFilter),
        "source",
        "livemode",
        "received_at",
    )
    search_fields = ("charge_id", "payment__request__user__email", "payment__provider_reference")
    search_help_text = "Charge or session at the provider, e-mail address of the player"
    ordering = ("-id",)
    fields = (
        "payment", "player", "pool", "amount", "status", "unapplied_because", "entry", "provider", "charge_id",
        "livemode", "source", "received_at", "created_at", "history",
    )  # fmt: skip
    readonly_fields = ("player", "pool", "amount", "history")

    @admin.display(description="Player", ordering="payment__request__user__email")
    def player(self, receipt: Receipt) -> str:
        """By e-mail address."""
        return receipt.payment.request.user.email

    @admin.display(description="Pool", ordering="payment__request__pool__name")
    def pool(self, receipt: Receipt) -> str:
        """The pool's name."""
        return receipt.payment.request.pool.name

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, receipt: Receipt) -> str:
        """In whole units."""
        return format_amount(receipt.amount_cents, receipt.currency)

    @admin.display(description="Entry", ordering="entry")
    def entry_number(self, receipt: Receipt) -> str:
        """The entry it paid for."""
        return str(receipt.entry_id or "")
