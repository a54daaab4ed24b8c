"""Not ours: another product's charge at the same provider, another business's money. And ours after all."""

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now
from config.constraints import explain
from config.errors import Code, InvalidTransition, NotFound
from config.money import format_amount
from payments.ledger import rules
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.models import JournalEntry
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import Act, Discrepancy, DiscrepancyKind, DiscrepancyState, ForeignObject, ForeignState
from payments.reconciliation.dispositions import Action
from payments.services.discrepancies import close, lock_open, raise_discrepancy, write_act, written
from payments.services.queue.allowed import refuse_action
from payments.services.queue.stakes import clear_alone, stake_of

explain("foreign_object_once", Code.VERSION_CONFLICT, "Somebody has marked it as not ours already.")


@transaction.atomic
def mark_foreign(*, discrepancy_id: int, by: User, reason: str) -> ForeignObject:
    """What the row is about is another business's: what lies in the books because of it goes to `not_ours`.

    The row is closed, and no rule raises its object again. Refuses a kind that is never foreign and a row that is
    closed (INVALID_TRANSITION), and an object that is marked already (VERSION_CONFLICT).
    """
    reason = written(reason)
    row = lock_open(discrepancy_id)
    refuse_action(row, Action.MARK_FOREIGN)
    attribute(by=by, reason=reason)
    clear_alone()
    stake, booked = stake_of(row), {}
    outcome = "Nothing lay in the books because of it."
    if stake is not None:
        money = Sum(stake.amount, stake.currency, stake.livemode, database_now())
        post(rules.found_foreign(row.pk, stake.account, money))
        entry = JournalEntry.objects.get(source_type="discrepancy", source_id=str(row.pk), event="marked_foreign")
        booked = {
            "entry": entry,
            "account_kind": stake.account.kind,
            "provider": stake.account.provider,
            "amount_cents": stake.amount,
            "currency": stake.currency,
            "livemode": stake.livemode,
        }
        amount = format_amount(abs(stake.amount), stake.currency)
        outcome = f"{amount} moved out of {Kind(stake.account.kind).label.lower()}: journal entry {entry.pk}."
    mark = ForeignObject.objects.create(
        object_key=row.object_key, discrepancy=row, reason=reason, marked_by=by, **booked
    )
    write_act(row, Act.MARKED_FOREIGN, by, reason, outcome)
    close(row, DiscrepancyState.RESOLVED, by, f"Not ours: {reason}")
    return mark


@transaction.atomic
def find_ours(*, mark_id: int, by: User, reason: str) -> ForeignObject:
    """It is ours after all: what was moved is moved back, and the doubt is open again, as a new row.

    Refuses a mark that was taken back already (INVALID_TRANSITION).
    """
    reason = written(reason)
    mark = ForeignObject.objects.locked().filter(pk=mark_id).first()
    if mark is None:
        raise NotFound(Code.NOT_FOUND, "There is no such mark.")
    if not mark.can_move_to(ForeignState.OURS):
        raise InvalidTransition("mark", mark.status, ForeignState.OURS)
    attribute(by=by, reason=reason)
    row, outcome = mark.discrepancy, "Nothing had been moved."
    if mark.entry_id is not None:
        account = AccountName(Kind(mark.account_kind), provider=mark.provider)
        money = Sum(mark.amount_cents, mark.currency, mark.livemode, database_now())
        entry_id = post(rules.found_ours(row.pk, account, money, mark.entry_id))
        outcome = f"{format_amount(abs(mark.amount_cents), mark.currency)} moved back: journal entry {entry_id}."
    mark.move_to(ForeignState.OURS)
    mark.found_by, mark.found_at, mark.found_because = by, database_now(), reason
    mark.save(update_fields=["status", "found_by", "found_at", "found_because"])
    write_act(row, Act.FOUND_OURS, by, reason, outcome)
    _raise_again(row)
    return mark


def _raise_again(row: Discrepancy) -> None:
    raise_discrepancy(
        kind=DiscrepancyKind(row.kind),
        object_key=row.object_key,
        sentence=row.sentence,
        suggestion=row.suggestion,
        details=row.details,
        ours=row.ours,
        theirs=row.theirs,
        amount_cents=row.amount_cents,
        currency=row.currency,
    )
