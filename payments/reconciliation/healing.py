"""What heals by itself: each thing that differs is asked about once more, and the answer applied.

There is no second way to change money: what a run heals is healed by the routines that webhooks, sweeps and buttons
call. One at a time, outside any transaction, so that a run that is killed has healed a part, and the next one the rest.
What was healed is compared again before anybody is told of it.
"""

import logging

from django.db import connection, transaction

from config import metrics
from payments.models import Discrepancy, DiscrepancyKind, ReconciliationRun
from payments.models.discrepancy import OPEN_STATES
from payments.providers.faults import ProviderError, RateLimited, Unreachable
from payments.reconciliation import breaker
from payments.reconciliation.cures import cure
from payments.reconciliation.differences import compare
from payments.reconciliation.dispositions import DISPOSITIONS
from payments.reconciliation.suspensions import lift_needless
from payments.services.discrepancies import tell_of_urgent

logger = logging.getLogger(__name__)

# What one round brings back can show what the next one has to heal: a refund of a charge that was missing.
ROUNDS = 3
FAILURES_IN_A_ROW = 3
AT_ONCE = 500

TRIED = metrics.counter("reconciliation_cures", "What runs tried to heal, by kind and outcome.", ["kind", "outcome"])

# What this run has seen, and what is gone since without a person; not what waits for one under another name.
HEALED = """
    SELECT d.kind, count(*) FROM payments_discrepancy d
    WHERE d.last_run_id = %(run)s AND d.details ? 'target' AND d.kind = ANY(%(kinds)s)
        AND d.status = 'resolved' AND d.closed_by_id IS NULL AND NOT EXISTS (
            SELECT 1 FROM payments_discrepancy o
            WHERE o.object_key = d.object_key AND o.status IN ('open', 'acknowledged') AND o.id > d.id)
    GROUP BY d.kind ORDER BY d.kind
"""
HEALING_KINDS = [str(kind) for kind, one in DISPOSITIONS.items() if one.heal is not None]


def heal(run: ReconciliationRun) -> None:
    """Heal what may heal by itself, compare again, and tell people of what is urgent and stays.

    `run.healed` counts what is gone since, `run.stopped_healing` what was too much. Raises `ProviderError` when the
    provider is away: the run is gone on with later, and what was healed by then stays healed.
    """
    if run.resumed:
        # What was healed before it was cut off is nothing to ask about again.
        compare(run)
    tried: set[int] = set()
    for _ in range(ROUNDS):
        run.stopped_healing = breaker.stopped(run)
        run.save(update_fields=["stopped_healing"])
        if not _heal_round(run, tried):
            break
        compare(run)
        _note_healed(run)
    lift_needless()
    with transaction.atomic():
        tell_of_urgent(run_id=run.pk)


def _heal_round(run: ReconciliationRun, tried: set[int]) -> bool:
    """Try each that was not tried yet; whether there was any."""
    is_any, unreached = False, 0
    while batch := _next(run, tried):
        is_any = True
        for row in batch:
            tried.add(row.pk)
            error = _try(run, row)
            unreached = unreached + 1 if isinstance(error, Unreachable | RateLimited) else 0
            if error is not None and unreached >= FAILURES_IN_A_ROW:
                raise error
    return is_any


def _next(run: ReconciliationRun, tried: set[int]) -> list[Discrepancy]:
    kinds = [kind for kind in HEALING_KINDS if kind not in run.stopped_healing]
    rows = Discrepancy.objects.filter(
        last_run=run, status__in=OPEN_STATES, kind__in=kinds, details__has_key="target"
    ).exclude(pk__in=tried)
    return list(rows.order_by("id")[:AT_ONCE])


def _try(run: ReconciliationRun, row: Discrepancy) -> Exception | None:
    """Whatever one of them does, the others have their turn."""
    try:
        cure(run, row)
    except Exception as error:
        level = logging.WARNING if isinstance(error, ProviderError) else logging.ERROR
        logger.log(level, "%s %s could not be healed", row.kind, row.object_key, exc_info=error)
        TRIED.labels(row.kind, "failed").inc()
        return error
    TRIED.labels(row.kind, "tried").inc()
    return None


def _note_healed(run: ReconciliationRun) -> None:
    with connection.cursor() as cursor:
        cursor.execute(HEALED, {"run": run.pk, "kinds": HEALING_KINDS})
        run.healed = {str(DiscrepancyKind(kind)): count for kind, count in cursor.fetchall()}
    run.save(update_fields=["healed"])
