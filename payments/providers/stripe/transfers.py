"""Prizes as transfers to their winners' connected accounts, as Stripe takes them and as our facts."""

from typing import TYPE_CHECKING

from django.conf import settings

from payments.providers.base import TransferFacts, TransferOrder
from payments.providers.stripe.amounts import instant, to_minor, to_stripe
from payments.providers.stripe.charges import id_of, movement_facts
from payments.providers.stripe.client import Json
from payments.providers.stripe.sessions import origin_of

if TYPE_CHECKING:
    from payments.providers.stripe.client import TransferCreateParams


def transfer_params(order: TransferOrder) -> "TransferCreateParams":
    """What Stripe is asked for. Of all that we write on it, only the group can be asked for in a list."""
    return {
        "amount": to_stripe(order.amount_cents, order.currency),
        "currency": order.currency,
        "destination": order.destination,
        "transfer_group": order.ref,
        "metadata": {
            "ref": order.ref,
            "kind": "prize",
            "payout": str(order.payout_id),
            "pool": str(order.pool_id),
            "env": settings.OUTLAST_ENV,
        },
    }


def transfer_facts(transfer: Json) -> TransferFacts:
    """A transfer with the movements of its going and of its coming back; Stripe has the newest of these first."""
    origin = origin_of(transfer)
    legs = (movement_facts(one.get("balance_transaction")) for one in (transfer.get("reversals") or {}).get("data", ()))
    return TransferFacts(
        reference=transfer["id"],
        ref=origin.ref,
        destination=id_of(transfer.get("destination")),
        amount_cents=to_minor(transfer["amount"], transfer["currency"]),
        reversed_cents=to_minor(transfer.get("amount_reversed") or 0, transfer["currency"]),
        currency=transfer["currency"],
        livemode=bool(transfer["livemode"]),
        created_at=instant(transfer["created"]),
        env=origin.env,
        movement=movement_facts(transfer.get("balance_transaction")),
        returned=tuple(sorted((leg for leg in legs if leg is not None), key=lambda leg: leg.occurred_at)),
    )
