"""Bank debits: a payment that is only under way when the customer is done with it, and comes or fails days later.

Nothing settles by itself; the control says how it ended. Stripe prefixes these charges `py_` and types their movements
`payment`; their fee is 0.8 %, at most 500.
"""

from config.local.stripe.banks import FAILURES, METHOD, BankAccount
from config.local.stripe.errors import StripeError
from config.local.stripe.ids import fingerprint_of
from config.local.stripe.objects import charges
from config.local.stripe.objects.balance import book, settlement_of
from config.local.stripe.objects.disputes import open_dispute, require_undisputed
from config.local.stripe.objects.events import emit
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

OUTCOMES = ("succeeded", "failed")
RETURNS = ("dispute", "payment_failure_refund")


def begin(work: Work, intent: Json, account: BankAccount, email: str | None) -> None:
    """The customer gave the account; the money is on its way."""
    charge = work.insert("charge", "py", {**charges.common_fields(intent, email), **_pending_fields(intent, account)})
    work.change(
        intent,
        status="processing",
        latest_charge=charge["id"],
        last_payment_error=None,
        payment_method=charge["payment_method"],
    )
    emit(work, "charge.pending", charge)
    emit(work, "payment_intent.processing", intent)


def _pending_fields(intent: Json, account: BankAccount) -> Json:
    details = {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": account.bank_name,
        "expected_debit_date": None,
        "fingerprint": fingerprint_of(account.number),
        "last4": account.last4,
        "mandate": None,
        "payment_reference": None,
        "routing_number": account.routing_number,
    }
    return {
        "amount_captured": intent["amount"],
        "captured": True,
        "outcome": {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "not_assessed",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": False,
        "payment_method_details": {METHOD: details, "type": METHOD},
        "status": "pending",
    }


def succeed(work: Work, intent: Json) -> None:
    charge = _under_way(work, intent)
    before = work.change(charge, status="succeeded", paid=True)
    charges.settle(work, charge)
    emit(work, "charge.succeeded", charge, {**before, "balance_transaction": None})
    before = work.change(intent, status="succeeded", amount_received=intent["amount"])
    emit(work, "payment_intent.succeeded", intent, before)


def fail(work: Work, intent: Json, code: str) -> None:
    _fail(work, intent, _under_way(work, intent), code)


def _under_way(work: Work, intent: Json) -> Json:
    if intent["status"] != "processing":
        raise StripeError(f"Payment intent {intent['id']} is {intent['status']}: no debit is under way.")
    return work.get("charge", intent["latest_charge"])


def _fail(work: Work, intent: Json, charge: Json, code: str, **fields: object) -> None:
    before = work.change(
        charge,
        status="failed",
        paid=False,
        captured=False,
        amount_captured=0,
        failure_code=code,
        failure_message=FAILURES[code],
        **fields,
    )
    emit(work, "charge.failed", charge, before)
    error = StripeError(FAILURES[code], code=code, charge=charge["id"]).body()["error"]
    before = work.change(
        intent, status="requires_payment_method", amount_received=0, payment_method=None, last_payment_error=error
    )
    emit(work, "payment_intent.payment_failed", intent, before)


def give_back(work: Work, charge: Json, *, kind: str, code: str) -> Json:
    """The bank returns a debit that had succeeded. As a dispute it is lost from the start, with a dispute's fee; as a
    failure the charge itself fails, and its money leaves with no fee. Answers the dispute or the charge."""
    if charges.is_card(charge):
        raise StripeError(f"Charge {charge['id']} was paid by card; only bank debits are returned.", param="charge")
    if kind == "dispute":
        reason = "incorrect_account_details" if code == "account_closed" else code
        return open_dispute(work, charge, amount=None, reason=reason, status="lost")
    return _fail_late(work, charge, code)


def _fail_late(work: Work, charge: Json, code: str) -> Json:
    require_undisputed(work, charge)
    if not charge["paid"] or charge["amount_refunded"]:
        raise StripeError(f"Charge {charge['id']} did not succeed, or was refunded: it cannot fail.", param="charge")
    movement = book(
        work,
        type="payment_failure_refund",
        source=charge,
        amount=-charge["amount"],
        settlement=settlement_of(work, charge),
        description="REFUND FOR FAILED PAYMENT",
    )
    intent = work.get("payment_intent", charge["payment_intent"])
    _fail(work, intent, charge, code, failure_balance_transaction=movement["id"])
    return charge
