"""Payouts: money from the balance to the bank, started by hand; it arrives two days later, at midnight UTC."""

from config.local.stripe.errors import StripeError
from config.local.stripe.ids import new_id
from config.local.stripe.objects.amounts import read_currency
from config.local.stripe.objects.balance import available_amount, book, settles_on
from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.timers import timer
from config.local.stripe.wire import Json
from config.local.stripe.work import Work


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
    payout = work.insert("payout", "po", _fields(work, amount, currency, fields))
    movement = book(work, type="payout", source=payout, amount=-amount, description="STRIPE PAYOUT")
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
        "destination": new_id("ba"),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
        **given,
    }


@timer("payout_arrives")
def arrive(work: Work, id: str) -> None:
    payout = work.get("payout", id)
    if payout["status"] == "pending":
        before = work.change(payout, status="paid", trace_id={"status": "supported", "value": id.removeprefix("po_")})
        emit(work, "payout.paid", payout)
        emit(work, "payout.updated", payout, before)
