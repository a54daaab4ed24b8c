"""Payouts as the account's schedule makes them, and what the bank makes of payouts."""

from config.local.stripe.commands.bodies import Refused, only, text
from config.local.stripe.objects import payout_moves, payouts
from config.local.stripe.objects.balance import read_balance
from config.local.stripe.wire import Json
from config.local.stripe.work import Work


def run(work: Work, body: Json) -> Json:
    """One automatic payout for each currency in which anything is available, or for the one named."""
    wanted = only(body, currency=None)
    currencies = [part["currency"] for part in read_balance(work)["available"]]
    if wanted["currency"] is not None:
        currencies = [text(wanted, "currency", choices=currencies)]
    made = [payouts.run_automatic(work, currency) for currency in currencies]
    return {"payouts": [payout for payout in made if payout is not None]}


def move(work: Work, body: Json) -> Json:
    wanted = only(body, id="", status="", failure_code=None)
    payout = work.get("payout", text(wanted, "id"))
    status = text(wanted, "status", choices=payout_moves.MOVES)
    code = None
    if wanted["failure_code"] is not None:
        code = text(wanted, "failure_code", choices=payout_moves.FAILURES)
        if status != "failed":
            raise Refused(f"a payout that becomes {status} has no failure_code")
    payout_moves.move(work, payout, status, failure_code=code)
    return payout


def reconcile(work: Work, body: Json) -> Json:
    """At once, instead of an hour after the payout."""
    payout = work.get("payout", text(only(body, id=""), "id"))
    if payout["reconciliation_status"] != "in_progress":
        raise Refused(f"the reconciliation of {payout['id']} is {payout['reconciliation_status']}")
    payout_moves.reconcile(work, payout["id"])
    return work.get("payout", payout["id"])
