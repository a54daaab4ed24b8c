"""Prizes on their way to the winners: asked for by one, approved by another, handed over, and signed for by two.

A prize is paid out once, however often somebody asks: the pool is locked before anybody looks, and the database keeps
one live payout for each entry. What was handed over is booked in any case, also if a correction came between.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.constraints import explain
from config.errors import Code, Conflict, Forbidden, NotFound, Refused, invalid
from entries.models import Entry
from payments.ledger import rules
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import balance_of
from payments.ledger.models import JournalEntry
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import (
    DiscrepancyKind,
    ManualRecord,
    ManualState,
    Payout,
    PayoutState,
    PrizeBooking,
)
from payments.models.payout import LIVE_PAYOUTS
from payments.services.booking import livemode
from payments.services.discrepancies import raise_discrepancy, settle_discrepancy
from payments.services.manual.outgoing import record_payout
from payments.services.manual.records import Handover
from payments.services.prizes import latest_booking, note_overpaid
from payments.services.taxes import finance_year, withheld_of
from pools.models import Pool

REASON_LENGTH = 500
ON_ITS_WAY = "This prize is paid out already, or on its way."

explain("payout_once", Code.PRIZE_NOT_DUE, ON_ITS_WAY)
explain("payout_two_names", Code.FORBIDDEN, "A payout needs two different names.")


class PrizeNotDue(Conflict):
    """There is nothing to pay out for this entry now."""

    def __init__(self, why: str) -> None:
        super().__init__(Code.PRIZE_NOT_DUE, why)


@transaction.atomic
def request_payout(*, entry_id: int, by: User) -> Payout:
    """Ask that an entry's prize be paid out; the amount is the one booked, less the tax that is withheld.

    Refuses one's own prize, one that is paid or on its way, one that is not booked (PRIZE_NOT_DUE), a disputed entry
    (ENTRY_SUSPENDED), and a winner whose country wants a form first (TAX_FORM_MISSING).
    """
    pool, entry = _lock_entry(entry_id)
    booking = latest_booking(pool)
    amount = 0 if booking is None else int(booking.prizes.get(str(entry.pk), 0))
    if booking is None or not amount:
        raise PrizeNotDue(f"Entry {entry.pk} has no prize in the books.")
    _check_person(entry, by)
    _check_not_suspended(entry)
    if Payout.objects.filter(entry=entry, status__in=LIVE_PAYOUTS).exists():
        raise PrizeNotDue(ON_ITS_WAY)
    _check_owed(entry, amount, pool.currency)
    attribute(by=by, reason="asked for a payout")
    return Payout.objects.create(
        booking=booking,
        entry=entry,
        player=entry.user,
        livemode=livemode(),
        amount_cents=amount,
        withheld_cents=_withheld(entry, amount, booking),
        currency=pool.currency,
        requested_by=by,
    )


@transaction.atomic
def approve_payout(*, payout_id: int, by: User) -> Payout:
    """Approve what another asked for. Refuses the same person, the winner, a dispute since then, a missing form."""
    payout = _lock(payout_id)
    payout.move_to(PayoutState.APPROVED)
    _check_person(payout.entry, by)
    if payout.requested_by_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Whoever asked for a payout cannot approve it: somebody else has to.")
    _check_not_suspended(payout.entry)
    withheld = _withheld(payout.entry, payout.amount_cents, payout.booking)
    if withheld != payout.withheld_cents:
        raise PrizeNotDue("What is withheld has changed since it was asked for. Cancel it and ask anew.")
    attribute(by=by, reason="approved")
    payout.approved_by, payout.approved_at = by, ClockTimestamp()
    payout.save(update_fields=["status", "approved_by", "approved_at"])
    return _fresh(payout)


@transaction.atomic
def cancel_payout(*, payout_id: int, by: User, reason: str) -> Payout:
    """Take back what was not handed over. Refuses one whose money somebody says is on its way: decide that first."""
    reason = _said(reason)
    payout = _lock(payout_id)
    payout.move_to(PayoutState.CANCELLED)
    if _live_record(payout) is not None:
        raise PrizeNotDue("Somebody wrote down that this was handed over. Confirm the record, or turn it down, first.")
    attribute(by=by, reason=reason)
    payout.reason = reason
    payout.save(update_fields=["status", "reason"])
    return _fresh(payout)


@transaction.atomic
def hand_over(*, payout_id: int, handover: Handover, by: User) -> ManualRecord:
    """Write down that an approved payout was handed over; a second name confirms it, and only then it is paid."""
    payout = _lock(payout_id)
    _check_person(payout.entry, by)
    if payout.status != PayoutState.APPROVED:
        raise PrizeNotDue(f"This payout is {payout.status}, not approved.")
    if _live_record(payout) is not None:
        raise PrizeNotDue("Somebody wrote down already that this was handed over.")
    return record_payout(payout=payout, handover=handover, by=by)


@transaction.atomic
def mark_paid(*, payout: Payout, record: ManualRecord, by: User) -> Payout:
    """Book what a confirmed record says was handed over. Refuses another amount, and a payout that is not approved."""
    payout = _lock(payout.pk)
    if (record.payout_id, record.status) != (payout.pk, ManualState.CONFIRMED):
        raise PrizeNotDue("Only a confirmed record of this payout pays it.")
    if (record.amount_cents, record.currency) != (payout.amount_cents - payout.withheld_cents, payout.currency):
        raise PrizeNotDue("The record is of another amount than the payout.")
    payout.move_to(PayoutState.PAID)
    attribute(by=by, reason=f"handed over: {record}")
    payout.paid_at = record.passed_at
    payout.save(update_fields=["status", "paid_at"])
    post(
        rules.winner_paid(
            str(payout.ref),
            payout.player_id,
            payout.withheld_cents,
            payout.provider,
            _sum_of(payout, record.passed_at),
        )
    )
    settle_discrepancy(
        kind=DiscrepancyKind.PAYOUT_FAILED, object_key=_key(payout), resolution=f"paid by payout {payout.pk}"
    )
    booking = latest_booking(payout.entry.pool)
    note_overpaid(payout, 0 if booking is None else int(booking.prizes.get(str(payout.entry_id), 0)))
    return _fresh(payout)


@transaction.atomic
def return_payout(*, payout_id: int, by: User, reason: str) -> Payout:
    """The bank sent it back: the winner is owed it as before, and another payout can be made."""
    reason = _said(reason)
    payout = _lock(payout_id)
    payout.move_to(PayoutState.RETURNED)
    attribute(by=by, reason=reason)
    payout.returned_at, payout.reason = ClockTimestamp(), reason
    payout.save(update_fields=["status", "returned_at", "reason"])
    payout = _fresh(payout)
    paid = JournalEntry.objects.filter(source_type="payout", source_id=str(payout.ref), event="paid")
    post(
        rules.winner_payment_returned(
            str(payout.ref),
            payout.player_id,
            payout.withheld_cents,
            payout.provider,
            _sum_of(payout, payout.returned_at or database_now()),
            paid.values_list("pk", flat=True).first(),
        )
    )
    note_overpaid(payout, payout.amount_cents)
    raise_discrepancy(
        kind=DiscrepancyKind.PAYOUT_FAILED,
        object_key=_key(payout),
        sentence=f"Payout {payout.pk} to {payout.player.display_name} came back: {reason}",
        suggestion="Ask the winner where to send it, and ask for another payout.",
        details={"payout": payout.pk, "entry": payout.entry_id},
    )
    return payout


def _lock_entry(entry_id: int) -> tuple[Pool, Entry]:
    """The pool, the entry and its player, locked in this order: two payouts of one player take turns."""
    pool_id = Entry.objects.filter(pk=entry_id).values_list("pool_id", flat=True).first()
    if pool_id is None:
        raise NotFound(Code.NOT_FOUND, "There is no such entry.")
    pool = Pool.objects.locked().get(pk=pool_id)
    entry = Entry.objects.locked().get(pk=entry_id)
    entry.pool, entry.user = pool, User.objects.select_for_update(no_key=True).get(pk=entry.user_id)
    return pool, entry


def _lock(payout_id: int) -> Payout:
    entry_id = Payout.objects.filter(pk=payout_id).values_list("entry_id", flat=True).first()
    if entry_id is None:
        raise NotFound(Code.NOT_FOUND, "There is no such payout.")
    _, entry = _lock_entry(entry_id)
    payout = Payout.objects.locked().select_related("booking").get(pk=payout_id)
    payout.entry, payout.player = entry, entry.user
    return payout


def _check_person(entry: Entry, by: User) -> None:
    if entry.user_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody pays out a prize of their own. Ask a colleague.")


def _check_not_suspended(entry: Entry) -> None:
    if entry.is_suspended:
        raise Refused(
            Code.ENTRY_SUSPENDED, f"The payment of entry {entry.pk} is disputed: its prize waits until that is decided."
        )


def _check_owed(entry: Entry, amount_cents: int, currency: str) -> None:
    """The books owe the player this much, beside all that is on its way already."""
    account = AccountName(Kind.WINNINGS_PAYABLE, player_id=entry.user_id)
    owed = -balance_of(account, currency, livemode=livemode())
    waiting = Payout.objects.filter(
        player=entry.user_id, currency=currency, status__in=(PayoutState.REQUESTED, PayoutState.APPROVED)
    )
    if owed < amount_cents + sum(waiting.values_list("amount_cents", flat=True)):
        raise PrizeNotDue("The books owe the player less than this prize: an earlier one was paid too much.")


def _withheld(entry: Entry, amount_cents: int, booking: PrizeBooking) -> int:
    return withheld_of(
        player=entry.user,
        amount_cents=amount_cents,
        currency=booking.currency,
        livemode=livemode(),
        year=finance_year(booking.made_at),
    )


def _live_record(payout: Payout) -> ManualRecord | None:
    return payout.manual_records.exclude(status=ManualState.REJECTED).first()


def _sum_of(payout: Payout, at: datetime) -> Sum:
    return Sum(payout.amount_cents, payout.currency, payout.livemode, at)


def _key(payout: Payout) -> str:
    return f"entry:{payout.entry_id}"


def _said(reason: str) -> str:
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_LENGTH:
        raise invalid("reason", f"Say why, in 1 to {REASON_LENGTH} characters.")
    return reason


def _fresh(payout: Payout) -> Payout:
    return Payout.objects.select_related("entry", "player").get(pk=payout.pk)
