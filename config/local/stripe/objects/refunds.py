"""Refunds: money back to where it came from, in parts if wished, never more than was charged. The fee stays.

A refund succeeds at once, unless it was ordered otherwise. One that is pending, or waits for the customer, has drawn
nothing yet and has no balance transaction.
"""

from config.local.stripe import orders
from config.local.stripe.currencies import format_amount
from config.local.stripe.errors import InvalidParameter, StripeError
from config.local.stripe.objects import charges
from config.local.stripe.objects.amounts import check_digits
from config.local.stripe.objects.balance import DAY, book, settlement_of
from config.local.stripe.objects.charges import is_card
from config.local.stripe.objects.disputes import require_undisputed
from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
ANSWER_SECONDS = 45 * DAY


def create(work: Work, params: Params) -> Json:
    """POST /v1/refunds of a charge or a payment intent; without an amount, all that is left."""
    charge_id, intent_id = params.text("charge"), params.text("payment_intent")
    asked = params.integer("amount", low=1)
    reason = params.text("reason", choices=REASONS)
    metadata = params.metadata()
    params.finish()
    return make(work, _charge_to_refund(work, charge_id, intent_id), asked, reason=reason, metadata=metadata)


def make(work: Work, charge: Json, asked: int | None, *, reason: str | None, metadata: dict[str, str]) -> Json:
    """Gives back what was asked or all that is left, in the state that was ordered for it: succeeded without an order.

    It counts against the charge from the start, whatever its state, so that nothing is given back twice.
    """
    require_undisputed(work, charge)
    amount = _refundable(charge, asked)
    fields = {**_fields(charge, amount, reason, metadata), **orders.take(work, "refund")}
    refund = work.insert("refund", "re" if is_card(charge) else "pyr", fields, livemode=False)
    if refund["status"] == "requires_action":
        work.change(refund, next_action=_request_of_details(work, charge))
    if refund["status"] == "succeeded":
        work.change(refund, balance_transaction=draw(work, refund, charge))
    before = count(work, charge, amount)
    emit(work, "refund.created", refund)
    emit(work, "charge.refunded", charge, before)
    return refund


def draw(work: Work, refund: Json, charge: Json) -> str:
    """The money leaves the balance; answers the id of that movement."""
    movement = book(
        work,
        type="refund" if is_card(charge) else "payment_refund",
        source=refund,
        amount=-refund["amount"],
        settlement=settlement_of(work, charge),
        description="REFUND FOR CHARGE" if is_card(charge) else "REFUND FOR PAYMENT",
    )
    return str(movement["id"])


def count(work: Work, charge: Json, amount: int) -> Json:
    """Adds to what the charge has given back, or takes away from it; answers what the charge said before."""
    total = charge["amount_refunded"] + amount
    return work.change(charge, amount_refunded=total, refunded=total == charge["amount"])


def _charge_to_refund(work: Work, charge_id: str | None, intent_id: str | None) -> Json:
    if (charge_id is None) == (intent_id is None):
        raise InvalidParameter(
            "One of the following params should be provided for this request: payment_intent or charge."
        )
    if charge_id is not None:
        charge = work.get("charge", charge_id, param="charge")
    else:
        intent = work.get("payment_intent", intent_id or "", param="payment_intent")
        found = charges.succeeded_charge_of(work, intent)
        if found is None:
            raise StripeError(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        charge = found
    return require_paid(charge)


def require_paid(charge: Json) -> Json:
    if not charge["paid"]:
        raise StripeError(f"Charge {charge['id']} did not succeed, so it cannot be refunded.", param="charge")
    return charge


def _refundable(charge: Json, asked: int | None) -> int:
    left = int(charge["amount"]) - int(charge["amount_refunded"])
    currency = charge["currency"]
    if left == 0:
        raise StripeError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", param="charge"
        )
    if asked is not None and asked > left:
        raise StripeError(
            f"Refund amount ({format_amount(asked, currency)}) is greater than unrefunded amount on charge "
            f"({format_amount(left, currency)})",
            param="amount",
        )
    if asked is not None:
        check_digits(asked, currency, param="amount")
    return asked or left


def _fields(charge: Json, amount: int, reason: str | None, metadata: dict[str, str]) -> Json:
    return {
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "currency": charge["currency"],
        "destination_details": _destination(charge),
        "failure_balance_transaction": None,
        "failure_reason": None,
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "pending_reason": None,
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def _destination(charge: Json) -> Json:
    if is_card(charge):
        reference = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
        return {"card": reference, "type": "card"}
    return {"us_bank_transfer": {"reference": None, "reference_status": "pending"}, "type": "us_bank_transfer"}


def _request_of_details(work: Work, charge: Json) -> Json:
    """The customer is asked by e-mail where the money shall go, and has 45 days to say so."""
    sent = {"email_sent_at": work.now, "email_sent_to": charge["billing_details"]["email"] or "customer@example.com"}
    return {
        "display_details": {"email_sent": sent, "expires_at": work.now + ANSWER_SECONDS},
        "type": "display_details",
    }
