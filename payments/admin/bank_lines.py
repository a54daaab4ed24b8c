"""Lines of statements in the back office: what waits, what each was found or said to be, and taking that back."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config import phrases
from config.admin import ReadOnlyAdmin, ReadOnlyInline, RowLink, WithRowActions
from config.confirmations import Reason, confirmed
from config.errors import DomainError
from config.fresh_pages import fresh_page
from config.handbook import helped_by
from config.phrases import shown_amount
from entries.admin.links import linked
from payments.admin.bank_forms import MatchForm
from payments.admin.ways import journal_of
from payments.bank.deciding import Choice, match_by_hand, undo_match
from payments.models import BankLine, BankLineChange, BankLineState, BankMatch, MatchKind
from payments.models.bank import LOOKED_FOR
from pools.admin.switch_fields import tell

MATCHES = "payments.match_bank_line"


class _LineParts:
    """What lists and pages show of a line."""

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, line: BankLine) -> str:
        """In whole units; below nothing where it left."""
        return shown_amount(line.amount_cents, line.currency)

    @admin.display(description="Is")
    def known_as(self, line: BankLine) -> SafeString:
        """What it was matched with."""
        matches = [match for match in line.matches.all() if match.undone_at is None]
        return format_html_join("", "<div>{}</div>", ((_what(match),) for match in matches))


class LineInline(_LineParts, ReadOnlyInline):
    """The lines of a statement."""

    model = BankLine
    fields = readonly_fields = ("booked_on", "amount", "counterparty", "text", "status", "known_as")
    ordering = ("booked_on", "id")
    per_page = 50
    show_change_link = True
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[BankLine]:
        """With what they are."""
        rows: QuerySet[BankLine] = super().get_queryset(request)
        return rows.prefetch_related("matches__payout", "matches__record")


class Waiting(admin.SimpleListFilter):
    """Those that nobody knows yet, unless something else is asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The other lists."""
        return (("matched", gettext("Known")), ("all", gettext("All")))

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django's, with "Waiting" where it says "All"."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "Waiting"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[BankLine]) -> QuerySet[BankLine]:
        """By status."""
        wanted = self.value()
        return queryset if wanted == "all" else queryset.filter(status=wanted or BankLineState.WAITING)


def what_not_ours_does(rows: QuerySet[BankLine]) -> list[str]:
    """The preview of `not_ours`."""
    waiting = rows.filter(status=BankLineState.WAITING).count()
    return [
        phrases.tell("{waiting} of {total} wait; the others are refused.", waiting=waiting, total=rows.count()),
        gettext(
            "They are booked as another business of the house's: the bank has the money, and it is none of these"
            " books'."
        ),
    ]


def what_taking_back_does(rows: QuerySet[BankLine]) -> list[str]:
    """The preview of `take_back`."""
    matched = rows.filter(status=BankLineState.MATCHED).count()
    return [
        phrases.tell("{known} of {total} are known; the others are refused.", known=matched, total=rows.count()),
        gettext(
            "What they were matched with is undone by reversing entries, and they wait again. It is not proposed again."
        ),
    ]


@admin.register(BankLine)
class BankLineAdmin(_LineParts, WithHistory, WithRowActions, ReadOnlyAdmin):
    """One line of a statement."""

    handbook = "finance/bank#lines"
    change_model = BankLineChange

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Also by what it was matched with: the journal knows a line by that."""
        return lookup == "matches__id" or bool(super().lookup_allowed(lookup, value, request))

    links = (
        RowLink(
            gettext_noop("Say what it is"), MATCHES, lambda pk: reverse("admin:payments_bankline_match", args=[pk])
        ),
    )
    list_display = ("booked_on", "amount", "counterparty", "text", "trace_id", "account", "status", "known_as")
    list_select_related = ("account",)
    list_filter: ClassVar = (Waiting, "account", "booked_on", "currency")
    search_fields = LOOKED_FOR
    search_help_text = "Words of the bank, a name, a trace id"
    ordering = ("-booked_on", "-id")
    fields = (
        "account", "statement", "booked_on", "value_on", "amount", "counterparty", "text", "trace_id", "reference",
        "status", "known_as", "booked", "history",
    )  # fmt: skip
    readonly_fields = ("amount", "known_as", "booked", "history")
    actions = ("not_ours", "take_back")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BankLine]:
        """With what they are."""
        rows: QuerySet[BankLine] = super().get_queryset(request)
        return rows.select_related("account").prefetch_related("matches__payout", "matches__record")

    def get_urls(self) -> list[Any]:
        """Django's, with the page on which a line is matched."""
        view = self.admin_site.admin_view(self.match)
        return [path("<int:pk>/match", view, name="payments_bankline_match"), *super().get_urls()]

    def describe(self, row: BankLine) -> str:
        """What the bank says of it."""
        return f"{row.booked_on}: {shown_amount(row.amount_cents, row.currency)}, {row.counterparty or row.text}"

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Each while there is something to do."""
        row: BankLine | None = self.get_object(request, object_id)
        waits = row is not None and row.status == BankLineState.WAITING
        return waits if name == "not_ours" else not waits

    def leads(self, request: HttpRequest, link: RowLink, object_id: str) -> bool:
        """The same for matching."""
        row: BankLine | None = self.get_object(request, object_id)
        return row is not None and row.status == BankLineState.WAITING

    @admin.display(description="Booked")
    def booked(self, line: BankLine) -> SafeString:
        """Its entries in the journal."""
        return journal_of([("bank_match", str(match.pk)) for match in line.matches.all()])

    @fresh_page
    @helped_by("finance/bank#matching-a-line")
    def match(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form on which a person says what the line is."""
        if not request.user.has_perm(MATCHES):
            raise PermissionDenied
        line = get_object_or_404(BankLine.objects.select_related("account"), pk=pk)
        page = reverse("admin:payments_bankline_change", args=[line.pk])
        form = MatchForm(request.POST or None, line=line)
        if request.method == "POST" and form.is_valid():
            try:
                form.write(staff(request))
            except DomainError as refusal:
                tell(form, refusal)
            else:
                self.message_user(request, "It is known what the line is, and booked.", messages.SUCCESS)
                return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Say what a line is"),
            "opts": self.opts,
            "form": form,
            "facts": form.facts(),
            "back": page,
        }
        return TemplateResponse(request, "payments/bank_form.html", context)

    @confirmed(
        "Not ours", permission=MATCHES, preview=what_not_ours_does, reason=Reason.REQUIRED, done="set aside", fresh=True
    )
    def not_ours(self, request: HttpRequest, row: BankLine, reason: str) -> None:
        """Another business of the house's."""
        match_by_hand(line_id=row.pk, choice=Choice(rest=MatchKind.NOT_OURS), by=staff(request), reason=reason)

    @confirmed(
        "Take back",
        permission=MATCHES,
        preview=what_taking_back_does,
        reason=Reason.REQUIRED,
        done="taken back",
        fresh=True,
    )
    def take_back(self, request: HttpRequest, row: BankLine, reason: str) -> None:
        """That is not what it is."""
        undo_match(line_id=row.pk, by=staff(request), reason=reason)


def _what(match: BankMatch) -> SafeString | str:
    if match.payout is not None:
        return linked(reverse("admin:payments_providerpayout_change", args=[match.payout_id]), str(match.payout))
    if match.record is not None:
        return linked(reverse("admin:payments_manualrecord_change", args=[match.record_id]), str(match.record))
    return match.get_kind_display()
