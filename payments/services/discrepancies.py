"""The queue of what the machine is not certain about: rows are raised by whoever doubts, and closed by a person, or by
the machine once the doubt is gone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from config import metrics
from config.audit import attribute
from config.clock import ClockTimestamp
from config.errors import Code, NotFound, invalid
from payments.models import Discrepancy, DiscrepancyKind, DiscrepancyState
from payments.models.discrepancy import OPEN_STATES

RAISED = metrics.counter("discrepancies", "What was put before a person, by kind.", ["kind"])
REASON_LENGTH = 500


@transaction.atomic
def raise_discrepancy(
    *,
    kind: DiscrepancyKind,
    object_key: str,
    sentence: str,
    suggestion: str,
    details: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
) -> int:
    """Put something before a person; the row's id. While it is open, raising it again only counts and freshens it.

    `object_key` names what it is about: `receipt:12`, `refund:3`, `charge:stripe:ch_1`. In the caller's transaction,
    if there is one: a doubt about what was rolled back is none.
    """
    row, is_new = Discrepancy.objects.get_or_create(
        kind=kind,
        object_key=object_key[:300],
        status__in=OPEN_STATES,
        defaults={
            "status": DiscrepancyState.OPEN,
            "sentence": sentence[:500],
            "suggestion": suggestion[:500],
            "details": dict(details or {}),
            "due_at": due_at,
        },
    )
    if is_new:
        RAISED.labels(kind).inc()
        return row.pk
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_discrepancy SET times_seen = times_seen + 1, last_seen_at = clock_timestamp(),"
            " sentence = %s, due_at = coalesce(%s, due_at) WHERE id = %s",
            [sentence[:500], due_at, row.pk],
        )
    return row.pk


def raise_once(
    *,
    kind: DiscrepancyKind,
    object_key: str,
    sentence: str,
    suggestion: str,
    details: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
) -> None:
    """The same, but never again once a person has dealt with it: what a sweep sees every day is no news."""
    if not Discrepancy.objects.filter(kind=kind, object_key=object_key[:300]).exists():
        raise_discrepancy(
            kind=kind, object_key=object_key, sentence=sentence, suggestion=suggestion, details=details, due_at=due_at
        )


@transaction.atomic
def settle_discrepancy(*, kind: DiscrepancyKind, object_key: str, resolution: str) -> bool:
    """The doubt is gone by itself; whether there was one."""
    row = Discrepancy.objects.locked().filter(kind=kind, object_key=object_key[:300], status__in=OPEN_STATES).first()
    if row is None:
        return False
    attribute(reason=resolution)
    _close(row, DiscrepancyState.RESOLVED, None, resolution)
    return True


@transaction.atomic
def acknowledge(*, discrepancy_id: int, by: User) -> Discrepancy:
    """Somebody looks after it: `by` is its owner from now on. Refuses one that is closed."""
    row = _locked(discrepancy_id)
    attribute(by=by, reason="looks after it")
    if row.status != DiscrepancyState.ACKNOWLEDGED:
        row.move_to(DiscrepancyState.ACKNOWLEDGED)
    row.owner = by
    row.save(update_fields=["status", "owner"])
    return row


@transaction.atomic
def resolve(*, discrepancy_id: int, by: User, resolution: str) -> Discrepancy:
    """It is dealt with, and how. Refuses one that is closed, and an empty resolution."""
    resolution = resolution.strip()
    if not 0 < len(resolution) <= REASON_LENGTH:
        raise invalid("resolution", f"Say how, in 1 to {REASON_LENGTH} characters.")
    row = _locked(discrepancy_id)
    attribute(by=by, reason=resolution)
    return _close(row, DiscrepancyState.RESOLVED, by, resolution)


def _locked(discrepancy_id: int) -> Discrepancy:
    row = Discrepancy.objects.locked().filter(pk=discrepancy_id).first()
    if row is None:
        raise NotFound(Code.NOT_FOUND, "There is no such discrepancy.")
    return row


def _close(row: Discrepancy, status: DiscrepancyState, by: User | None, resolution: str) -> Discrepancy:
    row.move_to(status)
    row.closed_at = ClockTimestamp()
    row.closed_by, row.resolution = by, resolution[:REASON_LENGTH]
    row.save(update_fields=["status", "closed_at", "closed_by", "resolution"])
    return row
