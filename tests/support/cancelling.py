"""Cancelling pools in tests, and doing at once what waits in the outbox, however long it should wait."""

from config import outbox
from config.clock import ClockTimestamp
from config.models import OutboxMessage
from payments.models import Cancellation
from payments.services.cancellations import confirm_cancellation, propose_cancellation
from tests.factories.accounts import FinanceFactory


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


def carried_out(cancellation) -> Cancellation:
    """As far as it goes: until it is done, or a few walks found nothing more to do."""

    def is_done() -> bool:
        cancellation.refresh_from_db()
        return cancellation.status == "done"

    work_off(times=6, until=is_done)
    cancellation.refresh_from_db()
    return cancellation
