"""Every entry points to its money: the receipt that pays it, or the name and the reason instead."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from config.names import named, named_choices
from config.phrases import shown_amount, tell
from config.words import spoken, within
from entries.admin.links import linked
from payments.admin.timeline import WithTimeline
from payments.models import EntryMoney
from payments.queries import MoneySource, returns_with_money, with_money


class Source(admin.SimpleListFilter):
    """Where the money is. "Without money" is to be empty."""

    title = "money"
    parameter_name = "money"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Every source; nothing first."""
        return named_choices([(MoneySource.NONE.value, MoneySource.NONE.label), *list(MoneySource.choices)[:-1]])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By source."""
        return queryset.filter(money_source=self.value()) if self.value() in MoneySource.values else queryset


@admin.register(EntryMoney)
class EntryMoneyAdmin(WithTimeline):
    """One row for each entry."""

    handbook = "staff/entries#money-of-an-entry"
    list_display = ("id", "player", "pool", "number", "status", "amount", "source", "money")
    list_select_related = ("pool", "user", "request__waived_by")
    list_filter: ClassVar = (Source, ("status", ChoicesDropdownFilter), ("pool", AutocompleteSelectFilter))
    search_fields = ("user__email", "user__display_name", "reference__exact")
    search_help_text = "The player's e-mail address or name, or the imported reference"
    ordering = ("-id",)
    fields = ("player", "pool", "number", "status", "request", "amount", "source", "money", "returns", "created_at")
    readonly_fields = ("player", "amount", "source", "money", "returns")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EntryMoney]:
        """Each with its money, in the same query."""
        rows: QuerySet[EntryMoney] = with_money(super().get_queryset(request))
        return rows.select_related(*self.list_select_related)

    @admin.display(description="Player", ordering="user__email")
    def player(self, entry: EntryMoney) -> str:
        """By e-mail address."""
        return entry.user.email

    @admin.display(description="Fee", ordering="request__fee_cents")
    def amount(self, entry: EntryMoney) -> str:
        """What was asked for, in whole units."""
        return shown_amount(entry.request.fee_cents or 0, entry.request.currency)

    @admin.display(description="Money", ordering="money_source")
    def source(self, entry: Any) -> str:
        """Paid, waived, paid elsewhere, or free."""
        return named(MoneySource(entry.money_source).label)

    @admin.display(description="Where")
    def money(self, entry: Any) -> SafeString | str:
        """The receipt, or who let the player in, and why."""
        if entry.money_source == MoneySource.RECEIPT:
            paid = shown_amount(entry.receipt["amount_cents"], entry.receipt["currency"])
            return _receipt(
                entry.receipt["id"], f"{paid}, {entry.receipt['charge_id']}, {within(spoken(entry.receipt['status']))}"
            )
        return _waiver(entry.request)

    @admin.display(description="Returns")
    def returns(self, entry: Any) -> SafeString:
        """What its buy-backs were paid with."""
        lines = (
            (
                _receipt(row.receipt_id, tell("Receipt {number}", number=row.receipt_id))
                if row.receipt_id
                else _waiver(row),
            )
            for row in returns_with_money(entry)
        )
        return format_html_join(", ", "{}", lines)


def _receipt(pk: int, text: str) -> SafeString:
    return linked(reverse("admin:payments_receipt_change", args=[pk]), text)


def _waiver(request: Any) -> str:
    if request.waived_by is None:
        return ""
    return f"{request.waived_by.display_name}: {request.waiver_reason}"
