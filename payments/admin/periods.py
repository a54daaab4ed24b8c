"""Closed months: proposed by one, closed by another, sealed with what the books came to; and the proof of all seals."""

from datetime import date
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
from django.utils.formats import date_format, number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, WithRowActions, list_button
from config.clock import database_now, last_of_month
from config.confirmations import Reason, Shown, confirmed
from config.errors import DomainError
from config.names import named
from config.phrases import shown_amount
from payments.ledger.accounts import Kind
from payments.models import PeriodClose, PeriodCloseChange, PeriodState
from payments.services.period_checks import checks_of, moved_in
from payments.services.periods import (
    books_of,
    broken_periods,
    close_period,
    next_open_month,
    propose_period,
    withdraw_period,
)
from pools.admin.switch_fields import tell
from pools.models import Pool

# Of how many months the confirm page tells all of it.
MOST_TOLD = 3
PROPOSES, CLOSES = "payments.propose_period", "payments.close_period"


def what_closing_does(rows: QuerySet[PeriodClose]) -> Shown:
    """The preview of `close`: what is sealed, what is open still, and what is refused from then on."""
    told = list(rows.order_by("first_day")[:MOST_TOLD])
    # Before the numbers: what is booked while they are added up is not among them.
    seen = {_seen(period): books_of(period) for period in told}
    said = [
        *(sentence for period in told for sentence in _of_month(period)),
        _("What the books had come to at the end of the month is sealed. This cannot be taken back: a closed month is"
          " never opened again."),
        _("From then on nothing is booked into it, whoever writes. What is learned about it later is booked on the"
          " first open day, with the day it happened beside it."),
    ]  # fmt: skip
    return Shown(said, **seen)


def _seen(period: PeriodClose) -> str:
    """Under which name a confirm page brings back what the books were when it was read."""
    return f"seen-{period.pk}"


def _of_month(period: PeriodClose) -> list[str]:
    month = month_of(period.first_day)
    said = _("%(month)s, %(money)s: entries %(entries)s, debits %(debits)s, credits %(credits)s.")
    moved = [said % {"month": month, **one} for one in moved_shown(period)]
    missing = [check for check in checks_of(period.first_day, period.last_day) if not check.holds]
    left = [f"{check.label}: {check.found}" for check in missing]
    total = _("%(month)s: checks that do not hold, or cannot be known: %(count)s.")
    return [
        *(moved or [_("%(month)s: nothing was booked.") % {"month": month}]),
        *([total % {"month": month, "count": len(left)}, *left] if left else []),
    ]


def what_withdrawing_does(rows: QuerySet[PeriodClose]) -> list[str]:
    """The preview of `withdraw`."""
    proposed = rows.filter(status=PeriodState.PROPOSED).count()
    said = _("%(count)s proposals are turned down. A month that is closed stays closed.")
    return [said % {"count": proposed}]


def month_of(day: date) -> str:
    """`October 2026`, in the language of the page."""
    return str(date_format(day, "F Y"))


def moved_shown(period: PeriodClose) -> list[dict[str, str]]:
    """What its entries move, each currency and mode, as people read it."""
    return [
        {
            "money": f"{one.currency.upper()}{'' if one.livemode else _(', test')}",
            "entries": number_format(one.entries, force_grouping=True),
            "debits": shown_amount(one.debits, one.currency),
            "credits": shown_amount(one.credits, one.currency),
        }
        for one in moved_in(period.first_day, period.last_day)
    ]


def checks_shown(first_day: date, last_day: date) -> list[dict[str, Any]]:
    """The list, each line with the way to where it is put right."""
    return [
        {"check": one, "address": reverse(f"admin:{one.page}") + one.query} for one in checks_of(first_day, last_day)
    ]


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
        "month", "status", "checklist", "first_day", "last_day", "entries", "last_entry_id", "open_discrepancies",
        "books", "previous_digest", "digest", "proposed_by", "proposed_at", "closed_by", "closed_at", "history",
    )  # fmt: skip
    before_it_is_closed = (
        "month",
        "status",
        "checklist",
        "first_day",
        "last_day",
        "proposed_by",
        "proposed_at",
        "history",
    )
    readonly_fields = ("month", "checklist", "books", "history")
    actions = ("close", "withdraw")

    class Media:
        css: ClassVar = {"all": ("payments/finance.css",)}

    actions_list = ("propose", "proof")

    def get_fields(self, request: HttpRequest, obj: PeriodClose | None = None) -> Any:
        """What closing leaves, once it is closed: before, nothing would look like a month without entries."""
        return self.fields if obj is None or obj.status == PeriodState.CLOSED else self.before_it_is_closed

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only while it is proposed; to close, only to somebody else."""
        period = self.get_object(request, object_id)
        is_proposed = period is not None and period.status == PeriodState.PROPOSED
        return is_proposed and (name == "withdraw" or period.proposed_by_id != request.user.pk)

    @admin.display(description="Month", ordering="first_day")
    def month(self, period: PeriodClose) -> str:
        """In words."""
        return month_of(period.first_day)

    @admin.display(description="Before it is closed")
    def checklist(self, period: PeriodClose) -> SafeString | str:
        """What should be true, what is, and what closing would seal; nothing of a month that is decided about."""
        if period.status != PeriodState.PROPOSED:
            return "–"
        facts = {"checks": checks_shown(period.first_day, period.last_day), "moved": moved_shown(period)}
        return SafeString(render_to_string("payments/period_checks.html", facts))

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
                "currency": f"{line['currency'].upper()}{'' if line['livemode'] else _(', test')}",
                "kind": named(Kind(line["kind"]).label),
                "of": pools.get(line["pool"], "") or line["provider"],
                **{name: shown_amount(line[name], line["currency"]) for name in ("debit", "credit")},
                "balance": shown_amount(line["debit"] - line["credit"], line["currency"]),
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
                said = _("Somebody else can close %(month)s now.") % {"month": month_of(period.first_day)}
                self.message_user(request, said, messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:payments_periodclose_change", args=[period.pk]))
        facts = [_("No month was closed so far: the first may be any.")]
        if expected:
            facts = [_("Next is %(month)s.") % {"month": month_of(expected)}]
        context = {**self.admin_site.each_context(request), "title": _("Close a month"), "opts": self.opts}
        checks = checks_shown(expected, last_of_month(expected)) if expected else []
        shown = {"form": form, "facts": facts, "checks": checks}
        return TemplateResponse(request, "payments/period_propose.html", {**context, **shown})

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
            said = _("Closed months: %(count)s. Every one is what it was.") % {"count": count}
            self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:payments_periodclose_changelist"))

    @confirmed("Close", permission=CLOSES, preview=what_closing_does, done="closed", fresh=True)
    def close(self, request: HttpRequest, row: PeriodClose, reason: str) -> None:
        """For good."""
        seen = request.POST.get(_seen(row), "")
        close_period(period_id=row.pk, by=staff(request), now=database_now(), seen=seen)

    @confirmed("Withdraw", permission=PROPOSES, preview=what_withdrawing_does, done="withdrawn", reason=Reason.REQUIRED)
    def withdraw(self, request: HttpRequest, row: PeriodClose, reason: str) -> Any:
        """Take it back, or turn it down."""
        withdraw_period(period_id=row.pk, by=staff(request), reason=reason)
