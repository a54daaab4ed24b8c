"""Payments in the back office: read-only, with a button that asks the provider what is true."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, ReadOnlyInline, WithRowActions, list_button
from config.confirmations import confirmed
from config.phrases import shown_amount, tell_of
from config.words import spoken, status_of
from payments.admin.by_provider import ByProvider
from payments.admin.ways import way
from payments.models import Payment, PaymentChange, Receipt
from payments.services.provider_state import Source, apply_provider_state


def what_asking_does(rows: QuerySet[Payment]) -> list[str]:
    """The preview of `ask_again`."""
    return [
        tell_of(
            Payment.objects.live().filter(pk__in=rows.values("pk")).count(),
            "{count} of {total} has not ended. The provider is asked what is true of each.",
            "{count} of {total} have not ended. The provider is asked what is true of each.",
            total=rows.count(),
        ),
        gettext(
            "Money that came is booked, with its entry where that is still "
            "possible. What agrees already stays as it is."
        ),
    ]


class ReceiptInline(ReadOnlyInline):
    """The money that came for it."""

    model = Receipt
    fields = readonly_fields = ("receipt", "amount", "status", "because", "entry", "source", "received_at")
    hide_title = True

    @admin.display(description="Receipt")
    def receipt(self, row: Receipt) -> SafeString | str:
        """The way to its page."""
        return way("receipt", row.pk, row.charge_id)

    @admin.display(description="Amount")
    def amount(self, row: Receipt) -> str:
        """In whole units."""
        return shown_amount(row.amount_cents, row.currency)

    @admin.display(description="Unapplied because")
    def because(self, row: Receipt) -> str:
        """In words."""
        return spoken(row.unapplied_because)


@admin.register(Payment)
class PaymentAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """One attempt to pay for one request."""

    handbook = "finance/payments#payments"
    change_model = PaymentChange
    list_display = (
        "id", "player", "pool", "amount", "status", "failure", "provider", "provider_reference", "created_at",
        "checked_at",
    )  # fmt: skip
    list_select_related = ("request__pool", "request__user")
    list_filter: ClassVar = (
        ("status", ChoicesDropdownFilter),
        ("request__pool", AutocompleteSelectFilter),
        ByProvider,
        "livemode",
        "created_at",
    )
    search_fields = (
        "provider_reference__exact", "request__user__email", "request__user__display_name",
        "receipts__charge_id__exact",
    )  # fmt: skip
    search_help_text = "Reference or charge at the provider, e-mail address or name of the player"
    ordering = ("-id",)
    fields = (
        "request", "player", "pool", "amount", "status", "failure", "provider", "provider_reference", "checkout_url",
        "ref", "livemode", "expires_at", "created_by", "created_at", "checked_at", "history",
    )  # fmt: skip
    readonly_fields = ("player", "pool", "amount", "history")
    inlines = (ReceiptInline,)
    actions = ("ask_again",)
    actions_list = ("reports",)

    def describe(self, row: Payment) -> str:
        """Whose money, for what, and where it stands."""
        user = row.request.user
        return f"{self.amount(row)} of {user.display_name} <{user.email}> for {row.request.pool.name}: {status_of(row)}"

    @admin.display(description="Player", ordering="request__user__email")
    def player(self, payment: Payment) -> str:
        """By e-mail address."""
        return payment.request.user.email

    @admin.display(description="Pool", ordering="request__pool__name")
    def pool(self, payment: Payment) -> str:
        """The pool's name."""
        return payment.request.pool.name

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, payment: Payment) -> str:
        """In whole units."""
        return shown_amount(payment.amount_cents, payment.currency)

    @confirmed(
        "Ask the provider again", permission="payments.ask_provider", preview=what_asking_does, done="asked about"
    )
    def ask_again(self, request: HttpRequest, row: Payment, reason: str) -> None:
        """Learn what became of each, and act on it."""
        apply_provider_state(payment_id=row.pk, source=Source.ADMIN, by=staff(request))

    @list_button("Reports", path="reports", icon="download", permission="payments.export_reports")
    def reports(self, request: HttpRequest) -> HttpResponseBase:
        """To where finance has its reports."""
        return HttpResponseRedirect(reverse("admin:payments_export_centre"))
