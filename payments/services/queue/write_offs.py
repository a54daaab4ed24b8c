"""Writing off what nobody will find: one asks, another approves, and the books say what it cost."""

from django.conf import settings
from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now
from config.constraints import explain
from config.errors import Code, Conflict, InvalidTransition, NotFound
from config.money import in_minor_units
from config.phrases import Money, Phrase, phrase
from payments.ledger import rules
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.models import JournalEntry
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import Act, Discrepancy, DiscrepancyState, WriteOff, WriteOffState
from payments.models.discrepancy import OPEN_STATES
from payments.models.write_off import STANDING
from payments.reconciliation.dispositions import Action
from payments.services.discrepancies import close, lock_open, write_act, written
from payments.services.queue.allowed import refuse_action
from payments.services.queue.stakes import Stake, clear_alone, stake_of

explain("write_off_two_names", Code.SECOND_NAME_NEEDED, "A write-off needs two different names.")
explain("write_off_once", Code.VERSION_CONFLICT, "Somebody has asked for its write-off already.")


@transaction.atomic
def request_write_off(*, discrepancy_id: int, by: User, reason: str) -> WriteOff:
    """Ask to give up what lies in the books because of a row. Nothing is booked before another approves it.

    Refuses a kind that is never written off (INVALID_TRANSITION), one that is closed, one for which it was asked
    already (VERSION_CONFLICT), one with nothing in the books, and more than `WRITE_OFF_AT_MOST` (WRITE_OFF_TOO_LARGE).
    """
    reason = written(reason)
    row = lock_open(discrepancy_id)
    refuse_action(row, Action.WRITE_OFF)
    stake = _stake(row)
    _refuse_too_much(stake)
    if row.write_offs.filter(status__in=STANDING).exists():
        raise Conflict(Code.VERSION_CONFLICT, "Somebody has asked for its write-off already.")
    attribute(by=by, reason=reason)
    wish = WriteOff.objects.create(
        discrepancy=row,
        account_kind=stake.account.kind,
        provider=stake.account.provider,
        amount_cents=stake.amount,
        currency=stake.currency,
        livemode=stake.livemode,
        reason=reason,
        requested_by=by,
    )
    write_act(row, Act.WRITE_OFF_ASKED, by, reason, f"{said(wish)}, once somebody else approves it.")
    return wish


@transaction.atomic
def approve_write_off(*, write_off_id: int, by: User) -> WriteOff:
    """The second name: it is booked, and its row is closed as written off.

    Refuses the person who asked for it (SECOND_NAME_NEEDED), one that is decided or whose row is closed
    (INVALID_TRANSITION), and one about which the books say something else by now (VERSION_CONFLICT).
    """
    row, wish = _locked(write_off_id, WriteOffState.APPROVED)
    if row.status not in OPEN_STATES:
        raise InvalidTransition("discrepancy", row.status, DiscrepancyState.WRITTEN_OFF)
    if wish.requested_by_id == by.pk:
        raise Conflict(
            Code.SECOND_NAME_NEEDED, "Whoever asked for a write-off cannot approve it: somebody else has to."
        )
    stake = Stake(AccountName(Kind(wish.account_kind), provider=wish.provider), *_sum(wish))
    clear_alone()
    if stake_of(row) != stake:
        raise Conflict(Code.VERSION_CONFLICT, "The books say something else by now: decline it, and look again.")
    _refuse_too_much(stake)
    attribute(by=by, reason=wish.reason)
    money = Sum(stake.amount, stake.currency, stake.livemode, database_now())
    post(rules.written_off(row.pk, stake.account, money))
    wish.move_to(WriteOffState.APPROVED)
    wish.entry = JournalEntry.objects.get(source_type="discrepancy", source_id=str(row.pk), event="written_off")
    _decide(wish, by, "")
    write_act(row, Act.WRITE_OFF_APPROVED, by, wish.reason, f"{said(wish)}: journal entry {wish.entry.pk}.")
    close(row, DiscrepancyState.WRITTEN_OFF, by, f"Written off: {wish.reason}")
    return wish


@transaction.atomic
def decline_write_off(*, write_off_id: int, by: User, reason: str) -> WriteOff:
    """Turn it down, or take one's own back; the row waits on. Refuses one that is decided (INVALID_TRANSITION)."""
    reason = written(reason)
    row, wish = _locked(write_off_id, WriteOffState.DECLINED)
    attribute(by=by, reason=reason)
    wish.move_to(WriteOffState.DECLINED)
    _decide(wish, by, reason)
    write_act(row, Act.WRITE_OFF_DECLINED, by, reason)
    return wish


def said(wish: WriteOff) -> Phrase:
    """What it comes to, in words."""
    amount = Money(abs(wish.amount_cents), wish.currency)
    if wish.amount_cents > 0:
        return phrase("{amount} lost by the house", amount=amount)
    return phrase("{amount} gained by the house", amount=amount)


def _stake(row: Discrepancy) -> Stake:
    stake = stake_of(row)
    if stake is None:
        raise Conflict(
            Code.INVALID_TRANSITION, "Nothing lies in the books because of it: resolve it with a word instead."
        )
    return stake


def _refuse_too_much(stake: Stake) -> None:
    limit = in_minor_units(settings.WRITE_OFF_AT_MOST, stake.currency)
    if abs(stake.amount) > limit:
        raise Conflict(
            Code.WRITE_OFF_TOO_LARGE,
            phrase(
                "At most {amount} is written off. Find it, or raise the limit.", amount=Money(limit, stake.currency)
            ),
            {"limit_cents": limit, "amount_cents": stake.amount, "currency": stake.currency},
        )


def _locked(write_off_id: int, target: WriteOffState) -> tuple[Discrepancy, WriteOff]:
    discrepancy_id = WriteOff.objects.filter(pk=write_off_id).values_list("discrepancy_id", flat=True).first()
    if discrepancy_id is None:
        raise NotFound(Code.NOT_FOUND, "There is no such write-off.")
    row = Discrepancy.objects.locked().get(pk=discrepancy_id)
    wish = WriteOff.objects.locked().get(pk=write_off_id)
    if not wish.can_move_to(target):
        raise InvalidTransition("write-off", wish.status, target)
    return row, wish


def _sum(wish: WriteOff) -> tuple[int, str, bool]:
    return wish.amount_cents, wish.currency, wish.livemode


def _decide(wish: WriteOff, by: User, reason: str) -> None:
    wish.decided_by, wish.decided_at, wish.decision_reason = by, database_now(), reason
    wish.save(update_fields=["status", "decided_by", "decided_at", "decision_reason", "entry"])
