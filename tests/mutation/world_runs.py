"""A run that has ended, one that is at work and has read a page of either kind, and a cursor."""

from datetime import timedelta

from config.clock import database_now
from payments.models import FeedCursor, MovementKind, ObjectKind, ReconciliationRun, RunKind, SourceKind
from payments.providers.base import ListedMovement, ListedObject, MovementFacts, Page
from payments.reconciliation.runs import start_or_resume
from payments.reconciliation.staging import put_movements, put_objects


def build() -> None:
    now = database_now()
    start_or_resume(kind=RunKind.INVARIANTS, steps={})
    FeedCursor.objects.create(provider="stripe", through=now)
    run = ReconciliationRun.objects.create(
        kind=RunKind.DEEP, provider="stripe", since=now - timedelta(hours=2), until=now
    )
    facts = MovementFacts("txn_staged", MovementKind.CHARGE, "charge", 5000, 175, "usd", now)
    put_movements(run, "movement", Page((ListedMovement(facts, False, SourceKind.CHARGE),)))
    staged = ListedObject(ObjectKind.CHARGE, "ch_staged", "succeeded", 5000, "usd", False, now)
    put_objects(run, "charge", Page((staged,)))
