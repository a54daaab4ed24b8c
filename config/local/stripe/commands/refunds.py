"""Refunds somebody made in the Dashboard, and what the banks make of refunds."""

from config.local.stripe import orders
from config.local.stripe.commands.bodies import Refused, labels, meant_charge, only, text, whole
from config.local.stripe.objects import refund_moves, refunds
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

UNDRAWN = ("pending", "requires_action")
PENDING_REASONS = ("charge_pending", "insufficient_funds", "processing")
MOST_TIMES = 1_000_000


def make(work: Work, body: Json) -> Json:
    """Somebody else's refund: without an idempotency key, and without metadata unless some is given."""
    wanted = only(body, charge=None, payment_intent=None, session=None, amount=None, reason=None, metadata={})
    reason = None if wanted["reason"] is None else text(wanted, "reason", choices=refunds.REASONS)
    charge = refunds.require_paid(meant_charge(work, wanted))
    return refunds.make(work, charge, whole(wanted, "amount"), reason=reason, metadata=labels(wanted, "metadata"))


def move(work: Work, body: Json) -> Json:
    wanted = only(body, id="", status="", failure_reason=None)
    refund = work.get("refund", text(wanted, "id"))
    status = text(wanted, "status", choices=refund_moves.MOVES)
    reason = None
    if wanted["failure_reason"] is not None:
        reason = text(wanted, "failure_reason", choices=refund_moves.FAILURES)
        if status not in ("failed", "canceled"):
            raise Refused(f"a refund that becomes {status} has no failure_reason")
    refund_moves.move(work, refund, status, failure_reason=reason)
    return refund


def order(work: Work, body: Json) -> Json:
    """The state in which the next refunds are made, whoever makes them."""
    wanted = only(body, status="pending", pending_reason=None, times=1)
    status = text(wanted, "status", choices=UNDRAWN)
    if status == "requires_action" and wanted["pending_reason"] is not None:
        raise Refused("a refund that requires action has no pending_reason")
    reason = None
    if status == "pending":
        wanted["pending_reason"] = wanted["pending_reason"] or "insufficient_funds"
        reason = text(wanted, "pending_reason", choices=PENDING_REASONS)
    times = whole(wanted, "times", high=MOST_TIMES) or 1
    return {"orders": orders.place(work, "refund", {"status": status, "pending_reason": reason}, times)}
