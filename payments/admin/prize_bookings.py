"""The prizes of each pool as they were booked, each with its payout, and asking for all of them at once."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, WithRowActions
from config.confirmations import confirmed
from config.errors import Code, Conflict
from config.phrases import in_language, phrase, shown_amount, tell, tell_of
from config.words import status_of
from entries.admin.links import linked
from entries.models import Entry
from payments.admin.payouts import payout_page
from payments.models import Payout, PrizeBooking
from payments.models.payout import LIVE_PAYOUTS
from payments.services.winners.bulk import request_payouts, winners_due
from payments.services.winners.standing import standings

MOST_LISTED = 100


def what_asking_for_all_does(rows: QuerySet[PrizeBooking]) -> list[str]:
    """The preview of `ask_for_all`: how many winners of each pool are due what."""
    said = []
    # What a pool's winners are due is told once, however many of its bookings were chosen.
    chosen = PrizeBooking.objects.filter(pk__in=rows.order_by().values("pk")).order_by("pool_id", "-number")
    for booking in chosen.distinct("pool_id").select_related("pool")[:MOST_LISTED]:
        due = winners_due(booking.pool)
        amount = shown_amount(sum(due.values()), booking.currency)
        said.append(
            tell_of(
                len(due),
                "{pool}: {count} winner is due {amount}.",
                "{pool}: {count} winners are due {amount}.",
                pool=booking.pool.name,
                amount=amount,
            )
        )
    return [
        *said,
        gettext("Each is asked for by itself; who is refused (a dispute, a missing form) is told, and stops nobody."),
    ]


@admin.register(PrizeBooking)
class PrizeBookingAdmin(WithRowActions, ReadOnlyAdmin):
    """The newest of a pool holds; those before it were reversed."""

    handbook = "finance/payouts#prizes"
    list_display = ("id", "pool", "number", "total", "winners", "holds", "made_at")
    list_display_links = ("id", "pool")
    list_select_related = ("pool",)
    list_filter: ClassVar = (("pool", AutocompleteSelectFilter), "made_at")
    search_fields = ("pool__name",)
    ordering = ("-id",)
    fields = ("pool", "number", "total", "made_at", "paid_out", "list_of_prizes")
    readonly_fields = ("total", "paid_out", "list_of_prizes")
    actions = ("ask_for_all",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PrizeBooking]:
        """With whether a later one reversed it."""
        rows: QuerySet[PrizeBooking] = super().get_queryset(request)
        later = PrizeBooking.objects.filter(pool=OuterRef("pool"), number__gt=OuterRef("number"))
        return rows.annotate(is_reversed=Exists(later))

    def describe(self, row: PrizeBooking) -> str:
        """Whose prizes."""
        return tell("{pool}, booking {number}: {amount}", pool=row.pool.name, number=row.number, amount=self.total(row))

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Where somebody is due something."""
        row = self.get_object(request, object_id)
        return row is not None and bool(winners_due(row.pool))

    @admin.display(description="Prizes", ordering="amount_cents")
    def total(self, booking: PrizeBooking) -> str:
        """In whole units."""
        return shown_amount(booking.amount_cents, booking.currency)

    @admin.display(description="Winners")
    def winners(self, booking: PrizeBooking) -> int:
        """Entries with a prize."""
        return len(booking.prizes)

    @admin.display(description="Holds", boolean=True)
    def holds(self, booking: Any) -> bool:
        """Whether no later one reversed it."""
        return not booking.is_reversed

    @admin.display(description="Of the pool's winners")
    def paid_out(self, booking: PrizeBooking) -> str:
        """Paid, on its way, due and too much, in all."""
        owners = Entry.objects.filter(pool=booking.pool_id, prize_cents__gt=0).values_list("user_id", flat=True)
        paid = Payout.objects.filter(booking__pool=booking.pool_id).values_list("player_id", flat=True)
        found = standings(booking.pool_id, sorted({*owners, *paid})).values()
        sums = {
            gettext("paid"): sum(one.paid - one.repaid for one in found),
            gettext("asked for or on its way"): sum(one.given - one.paid for one in found),
            gettext("not asked for yet"): sum(one.due for one in found),
            gettext("paid too much"): sum(one.over for one in found),
        }
        return ", ".join(f"{shown_amount(cents, booking.currency)} {name}" for name, cents in sums.items() if cents)

    @admin.display(description="To whom")
    def list_of_prizes(self, booking: PrizeBooking) -> SafeString:
        """Each entry with its prize, and its player's payout, or the way to ask for one."""
        shown = [int(entry) for entry in list(booking.prizes)[:MOST_LISTED]]
        live = Payout.objects.filter(booking__pool=booking.pool_id, status__in=LIVE_PAYOUTS).order_by("pk")
        payouts = {row.player_id: row for row in live}
        entries = Entry.objects.filter(pk__in=shown).select_related("user").order_by("pk")
        lines = format_html_join("", "<li>{}: {}, {}</li>", (self._line(booking, row, payouts) for row in entries))
        more = len(booking.prizes) - len(shown)
        return format_html("<ul>{}</ul>{}", lines, tell("and {more} more", more=more) if more else "")

    @confirmed(
        "Ask for the payouts of all winners", permission="payments.request_payout", preview=what_asking_for_all_does,
        done="pools asked for", fresh=True,
    )  # fmt: skip
    def ask_for_all(self, request: HttpRequest, row: PrizeBooking, reason: str) -> None:
        """Of the pool, by its newest booking."""
        outcome = request_payouts(pool_id=row.pool_id, by=staff(request))
        for refusal in outcome.refused[:MOST_LISTED]:
            self.message_user(request, f"{row.pool.name}: {in_language(refusal.message)}", messages.WARNING)
        if not outcome.done:
            raise Conflict(Code.PRIZE_NOT_DUE, phrase("{pool}: no payout was asked for.", pool=row.pool.name))
        asked = len(outcome.done)
        self.message_user(
            request,
            tell_of(
                asked,
                "{pool}: {count} payout waits for approval.",
                "{pool}: {count} payouts wait for approval.",
                pool=row.pool.name,
            ),
            messages.SUCCESS,
        )

    def _line(self, booking: PrizeBooking, entry: Entry, payouts: dict[int, Payout]) -> tuple[str, str, SafeString]:
        payout = payouts.get(entry.user_id)
        if payout is None:
            link = linked(f"{reverse('admin:payments_payout_add')}?entry={entry.pk}", gettext("ask for the payout"))
        else:
            link = linked(payout_page(payout), tell("payout {state}", state=status_of(payout)))
        prize = shown_amount(booking.prizes[str(entry.pk)], booking.currency)
        return tell("{player}, entry {number}", player=entry.user.display_name, number=entry.number), prize, link
