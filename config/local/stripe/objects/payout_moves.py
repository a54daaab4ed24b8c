"""What becomes of a payout: it arrives, the bank sends it back, even after it had arrived, or it is called off."""

from config.local.stripe.errors import InvalidParameter, ResourceMissing, StripeError
from config.local.stripe.objects.balance import book
from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.timers import timer
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

MOVES: dict[str, tuple[str, ...]] = {
    "pending": ("in_transit", "paid", "failed", "canceled"),
    "in_transit": ("paid", "failed"),
    "paid": ("failed",),
    "failed": (),
    "canceled": (),
}
REVERSALS = {"failed": "payout_failure", "canceled": "payout_cancel"}
FAILURES = {
    "account_closed": "The bank account has been closed.",
    "account_frozen": "The bank account has been frozen.",
    "bank_account_restricted": "The bank account has restrictions on either the type, or the number, of payouts.",
    "could_not_process": "The bank could not process this payout.",
    "declined": "The bank has declined this transfer.",
    "incorrect_account_holder_name": "Your bank notified us that the account holder name on file is incorrect.",
    "invalid_account_number": "The routing number seems correct, but the account number is invalid.",
    "no_account": "No bank account could be located with the details on file.",
}


def cancel(work: Work, id: str, params: Params) -> Json:
    """POST /v1/payouts/{id}/cancel. Refuses automatic payouts and those no longer pending."""
    payout = work.get("payout", id, param="payout")
    params.finish()
    if payout["automatic"]:
        raise StripeError("You can't cancel automatic Stripe payouts.", param="payout")
    if payout["status"] != "pending":
        raise StripeError(f"Only pending payouts can be canceled; this one is {payout['status']}.", param="payout")
    move(work, payout, "canceled")
    return payout


def move(work: Work, payout: Json, status: str, *, failure_code: str | None = None) -> None:
    """Takes the payout on; one that comes back brings its money with it. Refuses impossible steps."""
    if status not in MOVES[payout["status"]]:
        allowed = ", ".join(MOVES[payout["status"]]) or "nothing"
        raise StripeError(f"A payout that is {payout['status']} cannot become {status}, only {allowed}.")
    fields: Json = {"status": status}
    if status == "paid":
        fields["trace_id"] = {"status": "supported", "value": payout["id"].removeprefix("po_")}
    if status in REVERSALS:
        fields["failure_balance_transaction"] = _bring_back(work, payout, REVERSALS[status])
    if status == "failed":
        code = failure_code or "could_not_process"
        fields |= {"failure_code": code, "failure_message": FAILURES[code]}
    before = work.change(payout, **fields)
    if status != "in_transit":
        emit(work, f"payout.{status}", payout)
    emit(work, "payout.updated", payout, before)


def _bring_back(work: Work, payout: Json, type: str) -> str:
    movement = book(work, type=type, source=payout, amount=payout["amount"], description=type.replace("_", " ").upper())
    return str(movement["id"])


@timer("payout_arrives")
def arrive(work: Work, id: str) -> None:
    payout = work.get("payout", id)
    if payout["status"] in ("pending", "in_transit"):
        move(work, payout, "paid")


@timer("payout_reconciled")
def reconcile(work: Work, id: str) -> None:
    """Which movements it paid out is known now."""
    payout = work.get("payout", id)
    if payout["reconciliation_status"] == "in_progress":
        before = work.change(payout, reconciliation_status="completed")
        emit(work, "payout.reconciliation_completed", payout)
        emit(work, "payout.updated", payout, before)


def items_filter(work: Work, id: str) -> tuple[str, list[object]]:
    """SQL for the movements of an automatic payout, its own included; before it is reconciled, its own alone."""
    payout = work.find("payout", id)
    if payout is None:
        raise ResourceMissing("payout", id, param="payout")
    if not payout["automatic"]:
        raise InvalidParameter(
            "Balance transaction history can only be filtered on automatic transfers, not manual.", param="payout"
        )
    if payout["reconciliation_status"] != "completed":
        return "id = ?", [payout["balance_transaction"]]
    return "json_extract(hidden, '$.payout') = ?", [id]
