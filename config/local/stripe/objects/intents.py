"""PaymentIntents: the wish to collect an amount, through as many charges as it takes.

A Checkout Session makes its own on the first attempt to pay; that one is confirmed and cancelled through the session
alone. Others are made by POST /v1/payment_intents and paid with the test tokens `pm_card_visa` (pays) and
`pm_card_visa_chargeDeclined`.
"""

from config.local.stripe.cards import BY_TOKEN, Card
from config.local.stripe.errors import CardDeclined, ResourceMissing, StripeError
from config.local.stripe.ids import new_id
from config.local.stripe.objects import charges
from config.local.stripe.objects.amounts import check_amount, read_currency
from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CAPTURE_METHODS = ("automatic", "automatic_async")
REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")


def create(work: Work, params: Params) -> Json:
    """POST /v1/payment_intents, with `confirm` at once if wished."""
    currency = read_currency(params)
    amount = params.required_integer("amount", low=1)
    check_amount(amount, currency, param="amount")
    card = _read_card(params)
    confirm = params.flag("confirm")
    methods = params.section("automatic_payment_methods")
    automatic = methods.flag("enabled")
    redirects = methods.text("allow_redirects", choices=("always", "never")) or "always"
    allowed = params.texts("allowed_payment_method_types")
    details = read_details(params)
    params.without_effect("return_url", "off_session", "use_stripe_sdk", "error_on_requires_action")
    params.finish()
    intent = open_intent(work, amount=amount, currency=currency, details=details, allowed=allowed)
    if automatic is not None:
        work.change(intent, automatic_payment_methods={"enabled": automatic, "allow_redirects": redirects})
    if card is not None:
        work.change(intent, status="requires_confirmation", payment_method=new_id("pm"))
    emit(work, "payment_intent.created", intent)
    return _confirm(work, intent, card) if confirm else intent


def read_details(params: Params) -> Json:
    """What a PaymentIntent and `payment_intent_data` of a session have in common."""
    return {
        "capture_method": params.text("capture_method", choices=CAPTURE_METHODS) or "automatic_async",
        "description": params.text("description"),
        "metadata": params.metadata(),
        "receipt_email": params.email("receipt_email"),
        "statement_descriptor": params.text("statement_descriptor", limit=22),
        "statement_descriptor_suffix": params.text("statement_descriptor_suffix", limit=22),
    }


def open_intent(
    work: Work,
    *,
    amount: int,
    currency: str,
    details: Json,
    allowed: list[str] | None = None,
    session: Json | None = None,
) -> Json:
    """A new intent that waits for a card; `session` is the Checkout Session it belongs to."""
    fields = _fields(amount, currency, details, allowed)
    if session is not None:
        fields["payment_method_types"] = session["payment_method_types"]
    owner = session["id"] if session else None
    intent = work.insert("payment_intent", "pi", fields, hidden={"session": owner})
    work.change(intent, client_secret=f"{intent['id']}_{new_id('secret', 25)}")
    return intent


def _fields(amount: int, currency: str, details: Json, allowed: list[str] | None) -> Json:
    return {
        "allowed_payment_method_types": allowed or None,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "client_secret": None,
        "confirmation_method": "automatic",
        "currency": currency,
        "customer": None,
        "last_payment_error": None,
        "latest_charge": None,
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "presentment_details": None,
        "processing": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        **details,
    }


def attempt(work: Work, intent: Json, card: Card, email: str | None = None) -> Json:
    """Takes the money, or leaves the failed charge and its events behind and raises CardDeclined."""
    charge = charges.take(work, intent, card, email)
    if card.decline is not None:
        refusal = _refusal(card, charge)
        work.change(
            intent,
            status="requires_payment_method",
            payment_method=None,
            latest_charge=charge["id"],
            last_payment_error=refusal.body()["error"],
        )
        emit(work, "payment_intent.payment_failed", intent)
        refusal.more["payment_intent"] = intent
        raise refusal
    work.change(
        intent,
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        last_payment_error=None,
        payment_method=charge["payment_method"],
    )
    emit(work, "payment_intent.succeeded", intent)
    return charge


def _refusal(card: Card, charge: Json) -> CardDeclined:
    assert card.decline is not None
    return CardDeclined(
        card.decline.message, code=card.decline.code, decline_code=card.decline.decline_code, charge=charge["id"]
    )


def confirm(work: Work, id: str, params: Params) -> Json:
    """POST /v1/payment_intents/{id}/confirm."""
    intent = _own(work, id, "confirm")
    card = _read_card(params)
    params.without_effect("return_url", "off_session", "use_stripe_sdk", "error_on_requires_action")
    params.finish()
    return _confirm(work, intent, card)


def _confirm(work: Work, intent: Json, card: Card | None) -> Json:
    if intent["status"] not in PAYABLE:
        raise unexpected_state(intent, "confirm")
    if card is None:
        raise StripeError(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
        )
    attempt(work, intent, card)
    return intent


def cancel(work: Work, id: str, params: Params) -> Json:
    """POST /v1/payment_intents/{id}/cancel. Refuses what is paid, cancelled, or owned by a session."""
    intent = _own(work, id, "cancel")
    reason = params.text("cancellation_reason", choices=REASONS)
    params.finish()
    if intent["status"] not in PAYABLE:
        raise unexpected_state(intent, "cancel")
    void(work, intent, reason)
    return intent


def void(work: Work, intent: Json, reason: str | None) -> None:
    work.change(intent, status="canceled", canceled_at=work.now, cancellation_reason=reason)
    emit(work, "payment_intent.canceled", intent)


def unexpected_state(intent: Json, verb: str) -> StripeError:
    return StripeError(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def _own(work: Work, id: str, verb: str) -> Json:
    intent = work.get("payment_intent", id, param="intent")
    if work.hidden(id)["session"] is not None:
        raise StripeError(
            f"You cannot {verb} a PaymentIntent created by Checkout. Expire its Checkout Session instead.",
            code="payment_intent_unexpected_state",
        )
    return intent


def _read_card(params: Params) -> Card | None:
    token = params.text("payment_method")
    if token is None:
        return None
    if token not in BY_TOKEN:
        raise ResourceMissing("PaymentMethod", token, param="payment_method")
    return BY_TOKEN[token]
