"""The books in the back office: the journal, the trial balance as of any instant, and the proof."""

import csv
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import User
from config.admin import ReadOnlyAdmin, ReadOnlyInline, list_button
from config.cells import RISKY
from config.handbook import helped_by
from config.names import named
from config.phrases import shown_amount
from config.words import spoken
from entries.admin.links import linked
from payments.admin.ledger_accounts import name_of
from payments.admin.ways import journal_of, way
from payments.ledger.accounts import CHART
from payments.ledger.balances import Detail, TrialBalance, trial_balance
from payments.ledger.models import JournalEntry, Posting
from payments.services.booking import livemode
from payments.services.books import MOST_SHOWN, invariants
from pools.models import Pool

MAY_SEE = "payments.view_journalentry"


class PostingInline(ReadOnlyInline):
    """The lines of an entry."""

    model = Posting
    fields = readonly_fields = ("account_name", "debit", "credit")
    ordering = ("id",)
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("account__pool", "account__player")

    @admin.display(description="Account")
    def account_name(self, line: Posting) -> SafeString:
        """A way to its page."""
        return linked(
            f"{reverse('admin:payments_account_change', args=[line.account_id])}#statement", name_of(line.account)
        )

    @admin.display(description="Debit")
    def debit(self, line: Posting) -> str:
        """In whole units."""
        return shown_amount(line.amount, line.currency_id) if line.amount > 0 else ""

    @admin.display(description="Credit")
    def credit(self, line: Posting) -> str:
        """In whole units."""
        return shown_amount(-line.amount, line.currency_id) if line.amount < 0 else ""


class TrialForm(forms.Form):
    """Which books, and as of when."""

    as_of = forms.DateTimeField(
        required=False, help_text=gettext_lazy("Empty: as they are. Else an instant, like 2026-10-01T00:00Z."),
        widget=UnfoldAdminTextInputWidget(),
    )  # fmt: skip
    livemode = forms.ChoiceField(
        label="Money",
        choices=[("live", gettext_lazy("Real")), ("test", gettext_lazy("Of tests"))],
        widget=UnfoldAdminSelectWidget(),
    )
    detail = forms.ChoiceField(
        choices=[
            ("KIND", gettext_lazy("By kind of account")),
            ("POOL", gettext_lazy("By pool")),
            ("ACCOUNT", gettext_lazy("Every account")),
        ],
        widget=UnfoldAdminSelectWidget(),
    )


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    """One row for each event of money, written once."""

    handbook = "finance/books#the-ledger"
    list_display = ("id", "what", "amount", "source", "effective_at", "finance_date", "posted_at", "reverses")
    list_filter: ClassVar = ("event", "source_type", "currency", "livemode", "finance_date")
    search_fields = ("source_id__exact", "source_type__exact")
    search_help_text = "What it was booked for: the id of a receipt or request, stripe:ch_…, the name of a refund"
    ordering = ("-id",)
    fields = (
        "what", "source", "proof", "livemode", "effective_at", "finance_date", "posted_at", "actor", "reverses",
        "taken_back_by", "alike", "memo",
    )  # fmt: skip
    readonly_fields = ("what", "source", "proof", "actor", "taken_back_by", "alike")
    inlines = (PostingInline,)
    actions_list = ("trial", "books")

    def get_queryset(self, request: HttpRequest) -> QuerySet[JournalEntry]:
        """With what each moves; a subquery, so that only the rows of a page are added up."""
        debits = Posting.objects.filter(journal_entry=OuterRef("pk"), amount__gt=0).order_by()
        moved = debits.values("journal_entry").annotate(moved=Sum("amount")).values("moved")
        rows: QuerySet[JournalEntry] = super().get_queryset(request)
        return rows.annotate(moved=Subquery(moved)).select_related("reverses")

    @admin.display(description="Booked for", ordering="source_id")
    def source(self, entry: JournalEntry) -> SafeString | str:
        """The way to it."""
        return way(entry.source_type, entry.source_id)

    @admin.display(description="Event", ordering="event")
    def what(self, entry: JournalEntry) -> str:
        """In words."""
        return named(spoken(entry.event))

    @admin.display(description="Amount")
    def amount(self, entry: Any) -> str:
        """What its debits, and its credits, come to."""
        return shown_amount(entry.moved, entry.currency_id)

    @admin.display(description="Do both sides agree?")
    def proof(self, entry: JournalEntry) -> str:
        """Its debits and its credits, added up from its lines."""
        sums = entry.postings.aggregate(
            debits=Coalesce(Sum("amount", filter=Q(amount__gt=0)), 0),
            credits=Coalesce(-Sum("amount", filter=Q(amount__lt=0)), 0),
        )
        debits, credits = (shown_amount(int(sums[name]), entry.currency_id) for name in ("debits", "credits"))
        if debits == credits:
            return _("✓ Debits and credits are both %(amount)s.") % {"amount": debits}
        return _("✗ Debits are %(debits)s and credits %(credits)s.") % {"debits": debits, "credits": credits}

    @admin.display(description="Reversed by")
    def taken_back_by(self, entry: JournalEntry) -> SafeString | str:
        """The entry that took it back, if one did."""
        other = JournalEntry.objects.filter(reverses=entry).first()
        return (
            "–" if other is None else linked(reverse("admin:payments_journalentry_change", args=[other.pk]), str(other))
        )

    @admin.display(description="Booked for the same")
    def alike(self, entry: JournalEntry) -> SafeString:
        """All that was ever booked for it, this one among it."""
        return journal_of([(entry.source_type, entry.source_id)])

    @admin.display(description="Booked by")
    def actor(self, entry: JournalEntry) -> str:
        """Who decided it; most is booked by the system."""
        return _("the system") if entry.actor_id is None else str(User.objects.filter(pk=entry.actor_id).first() or "")

    @list_button("Trial balance", path="trial-balance", icon="balance", permission=MAY_SEE)
    @helped_by("finance/books#the-trial-balance")
    def trial(self, request: HttpRequest) -> HttpResponseBase:
        """Every kind of account, as of an instant; also as a file."""
        form = TrialForm(
            request.GET if "detail" in request.GET else {"livemode": "live" if livemode() else "test", "detail": "KIND"}
        )
        found = None
        if form.is_valid():
            asked = form.cleaned_data
            found = trial_balance(
                as_of=asked["as_of"], livemode=asked["livemode"] == "live", detail=Detail[asked["detail"]]
            )
            if "csv" in request.GET:
                return _as_csv(found)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Trial balance"),
            "opts": self.opts,
            "form": form,
            "found": found,
            "rows": _rows(found),
            "proof": [] if found is None else _proof(found),
        }
        return TemplateResponse(request, "payments/trial_balance.html", context)

    @list_button("Proof of the books", path="proof", icon="verified", permission=MAY_SEE)
    @helped_by("finance/books#the-proof-of-the-books")
    def books(self, request: HttpRequest) -> HttpResponseBase:
        """What must be true, and where it is not."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Proof of the books"),
            "opts": self.opts,
            "checks": [(check, _differences(check.differences)) for check in invariants()],
            "most": MOST_SHOWN,
        }
        return TemplateResponse(request, "payments/proof.html", context)


def _rows(found: TrialBalance | None) -> list[dict[str, Any]]:
    if found is None:
        return []
    pools = Pool.objects.in_bulk([row.pool_id for row in found.rows if row.pool_id])
    players = User.objects.in_bulk([row.player_id for row in found.rows if row.player_id])
    return [
        {
            "currency": row.currency.upper(),
            "kind": named(row.kind.label),
            "of": pools.get(row.pool_id or 0) or players.get(row.player_id or 0) or row.provider,
            "account": row.account_id,
            "debit": shown_amount(row.debit, row.currency),
            "credit": shown_amount(row.credit, row.currency),
            # As people read it: an account that grows with credits has a positive balance when it is in credit.
            "balance": shown_amount(row.balance * CHART[row.kind].side, row.currency),
        }
        for row in found.rows
    ]


def _proof(found: TrialBalance) -> list[dict[str, Any]]:
    """Each currency's sums, and what they differ by: nothing."""
    return [
        {
            "currency": code.upper(),
            "debit": shown_amount(sum(row.debit for row in found.rows if row.currency == code), code),
            "credit": shown_amount(sum(row.credit for row in found.rows if row.currency == code), code),
            "rest": shown_amount(rest, code) if rest else "",
        }
        for code, rest in found.proof.items()
    ]


def _as_csv(found: TrialBalance) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="trial-balance.csv"'
    writer = csv.writer(answer, lineterminator="\r\n")
    writer.writerow(["currency", "kind", "pool", "player", "provider", "debit_minor", "credit_minor", "balance_minor"])
    writer.writerows(
        [row.currency, row.kind, row.pool_id, row.player_id, RISKY.sub("'", row.provider), row.debit, row.credit,
         row.balance]
        for row in found.rows
    )  # fmt: skip
    return answer


def _differences(differences: list[Any]) -> list[tuple[str, str, str]]:
    """In whole units, where they are of a currency."""
    return [
        (what, *(shown_amount(number, currency) if currency else str(number) for number in (expected, found)))
        for what, expected, found, currency in differences
    ]
