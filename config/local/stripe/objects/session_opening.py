"""POST /v1/checkout/sessions: reading its many parameters, and the session that comes of them."""

from dataclasses import dataclass

from config.local.stripe import banks
from config.local.stripe.currencies import MAXIMUM, format_amount, smallest_amount
from config.local.stripe.errors import InvalidParameter
from config.local.stripe.ids import new_id
from config.local.stripe.objects import intents
from config.local.stripe.objects.amounts import check_digits, read_currency
from config.local.stripe.objects.sessions import customer_details
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

SHORTEST, LONGEST = 30 * 60, 24 * 3600
MAX_LINE_ITEMS = 100
METHODS = ("card", banks.METHOD)
SUBMIT_TYPES = ("auto", "book", "donate", "pay")
LOOKS = ("locale", "custom_text", "branding_settings", "origin_context", "wallet_options")


@dataclass(frozen=True, slots=True)
class Cart:
    items: list[Json]
    currency: str
    total: int


def create(work: Work, params: Params) -> Json:
    """Opens a session of one payment for the hosted page, for 30 minutes to 24 hours."""
    mode = params.required_text("mode", choices=("payment", "setup", "subscription"))
    if mode != "payment":
        raise InvalidParameter("The Stripe double carries out mode=payment only.", param="mode")
    params.text("ui_mode", choices=("hosted_page",))
    cart = _read_cart(params)
    fields = {**_read_fields(work, params), **_read_methods(params, cart.currency)}
    data = params.section("payment_intent_data")
    details = intents.read_details(data)
    params.without_effect(*LOOKS)
    params.finish()
    session = work.insert(
        "checkout.session",
        "cs_test",
        {
            **_constants(),
            **fields,
            "amount_subtotal": cart.total,
            "amount_total": cart.total,
            "currency": cart.currency,
        },
        hidden={"line_items": cart.items, "payment_intent_data": details},
    )
    work.schedule(session["expires_at"], "session_expires", session["id"])
    return session


def _read_cart(params: Params) -> Cart:
    lines = params.items("line_items")
    if not lines:
        raise InvalidParameter("Missing required param: line_items.", code="parameter_missing", param="line_items")
    if len(lines) > MAX_LINE_ITEMS:
        raise InvalidParameter(f"You can have at most {MAX_LINE_ITEMS} line items.", param="line_items")
    items = [_read_item(line) for line in lines]
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise InvalidParameter("All line items must have the same currency.", param="line_items")
    currency, total = currencies.pop(), sum(item["amount_total"] for item in items)
    _check_total(total, currency)
    return Cart(items, currency, total)


def _check_total(total: int, currency: str) -> None:
    least = smallest_amount(currency)
    if total < least:
        raise InvalidParameter(
            "The Checkout Session's total amount due must add up to at least "
            f"{format_amount(least, currency)} {currency}",
            code="amount_too_small",
        )
    if total > MAXIMUM:
        raise InvalidParameter(
            "The Checkout Session's total amount due must add up to no more than "
            f"{format_amount(MAXIMUM, currency)} {currency}",
            code="amount_too_large",
        )


def _read_item(line: Params) -> Json:
    quantity = line.required_integer("quantity", low=1, high=999_999)
    metadata = line.metadata()
    price = line.section("price_data")
    currency = read_currency(price)
    unit_amount = price.required_integer("unit_amount", low=0, high=MAXIMUM)
    check_digits(unit_amount, currency, param=price.full_name("unit_amount"))
    product = price.section("product_data")
    name = product.required_text("name", limit=250)
    product.text("description", limit=40_000)
    product.metadata()
    product.without_effect("images", "tax_code", "unit_label")
    price.text("tax_behavior", choices=("exclusive", "inclusive", "unspecified"))
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": unit_amount * quantity,
        "amount_tax": 0,
        "amount_total": unit_amount * quantity,
        "currency": currency,
        "description": name,
        "metadata": metadata,
        "price": _price(currency, unit_amount),
        "quantity": quantity,
    }


def _price(currency: str, unit_amount: int) -> Json:
    return {
        "id": new_id("price"),
        "object": "price",
        "active": False,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "product": new_id("prod", 14),
        "type": "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": str(unit_amount),
    }


def _read_fields(work: Work, params: Params) -> Json:
    if "success_url" not in params:
        raise InvalidParameter("Missing required param: success_url.", code="parameter_missing", param="success_url")
    email = params.email("customer_email")
    adaptive = params.section("adaptive_pricing").flag("enabled")
    if adaptive:
        raise InvalidParameter("The Stripe double does not price adaptively.", param="adaptive_pricing[enabled]")
    return {
        "adaptive_pricing": {"enabled": False},
        "cancel_url": params.url("cancel_url"),
        "client_reference_id": params.text("client_reference_id", limit=200),
        "customer_creation": params.text("customer_creation", choices=("if_required",)) or "if_required",
        "customer_details": customer_details(email),
        "customer_email": email,
        "expires_at": _read_expiry(work, params),
        "metadata": params.metadata(),
        "submit_type": params.text("submit_type", choices=SUBMIT_TYPES),
        "success_url": params.url("success_url"),
    }


def _read_methods(params: Params, currency: str) -> Json:
    """Which ways to pay the page offers, of the two the double knows; without a list, cards."""
    methods = params.texts("allowed_payment_method_types")
    offered = [method for method in METHODS if method in methods] if methods else ["card"]
    if not offered:
        raise InvalidParameter(
            f"The Stripe double takes {' and '.join(METHODS)} only.", param="allowed_payment_method_types"
        )
    if banks.METHOD in offered and currency != banks.CURRENCY:
        raise InvalidParameter(
            f"{banks.METHOD} payments are in {banks.CURRENCY} only.", param="allowed_payment_method_types"
        )
    return {"allowed_payment_method_types": methods or None, "payment_method_types": offered}


def _read_expiry(work: Work, params: Params) -> int:
    expires_at = params.integer("expires_at")
    if expires_at is None:
        return work.now + LONGEST
    if expires_at < work.now + SHORTEST:
        raise InvalidParameter(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at"
        )
    if expires_at > work.now + LONGEST:
        raise InvalidParameter(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at"
        )
    return expires_at


def _constants() -> Json:
    """What every session of the double has in common."""
    return {
        "after_expiration": None,
        "allow_promotion_codes": None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": None,
        "discounts": [],
        "invoice": None,
        "invoice_creation": {"enabled": False, "invoice_data": {}},
        "locale": None,
        "mode": "payment",
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "presentment_details": None,
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "subscription": None,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "wallet_options": None,
    }
