"""Money nobody asked for like this: another amount, another currency, another product of the same account.

None of it is checked against what the session asks for; that is the point. It only has to be money.
"""

from config.local.stripe import orders
from config.local.stripe.cards import GOOD
from config.local.stripe.commands.bodies import Refused, labels, only, text, whole
from config.local.stripe.commands.delayed import open_session
from config.local.stripe.currencies import MAXIMUM, SUPPORTED, is_whole
from config.local.stripe.forms import Tree
from config.local.stripe.objects import intents, session_opening, sessions
from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

ELSEWHERE = "https://shop.example/thanks"
MOST_TIMES = 1_000_000


def pay(work: Work, body: Json) -> Json:
    """With a session: it is paid, on other terms than it asked for. Without: a charge of some other product, through
    a session of its own where `checkout` says so. Answers the three ids."""
    wanted = only(body, session=None, amount=None, currency=None, metadata=None, presentment=None, checkout=False)
    if wanted["session"] is not None:
        session: Json | None = _pay_otherwise(work, wanted)
    elif wanted["presentment"] is not None:
        raise Refused("presentment needs a session")
    else:
        session = _foreign_session(work, wanted) if wanted["checkout"] else None
    intent = work.get("payment_intent", session["payment_intent"]) if session else _foreign_intent(work, wanted)
    return {
        "session": session["id"] if session else None,
        "payment_intent": intent["id"],
        "charge": intent["latest_charge"],
    }


def _pay_otherwise(work: Work, wanted: Json) -> Json:
    if wanted["checkout"]:
        raise Refused("checkout is for charges without a session")
    session = open_session(work, text(wanted, "session"))
    amount, currency = _money(wanted, session["amount_total"], session["currency"])
    terms: Json = {"currency": currency, "presentment_details": _presentment(wanted["presentment"])}
    if wanted["metadata"] is not None:
        terms["metadata"] = labels(wanted, "metadata")
    discount = max(0, session["amount_subtotal"] - amount)
    work.change(
        session,
        amount_total=amount,
        total_details={**session["total_details"], "amount_discount": discount},
        **terms,
    )
    work.change(sessions.intent_of(work, session), amount=amount, **terms)
    sessions.pay(work, session, GOOD)
    return session


def _money(wanted: Json, amount: int | None, currency: str | None) -> tuple[int, str]:
    amount = whole(wanted, "amount", high=MAXIMUM) or amount
    currency = text(wanted, "currency", choices=SUPPORTED) if wanted["currency"] is not None else currency
    if amount is None or currency is None:
        raise Refused("a charge without a session needs amount and currency")
    if not is_whole(amount, currency):
        raise Refused(f"{amount} is no amount in {currency}")
    return amount, currency


def _presentment(given: object) -> Json | None:
    """What the customer saw, in a currency of their own, while the session kept its own."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise Refused("presentment holds amount and currency")
    amount, currency = _money(only(given, amount=None, currency=None), None, None)
    return {"presentment_amount": amount, "presentment_currency": currency}


def _foreign_intent(work: Work, wanted: Json) -> Json:
    amount, currency = _money(wanted, None, None)
    details = intents.read_details(Params({"metadata": _tree(wanted)}))
    intent = intents.open_intent(work, amount=amount, currency=currency, details=details)
    emit(work, "payment_intent.created", intent)
    intents.attempt(work, intent, GOOD)
    return intent


def _foreign_session(work: Work, wanted: Json) -> Json:
    amount, currency = _money(wanted, None, None)
    price: Tree = {"currency": currency, "unit_amount": str(amount), "product_data": {"name": "Something else"}}
    asked: Tree = {
        "mode": "payment",
        "line_items": {"0": {"price_data": price, "quantity": "1"}},
        "success_url": ELSEWHERE,
        "metadata": _tree(wanted),
        "payment_intent_data": {"metadata": _tree(wanted)},
    }
    session = session_opening.create(work, Params(asked))
    sessions.pay(work, session, GOOD)
    return session


def _tree(wanted: Json) -> Tree:
    return {} if wanted["metadata"] is None else {**labels(wanted, "metadata")}


def order_settlement(work: Work, body: Json) -> Json:
    """The next charges, and all that becomes of them, settle in another currency."""
    wanted = only(body, currency="", rate=0.0, times=1)
    currency = text(wanted, "currency", choices=SUPPORTED)
    rate = wanted["rate"]
    if isinstance(rate, bool) or not 0 < rate <= 1_000_000:
        raise Refused("rate must be above 0 and at most 1000000")
    times = whole(wanted, "times", high=MOST_TIMES) or 1
    return {"orders": orders.place(work, "charge", {"currency": currency, "rate": rate}, times)}
