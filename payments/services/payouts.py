"""Prizes on their way to the winners: asked for by one, approved by another, then handed over or sent, once.

What a player has won in a pool is paid out in one payout, whichever entries won it, less what was paid before. It is
paid once, however often somebody asks: the pool is locked before anybody looks, and the database keeps one live payout
for each booking and player, and no more in all than was won. By hand, two people sign that it was handed over; at a
provider, the outbox sends it. What has moved is booked in any case, also if a correction came between.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User
from config import outbox
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.constraints import explain
from config.errors import Code, Conflict, Forbidden, Refused
from config.phrases import Name, phrase
from config.reasons import check_reason
from entries.models import Entry
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import balance_of
from payments.models import ManualRecord, ManualState, Payout, PayoutState, PrizeBooking, Provider
from payments.models.payout import LIVE_PAYOUTS, PAYOUTS_UNDER_WAY, WAITING_PAYOUTS
from payments.services.booking import livemode
from payments.services.manual.outgoing import record_payout
from payments.services.manual.records import Handover
from payments.services.taxes import finance_year, withheld_of
from payments.services.winners.accounts import account_in_use, usual_way
from payments.services.winners.locking import Winner, lock_entry_owner, lock_payout, lock_winner
from payments.services.winners.outcomes import book_paid, book_returned, fresh
from payments.services.winners.standing import standing_of

ON_ITS_WAY = "This prize is paid out already, or on its way."

explain("payout_once", Code.PRIZE_NOT_DUE, ON_ITS_WAY)
explain("payout_replaced_once", Code.PRIZE_NOT_DUE, ON_ITS_WAY)
explain("payout_within_prize", Code.PRIZE_NOT_DUE, "More would be paid out than was won.")
explain("payout_two_names", Code.FORBIDDEN, "A payout needs two different names.")


class PrizeNotDue(Conflict):
    """There is nothing to pay out to this player now."""

    def __init__(self, why: str) -> None:
        super().__init__(Code.PRIZE_NOT_DUE, why)


def request_payout(*, entry_id: int, by: User, provider: str | None = None) -> Payout:
    """Ask that the prize of an entry's player be paid out: everything won in the entry's pool, less what was paid.

    `provider` is the way; by default the one where the player has a confirmed account, else by hand. Refuses one's own
    prize, one that is paid or on its way, one that is not booked (PRIZE_NOT_DUE), a disputed entry (ENTRY_SUSPENDED),
    a provider without an account of the player, and a winner whose country wants a form first (TAX_FORM_MISSING).
    """
    with transaction.atomic():
        winner = lock_entry_owner(entry_id)
        if str(entry_id) not in ({} if winner.booking is None else winner.booking.prizes):
            raise PrizeNotDue(phrase("Entry {entry} has no prize in the books.", entry=entry_id))
        return _request(winner, by, provider)


def request_payout_of(*, pool_id: int, player_id: int, by: User, provider: str | None = None) -> Payout:
    """The same for a player of a pool, whichever entries won."""
    with transaction.atomic():
        return _request(lock_winner(pool_id, player_id), by, provider)


@transaction.atomic
def approve_payout(*, payout_id: int, by: User) -> Payout:
    """Approve what another asked for; at a provider it is sent after the commit.

    Refuses the same person, the winner, a dispute since then, a missing form, and an account that is not in use.
    """
    payout, winner = lock_payout(payout_id)
    payout.move_to(PayoutState.APPROVED)
    _check_person(winner, by)
    if payout.requested_by_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Whoever asked for a payout cannot approve it: somebody else has to.")
    check_still_right(payout, winner, at=database_now())
    attribute(by=by, reason="approved")
    payout.approved_by, payout.approved_at = by, ClockTimestamp()
    payout.save(update_fields=["status", "approved_by", "approved_at"])
    if payout.provider != Provider.MANUAL:
        outbox.post(kind="payout.send", key=f"payout-{payout.pk}", payload={"payout": payout.pk})
    return fresh(payout)


@transaction.atomic
def cancel_payout(*, payout_id: int, by: User, reason: str) -> Payout:
    """Take back what has not moved.

    Refuses the winner, one that is sent, and one whose money somebody says is handed over.
    """
    reason = check_reason(reason)
    payout, winner = lock_payout(payout_id)
    _check_person(winner, by)
    payout.move_to(PayoutState.CANCELLED)
    if _live_record(payout) is not None:
        raise PrizeNotDue("Somebody wrote down that this was handed over. Confirm the record, or turn it down, first.")
    attribute(by=by, reason=reason)
    payout.reason = reason
    payout.save(update_fields=["status", "reason"])
    return fresh(payout)


@transaction.atomic
def hand_over(*, payout_id: int, handover: Handover, by: User) -> ManualRecord:
    """Write down that an approved payout was handed over; a second name confirms it, and only then it is paid."""
    payout, winner = lock_payout(payout_id)
    _check_person(winner, by)
    if payout.provider != Provider.MANUAL:
        raise PrizeNotDue(
            phrase("This payout goes through {provider}: nothing is handed over for it.", provider=payout.provider)
        )
    if payout.status != PayoutState.APPROVED:
        raise PrizeNotDue(phrase("This payout is {status}, not approved.", status=Name(payout.status)))
    if _live_record(payout) is not None:
        raise PrizeNotDue("Somebody wrote down already that this was handed over.")
    _check_withheld(payout, at=handover.passed_at)
    return record_payout(payout=payout, handover=handover, by=by)


@transaction.atomic
def mark_paid(*, payout: Payout, record: ManualRecord, by: User) -> Payout:
    """Book what a confirmed record says was handed over. Refuses another amount, and a payout that is not approved."""
    payout, _ = lock_payout(payout.pk)
    if (record.payout_id, record.status) != (payout.pk, ManualState.CONFIRMED):
        raise PrizeNotDue("Only a confirmed record of this payout pays it.")
    if (record.amount_cents, record.currency) != (payout.net_cents, payout.currency):
        raise PrizeNotDue("The record is of another amount than the payout.")
    attribute(by=by, reason=f"handed over: {record}")
    return book_paid(payout, at=record.passed_at)


@transaction.atomic
def return_payout(*, payout_id: int, by: User, reason: str) -> Payout:
    """What was handed over came back: the winner is owed it as before, and another payout can be made.

    Refuses the winner, and one that went through a provider: what comes back there is learned from it.
    """
    reason = check_reason(reason)
    payout, winner = lock_payout(payout_id)
    _check_person(winner, by)
    if payout.provider != Provider.MANUAL:
        raise PrizeNotDue(phrase("Reverse it at {provider}: the books follow by themselves.", provider=payout.provider))
    attribute(by=by, reason=reason)
    return book_returned(payout, at=database_now(), why=reason)


def check_still_right(payout: Payout, winner: Winner, *, at: datetime) -> None:
    """Refuses what may not be sent as it was asked for: a dispute, another tax, an account that is not in use."""
    _check_not_suspended(winner.entries)
    _check_withheld(payout, at=at)
    if payout.provider == Provider.MANUAL:
        return
    account = account_in_use(payout.player_id, payout.provider)
    if account is None or account.reference != payout.destination:
        raise PrizeNotDue(
            phrase(
                "The winner's account at {provider} is another one now. Cancel it and ask anew.",
                provider=payout.provider,
            )
        )


def _request(winner: Winner, by: User, provider: str | None) -> Payout:
    """The wish, for a winner who is held."""
    standing = standing_of(winner.pool.pk, winner.player.pk)
    if winner.booking is None or not standing.won:
        raise PrizeNotDue(
            phrase(
                "{player} has no prize in the books of {pool}.",
                player=winner.player.display_name,
                pool=winner.pool.name,
            )
        )
    _check_person(winner, by)
    _check_not_suspended(winner.entries)
    if not standing.due:
        raise PrizeNotDue(ON_ITS_WAY)
    _check_owed(winner, standing.due)
    account = usual_way(winner.player.pk, provider)
    withheld = _withheld(winner.player, standing.due, winner.pool.currency, at=database_now())
    if withheld == standing.due:
        raise PrizeNotDue("All of it would be withheld: there is nothing to pay out.")
    attribute(by=by, reason="asked for a payout")
    payout = Payout.objects.create(
        **_slot(winner.booking, winner.player),
        player=winner.player,
        provider=Provider.MANUAL if account is None else account.provider,
        destination="" if account is None else account.reference,
        livemode=livemode(),
        won_cents=standing.won,
        amount_cents=standing.due,
        withheld_cents=withheld,
        currency=winner.pool.currency,
        requested_by=by,
    )
    return fresh(payout)


def _slot(booking: PrizeBooking, player: User) -> dict[str, PrizeBooking | Payout | None]:
    """Of the newest booking; where that is paid and a part came back, in the place of what came back."""
    mine = Payout.objects.filter(booking__pool=booking.pool_id, player=player)
    if not mine.filter(booking=booking, replaces=None, status__in=LIVE_PAYOUTS).exists():
        return {"booking": booking, "replaces": None}
    following = mine.filter(replaces=OuterRef("pk"), status__in=LIVE_PAYOUTS)
    return {"booking": booking, "replaces": mine.filter(~Exists(following)).latest("pk")}


def _check_person(winner: Winner, by: User) -> None:
    if winner.player.pk == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody decides about a prize of their own. Ask a colleague.")


def _check_not_suspended(entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        if entry.is_suspended:
            raise Refused(
                Code.ENTRY_SUSPENDED,
                phrase(
                    "The payment of entry {entry} is disputed: its prize waits until that is decided.", entry=entry.pk
                ),
            )


def _check_owed(winner: Winner, amount_cents: int) -> None:
    """The books owe the player this much, beside all that is on its way already."""
    currency = winner.pool.currency
    account = AccountName(Kind.WINNINGS_PAYABLE, player_id=winner.player.pk)
    owed = -balance_of(account, currency, livemode=livemode())
    waiting = Payout.objects.filter(
        player=winner.player,
        currency=currency,
        livemode=livemode(),
        status__in=(*WAITING_PAYOUTS, *PAYOUTS_UNDER_WAY),
    )
    if owed < amount_cents + sum(waiting.values_list("amount_cents", flat=True)):
        raise PrizeNotDue("The books owe the player less than this prize: an earlier one was paid too much.")


def _check_withheld(payout: Payout, *, at: datetime) -> None:
    withheld = _withheld(payout.player, payout.amount_cents, payout.currency, at=at, but=payout.pk)
    if withheld != payout.withheld_cents:
        raise PrizeNotDue("What is withheld has changed since it was asked for. Cancel it and ask anew.")


def _withheld(player: User, amount_cents: int, currency: str, *, at: datetime, but: int | None = None) -> int:
    return withheld_of(
        player=player, amount_cents=amount_cents, currency=currency, livemode=livemode(), year=finance_year(at), but=but
    )


def _live_record(payout: Payout) -> ManualRecord | None:
    return payout.manual_records.exclude(status=ManualState.REJECTED).first()
