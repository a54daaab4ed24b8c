"""Payouts of providers to our bank: what each took along, and whether the bank has it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from config.admin import ReadOnlyAdmin, ReadOnlyInline, WithRowActions
from config.confirmations import confirmed
from config.names import named
from config.phrases import Money, shown_amount, tell
from entries.admin.links import linked
from payments.admin.by_provider import ByProvider
from payments.models import ProviderPayout, ProviderPayoutChange, ProviderPayoutItem
from payments.services.payout_items import reconcile_payout


class ItemInline(ReadOnlyInline):
    """What it took along."""

    model = ProviderPayoutItem
    fields = readonly_fields = ("movement", "kind", "amount", "fee", "net", "occurred_at")
    ordering = ("id",)
    per_page = 50
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderPayoutItem]:
        """With the movements."""
        rows: QuerySet[ProviderPayoutItem] = super().get_queryset(request)
        return rows.select_related("movement")

    @admin.display(description="Kind")
    def kind(self, item: ProviderPayoutItem) -> str:
        """What kind of movement."""
        return named(item.movement.get_kind_display())

    @admin.display(description="Amount")
    def amount(self, item: ProviderPayoutItem) -> str:
        """Before the fee."""
        return shown_amount(item.movement.amount_cents, item.movement.currency)

    @admin.display(description="Fee")
    def fee(self, item: ProviderPayoutItem) -> str:
        """What the provider kept."""
        return shown_amount(item.movement.fee_cents, item.movement.currency)

    @admin.display(description="Net")
    def net(self, item: ProviderPayoutItem) -> str:
        """What of it was paid out."""
        return shown_amount(item.movement.net_cents, item.movement.currency)

    @admin.display(description="At")
    def occurred_at(self, item: ProviderPayoutItem) -> Any:
        """When it moved."""
        return item.movement.occurred_at


def what_asking_does(rows: QuerySet[ProviderPayout]) -> list[str]:
    """The preview of `ask_again`."""
    return [
        tell(
            "The provider is asked about {total}, one by one, and about everything that they took along.",
            total=rows.count(),
        ),
        gettext("What it answers is booked as any other news; what does not agree is put into the queue."),
    ]


@admin.register(ProviderPayout)
class ProviderPayoutAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """One payout."""

    handbook = "finance/reconciliation#movements-and-payouts-of-the-provider"
    change_model = ProviderPayoutChange
    list_display = ("reference", "provider", "amount", "arrives_on", "status", "taken_along", "in_bank", "trace_id")
    list_filter: ClassVar = (ByProvider, ("status", ChoicesDropdownFilter), "currency", "livemode", "arrives_on")
    search_fields = ("reference", "trace_id")
    search_help_text = "The provider's name of it, or its trace id"
    ordering = ("-arrives_on", "-id")
    fields = (
        "provider", "reference", "amount", "status", "arrives_on", "trace_id", "failure", "livemode", "is_automatic",
        "taken_along", "listed", "items_read_at", "in_bank", "made_at", "checked_at", "history",
    )  # fmt: skip
    readonly_fields = ("amount", "taken_along", "listed", "in_bank", "history")
    inlines: ClassVar = (ItemInline,)
    actions = ("ask_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderPayout]:
        """With how many items, and the bank's lines."""
        rows: QuerySet[ProviderPayout] = super().get_queryset(request)
        return rows.annotate(item_count=Count("items")).prefetch_related("bank_matches__line")

    def describe(self, row: ProviderPayout) -> str:
        """How much, and when."""
        return tell(
            "{reference}: {amount}, due {day}",
            reference=row.reference,
            amount=Money(row.amount_cents, row.currency),
            day=row.arrives_on,
        )

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, row: ProviderPayout) -> str:
        """What the bank gets."""
        return shown_amount(row.amount_cents, row.currency)

    @admin.display(description="Items")
    def taken_along(self, row: Any) -> str:
        """How many are known here, of how many."""
        if not row.is_automatic:
            return gettext("cannot be listed")
        if row.listed_count is None:
            return gettext("not read yet")
        return tell("{known} of {total}", known=row.item_count, total=row.listed_count)

    @admin.display(description="Items come to")
    def listed(self, row: ProviderPayout) -> str:
        """By the provider's list."""
        return "—" if row.listed_cents is None else shown_amount(row.listed_cents, row.currency)

    @admin.display(description="In the bank")
    def in_bank(self, row: ProviderPayout) -> SafeString | str:
        """The line of the statement, where it is known."""
        lines = [match.line for match in row.bank_matches.all() if match.undone_at is None]
        ways = (
            linked(reverse("admin:payments_bankline_change", args=[line.pk]), str(line.booked_on)) for line in lines
        )
        return format_html_join("", "<div>{}</div>", ((way,) for way in ways)) or "—"

    @confirmed("Ask the provider", permission="payments.ask_provider", preview=what_asking_does, done="asked about")
    def ask_again(self, request: HttpRequest, row: ProviderPayout, reason: str) -> None:
        """Learn what became of it, and compare."""
        reconcile_payout(provider=row.provider, reference=row.reference)
