"""Rows of the queue with money behind them, for tests that need no provider."""

from itertools import count

from django.db import transaction

from config.clock import database_now
from payments.models import Discrepancy, DiscrepancyKind, MovementKind
from payments.providers.base import MovementFacts
from payments.services.discrepancies import raise_discrepancy
from payments.services.movements import apply_movement

_numbers = count(1)


@transaction.atomic
def moved(cents=-1234, *, currency="usd", livemode=False):
    """The balance moved and nobody knows why: it lies in suspense, and in the queue."""
    name = f"txn_odd_{next(_numbers)}"
    facts = MovementFacts(
        reference=name, kind=MovementKind.OTHER, category="adjustment", amount_cents=cents, fee_cents=0,
        currency=currency, exchange_rate=None, occurred_at=database_now(), available_at=None,
    )  # fmt: skip
    apply_movement(facts, provider="stripe", livemode=livemode)
    return Discrepancy.objects.get(object_key=f"movement:stripe:{name}")


def raised(kind=DiscrepancyKind.EXTERNAL_REFUND, key="refund:7", **fields):
    """A doubt about something that need not be there."""
    text = {"sentence": "50.00 USD left past us.", "suggestion": "Void the entry, or let the house bear it."}
    return Discrepancy.objects.get(pk=raise_discrepancy(**{"kind": kind, "object_key": key, **text, **fields}))
