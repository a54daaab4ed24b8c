"""The one routine that applies what a provider says of a refund: ours, or one that was made past us.

The answer to our own call, webhooks, the sweep and the admin's button all end here. Doing it again changes nothing,
and older news changes nothing: a refund moves along its map, and each event is in the books once.
"""

from datetime import datetime

from django.db.models import Sum

from config import outbox
from config.audit import attribute
from config.clock import database_now
from config.money import format_amount
from config.words import spoken
from payments.models import DiscrepancyKind, Receipt, Refund, RefundOrigin, RefundState, TakenFrom
from payments.providers.base import RefundFacts, RefundPhase
from payments.refs import read_ref
from payments.services import booking
from payments.services.discrepancies import raise_discrepancy, settle_discrepancy
from payments.services.disputes import doubt_twice
from payments.services.movements import apply_movement
from payments.services.refunds.decisions import settle_receipt
from payments.services.refunds.external import explain_instead_of, explain_or_ask, write_external

STATE_OF_PHASE = {
    RefundPhase.PENDING: RefundState.PENDING,
    RefundPhase.SUCCEEDED: RefundState.SUCCEEDED,
    RefundPhase.FAILED: RefundState.FAILED,
    # Not gone, and still owed: `cancelled` is for wishes that we turn down.
    RefundPhase.CANCELLED: RefundState.FAILED,
}
# The provider waits until its balance has the money.
UNFUNDED = "insufficient_funds"


def apply_refund_facts(receipt: Receipt, facts: RefundFacts, *, source: str) -> Refund:
    """Bring the refund to where the provider has it, and the books with it; written down if we did not know it.

    In a transaction that holds pool, request, payment and receipt, as `lock_receipt` leaves them. Refuses money of
    another mode or currency than the receipt's (the database does).
    """
    target, refund = STATE_OF_PHASE[facts.phase], _known(receipt, facts)
    before = "" if refund is None else refund.status
    if refund is None:
        refund = write_external(receipt, facts, target)
    elif refund.status == RefundState.FAILED and not refund.provider_reference:
        return refund
    attribute(reason=f"the provider's state, learned by {source}")
    _move(refund, facts, target)
    _book(refund, facts)
    if not before:
        explain_or_ask(refund)
    if refund.status != before:
        _tell(refund)
    _watch_funds(refund)
    settle_receipt(receipt)
    doubt_twice(receipt)
    return refund


def fail_refund(refund: Refund, why: str) -> Refund:
    """The provider refused it for good, and nothing was done: the money stays owed until somebody sends it again.

    In a transaction that holds the refund and what it hangs on. One that is decided is left as it is.
    """
    if not refund.can_move_to(RefundState.FAILED) or refund.status == RefundState.SUCCEEDED:
        return refund
    attribute(reason="refused by the provider")
    refund.move_to(RefundState.FAILED)
    refund.failure = why[:200]
    refund.completed_at = database_now()
    refund.save(update_fields=["status", "failure", "completed_at"])
    _tell(refund)
    settle_receipt(refund.receipt)
    return refund


def _known(receipt: Receipt, facts: RefundFacts) -> Refund | None:
    """By the provider's name for it, else by ours, unless another one bears ours already: then it was made twice.

    One of ours that counts as refused and was made after all is not known, either: it pays what is owed.
    """
    refunds = receipt.refunds.select_for_update(no_key=True)
    if facts.reference and (found := refunds.filter(provider_reference=facts.reference).first()):
        return _with(receipt, found)
    ref = read_ref(facts.ref)
    found = None if ref is None else refunds.filter(ref=ref, provider_reference="").first()
    if found is None:
        return None
    has_failed = STATE_OF_PHASE[facts.phase] == RefundState.FAILED
    return _with(receipt, found) if has_failed or found.status != RefundState.FAILED else None


def _with(receipt: Receipt, refund: Refund) -> Refund:
    refund.receipt = receipt
    return refund


def _move(refund: Refund, facts: RefundFacts, target: RefundState) -> None:
    if refund.can_move_to(target):
        refund.move_to(target)
    now = database_now()
    if refund.status in (RefundState.SUCCEEDED, RefundState.FAILED) and (
        refund.completed_at is None or target == refund.status == RefundState.FAILED
    ):
        refund.completed_at = refund.completed_at or now
    refund.provider_reference = refund.provider_reference or facts.reference
    is_current = refund.status == target
    refund.failure = facts.failure[:200] if is_current else refund.failure
    refund.pending_reason = facts.pending_reason[:40] if refund.status == RefundState.PENDING else ""
    refund.checked_at = now
    refund.save(
        update_fields=["status", "provider_reference", "failure", "pending_reason", "checked_at", "completed_at"]
    )


def _book(refund: Refund, facts: RefundFacts) -> None:
    """What left our balance, and what came back to it: each once, whatever was heard of first."""
    for movement in (facts.movement, facts.returned):
        if movement is not None:
            apply_movement(
                movement, provider=refund.provider, livemode=refund.livemode, receipt=refund.receipt, refund=refund
            )
    is_external = refund.origin == RefundOrigin.DASHBOARD and refund.taken_from != TakenFrom.REPLACED
    if facts.movement is not None or facts.phase is RefundPhase.SUCCEEDED:
        at = facts.created_at if facts.movement is None else facts.movement.occurred_at
        book_out = booking.book_external_refund if is_external else booking.book_refund_paid
        book_out(refund, at)
        _note_paid(refund, refund.status != RefundState.FAILED)
    if refund.status == RefundState.FAILED:
        back: datetime = database_now() if facts.returned is None else facts.returned.occurred_at
        book_back = booking.book_external_returned if is_external else booking.book_refund_returned
        book_back(refund, back)
        _note_paid(refund, False)


def _note_paid(refund: Refund, is_paid: bool) -> None:
    if refund.is_paid != is_paid:
        refund.is_paid = is_paid
        refund.save(update_fields=["is_paid"])


def _tell(refund: Refund) -> None:
    """The player, when money went; a person of the staff, when it did not."""
    key = f"refund:{refund.pk}"
    if refund.status in (RefundState.SUCCEEDED, RefundState.FAILED):
        settle_discrepancy(
            kind=DiscrepancyKind.REFUND_STUCK, object_key=key, resolution=f"It {refund.status} in the end."
        )
    if refund.status == RefundState.SUCCEEDED:
        if refund.replaces_id is not None:
            settle_discrepancy(
                kind=DiscrepancyKind.REFUND_FAILED,
                object_key=f"refund:{refund.replaces_id}",
                resolution=f"Its money went with refund {refund.pk}.",
            )
        if refund.origin not in (RefundOrigin.AUTO, RefundOrigin.DASHBOARD):
            outbox.post(kind="mail.refund_sent", key=f"refund-sent-{refund.pk}", payload={"refund": refund.pk})
    elif refund.status == RefundState.FAILED:
        _tell_of_failure(refund, key)


def _tell_of_failure(refund: Refund, key: str) -> None:
    if refund.taken_from == TakenFrom.UNDECIDED:
        settle_discrepancy(
            kind=DiscrepancyKind.EXTERNAL_REFUND, object_key=key, resolution="It failed: the money is here again."
        )
        return
    if explain_instead_of(refund):
        return
    amount = format_amount(refund.amount_cents, refund.currency)
    raise_discrepancy(
        kind=DiscrepancyKind.REFUND_FAILED,
        object_key=key,
        sentence=f"{amount} did not reach the player: {spoken(refund.failure) or 'no reason given'}.",
        suggestion="Send it again on the refund's page, the same way or by hand. It is owed until then.",
        details={"refund": refund.pk, "receipt": refund.receipt_id, "amount_cents": refund.amount_cents},
    )


def _watch_funds(refund: Refund) -> None:
    """How much the balance at the provider lacks: one row for each provider, mode and currency, as long as it does."""
    key = f"balance:{refund.provider}:{'live' if refund.livemode else 'test'}:{refund.currency}"
    waiting = Refund.objects.filter(
        provider=refund.provider,
        livemode=refund.livemode,
        currency=refund.currency,
        status=RefundState.PENDING,
        pending_reason=UNFUNDED,
    )
    lacking: int = waiting.aggregate(total=Sum("amount_cents"))["total"] or 0
    if not lacking:
        settle_discrepancy(kind=DiscrepancyKind.REFUND_UNFUNDED, object_key=key, resolution="Nothing waits for it now.")
    elif refund.pending_reason == UNFUNDED:
        amount = format_amount(lacking, refund.currency)
        raise_discrepancy(
            kind=DiscrepancyKind.REFUND_UNFUNDED,
            object_key=key,
            sentence=f"Refunds of {amount} wait because the balance at {refund.provider} is too small.",
            suggestion=f"Top it up by {amount}; they go out by themselves then.",
            details={"amount_cents": lacking, "currency": refund.currency},
        )
