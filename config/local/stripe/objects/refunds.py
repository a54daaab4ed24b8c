"""Refunds: money back to the card it came from, in parts if wished, never more than was charged. The fee stays."""

from config.local.stripe.currencies import format_amount
from config.local.stripe.errors import InvalidParameter, StripeError
from config.local.stripe.objects import charges
from config.local.stripe.objects.amounts import check_digits
from config.local.stripe.objects.balance import book
from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(work: Work, params: Params) -> Json:
    """POST /v1/refunds of a charge or a payment intent; without an amount, all that is left."""
    charge_id, intent_id = params.text("charge"), params.text("payment_intent")
    asked = params.integer("amount", low=1)
    reason = params.text("reason", choices=REASONS)
    metadata = params.metadata()
    params.finish()
    charge = _charge_to_refund(work, charge_id, intent_id)
    amount = _refundable(charge, asked)
    refund = work.insert("refund", "re", _fields(charge, amount, reason, metadata), livemode=False)
    movement = book(work, type="refund", source=refund, amount=-amount, description="REFUND FOR CHARGE")
    work.change(refund, balance_transaction=movement["id"])
    total = charge["amount_refunded"] + amount
    before = work.change(charge, amount_refunded=total, refunded=total == charge["amount"])
    emit(work, "refund.created", refund)
    emit(work, "charge.refunded", charge, before)
    return refund


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
    if not charge["paid"]:
        raise StripeError(f"Charge {charge['id']} failed, so it cannot be refunded.", param="charge")
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
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
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
