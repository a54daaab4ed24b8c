"""Disputes: the customer's bank takes the money back first and asks afterwards.

A real dispute books its amount and its fee at once; an inquiry (its status begins with `warning`) books nothing until
it becomes a dispute. Won, the amount comes back and the fee stays, unless it is told otherwise; lost, nothing more
moves. So there are none, one or two balance transactions. A dispute nobody answers in time is lost; an inquiry nobody
pursues is closed.
"""

from config.local.stripe.currencies import dispute_fee, format_amount
from config.local.stripe.errors import StripeError
from config.local.stripe.objects.amounts import check_digits
from config.local.stripe.objects.balance import DAY, book, settlement_of
from config.local.stripe.objects.events import emit
from config.local.stripe.timers import timer
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

INQUIRIES = ("warning_needs_response", "warning_under_review", "warning_closed")
ENDED = ("lost", "prevented", "warning_closed", "won")
# Not the money's, but the charge's side: who may still be refunded although somebody once disputed it.
HARMLESS = (*INQUIRIES, "prevented", "won")
# The bank may pursue an inquiry at any time until it is closed; a lost dispute may be appealed once the network allows.
MOVES: dict[str, tuple[str, ...]] = {
    "warning_needs_response": ("warning_under_review", "warning_closed", "needs_response", "prevented"),
    "warning_under_review": ("warning_closed", "needs_response", "prevented"),
    "warning_closed": (),
    "needs_response": ("under_review", "won", "lost"),
    "under_review": ("won", "lost", "appeal_needs_response"),
    "lost": ("appeal_needs_response",),
    "appeal_needs_response": ("appeal_under_review", "lost"),
    "appeal_under_review": ("won", "lost"),
    "won": (),
    "prevented": (),
}
SUBMITTED = {
    "needs_response": "under_review",
    "appeal_needs_response": "appeal_under_review",
    "warning_needs_response": "warning_under_review",
}
REASONS = (
    "bank_cannot_process",
    "check_returned",
    "credit_not_processed",
    "customer_initiated",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "noncompliant",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
ANSWER_DAYS = 10
INQUIRY_DAYS = 120
TEXTS = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
)
FILES = (
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
)


def open_dispute(work: Work, charge: Json, *, amount: int | None, reason: str, status: str) -> Json:
    """The bank disputes the charge: all that is left of it, or the amount it names. Refuses a second one while the
    first is not over."""
    dispute = work.insert("dispute", "du", _fields(work, charge, _disputable(work, charge, amount), reason, status))
    work.change(charge, disputed=True)
    before = None if status in INQUIRIES else _withdraw(work, dispute)
    emit(work, "charge.dispute.created", dispute)
    if before is not None:
        emit(work, "charge.dispute.funds_withdrawn", dispute, before)
    if status in ENDED:
        emit(work, "charge.dispute.closed", dispute)
    _watch(work, dispute)
    return dispute


def _disputable(work: Work, charge: Json, asked: int | None) -> int:
    if not charge["paid"]:
        raise StripeError(f"Charge {charge['id']} did not succeed, so nobody can dispute it.", param="charge")
    for earlier in work.all("dispute", charge=charge["id"]):
        if earlier["status"] not in ("warning_closed", "prevented", "won"):
            raise StripeError(f"Charge {charge['id']} is disputed already, by {earlier['id']}.", param="charge")
    amount = int(charge["amount"]) - int(charge["amount_refunded"]) if asked is None else asked
    if amount == 0:
        raise StripeError(
            f"Charge {charge['id']} is refunded in full. A bank that insists must name an amount.", param="amount"
        )
    if not 0 < amount <= charge["amount"]:
        raise StripeError(
            f"The disputed amount must be from 1 to {format_amount(charge['amount'], charge['currency'])}.",
            param="amount",
        )
    check_digits(amount, charge["currency"], param="amount")
    return amount


def _withdraw(work: Work, dispute: Json) -> Json:
    """The money and the fee leave the balance, in one movement; answers what the dispute said before."""
    settlement = settlement_of(work, work.get("charge", dispute["charge"]))
    currency = settlement["currency"] if settlement else dispute["currency"]
    movement = book(
        work,
        type="adjustment",
        source=dispute,
        amount=-dispute["amount"],
        fee=dispute_fee(currency),
        fee_for="Dispute fee",
        settlement=settlement,
        category="dispute",
        description=f"Chargeback withdrawal for {dispute['charge']}",
    )
    return work.change(dispute, balance_transactions=[*dispute["balance_transactions"], movement])


def _reinstate(work: Work, dispute: Json, *, fee_returned: bool) -> None:
    """The money comes back; the fee only when the provider gives it back, as a negative fee."""
    withdrawal = dispute["balance_transactions"][0]
    movement = book(
        work,
        type="adjustment",
        source=dispute,
        amount=dispute["amount"],
        fee=-withdrawal["fee"] if fee_returned else 0,
        fee_for="Dispute fee refund",
        settlement=settlement_of(work, work.get("charge", dispute["charge"])),
        category="dispute_reversal",
        description=f"Chargeback reversal for {dispute['charge']}",
    )
    before = work.change(dispute, balance_transactions=[*dispute["balance_transactions"], movement])
    emit(work, "charge.dispute.funds_reinstated", dispute, before)


def move(work: Work, dispute: Json, status: str, *, fee_returned: bool = False) -> None:
    """Along Stripe's ten statuses, with the money and the events that belong to the step. Refuses impossible steps."""
    if status not in MOVES[dispute["status"]]:
        allowed = ", ".join(MOVES[dispute["status"]]) or "nothing"
        raise StripeError(f"A dispute that is {dispute['status']} cannot become {status}, only {allowed}.")
    escalated = dispute["status"] in INQUIRIES and status == "needs_response"
    if escalated and work.get("charge", dispute["charge"])["refunded"]:
        raise StripeError("The charge is refunded in full, so the inquiry cannot become a dispute.")
    before = work.change(dispute, status=status, **_answer_fields(work, dispute, status))
    if status not in ENDED:
        emit(work, "charge.dispute.updated", dispute, before)
        _watch(work, dispute)
    if escalated:
        emit(work, "charge.dispute.funds_withdrawn", dispute, _withdraw(work, dispute))
    if status == "won":
        _reinstate(work, dispute, fee_returned=fee_returned)
    if status in ENDED:
        emit(work, "charge.dispute.closed", dispute, before)


def _answer_fields(work: Work, dispute: Json, status: str) -> Json:
    """Who must answer anew gets a new deadline; an inquiry that became a dispute is no longer refundable."""
    fields: Json = {"is_charge_refundable": status in INQUIRIES}
    if status in SUBMITTED:
        fields["evidence_details"] = {**dispute["evidence_details"], "due_by": _deadline(work.now)}
    if status == "needs_response":
        fields["payment_method_details"] = _method_details(work.get("charge", dispute["charge"]), "chargeback")
    return fields


def _watch(work: Work, dispute: Json) -> None:
    if dispute["status"] in ("needs_response", "appeal_needs_response"):
        work.schedule(dispute["evidence_details"]["due_by"] + 1, "dispute_unanswered", dispute["id"])
    if dispute["status"] == "warning_needs_response":
        work.schedule(work.now + INQUIRY_DAYS * DAY, "inquiry_forgotten", dispute["id"])


@timer("dispute_unanswered")
def lose_unanswered(work: Work, id: str) -> None:
    dispute = work.get("dispute", id)
    waits = dispute["status"] in ("needs_response", "appeal_needs_response")
    if waits and dispute["evidence_details"]["due_by"] < work.now:
        move(work, dispute, "lost")


@timer("inquiry_forgotten")
def close_forgotten(work: Work, id: str) -> None:
    dispute = work.get("dispute", id)
    if dispute["status"] in ("warning_needs_response", "warning_under_review"):
        move(work, dispute, "warning_closed")


def require_undisputed(work: Work, charge: Json) -> None:
    """Refuses to give back what the bank took, or is about to keep."""
    if any(dispute["status"] not in HARMLESS for dispute in work.all("dispute", charge=charge["id"])):
        raise StripeError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
            param="charge",
        )


def _deadline(now: int) -> int:
    """The last second of a day in UTC, as the bank's calendar has it."""
    return (now // DAY + ANSWER_DAYS) * DAY - 1


def _fields(work: Work, charge: Json, amount: int, reason: str, status: str) -> Json:
    case = "inquiry" if status in INQUIRIES else "chargeback"
    return {
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys((*TEXTS, *FILES)), "appeal": None, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": 0 if status in ENDED else _deadline(work.now),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": status in INQUIRIES,
        "metadata": {},
        "network_reason_code": None,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _method_details(charge, case),
        "reason": reason,
        "status": status,
    }


def _method_details(charge: Json, case: str) -> Json | None:
    """Stripe describes cards here; a bank account has no case of its own."""
    paid_with = charge["payment_method_details"]
    if paid_with["type"] != "card":
        return None
    brand = paid_with["card"]["brand"]
    return {
        "card": {"brand": brand, "case_type": case, "network": brand, "network_reason_code": None},
        "type": "card",
    }
