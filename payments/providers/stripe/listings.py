"""Pages of Stripe's lists as rows of ours: what moved, and what it was a movement of."""

from collections.abc import Callable
from dataclasses import dataclass

from payments.models import ObjectKind, SourceKind
from payments.providers.base import Balance, ListedMovement, ListedObject, Origin
from payments.providers.stripe.amounts import instant, to_minor
from payments.providers.stripe.charges import dispute_facts, id_of, moved, refund_facts
from payments.providers.stripe.client import Json
from payments.providers.stripe.payouts import payout_facts
from payments.providers.stripe.sessions import facts_of, origin_of

SOURCES = {
    "charge": SourceKind.CHARGE,
    "payment": SourceKind.CHARGE,
    "refund": SourceKind.REFUND,
    "dispute": SourceKind.DISPUTE,
    "payout": SourceKind.PAYOUT,
    "transfer": SourceKind.TRANSFER,
    "transfer_reversal": SourceKind.TRANSFER,
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One of Stripe's lists: its address, what has to come along with each row, and how a row is read."""

    path: str
    expand: tuple[str, ...]
    read: Callable[[Json, bool], ListedObject]


def listed_movement(movement: Json, livemode: bool) -> ListedMovement:
    """A balance transaction with its source. Stripe does not say of which mode it is: its source does, or the key."""
    facts = moved(movement)
    source = movement.get("source")
    if not isinstance(source, dict):
        # Nothing (a fee of the account), or what cannot be expanded.
        return ListedMovement(facts, livemode, SourceKind.OTHER, source_id=str(source or ""))
    kind = SOURCES.get(str(source.get("object")), SourceKind.OTHER)
    currency = str(source.get("currency") or "")
    amount = source.get("amount")
    return ListedMovement(
        movement=facts,
        livemode=_mode(source, livemode),
        source_kind=kind,
        # A reversal is a part of its transfer: that is what can be asked about.
        source_id=id_of(source["transfer"] if source.get("object") == "transfer_reversal" else source),
        source_cents=to_minor(amount, currency) if isinstance(amount, int) else None,
        source_currency=currency,
        charge_id=str(source["id"]) if kind == SourceKind.CHARGE else id_of(source.get("charge")),
        origin=Origin() if kind == SourceKind.DISPUTE else origin_of(source),
    )


def balance_of(balance: Json) -> Balance:
    """Available, pending, and what Stripe holds back: all of it is ours, and in its hands."""
    cents: dict[str, int] = {}
    for part in ("available", "pending", "connect_reserved"):
        for amount in balance.get(part) or ():
            currency = amount["currency"]
            cents[currency] = cents.get(currency, 0) + to_minor(amount["amount"], currency)
    return Balance(livemode=bool(balance["livemode"]), cents=cents)


def _listed_session(session: Json, livemode: bool) -> ListedObject:
    facts = facts_of(session)
    return ListedObject(
        kind=ObjectKind.SESSION,
        object_id=facts.reference,
        status=str(facts.state),
        amount_cents=facts.amount_cents if facts.charge is None else facts.charge.amount_cents,
        currency=facts.currency if facts.charge is None else facts.charge.currency,
        livemode=facts.livemode,
        made_at=instant(session["created"]),
        charge_id="" if facts.charge is None else facts.charge.id,
        origin=facts.origin,
    )


def _listed_charge(charge: Json, livemode: bool) -> ListedObject:
    currency = charge["currency"]
    is_in = bool(charge["paid"] and charge["captured"])
    return ListedObject(
        kind=ObjectKind.CHARGE,
        object_id=charge["id"],
        status="succeeded" if is_in else "failed" if charge["status"] == "failed" else "pending",
        amount_cents=to_minor(charge["amount_captured"] if is_in else charge["amount"], currency),
        currency=currency,
        livemode=_mode(charge, livemode),
        made_at=instant(charge["created"]),
        charge_id=charge["id"],
        back_cents=to_minor(charge["amount_refunded"], currency),
        origin=origin_of(charge),
    )


def _listed_refund(refund: Json, livemode: bool) -> ListedObject:
    facts = refund_facts(refund, _mode(refund, livemode))
    return ListedObject(
        kind=ObjectKind.REFUND,
        object_id=facts.reference,
        status=str(facts.phase),
        amount_cents=facts.amount_cents,
        currency=facts.currency,
        livemode=facts.livemode,
        made_at=facts.created_at,
        charge_id=facts.charge_id,
        origin=origin_of(refund),
    )


def _listed_dispute(dispute: Json, livemode: bool) -> ListedObject:
    facts = dispute_facts(dispute)
    return ListedObject(
        kind=ObjectKind.DISPUTE,
        object_id=facts.reference,
        status=facts.status,
        amount_cents=facts.amount_cents,
        currency=facts.currency,
        livemode=facts.livemode,
        made_at=facts.opened_at,
        charge_id=facts.charge_id,
    )


def _listed_payout(payout: Json, livemode: bool) -> ListedObject:
    facts = payout_facts(payout)
    return ListedObject(
        kind=ObjectKind.PAYOUT,
        object_id=facts.reference,
        status=str(facts.state),
        amount_cents=facts.amount_cents,
        currency=facts.currency,
        livemode=facts.livemode,
        made_at=instant(payout["created"]),
    )


LISTINGS: dict[ObjectKind, Listing] = {
    ObjectKind.SESSION: Listing("/v1/checkout/sessions", ("payment_intent.latest_charge",), _listed_session),
    ObjectKind.CHARGE: Listing("/v1/charges", (), _listed_charge),
    ObjectKind.REFUND: Listing("/v1/refunds", (), _listed_refund),
    ObjectKind.DISPUTE: Listing("/v1/disputes", (), _listed_dispute),
    ObjectKind.PAYOUT: Listing("/v1/payouts", (), _listed_payout),
}


def _mode(row: Json, livemode: bool) -> bool:
    """What it says of itself; refunds and movements say nothing."""
    said = row.get("livemode")
    return said if isinstance(said, bool) else livemode
