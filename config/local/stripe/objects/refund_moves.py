"""What becomes of a refund after it was made: the bank took it, sent it back, or somebody called it off."""

from config.local.stripe.errors import StripeError
from config.local.stripe.objects import refunds
from config.local.stripe.objects.balance import book, settlement_of
from config.local.stripe.objects.disputes import require_undisputed
from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

MOVES: dict[str, tuple[str, ...]] = {
    "requires_action": ("pending", "succeeded", "failed", "canceled"),
    "pending": ("succeeded", "failed", "canceled"),
    "succeeded": ("failed", "canceled"),
    "failed": (),
    "canceled": (),
}
FAILURES = (
    "charge_for_pending_refund_disputed",
    "declined",
    "expired_or_canceled_card",
    "insufficient_funds",
    "lost_or_stolen_card",
    "merchant_request",
    "unknown",
)


def cancel(work: Work, id: str, params: Params) -> Json:
    """POST /v1/refunds/{id}/cancel. Refuses every status but requires_action."""
    refund = work.get("refund", id, param="refund")
    params.finish()
    if refund["status"] != "requires_action":
        raise StripeError(
            f"You can only cancel refunds with a status of requires_action; this one is {refund['status']}.",
            param="refund",
        )
    move(work, refund, "canceled", failure_reason=None)
    return refund


def move(work: Work, refund: Json, status: str, *, failure_reason: str | None) -> None:
    """Takes the refund on, with its money and its events. Refuses impossible steps."""
    if status not in MOVES[refund["status"]]:
        allowed = ", ".join(MOVES[refund["status"]]) or "nothing"
        raise StripeError(f"A refund that is {refund['status']} cannot become {status}, only {allowed}.")
    charge = work.get("charge", refund["charge"])
    fields: Json = {"status": status, "pending_reason": "processing" if status == "pending" else None}
    if refund.get("next_action"):
        fields["next_action"] = None
    if status in ("failed", "canceled"):
        fields |= _undo(work, refund, charge, failure_reason or _usual_reason(status))
    if status == "succeeded":
        require_undisputed(work, charge)
        fields["balance_transaction"] = refunds.draw(work, refund, charge)
    _announce(work, refund, work.change(refund, **fields))


def _usual_reason(status: str) -> str:
    return "unknown" if status == "failed" else "merchant_request"


def _undo(work: Work, refund: Json, charge: Json, reason: str) -> Json:
    """The charge may be refunded again, and what had left the balance comes back to it."""
    refunds.count(work, charge, -refund["amount"])
    fields: Json = {"failure_reason": reason}
    if refund["balance_transaction"] is not None:
        movement = book(
            work,
            type="refund_failure",
            source=refund,
            amount=refund["amount"],
            settlement=settlement_of(work, charge),
            description="REFUND FAILURE",
        )
        fields["failure_balance_transaction"] = movement["id"]
    return fields


def _announce(work: Work, refund: Json, before: Json) -> None:
    emit(work, "refund.updated", refund, before)
    if refund["status"] == "failed":
        emit(work, "refund.failed", refund, before)
    emit(work, "charge.refund.updated", refund, before)
