"""Charges: one attempt to take money from a card. A good one books its amount and Stripe's fee."""

from config.local.stripe import orders
from config.local.stripe.cards import Card
from config.local.stripe.currencies import charge_fee
from config.local.stripe.ids import new_id
from config.local.stripe.objects.balance import book, convert
from config.local.stripe.objects.events import emit
from config.local.stripe.wire import Json
from config.local.stripe.work import Work


def take(work: Work, intent: Json, card: Card, email: str | None) -> Json:
    """Charges the card for the intent: succeeded with its balance transaction, or failed with the bank's reason."""
    charge = work.insert("charge", "ch", _fields(intent, card, email))
    if card.decline is None:
        settle(work, charge, type="charge")
    emit(work, "charge.succeeded" if card.decline is None else "charge.failed", charge)
    return charge


def settle(work: Work, charge: Json, *, type: str) -> None:
    """Books the money of a charge, in the currency ordered for it."""
    settlement = orders.take(work, "charge") or None
    if settlement:
        work.hide(charge["id"], settlement=settlement)
    currency = settlement["currency"] if settlement else charge["currency"]
    movement = book(
        work,
        type=type,
        source=charge,
        amount=charge["amount"],
        fee=charge_fee(convert(charge["amount"], settlement), currency),
        settlement=settlement,
        description=charge["description"],
    )
    work.change(charge, balance_transaction=movement["id"])


def _fields(intent: Json, card: Card, email: str | None) -> Json:
    paid = card.decline is None
    return {
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
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
        "captured": paid,
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None if card.decline is None else card.decline.code,
        "failure_message": None if card.decline is None else card.decline.message,
        "fraud_details": {},
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(card),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm"),
        "payment_method_details": {"type": "card", "card": card_details(card)},
        "presentment_details": None,
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
        "status": "succeeded" if paid else "failed",
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
