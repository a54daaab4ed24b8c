"""What a person starts from a row: ask the provider again, make its money a place, give it back."""

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Conflict, DomainError
from payments.models import (
    Act,
    Discrepancy,
    DiscrepancyKind,
    DiscrepancyState,
    Provider,
    Receipt,
    ReceiptState,
    Refund,
    RefundState,
    TakenFrom,
)
from payments.models.discrepancy import OPEN_STATES
from payments.providers.faults import ProviderError
from payments.reconciliation import cures
from payments.reconciliation.dispositions import Action
from payments.services.allocating import allocate_again
from payments.services.discrepancies import close, find_open, lock_open, write_act, written
from payments.services.queue.allowed import refuse_action
from payments.services.refunds.checks import left_of
from payments.services.refunds.deciding import lock_refund, replace_refund, request_refund
from payments.services.refunds.decisions import lock_receipt

APPLIED = "The answer is applied. Where both sides agree now, the next run closes the row."


def ask_again(*, discrepancy_id: int, by: User) -> Discrepancy:
    """Ask the provider about the row's object now, and apply its answer; the row as it is then.

    It closes by itself where the doubt is gone. Refuses a kind about which nobody can be asked, and a row that is
    closed or about nothing that a provider knows (INVALID_TRANSITION). Raises PROVIDER_ERROR where there is no
    answer. That somebody asked is kept, whatever comes of it.
    """
    row = _open(discrepancy_id, Action.RESYNC)
    try:
        can_be_asked = cures.ask_again(row)
    except ProviderError as failure:
        _write_asked(row, by, f"No answer: {failure.reason or failure.message}")
        raise
    except DomainError as refusal:
        _write_asked(row, by, f"Refused: {refusal.message}")
        raise
    except ObjectDoesNotExist:
        can_be_asked = False
    if not can_be_asked:
        _write_asked(row, by, "There is nothing here to ask about.")
        raise Conflict(
            Code.INVALID_TRANSITION, "What it is about is not here, or no provider knows of it: nobody can be asked."
        )
    row.refresh_from_db()
    gone = row.status not in OPEN_STATES
    _write_asked(row, by, f"The doubt is gone: {row.resolution}" if gone else APPLIED)
    return row


@transaction.atomic
def allocate(*, discrepancy_id: int, by: User, reason: str) -> Receipt:
    """Make the row's money the price of the place it was paid for, and close the row.

    Refuses what `allocate_again` refuses, a row without money that waits, and one that is closed.
    """
    reason = written(reason)
    receipt = _money_of(_open(discrepancy_id, Action.ALLOCATE))
    lock_receipt(receipt.pk)
    row = lock_open(discrepancy_id)
    write_act(row, Act.ALLOCATED, by, reason, f"Receipt {receipt.pk} pays for its place.")
    receipt = allocate_again(receipt_id=receipt.pk, by=by, reason=reason)
    row.refresh_from_db()
    if row.status in OPEN_STATES:
        attribute(by=by, reason=reason)
        close(row, DiscrepancyState.RESOLVED, by, "It is the price of a place now.")
    return receipt


@transaction.atomic
def refund(*, discrepancy_id: int, by: User, reason: str) -> Refund:
    """Give back all that is left of the row's money; of a refund that failed, send it again.

    The row closes by itself once all of it goes back, and waits as long as a second name is missing. Refuses what
    `request_refund` refuses, and money that is the price of a place: that is given back on the receipt's page, where
    it is said whose money it is (REFUND_NOT_ALLOWED).
    """
    reason = written(reason)
    found = _open(discrepancy_id, Action.REFUND)
    if found.kind == DiscrepancyKind.REFUND_FAILED:
        given = _send_again(found, by, reason)
    else:
        given = _give_back(found, by, reason)
    waits = given.status == RefundState.REQUESTED
    outcome = f"Refund {given.pk} {'waits for a second name' if waits else 'is decided'}."
    write_act(found, Act.REFUNDED, by, reason, outcome)
    return given


def would_go_back(row: Discrepancy) -> tuple[str, int] | None:
    """Currency and minor units that `refund` would give back as things stand; None where it would refuse."""
    if row.kind == DiscrepancyKind.REFUND_FAILED:
        number = _number_of(row, "refund")
        failed = None if number is None else Refund.objects.filter(pk=number, status=RefundState.FAILED).first()
        return None if failed is None else (failed.currency, failed.amount_cents)
    receipt = receipt_of(row)
    if receipt is None or receipt.status == ReceiptState.ALLOCATED or receipt.provider == Provider.MANUAL:
        return None
    left = left_of(receipt)
    return (receipt.currency, left) if left > 0 else None


def _give_back(row: Discrepancy, by: User, reason: str) -> Refund:
    receipt = lock_receipt(_money_of(row).pk)
    lock_open(row.pk)
    if receipt.status == ReceiptState.ALLOCATED:
        raise Conflict(
            Code.REFUND_NOT_ALLOWED,
            "This money is the price of a place: give it back on the page of the receipt, and say whose it is.",
        )
    if receipt.provider == Provider.MANUAL:
        raise Conflict(Code.REFUND_NOT_ALLOWED, "It came by hand, and goes back by hand: on the page of the receipt.")
    if left_of(receipt) <= 0:
        raise Conflict(Code.REFUND_NOT_ALLOWED, "All of it went back, is on its way, or waits for a second name.")
    return request_refund(
        receipt_id=receipt.pk, amount_cents=None, taken_from=TakenFrom.UNAPPLIED, reason=reason, by=by,
        now=database_now(),
    )  # fmt: skip


def _send_again(row: Discrepancy, by: User, reason: str) -> Refund:
    refund_id = _number_of(row, "refund")
    if refund_id is None:
        raise Conflict(Code.INVALID_TRANSITION, "The row names no refund of ours.")
    lock_refund(refund_id)
    lock_open(row.pk)
    return replace_refund(refund_id=refund_id, by=by, reason=reason)


def receipt_of(row: Discrepancy) -> Receipt | None:
    """The receipt that the row is about, if it names one."""
    number = _number_of(row, "receipt")
    return None if number is None else Receipt.objects.filter(pk=number).first()


def _money_of(row: Discrepancy) -> Receipt:
    receipt = receipt_of(row)
    if receipt is None:
        raise Conflict(Code.INVALID_TRANSITION, "The row names no money of ours.")
    return receipt


def _number_of(row: Discrepancy, kind: str) -> int | None:
    """`receipt:12`, or what the details say."""
    named, _, name = row.object_key.partition(":")
    told = name if named == kind else row.details.get(kind)
    return int(told) if str(told).isdecimal() and len(str(told)) <= 18 else None


def _open(discrepancy_id: int, action: Action) -> Discrepancy:
    """The row as it is now, not locked: the money that it is about is locked before it, as by whoever settles it."""
    row = find_open(discrepancy_id)
    refuse_action(row, action)
    return row


@transaction.atomic
def _write_asked(row: Discrepancy, by: User, outcome: str) -> None:
    write_act(row, Act.ASKED, by, outcome=outcome)
