"""Closed months: proposed by one, closed by another, sealed with what the books came to; and the proof of all seals."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, Reason, WithRowActions, confirmed, list_button
from config.clock import database_now
from config.errors import DomainError
from config.money import format_amount
from payments.ledger.accounts import Kind
from payments.models import PeriodClose, PeriodCloseChange, PeriodState
from payments.services.periods import broken_periods, close_period, next_open_month, propose_period, withdraw_period
from pools.admin.switch_fields import tell
from pools.models import Pool

PROPOSES, CLOSES = "payments.propose_period", "payments.close_period"


def what_closing_does(rows: QuerySet[PeriodClose]) -> list[str]:
    """The preview of `close`."""
    return [
        "What the books had come to at the end of the month is sealed. This cannot be taken back.",
        "What is learned about the month later is booked on the first open day, with the day it happened beside it.",
    ]


def what_withdrawing_does(rows: QuerySet[PeriodClose]) -> list[str]:
    """The preview of `withdraw`."""
    return ["Proposals are turned down. A month that is closed stays closed."]


class ProposalForm(forms.Form):
    """Which month."""

    month = forms.DateField(
        input_formats=["%Y-%m", "%Y-%m-%d"], widget=UnfoldAdminTextInputWidget(attrs={"type": "month"})
    )


@admin.register(PeriodClose)
class PeriodCloseAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """Every month that was closed, or is proposed to be."""

    handbook = "finance/books#closing-a-month"
    change_model = PeriodCloseChange
    list_display = ("month", "status", "entries", "open_discrepancies", "proposed_by", "closed_by", "closed_at", "seal")
    list_select_related = ("proposed_by", "closed_by")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter),)
    ordering = ("-first_day", "-id")
    fields = (
        "month", "status", "first_day", "last_day", "entries", "last_entry_id", "open_discrepancies", "books",
        "previous_digest", "digest", "proposed_by", "proposed_at", "closed_by", "closed_at", "history",
    )  # fmt: skip
    readonly_fields = ("month", "books", "history")
    actions = ("close", "withdraw")
    actions_list = ("propose", "proof")

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only while it is proposed; to close, only to somebody else."""
        period = self.get_object(request, object_id)
        is_proposed = period is not None and period.status == PeriodState.PROPOSED
        return is_proposed and (name == "withdraw" or period.proposed_by_id != request.user.pk)

    @admin.display(description="Month", ordering="first_day")
    def month(self, period: PeriodClose) -> str:
        """In words."""
        return str(period)

    @admin.display(description="Seal")
    def seal(self, period: PeriodClose) -> str:
        """The beginning of its digest."""
        return period.digest[:12]

    @admin.display(description="Trial balance")
    def books(self, period: PeriodClose) -> SafeString:
        """What each account had come to."""
        pools = dict(
            Pool.objects.filter(pk__in={line["pool"] for line in period.trial_balance}).values_list("pk", "name")
        )
        rows = [
            {
                "currency": f"{line['currency'].upper()}{'' if line['livemode'] else ', test'}",
                "kind": Kind(line["kind"]).label,
                "of": pools.get(line["pool"], "") or line["provider"],
                **{name: format_amount(line[name], line["currency"]) for name in ("debit", "credit")},
                "balance": format_amount(line["debit"] - line["credit"], line["currency"]),
            }
            for line in period.trial_balance
        ]
        return SafeString(render_to_string("payments/period_books.html", {"rows": rows}))

    @list_button("Propose to close a month", path="propose", icon="lock_clock", permission=PROPOSES)
    def propose(self, request: HttpRequest) -> HttpResponseBase:
        """The month after the last that was closed."""
        if not request.user.has_perm(PROPOSES):
            raise PermissionDenied
        expected = next_open_month()
        form = ProposalForm(request.POST or None, initial={"month": f"{expected:%Y-%m}" if expected else ""})
        if request.method == "POST" and form.is_valid():
            first_day = form.cleaned_data["month"].replace(day=1)
            try:
                period = propose_period(first_day=first_day, by=staff(request), now=database_now())
            except DomainError as refusal:
                tell(form, refusal)
            else:
                self.message_user(request, f"Somebody else can close {period} now.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:payments_periodclose_change", args=[period.pk]))
        facts = [f"Next is {expected:%B %Y}."] if expected else ["No month was closed so far: the first may be any."]
        context = {**self.admin_site.each_context(request), "title": "Close a month", "opts": self.opts}
        return TemplateResponse(request, "admin/plain_form.html", {**context, "form": form, "facts": facts})

    @list_button("Check the seals", path="proof", icon="verified", permission="payments.view_periodclose")
    def proof(self, request: HttpRequest) -> HttpResponseBase:
        """Whether every closed month is what it was."""
        if not request.user.has_perm("payments.view_periodclose"):
            raise PermissionDenied
        broken = broken_periods()
        for one in broken:
            self.message_user(request, f"{one.period}: {one.because}.", messages.ERROR)
        if not broken:
            count = PeriodClose.objects.filter(status=PeriodState.CLOSED).count()
            self.message_user(request, f"All {count} closed months are what they were.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:payments_periodclose_changelist"))

    @confirmed("Close", permission=CLOSES, preview=what_closing_does, done="closed", fresh=True)
    def close(self, request: HttpRequest, row: PeriodClose, reason: str) -> None:
        """For good."""
        close_period(period_id=row.pk, by=staff(request), now=database_now())

    @confirmed("Withdraw", permission=PROPOSES, preview=what_withdrawing_does, done="withdrawn", reason=Reason.REQUIRED)
    def withdraw(self, request: HttpRequest, row: PeriodClose, reason: str) -> Any:
        """Take it back, or turn it down."""
        withdraw_period(period_id=row.pk, by=staff(request), reason=reason)
