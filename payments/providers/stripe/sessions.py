"""A Checkout Session as we ask for it, and what it says as our facts."""

from typing import TYPE_CHECKING, Any

from django.conf import settings

from payments.providers.base import Charge, Order, Origin, SessionFacts, SessionState
from payments.providers.stripe.amounts import instant, to_minor, to_stripe
from payments.providers.stripe.client import Json

if TYPE_CHECKING:
    from payments.providers.stripe.client import SessionCreateParams

# Methods that tell at once whether the money came.
PROMPT_METHODS = ["card", "link"]


def session_params(order: Order) -> "SessionCreateParams":
    """What Stripe is asked for. The metadata goes on the intent as well: Stripe does not copy it."""
    metadata = {
        "ref": order.ref,
        "kind": "entry_fee",
        "payment": str(order.payment_id),
        "request": str(order.request_id),
        "pool": str(order.pool_id),
        "env": settings.OUTLAST_ENV,
    }
    page = f"{settings.PUBLIC_URL}/payments/return"
    params: SessionCreateParams = {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": order.currency,
                    "unit_amount": to_stripe(order.amount_cents, order.currency),
                    "product_data": {"name": order.title[:250]},
                },
            }
        ],
        "client_reference_id": order.ref,
        "customer_email": order.email,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata, "description": order.title[:1000]},
        "allowed_payment_method_types": PROMPT_METHODS,
        "adaptive_pricing": {"enabled": False},
        "submit_type": "pay",
        "success_url": f"{page}?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{page}?ref={order.ref}",
    }
    if order.expires_at is not None:
        params["expires_at"] = int(order.expires_at.timestamp())
    return params


def facts_of(session: Json) -> SessionFacts:
    """The few fields of a session that matter here; whatever Stripe adds to it is ignored."""
    intent = session.get("payment_intent")
    intent = intent if isinstance(intent, dict) else {}
    charge = _charge_of(intent)
    return SessionFacts(
        reference=session["id"],
        ref=session.get("client_reference_id") or "",
        state=_state_of(session, intent, charge),
        livemode=bool(session["livemode"]),
        expires_at=instant(session["expires_at"]),
        url=session.get("url") or "",
        client_secret=session.get("client_secret") or "",
        failure=str((intent.get("last_payment_error") or {}).get("code") or ""),
        charge=charge,
        opened_at=instant(session["created"]),
        origin=origin_of(session),
        amount_cents=to_minor(session.get("amount_total") or 0, session.get("currency") or ""),
        currency=session.get("currency") or "",
    )


def origin_of(marked: Json) -> Origin:
    """What we wrote on it when we made it; others may have written anything, or nothing."""
    metadata = marked.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return Origin(
        ref=_text(metadata.get("ref")),
        env=_text(metadata.get("env")),
        request_id=_number(metadata.get("request")),
        pool_id=_number(metadata.get("pool")),
        payment_id=_number(metadata.get("payment")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    # A row's number has 18 digits at most.
    is_number = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19
    return int(value) if is_number else None


def _state_of(session: Json, intent: Json, charge: Charge | None) -> SessionState:
    if charge is not None:
        return SessionState.PAID
    if session["status"] in ("open", "expired"):
        return SessionState(session["status"])
    # Complete, and no money: a slow method still at work, or one that failed in the end.
    if intent.get("status") in ("requires_payment_method", "canceled"):
        return SessionState.FAILED
    return SessionState.PROCESSING


def _charge_of(intent: Json) -> Charge | None:
    """Money only where intent and charge agree that it was taken, and captured."""
    charge = intent.get("latest_charge")
    if intent.get("status") != "succeeded" or not isinstance(charge, dict):
        return None
    if not (charge["paid"] and charge["captured"]):
        return None
    return captured(charge)


def captured(charge: Json) -> Charge:
    """The money of a charge: what was captured, not what was asked for."""
    return Charge(
        id=charge["id"],
        amount_cents=to_minor(charge["amount_captured"], charge["currency"]),
        currency=charge["currency"],
        paid_at=instant(charge["created"]),
    )
