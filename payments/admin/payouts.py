"""Prizes on their way: what was booked, what is asked for, approved, handed over, and what came back."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from accounts.models import User
from config.admin import ReadOnlyAdmin, Reason, RowLink, WithRowActions, confirmed
from config.money import format_amount
from config.words import status_of
from entries.admin.links import linked
from entries.models import Entry
from payments.admin.manual import to_handover
from payments.admin.ways import journal_of
from payments.models import ManualState, Payout, PayoutChange, PayoutState, PrizeBooking
from payments.models.payout import LIVE_PAYOUTS
from payments.services.payouts import approve_payout, cancel_payout, request_payout, return_payout
from pools.admin.made_by_service import MadeByService

MOST_LISTED = 100
HANDED_OVER = to_handover("Record that it was handed over", "record_payout", "payout")

if TYPE_CHECKING:
    Base = forms.ModelForm[Payout]
else:
    Base = forms.ModelForm


class WishForm(Base):
    """Whose prize: the amount is what the books say."""

    entry = forms.IntegerField(
        min_value=1, max_value=2**63 - 1, widget=UnfoldAdminIntegerFieldWidget, help_text="The number of the entry."
    )

    class Meta:
        model = Payout
        fields = ()

    def _post_clean(self) -> None:
        """Not the model's: the service makes the row, and the database has the last word."""


def what_approving_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `approve`."""
    waiting = rows.filter(status=PayoutState.REQUESTED).count()
    return [
        f"{waiting} of {rows.count()} wait; the others are refused, and so is what you asked for yourself.",
        "Then the money is handed over, and two people sign that it was.",
    ]


def what_cancelling_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `cancel`."""
    return [
        (
            f"{rows.filter(status__in=(PayoutState.REQUESTED, PayoutState.APPROVED)).count()} of {rows.count()} are"
            " not handed over; the others are refused."
        ),
        "The prize is owed as before, and can be asked for again.",
    ]


def what_returning_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `mark_returned`."""
    return [
        f"{rows.filter(status=PayoutState.PAID).count()} of {rows.count()} are paid; the others are refused.",
        "The money is with us again and owed to the winner. Another payout can be asked for.",
    ]


@admin.register(Payout)
class PayoutAdmin(WithHistory, WithRowActions, MadeByService):
    """One row for each time that a prize was asked for."""

    add_form = WishForm
    change_model = PayoutChange
    list_display = (
        "id", "pool", "player", "prize", "withheld", "status", "requested_by", "requested_at", "approved_by",
        "paid_at",
    )  # fmt: skip
    list_select_related = ("booking__pool", "player", "requested_by", "approved_by")
    list_filter: ClassVar = (
        ("status", ChoicesDropdownFilter),
        ("booking__pool", AutocompleteSelectFilter),
        "requested_at",
    )
    search_fields = ("player__email", "player__display_name")
    search_help_text = "The winner's e-mail address or name, or the entry's number"
    ordering = ("-id",)
    fields = (
        "pool", "player", "prize", "withheld", "status", "reason", "provider", "requested_by", "requested_at",
        "approved_by", "approved_at", "paid_at", "returned_at", "booking", "booked", "history",
    )  # fmt: skip
    readonly_fields = ("pool", "prize", "withheld", "booked", "history")
    add_fieldsets: ClassVar = (
        (None, {"fields": ("entry",), "description": "Somebody else approves it before anything is handed over."}),
    )
    actions = ("approve", "cancel", "mark_returned")
    links = (HANDED_OVER,)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """With the entry that a link named."""
        return {"entry": request.GET.get("entry", "")}

    def describe(self, row: Payout) -> str:
        """How much to whom."""
        return f"{self.prize(row)} to {row.player} for {self.pool(row)} ({status_of(row)})"

    def make(self, form: Any, by: User) -> Payout:
        """A wish."""
        return request_payout(entry_id=form.cleaned_data["entry"], by=by)

    def leads(self, request: HttpRequest, link: RowLink, object_id: str) -> bool:
        """To the form only once it is approved, and nobody has written it down."""
        row: Payout | None = self.get_object(request, object_id)
        if row is None or row.status != PayoutState.APPROVED:
            return False
        return not row.manual_records.exclude(status=ManualState.REJECTED).exists()

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what can be done with it as it is."""
        row: Payout | None = self.get_object(request, object_id)
        if row is None:
            return False
        if name == "approve":
            return row.status == PayoutState.REQUESTED and row.requested_by_id != staff(request).pk
        if name == "cancel":
            return row.status in (PayoutState.REQUESTED, PayoutState.APPROVED)
        return row.status == PayoutState.PAID

    @admin.display(description="Pool", ordering="booking__pool__name")
    def pool(self, payout: Payout) -> str:
        """The pool's name."""
        return payout.booking.pool.name

    @admin.display(description="Prize", ordering="amount_cents")
    def prize(self, payout: Payout) -> str:
        """In whole units."""
        return format_amount(payout.amount_cents, payout.currency)

    @admin.display(description="Withheld", ordering="withheld_cents")
    def withheld(self, payout: Payout) -> str:
        """The tax that stays here."""
        return format_amount(payout.withheld_cents, payout.currency)

    @admin.display(description="Booked")
    def booked(self, payout: Payout) -> SafeString:
        """Its entries in the journal."""
        return journal_of([("payout", str(payout.ref))])

    @confirmed("Approve", permission="payments.approve_payout", preview=what_approving_does, done="approved")
    def approve(self, request: HttpRequest, row: Payout, reason: str) -> None:
        """The second name."""
        approve_payout(payout_id=row.pk, by=staff(request))

    @confirmed(
        "Cancel", permission="payments.request_payout", preview=what_cancelling_does, reason=Reason.REQUIRED,
        done="cancelled",
    )  # fmt: skip
    def cancel(self, request: HttpRequest, row: Payout, reason: str) -> None:
        """Take it back."""
        cancel_payout(payout_id=row.pk, by=staff(request), reason=reason)

    @confirmed(
        "Came back", permission="payments.approve_payout", preview=what_returning_does, reason=Reason.REQUIRED,
        done="owed again",
    )  # fmt: skip
    def mark_returned(self, request: HttpRequest, row: Payout, reason: str) -> None:
        """The bank sent it back."""
        return_payout(payout_id=row.pk, by=staff(request), reason=reason)


@admin.register(PrizeBooking)
class PrizeBookingAdmin(ReadOnlyAdmin):
    """The prizes of each pool as they were booked; the newest of a pool holds."""

    list_display = ("id", "pool", "number", "total", "winners", "made_at")
    list_display_links = ("id", "pool")
    list_select_related = ("pool",)
    list_filter: ClassVar = (("pool", AutocompleteSelectFilter), "made_at")
    search_fields = ("pool__name",)
    ordering = ("-id",)
    fields = ("pool", "number", "total", "made_at", "list_of_prizes")
    readonly_fields = ("total", "list_of_prizes")

    @admin.display(description="Prizes", ordering="amount_cents")
    def total(self, booking: PrizeBooking) -> str:
        """In whole units."""
        return format_amount(booking.amount_cents, booking.currency)

    @admin.display(description="Winners")
    def winners(self, booking: PrizeBooking) -> int:
        """Entries with a prize."""
        return len(booking.prizes)

    @admin.display(description="To whom")
    def list_of_prizes(self, booking: PrizeBooking) -> SafeString:
        """Each entry with its prize, and its payout, or the way to ask for one."""
        shown = [int(entry) for entry in list(booking.prizes)[:MOST_LISTED]]
        live = Payout.objects.filter(booking__pool=booking.pool_id, status__in=LIVE_PAYOUTS).order_by("pk")
        payouts = {row.player_id: row for row in live}
        entries = Entry.objects.filter(pk__in=shown).select_related("user").order_by("pk")
        lines = format_html_join("", "<li>{}: {}, {}</li>", (self._line(booking, row, payouts) for row in entries))
        more = len(booking.prizes) - len(shown)
        return format_html("<ul>{}</ul>{}", lines, f"and {more} more" if more else "")

    def _line(self, booking: PrizeBooking, entry: Entry, payouts: dict[int, Payout]) -> tuple[str, str, SafeString]:
        payout = payouts.get(entry.user_id)
        if payout is None:
            link = linked(f"{reverse('admin:payments_payout_add')}?entry={entry.pk}", "ask for the payout")
        else:
            link = linked(
                reverse("admin:payments_payout_change", args=[payout.pk]),
                f"payout {status_of(payout)}",
            )
        prize = format_amount(booking.prizes[str(entry.pk)], booking.currency)
        return f"{entry.user.display_name}, entry {entry.number}", prize, link
