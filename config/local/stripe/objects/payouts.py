"""Payouts: money from the balance to the bank; it arrives two days later, at midnight UTC.

Started by hand, a payout is just an amount. An automatic one takes everything available in its currency, and Stripe
works out which movements that was: until that is completed, an hour later, the movements cannot be listed by payout.
"""

from config.local.stripe.errors import StripeError
from config.local.stripe.ids import new_id
from config.local.stripe.objects.amounts import read_currency
from config.local.stripe.objects.balance import available_amount, book, settles_on
from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

RECONCILED_AFTER = 3600
AUTOMATIC = {"automatic": True, "reconciliation_status": "in_progress"}


def create(work: Work, params: Params) -> Json:
    """POST /v1/payouts. Refuses more than is available."""
    currency = read_currency(params)
    amount = params.required_integer("amount", low=1)
    fields = {
        "description": params.text("description"),
        "metadata": params.metadata(),
        "statement_descriptor": params.text("statement_descriptor", limit=22),
    }
    params.text("method", choices=("standard",))
    params.text("source_type", choices=("card",))
    params.finish()
    if amount > available_amount(work, currency):
        raise StripeError(
            "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low.",
            code="balance_insufficient",
        )
    return _send(work, _fields(work, amount, currency, fields))


def run_automatic(work: Work, currency: str) -> Json | None:
    """Pays out everything available in this currency; None where that is nothing, or less."""
    items = _unpaid(work, currency)
    amount = sum(item["net"] for item in items)
    if amount <= 0:
        return None
    fields = _fields(work, amount, currency, {"description": "STRIPE PAYOUT", **AUTOMATIC})
    payout = _send(work, fields)
    for id in [payout["balance_transaction"], *(item["id"] for item in items)]:
        work.hide(id, payout=payout["id"])
    work.schedule(work.now + RECONCILED_AFTER, "payout_reconciled", payout["id"])
    return payout


def _unpaid(work: Work, currency: str) -> list[Json]:
    """Available movements that no automatic payout has taken along; the sum of them is the available balance."""
    return [
        movement
        for movement in work.all("balance_transaction", currency=currency)
        if movement["available_on"] <= work.now and "payout" not in work.hidden(movement["id"])
    ]


def _send(work: Work, fields: Json) -> Json:
    payout = work.insert("payout", "po", fields)
    movement = book(work, type="payout", source=payout, amount=-payout["amount"], description="STRIPE PAYOUT")
    work.change(payout, balance_transaction=movement["id"])
    work.schedule(payout["arrival_date"], "payout_arrives", payout["id"])
    emit(work, "payout.created", payout)
    return payout


def _fields(work: Work, amount: int, currency: str, given: Json) -> Json:
    return {
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": settles_on(work.now),
        "automatic": False,
        "balance_transaction": None,
        "currency": currency,
        "description": None,
        "destination": new_id("ba"),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
        **given,
    }
