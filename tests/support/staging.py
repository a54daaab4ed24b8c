"""Runs whose lists a test fills by itself, without any provider: for what the double would never say."""

from datetime import timedelta
from itertools import count

from config.clock import database_now
from payments.models import ReconciliationRun, RunKind, StagedMovement, StagedObject

_numbers = count(1)


def run_of(kind=RunKind.FEED, **fields):
    """A run that has read everything of the last three days."""
    now = database_now()
    given = {"provider": "stripe", "since": now - timedelta(days=3), "until": now + timedelta(seconds=3)}
    return ReconciliationRun.objects.create(kind=kind, **{**given, **fields})


def staged_movement(run, **fields):
    """A movement of 50 dollars of a charge with our mark, an hour ago."""
    number = next(_numbers)
    given = {
        "reference": f"txn_{number}", "kind": "charge", "category": "charge", "amount_cents": 5000, "fee_cents": 175,
        "currency": "usd", "livemode": False, "occurred_at": database_now() - timedelta(hours=1),
        "source_kind": "charge", "source_id": f"ch_{number}", "charge_id": f"ch_{number}", "source_cents": 5000,
        "source_currency": "usd",
    }  # fmt: skip
    made = {**given, **fields}
    made.setdefault("net_cents", made["amount_cents"] - made["fee_cents"])
    return StagedMovement.objects.create(run_id=run.pk, **made)


def staged_object(run, kind, **fields):
    """An object of one of the lists, an hour old."""
    number = next(_numbers)
    given = {
        "object_id": f"obj_{number}", "status": "succeeded", "amount_cents": 5000, "currency": "usd",
        "livemode": False, "made_at": database_now() - timedelta(hours=1),
    }  # fmt: skip
    return StagedObject.objects.create(run_id=run.pk, kind=kind, **{**given, **fields})
