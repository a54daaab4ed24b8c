"""Charges: one attempt to take money. A good one books its amount and Stripe's fee.

Those by card are decided at once, here; those by bank debit (debits.py) take days.
"""

from config.local.stripe import orders
from config.local.stripe.cards import Card
from config.local.stripe.currencies import charge_fee, debit_fee
from config.local.stripe.ids import new_id
from config.local.stripe.objects.balance import book, convert
from config.local.stripe.objects.events import emit
from config.local.stripe.wire import Json
from config.local.stripe.work import Work


def take(work: Work, intent: Json, card: Card, email: str | None) -> Json:
    """Charges the card for the intent: succeeded with its balance transaction, or failed with the bank's reason."""
    charge = work.insert("charge", "ch", {**common_fields(intent, email), **_card_fields(intent, card)})
    if card.decline is None:
        settle(work, charge)
    emit(work, "charge.succeeded" if card.decline is None else "charge.failed", charge)
    return charge


def settle(work: Work, charge: Json) -> None:
    """Books the money of a charge, in the currency ordered for it."""
    settlement = orders.take(work, "charge") or None
    if settlement:
        work.hide(charge["id"], settlement=settlement)
    currency = settlement["currency"] if settlement else charge["currency"]
    amount = convert(charge["amount"], settlement)
    movement = book(
        work,
        type="charge" if is_card(charge) else "payment",
        source=charge,
        amount=charge["amount"],
        fee=charge_fee(amount, currency) if is_card(charge) else debit_fee(amount),
        settlement=settlement,
        description=charge["description"],
    )
    work.change(charge, balance_transaction=movement["id"])


def _card_fields(intent: Json, card: Card) -> Json:
    paid = card.decline is None
    return {
        "amount_captured": intent["amount"] if paid else 0,
        "captured": paid,
        "failure_code": None if card.decline is None else card.decline.code,
        "failure_message": None if card.decline is None else card.decline.message,
        "outcome": _outcome(card),
        "paid": paid,
        "payment_method_details": {"type": "card", "card": card_details(card)},
        "status": "succeeded" if paid else "failed",
    }


def common_fields(intent: Json, email: str | None) -> Json:
    """What every charge has, whatever it was paid with."""
    return {
        "amount": intent["amount"],
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {
            "address": {
                "city": None,
                "country": "US",
                "line1": None,
                "line2": None,
                "postal_code": None,
                "state": None,
            },
            "email": email,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": intent["statement_descriptor"],
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm"),
        "presentment_details": intent["presentment_details"],
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "transfer_data": None,
        "transfer_group": None,
    }


def card_details(card: Card) -> Json:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": card.fingerprint,
        "funding": "credit",
        "last4": card.last4,
        "network": card.brand,
        "three_d_secure": None,
        "wallet": None,
    }


def _outcome(card: Card) -> Json:
    if card.decline is None:
        return {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "network_status": "declined_by_network",
        "reason": card.decline.decline_code,
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def succeeded_charge_of(work: Work, intent: Json) -> Json | None:
    """The charge that paid the intent, if one did."""
    charge = work.find("charge", intent["latest_charge"] or "")
    return charge if charge is not None and charge["paid"] else None


def is_card(charge: Json) -> bool:
    return bool(charge["payment_method_details"]["type"] == "card")
