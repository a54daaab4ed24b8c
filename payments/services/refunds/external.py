"""Refunds that were made at the provider, past us: written down and booked as they come, explained by a person.

Nothing is guessed about a place: the entry stays as it is until somebody says whose money it was. Two cases explain
themselves: money that had no place goes out of just that, and a refund of exactly what we owe pays what we owe.
"""

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Conflict, InvalidTransition, invalid
from config.money import format_amount
from config.reasons import check_reason
from payments.models import (
    DiscrepancyKind,
    Receipt,
    ReceiptState,
    Refund,
    RefundOrigin,
    RefundState,
    TakenFrom,
)
from payments.providers.base import RefundFacts
from payments.services import booking
from payments.services.discrepancies import raise_discrepancy
from payments.services.refunds.checks import (
    NotFromThere,
    left_of,
    may_take_place,
    needs_second_name,
    owed,
    refuse_own,
)
from payments.services.refunds.deciding import give_back_place, lock_refund
from payments.services.refunds.decisions import explain_external


def write_external(receipt: Receipt, facts: RefundFacts, status: RefundState) -> Refund:
    """A row for a refund that we did not ask for, in the state it is in. Its movements are booked by the caller."""
    attribute(reason="made at the provider")
    pays = owed(receipt.refunds.filter(amount_cents=facts.amount_cents)).order_by("id").first()
    refund = Refund.objects.create(
        receipt=receipt,
        provider=receipt.provider,
        livemode=facts.livemode,
        amount_cents=facts.amount_cents,
        currency=facts.currency,
        status=status,
        origin=RefundOrigin.DASHBOARD,
        taken_from=TakenFrom.UNDECIDED if pays is None else TakenFrom.REPLACED,
        replaces=pays,
        provider_reference=facts.reference,
        sent_at=facts.created_at,
        decided_at=facts.created_at,
    )
    refund.receipt = receipt
    return refund


def explain_or_ask(refund: Refund) -> None:
    """Explain a new refund out of money that has no place; else ask a person. Not one that failed: nothing is gone."""
    receipt = refund.receipt
    if refund.taken_from != TakenFrom.UNDECIDED or refund.status == RefundState.FAILED:
        return
    if receipt.status == ReceiptState.UNAPPLIED and left_of(receipt) >= 0:
        explain_external(refund, by_house=False)
        return
    amount = format_amount(refund.amount_cents, refund.currency)
    raise_discrepancy(
        kind=DiscrepancyKind.EXTERNAL_REFUND,
        object_key=f"refund:{refund.pk}",
        sentence=f"{amount} of receipt {receipt.pk} were refunded at the provider, not here.",
        suggestion="Void the entry, or let the house bear it? Say so on the refund's page.",
        details={"refund": refund.pk, "receipt": receipt.pk, "amount_cents": refund.amount_cents},
    )


def explain_instead_of(failed: Refund) -> bool:
    """Whether the money of a refund that failed went back past us already, so that nothing is owed; it is so booked."""
    if failed.taken_from not in (TakenFrom.UNAPPLIED, TakenFrom.PLACE):
        return False
    candidates = failed.receipt.refunds.filter(
        origin=RefundOrigin.DASHBOARD, taken_from=TakenFrom.UNDECIDED, amount_cents=failed.amount_cents
    )
    external = candidates.exclude(status=RefundState.FAILED).order_by("id").first()
    if external is None:
        return False
    external.receipt = failed.receipt
    booking.book_refund_withdrawn(failed, failed)
    explain_external(external, by_house=False)
    return True


@transaction.atomic
def settle_external(*, refund_id: int, by: User, bearer: str, reason: str) -> Refund:
    """A person says whose money it was: the `house`'s, or the `place`'s, which is taken back then with all the rest.

    Refuses one that is explained or that failed (INVALID_TRANSITION), the person who paid (FORBIDDEN), and to take a
    place once the contest has begun (REFUND_NOT_ALLOWED).
    """
    reason = check_reason(reason)
    refund = lock_refund(refund_id)
    receipt = refund.receipt
    refuse_own(receipt.payment, by.pk)
    if refund.taken_from != TakenFrom.UNDECIDED:
        raise Conflict(Code.INVALID_TRANSITION, "Whose money this refund was is decided already.")
    if refund.status == RefundState.FAILED:
        raise InvalidTransition("refund", refund.status, RefundState.SUCCEEDED)
    if bearer == "house":
        attribute(by=by, reason=reason)
        explain_external(refund, by_house=True)
    elif bearer == "place":
        _take_place_for(receipt, reason, by)
        refund.refresh_from_db(fields=["taken_from"])
    else:
        raise invalid("bearer", "Must be house or place.")
    return refund


def _take_place_for(receipt: Receipt, reason: str, by: User) -> None:
    if receipt.status != ReceiptState.ALLOCATED:
        raise NotFromThere("This money paid for no place that could be taken back.")
    if not may_take_place(receipt.payment.request, database_now()):
        raise NotFromThere("The contest has begun: the pot belongs to those who play. Only the house can bear it.")
    if needs_second_name(receipt, left_of(receipt), TakenFrom.PLACE, receipt.provider):
        raise NotFromThere("What is left of the fee needs two names: refund the place, which explains this one, too.")
    give_back_place(receipt=receipt, origin=RefundOrigin.STAFF, reason=reason, by=by)
