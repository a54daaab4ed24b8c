"""Stripe's payouts to our bank, as our facts."""

from payments.providers.base import BankPayoutFacts, BankPayoutState
from payments.providers.stripe.amounts import instant, to_minor
from payments.providers.stripe.charges import movement_facts
from payments.providers.stripe.client import Json

STATES = {
    "paid": BankPayoutState.PAID,
    "failed": BankPayoutState.FAILED,
    "canceled": BankPayoutState.FAILED,
}


def payout_facts(payout: Json) -> BankPayoutFacts:
    """A payout with the movements it made; the second is its return."""
    legs = (movement_facts(payout.get(name)) for name in ("balance_transaction", "failure_balance_transaction"))
    return BankPayoutFacts(
        reference=payout["id"],
        state=STATES.get(payout["status"], BankPayoutState.UNDER_WAY),
        amount_cents=to_minor(payout["amount"], payout["currency"]),
        currency=payout["currency"],
        livemode=bool(payout["livemode"]),
        arrives_at=instant(payout["arrival_date"]),
        failure=str(payout.get("failure_code") or ""),
        movements=tuple(leg for leg in legs if leg is not None),
        trace_id=_trace_id(payout),
        is_automatic=bool(payout.get("automatic")),
        is_itemised=payout.get("reconciliation_status") == "completed",
        made_at=instant(payout["created"]),
    )


def _trace_id(payout: Json) -> str:
    """What the banks call it; there is none before the payout has arrived, and with some banks never."""
    trace = payout.get("trace_id")
    return str(trace.get("value") or "") if isinstance(trace, dict) else ""
