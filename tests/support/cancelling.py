"""Cancelling pools in tests, and doing at once what waits in the outbox, however long it should wait."""

import pytest
from django.db import IntegrityError, connection, transaction

from config import outbox
from config.clock import ClockTimestamp
from config.models import OutboxMessage
from payments.models import Cancellation
from payments.services.cancellations import confirm_cancellation, propose_cancellation
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry


def cancelled(pool, *, by=None, second=None, reason="Too few players.") -> Cancellation:
    """Two people have decided; nothing is given back yet."""
    proposal = propose_cancellation(pool=pool, by=by or FinanceFactory(), reason=reason)
    return confirm_cancellation(cancellation_id=proposal.pk, by=second or FinanceFactory())


def work_off(*, times=30, until=lambda: False) -> None:
    """Do what waits, as if all delays were over, until nothing is left or enough was done."""
    for _ in range(times):
        waiting = OutboxMessage.objects.filter(done_at__isnull=True, dead_at__isnull=True)
        waiting.update(due_at=ClockTimestamp())
        if until() or not outbox.drain():
            return


def carried_out(cancellation, *, walks=6) -> Cancellation:
    """As far as it goes: until it is done, or so many walks found nothing more to do."""

    def is_done() -> bool:
        cancellation.refresh_from_db()
        return cancellation.status == "done"

    work_off(times=walks, until=is_done)
    cancellation.refresh_from_db()
    return cancellation


def places(pool, count=3):
    """So many paid entries of different players."""
    return [paid_entry(RequestFactory(approved=True, pool=pool)) for _ in range(count)]


def refused(sql, values=None):
    """The name of the guard that refuses the statement."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return caught.value.__cause__.diag.constraint_name
