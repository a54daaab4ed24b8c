"""The queue of what the machine is not certain about: rows are raised by whoever doubts, and closed by a person, or by
the machine once the doubt is gone.

What people do to a row besides looking after it and closing it stands in `payments.services.queue`.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import User
from config import metrics, outbox
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.errors import Code, Conflict, InvalidTransition, NotFound, invalid
from config.models import OutboxMessage
from config.phrases import phrase
from payments.models import (
    Act,
    Discrepancy,
    DiscrepancyAct,
    DiscrepancyKind,
    DiscrepancyState,
    ForeignObject,
    ForeignState,
    Receipt,
    WriteOff,
    WriteOffState,
)
from payments.models.discrepancy import OPEN_STATES, URGENT

RAISED = metrics.counter("discrepancies", "What was put before a person, by kind.", ["kind"])
REASON_LENGTH = 500
PERMISSION = "payments.resolve_discrepancy"
# The first urgent row is told at once; those that follow within this time are told together, at its end.
TOLD_TOGETHER = timedelta(minutes=10)

FRESHEN = """
    UPDATE payments_discrepancy SET times_seen = times_seen + 1, last_seen_at = clock_timestamp(),
        sentence = %(sentence)s, due_at = coalesce(%(due_at)s, due_at),
        ours = coalesce(%(ours)s::jsonb, ours), theirs = coalesce(%(theirs)s::jsonb, theirs),
        amount_cents = coalesce(%(amount_cents)s, amount_cents), currency = coalesce(nullif(%(currency)s, ''), currency)
    WHERE id = %(id)s AND status IN ('open', 'acknowledged')
"""


@transaction.atomic
def raise_discrepancy(
    *,
    kind: DiscrepancyKind,
    object_key: str,
    sentence: str,
    suggestion: str,
    details: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    ours: Mapping[str, Any] | None = None,
    theirs: Mapping[str, Any] | None = None,
    amount_cents: int | None = None,
    currency: str = "",
) -> int:
    """Put something before a person; the row's id. While it is open, raising it again only counts and freshens it.

    `object_key` names what it is about: `receipt:12`, `refund:3`, `charge:stripe:ch_1`. `ours` and `theirs` are flat
    facts of both sides, for the eye; `amount_cents` is how much money it is about, unless `details` say so. What was
    marked as not ours is left alone: the answer is the row that says so. In the caller's transaction, if there is
    one: a doubt about what was rolled back is none.
    """
    key, facts = object_key[:300], dict(details or {})
    foreign = ForeignObject.objects.filter(object_key=key, status=ForeignState.FOREIGN).first()
    if foreign is not None:
        return foreign.discrepancy_id
    amount_cents = _number(facts.get("amount_cents")) if amount_cents is None else amount_cents
    seen = {
        "sentence": sentence[:500],
        "due_at": due_at,
        "amount_cents": amount_cents,
        "currency": "" if amount_cents is None else currency or _currency_of(facts),
    }
    row, is_new = Discrepancy.objects.get_or_create(
        kind=kind,
        object_key=key,
        status__in=OPEN_STATES,
        defaults={
            **seen,
            "status": DiscrepancyState.OPEN,
            "suggestion": suggestion[:500],
            "details": facts,
            "ours": dict(ours or {}),
            "theirs": dict(theirs or {}),
        },
    )
    if is_new:
        RAISED.labels(kind).inc()
        if kind in URGENT:
            _tell(row)
        return row.pk
    if _freshen(row, {**seen, "ours": _json(ours), "theirs": _json(theirs)}):
        return row.pk
    # Somebody has closed it in this very moment, and knew nothing of this.
    return raise_discrepancy(
        kind=kind, object_key=object_key, sentence=sentence, suggestion=suggestion, details=details, due_at=due_at,
        ours=ours, theirs=theirs, amount_cents=amount_cents, currency=currency,
    )  # fmt: skip


def raise_once(*, kind: DiscrepancyKind, object_key: str, **facts: Any) -> None:
    """The same, but never again once a person has dealt with it: what a sweep sees every day is no news."""
    if not Discrepancy.objects.filter(kind=kind, object_key=object_key[:300]).exists():
        raise_discrepancy(kind=kind, object_key=object_key, **facts)


@transaction.atomic
def settle_discrepancy(*, kind: DiscrepancyKind, object_key: str, resolution: str) -> bool:
    """The doubt is gone by itself; whether there was one. A write-off that somebody asked for is not needed then."""
    row = Discrepancy.objects.locked().filter(kind=kind, object_key=object_key[:300], status__in=OPEN_STATES).first()
    if row is None:
        return False
    attribute(reason=resolution)
    close(row, DiscrepancyState.RESOLVED, None, resolution)
    return True


@transaction.atomic
def acknowledge(*, discrepancy_id: int, by: User, take_over: bool = True) -> Discrepancy:
    """Somebody looks after it: `by` is its owner from now on. Refuses one that is closed.

    Without `take_over` also one that somebody else looks after (VERSION_CONFLICT): of two at once, one has it.
    """
    row = lock_open(discrepancy_id)
    if not take_over and row.owner_id not in (None, by.pk):
        raise Conflict(
            Code.VERSION_CONFLICT, phrase("{owner} looks after it already.", owner=row.owner), {"owner": row.owner_id}
        )
    attribute(by=by, reason="looks after it")
    _own(row, by)
    write_act(row, Act.LOOKED_AFTER, by)
    return row


@transaction.atomic
def give(*, discrepancy_id: int, to: User, by: User, reason: str = "") -> Discrepancy:
    """Let a colleague look after it. Refuses one that is closed, and a colleague who may not deal with it."""
    if not (to.is_active and to.has_perm(PERMISSION)):
        raise invalid("owner", phrase("{to} may not deal with discrepancies.", to=to))
    row = lock_open(discrepancy_id)
    attribute(by=by, reason=reason or f"given to {to}")
    _own(row, to)
    write_act(row, Act.GIVEN, by, reason, f"{to} looks after it.")
    return row


@transaction.atomic
def put_back(*, discrepancy_id: int, by: User, reason: str = "") -> Discrepancy:
    """Nobody looks after it any more. Refuses one that nobody does, and one that is closed."""
    row = lock_open(discrepancy_id)
    attribute(by=by, reason=reason or "put back")
    row.move_to(DiscrepancyState.OPEN)
    row.owner = None
    row.save(update_fields=["status", "owner"])
    write_act(row, Act.PUT_BACK, by, reason)
    return row


@transaction.atomic
def resolve(*, discrepancy_id: int, by: User, resolution: str) -> Discrepancy:
    """It is dealt with, and how. Refuses one that is closed, and an empty resolution."""
    resolution = written(resolution, "resolution")
    row = lock_open(discrepancy_id)
    attribute(by=by, reason=resolution)
    write_act(row, Act.RESOLVED, by, resolution)
    return close(row, DiscrepancyState.RESOLVED, by, resolution)


def written(text: str, field: str = "reason") -> str:
    """What a person said. Refuses nothing, and more than is kept."""
    text = text.strip()
    if not 0 < len(text) <= REASON_LENGTH:
        raise invalid(field, phrase("Say how, in 1 to {most} characters.", most=REASON_LENGTH))
    return text


def lock_open(discrepancy_id: int) -> Discrepancy:
    """The row, locked, after the money that it is about. Refuses what `find_open` refuses."""
    return find_open(discrepancy_id, Discrepancy.objects.locked())


def find_open(discrepancy_id: int, rows: QuerySet[Discrepancy] | None = None) -> Discrepancy:
    """The row. Refuses one that is not there (NOT_FOUND) or closed (INVALID_TRANSITION)."""
    row = (Discrepancy.objects.all() if rows is None else rows).filter(pk=discrepancy_id).first()
    if row is None:
        raise NotFound(Code.NOT_FOUND, "There is no such discrepancy.")
    if row.status not in OPEN_STATES:
        raise InvalidTransition("discrepancy", row.status, DiscrepancyState.RESOLVED)
    return row


def close(row: Discrepancy, status: DiscrepancyState, by: User | None, resolution: str) -> Discrepancy:
    """Close a locked row. In the caller's transaction, which has said who acts."""
    for wish in WriteOff.objects.locked().filter(discrepancy=row, status=WriteOffState.REQUESTED):
        wish.move_to(WriteOffState.DECLINED)
        wish.decided_by, wish.decided_at, wish.decision_reason = by, database_now(), f"not needed: {resolution}"[:500]
        wish.save(update_fields=["status", "decided_by", "decided_at", "decision_reason"])
    row.move_to(status)
    row.closed_at = ClockTimestamp()
    row.closed_by, row.resolution = by, resolution[:REASON_LENGTH]
    row.save(update_fields=["status", "closed_at", "closed_by", "resolution"])
    return row


def write_act(row: Discrepancy, act: Act, by: User, reason: str = "", outcome: str = "") -> DiscrepancyAct:
    """Write down what a person did to a row, and what came of it."""
    return DiscrepancyAct.objects.create(
        discrepancy=row, act=act, by=by, reason=reason[:REASON_LENGTH], outcome=outcome[:REASON_LENGTH]
    )


def tell_of_urgent(*, run_id: int) -> bool:
    """One mail to finance for all urgent rows that a run has opened; whether there are any. In its transaction."""
    if not Discrepancy.objects.filter(first_run_id=run_id, kind__in=URGENT, status__in=OPEN_STATES).exists():
        return False
    return outbox.post(kind="mail.urgent_discrepancies", key=f"urgent-run-{run_id}", payload={"run": run_id})


def _tell(row: Discrepancy) -> None:
    now = database_now()
    begun = datetime.fromtimestamp(
        now.timestamp() // TOLD_TOGETHER.total_seconds() * TOLD_TOGETHER.total_seconds(), UTC
    )
    key = f"urgent-{begun:%Y%m%d%H%M}"
    if outbox.post(kind="mail.urgent_discrepancies", key=key, payload={"discrepancy": row.pk}):
        return
    until, told = begun + TOLD_TOGETHER, OutboxMessage.objects.get(key=key).payload.get("discrepancy")
    outbox.post(
        kind="mail.urgent_discrepancies",
        key=f"{key}-rest",
        payload={"since": begun.isoformat(), "until": until.isoformat(), "told": told},
        delay=max(until - now, timedelta(seconds=1)),
    )


def _freshen(row: Discrepancy, seen: Mapping[str, Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(FRESHEN, {**seen, "id": row.pk})
        return bool(cursor.rowcount)


def _json(facts: Mapping[str, Any] | None) -> str | None:
    return None if facts is None else json.dumps(dict(facts))


def _own(row: Discrepancy, owner: User) -> None:
    if row.status != DiscrepancyState.ACKNOWLEDGED:
        row.move_to(DiscrepancyState.ACKNOWLEDGED)
    row.owner = owner
    row.save(update_fields=["status", "owner"])


def _currency_of(facts: Mapping[str, Any]) -> str:
    """As the facts say it; else that of the receipt that they name."""
    told, receipt_id = str(facts.get("currency") or ""), _number(facts.get("receipt"))
    if told or receipt_id is None:
        return told[:3]
    return Receipt.objects.filter(pk=receipt_id).values_list("currency", flat=True).first() or ""


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
