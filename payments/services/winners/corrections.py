"""What was paid to a winner too much, and what was withheld too much: decided by two people, never edited.

A prize that a correction lowered is owed back by its winner. The winner sends it back, by hand, and a record with two
names says so; or the house bears it, and a second person agrees. What was withheld although the form was only late is
released in the year of the payment, and owed to the winner again: the next payout brings it.
"""

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.constraints import explain
from config.errors import Code, Conflict, Forbidden, NotFound, invalid
from config.phrases import Money, Name, phrase
from config.reasons import check_reason
from payments.models import (
    CorrectionKind,
    CorrectionState,
    ManualRecord,
    ManualState,
    Payout,
    PayoutState,
    PrizeCorrection,
)
from payments.services.booking import livemode
from payments.services.manual.records import Handover, check_handover, write_record
from payments.services.payouts import PrizeNotDue
from payments.services.taxes import finance_year
from payments.services.winners.locking import Winner, lock_payout, lock_winner
from payments.services.winners.overpaid import book_correction, note_overpaid
from payments.services.winners.standing import left_withheld, standing_of

explain(
    "prize_correction_at_a_time",
    Code.VERSION_CONFLICT,
    "Another correction of this player's prize waits: decide it first.",
)
explain("prize_correction_two_names", Code.FORBIDDEN, "A correction needs two different names.")


@transaction.atomic
def record_repayment(*, payout_id: int, amount_cents: int, handover: Handover, by: User) -> ManualRecord:
    """Write down that a winner sent back what was paid too much; a second name confirms it, and only then it counts.

    Refuses the winner, more than is owed, and a second one while one waits.
    """
    payout, winner = lock_payout(payout_id)
    _check_amount(winner, amount_cents)
    _check_not_waiting(winner)
    _check_not_self(winner, by)
    check_handover(handover, now=database_now())
    attribute(by=by, reason=f"sent back by {handover.method}")
    correction = _write(winner, CorrectionKind.REPAID, amount_cents, f"sent back by {handover.method}", by)
    return write_record(
        handover=handover, amount_cents=amount_cents, currency=payout.currency, by=by, correction=correction
    )


def decide_repayment(*, record: ManualRecord, by: User) -> None:
    """What the second name on its record means: done, or declined. In the transaction of the record."""
    correction = record.correction
    if correction is None:
        return
    winner = lock_winner(correction.pool_id, correction.player_id)
    correction = PrizeCorrection.objects.locked().get(pk=correction.pk)
    if record.status == ManualState.CONFIRMED:
        # What came is booked also where the prize was raised meanwhile: it is paid out again then.
        _close(correction, CorrectionState.DONE, by, str(record))
        note_overpaid(winner.pool, winner.player.pk)
    else:
        _close(correction, CorrectionState.DECLINED, by, record.decision_reason)


@transaction.atomic
def bear_overpaid(*, payout_id: int, amount_cents: int | None = None, reason: str, by: User) -> PrizeCorrection:
    """Propose that the house bears what was paid too much, all of it unless an amount is given. Another agrees."""
    reason = check_reason(reason)
    _, winner = lock_payout(payout_id)
    amount = standing_of(winner.pool.pk, winner.player.pk).over if amount_cents is None else amount_cents
    _check_amount(winner, amount)
    _check_not_waiting(winner)
    _check_not_self(winner, by)
    attribute(by=by, reason=reason)
    return _write(winner, CorrectionKind.BORNE, amount, reason, by)


@transaction.atomic
def release_withheld(*, payout_id: int, amount_cents: int | None = None, reason: str, by: User) -> PrizeCorrection:
    """Propose to give a winner what was withheld too much of a payout, all of it by default. Another agrees.

    Refuses more than was withheld, and a payout of a year that is over: that money is the tax office's.
    """
    reason = check_reason(reason)
    payout, winner = lock_payout(payout_id)
    amount = left_withheld(payout) if amount_cents is None else amount_cents
    _check_release(payout, amount)
    _check_not_waiting(winner)
    _check_not_self(winner, by)
    attribute(by=by, reason=reason)
    return _write(winner, CorrectionKind.TAX_RELEASED, amount, reason, by, payout)


@transaction.atomic
def approve_correction(*, correction_id: int, by: User) -> PrizeCorrection:
    """The second name: it is booked. Refuses who asked for it, the winner, and what has changed since.

    That a winner sent money back is confirmed on its record.
    """
    correction, winner = _lock(correction_id)
    if correction.kind == CorrectionKind.REPAID:
        raise Conflict(Code.INVALID_TRANSITION, "Confirm the record of the money instead.")
    if by.pk == correction.requested_by_id:
        raise Forbidden(Code.FORBIDDEN, "Whoever asked for a correction cannot approve it: somebody else has to.")
    _check_not_self(winner, by)
    if correction.kind == CorrectionKind.TAX_RELEASED and correction.payout is not None:
        _check_release(correction.payout, correction.amount_cents)
    else:
        _check_amount(winner, correction.amount_cents)
    _close(correction, CorrectionState.DONE, by, "approved")
    note_overpaid(winner.pool, winner.player.pk)
    return correction


@transaction.atomic
def decline_correction(*, correction_id: int, by: User, reason: str) -> PrizeCorrection:
    """Turn it down, or take one's own back. That of a record is turned down there."""
    reason = check_reason(reason)
    correction, _ = _lock(correction_id)
    if correction.kind == CorrectionKind.REPAID:
        raise Conflict(Code.INVALID_TRANSITION, "Turn the record of the money down instead.")
    _close(correction, CorrectionState.DECLINED, by, reason)
    return correction


def _lock(correction_id: int) -> tuple[PrizeCorrection, Winner]:
    found = PrizeCorrection.objects.filter(pk=correction_id).values_list("pool_id", "player_id").first()
    if found is None:
        raise NotFound(Code.NOT_FOUND, "There is no such correction.")
    winner = lock_winner(*found)
    return PrizeCorrection.objects.locked().get(pk=correction_id), winner


def _write(
    winner: Winner, kind: CorrectionKind, amount_cents: int, reason: str, by: User, payout: Payout | None = None
) -> PrizeCorrection:
    return PrizeCorrection.objects.create(
        pool=winner.pool,
        player=winner.player,
        payout=payout,
        kind=kind,
        amount_cents=amount_cents,
        currency=winner.pool.currency,
        livemode=livemode(),
        reason=reason,
        requested_by=by,
    )


def _close(correction: PrizeCorrection, status: CorrectionState, by: User, why: str) -> None:
    correction.move_to(status)
    attribute(by=by, reason=why)
    correction.decided_by, correction.decided_at, correction.decision_reason = by, ClockTimestamp(), why[:500]
    correction.save(update_fields=["status", "decided_by", "decided_at", "decision_reason"])
    correction.refresh_from_db(fields=["decided_at"])
    if status == CorrectionState.DONE:
        book_correction(correction)


def _check_amount(winner: Winner, amount_cents: int) -> None:
    """No more than the player owes now."""
    over = standing_of(winner.pool.pk, winner.player.pk).over
    if amount_cents <= 0:
        raise PrizeNotDue("Nothing was paid too much.") if not over else invalid("amount", "More than nothing.")
    if amount_cents > over:
        currency = winner.pool.currency
        raise PrizeNotDue(
            phrase(
                "The player owes {amount}, not {asked}.",
                amount=Money(over, currency),
                asked=Money(amount_cents, currency),
            )
        )


def _check_release(payout: Payout, amount_cents: int) -> None:
    if payout.status != PayoutState.PAID or payout.paid_at is None:
        raise PrizeNotDue(phrase("This payout is {status}: nothing of it is withheld.", status=Name(payout.status)))
    if finance_year(payout.paid_at) != finance_year(database_now()):
        raise PrizeNotDue("The tax year of this payout is over: what was withheld is the tax office's to give back.")
    if not 0 < amount_cents <= left_withheld(payout):
        raise PrizeNotDue(
            phrase("{amount} are withheld of this payout.", amount=Money(left_withheld(payout), payout.currency))
        )


def _check_not_waiting(winner: Winner) -> None:
    waiting = PrizeCorrection.objects.filter(
        pool=winner.pool, player=winner.player, status=CorrectionState.REQUESTED
    ).first()
    if waiting is not None:
        raise Conflict(
            Code.VERSION_CONFLICT,
            phrase("Correction {waiting} of this prize waits for a second name: decide it first.", waiting=waiting.pk),
            {"correction": waiting.pk},
        )


def _check_not_self(winner: Winner, by: User) -> None:
    if winner.player.pk == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody corrects a prize of their own. Ask a colleague.")
