"""Who still owes a fee, and letting somebody in without it."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)

from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, WithRowActions, list_button
from config.clock import database_now
from config.confirmations import Reason, confirmed
from config.phrases import shown_amount, tell, tell_of
from entries.admin.links import linked
from entries.models import RequestKind, RequestStatus
from entries.services.places import OWING
from payments.admin.manual import RECORDS, to_handover
from payments.models import UnpaidRequest
from payments.services.waivers import waive_fee

TO_FORM = to_handover(gettext_noop("Record a payment by hand"), "record_payment", "request")


def what_waiving_does(rows: QuerySet[UnpaidRequest]) -> list[str]:
    """The preview of `waive`."""
    return [
        tell_of(
            rows.count(),
            "{count} player gets the entry, or has it back, without paying. An open payment page is closed first.",
            "{count} get their entry, or have it back, without paying. An open payment page is closed first.",
        ),
        gettext("Your name and the reason stand beside each entry, here and in the reports."),
    ]


@admin.register(UnpaidRequest)
class UnpaidRequestAdmin(WithRowActions, ReadOnlyAdmin):
    """Approved requests whose fee has not come, the most urgent first."""

    handbook = "finance/payments#places-that-are-not-paid"
    links = (TO_FORM,)
    list_display = ("id", "kind", "user", "email", "pool", "number", "fee", "payment_status", "pay_by", "by_hand")
    list_select_related = ("pool", "user")
    list_filter: ClassVar = (
        ("kind", ChoicesDropdownFilter),
        ("pool", AutocompleteSelectFilter),
        ("payment_status", ChoicesDropdownFilter),
        "pay_by",
    )
    search_fields = ("user__email", "user__display_name")
    search_help_text = "The player's e-mail address or name"
    ordering = ("pay_by", "id")
    fields = (
        "kind",
        "user",
        "email",
        "pool",
        "number",
        "bought_entry",
        "round_number",
        "resumes_round_number",
        "fee",
        "status",
        "payment_status",
        "pay_by",
        "decided_at",
        "decided_by",
    )
    readonly_fields = ("email", "fee")
    actions = ("waive",)
    actions_list = ("record_payment",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnpaidRequest]:
        """Only who owes."""
        rows: QuerySet[UnpaidRequest] = super().get_queryset(request)
        return rows.filter(status=RequestStatus.APPROVED, payment_status__in=OWING)

    def describe(self, row: UnpaidRequest) -> str:
        """Who owes what, for what."""
        facts = {
            "amount": self.fee(row),
            "person": f"{row.user.display_name} <{row.user.email}>",
            "pool": row.pool.name,
            "number": row.number,
        }
        if row.kind == RequestKind.BUY_BACK:
            return tell("{amount} of {person} for {pool}, return of entry {number}", **facts)
        return tell("{amount} of {person} for {pool}, entry {number}", **facts)

    @admin.display(description="E-mail", ordering="user__email")
    def email(self, request: UnpaidRequest) -> str:
        """The player's."""
        return request.user.email

    @admin.display(description="Fee", ordering="fee_cents")
    def fee(self, request: UnpaidRequest) -> str:
        """In whole units."""
        return shown_amount(request.fee_cents or 0, request.currency)

    @admin.display(description="By hand")
    def by_hand(self, request: UnpaidRequest) -> SafeString:
        """The way to the form for money in hand."""
        return linked(TO_FORM.address(str(request.pk)), gettext("Record a payment"))

    @list_button("Record a payment", path="record-payment", permission=RECORDS)
    def record_payment(self, request: HttpRequest) -> HttpResponse:
        """The same, for a request that is not in this list any more."""
        return HttpResponseRedirect(reverse("admin:payments_manualrecord_record_payment"))

    @confirmed(
        "Waive the fee",
        permission="payments.waive_fee",
        preview=what_waiving_does,
        reason=Reason.REQUIRED,
        done="let in without the fee",
        fresh=True,
    )
    def waive(self, request: HttpRequest, row: UnpaidRequest, reason: str) -> None:
        """Make the entry, or bring it back, without a payment."""
        waive_fee(request_id=row.pk, by=staff(request), reason=reason, now=database_now())
