"""Movements of the balance that nothing lies behind, such as the provider's own fees."""

from config.local.stripe.commands.bodies import Refused, only, text
from config.local.stripe.currencies import MAXIMUM, SUPPORTED
from config.local.stripe.objects import balance
from config.local.stripe.wire import Json
from config.local.stripe.work import Work


def make(work: Work, body: Json) -> Json:
    """Either way, with a fee or without; answers the movement."""
    wanted = only(body, amount=0, fee=0, currency="usd", category="")
    amounts = [wanted["amount"], wanted["fee"]]
    if any(isinstance(one, bool) or not isinstance(one, int) or abs(one) > MAXIMUM for one in amounts):
        raise Refused("amount and fee are whole numbers")
    currency, category = text(wanted, "currency", choices=SUPPORTED), text(wanted, "category")
    nothing: Json = {"id": None, "currency": currency}
    return balance.book(work, type=category, source=nothing, amount=wanted["amount"], fee=wanted["fee"])
