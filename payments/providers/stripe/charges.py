"""What became of a charge, as our facts: its fee, its refunds, its disputes, and every movement of our balance."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings

from payments.models import MovementKind
from payments.providers.base import (
    Charge,
    ChargeFacts,
    DisputeFacts,
    MovementFacts,
    RefundFacts,
    RefundOrder,
    RefundPhase,
)
from payments.providers.stripe.amounts import instant, to_minor, to_stripe
from payments.providers.stripe.client import Json
from payments.providers.stripe.sessions import captured, origin_of

if TYPE_CHECKING:
    from payments.providers.stripe.client import RefundCreateParams

# Stripe's reporting categories; `type` hides disputes among the adjustments. Any other is for a person to explain.
KINDS = {
    "charge": MovementKind.CHARGE,
    # A bank debit that came back although it had succeeded: for us a dispute that is lost from the start.
    "charge_failure": MovementKind.DISPUTE,
    "refund": MovementKind.REFUND,
    "refund_failure": MovementKind.REFUND_FAILURE,
    "dispute": MovementKind.DISPUTE,
    "dispute_reversal": MovementKind.DISPUTE_REVERSAL,
    "payout": MovementKind.PAYOUT,
    "payout_reversal": MovementKind.PAYOUT_REVERSAL,
    "transfer": MovementKind.TRANSFER,
    "transfer_reversal": MovementKind.TRANSFER_REVERSAL,
}
PHASES = {
    "succeeded": RefundPhase.SUCCEEDED,
    "failed": RefundPhase.FAILED,
    "canceled": RefundPhase.CANCELLED,
}


def refund_params(order: RefundOrder) -> "RefundCreateParams":
    """What Stripe is asked for. `reason` is one of Stripe's few; our own stays with us."""
    params: RefundCreateParams = {
        "charge": order.charge_id,
        "amount": to_stripe(order.amount_cents, order.currency),
        "metadata": {
            "ref": order.ref,
            "kind": "refund",
            "payment": str(order.payment_id),
            "refund": str(order.refund_id),
            "env": settings.OUTLAST_ENV,
        },
    }
    if order.is_duplicate:
        params["reason"] = "duplicate"
    return params


def charge_facts(charge: Json, refunds: Iterable[Json], disputes: Iterable[Json]) -> ChargeFacts:
    """A charge with everything that became of it, oldest first."""
    livemode = bool(charge["livemode"])
    told = [dispute_facts(dispute) for dispute in disputes]
    return ChargeFacts(
        charge=_charge(charge),
        livemode=livemode,
        instrument=_instrument(charge),
        movement=movement_facts(charge.get("balance_transaction")),
        refunds=tuple(sorted((refund_facts(one, livemode) for one in refunds), key=lambda one: one.created_at)),
        disputes=tuple(sorted([*told, *_taken_back(charge)], key=lambda one: one.opened_at)),
    )


def refund_facts(refund: Json, livemode: bool) -> RefundFacts:
    """A refund; Stripe does not say of which mode, it is its charge's."""
    waits_for = "requires_action" if refund["status"] == "requires_action" else refund.get("pending_reason")
    return RefundFacts(
        reference=refund["id"],
        ref=origin_of(refund).ref,
        charge_id=id_of(refund.get("charge")),
        # What a newer version may call it is not final.
        phase=PHASES.get(refund["status"], RefundPhase.PENDING),
        amount_cents=to_minor(refund["amount"], refund["currency"]),
        currency=refund["currency"],
        livemode=livemode,
        created_at=instant(refund["created"]),
        failure=str(refund.get("failure_reason") or ""),
        pending_reason=str(waits_for or ""),
        movement=movement_facts(refund.get("balance_transaction")),
        returned=movement_facts(refund.get("failure_balance_transaction")),
    )


def dispute_facts(dispute: Json) -> DisputeFacts:
    """A dispute with its money legs."""
    due_by = (dispute.get("evidence_details") or {}).get("due_by")
    legs = (movement_facts(leg) for leg in dispute.get("balance_transactions") or ())
    return DisputeFacts(
        reference=dispute["id"],
        charge_id=id_of(dispute.get("charge")),
        status=dispute["status"],
        amount_cents=to_minor(dispute["amount"], dispute["currency"]),
        currency=dispute["currency"],
        livemode=bool(dispute["livemode"]),
        reason=str(dispute.get("reason") or ""),
        is_charge_refundable=bool(dispute.get("is_charge_refundable")),
        opened_at=instant(dispute["created"]),
        evidence_due_at=instant(due_by) if due_by else None,
        movements=tuple(leg for leg in legs if leg is not None),
    )


def movement_facts(movement: Json | str | None) -> MovementFacts | None:
    """A balance transaction; None where there is none yet."""
    return moved(movement) if isinstance(movement, dict) else None


def moved(movement: Json) -> MovementFacts:
    """A balance transaction."""
    currency = movement["currency"]
    rate = movement.get("exchange_rate")
    return MovementFacts(
        reference=movement["id"],
        kind=KINDS.get(movement["reporting_category"], MovementKind.OTHER),
        category=movement["reporting_category"],
        amount_cents=to_minor(movement["amount"], currency),
        fee_cents=to_minor(movement["fee"], currency),
        currency=currency,
        occurred_at=instant(movement["created"]),
        available_at=instant(movement["available_on"]),
        exchange_rate=None if rate is None else Decimal(str(rate)),
    )


def _instrument(charge: Json) -> str:
    """Stripe's own name for a card's or an account's number, the same for every customer of ours who uses it."""
    details = charge.get("payment_method_details") or {}
    of_its_kind = details.get(details.get("type") or "") or {}
    return str(of_its_kind.get("fingerprint") or "")


def _charge(charge: Json) -> Charge:
    """What came; a charge that failed after it had come says that nothing was captured."""
    return captured(charge if charge["captured"] else {**charge, "amount_captured": charge["amount"]})


def _taken_back(charge: Json) -> list[DisputeFacts]:
    """The bank returned a debit without any dispute: the charge itself failed, and its money left again."""
    leg = movement_facts(charge.get("failure_balance_transaction"))
    if leg is None:
        return []
    return [
        DisputeFacts(
            reference=charge["id"],
            charge_id=charge["id"],
            status="lost",
            amount_cents=to_minor(charge["amount"], charge["currency"]),
            currency=charge["currency"],
            livemode=bool(charge["livemode"]),
            reason=str(charge.get("failure_code") or "payment_returned"),
            is_charge_refundable=False,
            opened_at=leg.occurred_at,
            movements=(leg,),
        )
    ]


def id_of(value: Json | str | None) -> str:
    """The id of what may be expanded."""
    return str(value["id"]) if isinstance(value, dict) else value or ""
