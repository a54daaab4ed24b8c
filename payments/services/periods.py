"""Closing months: somebody proposes, somebody else closes, and what the books had come to is sealed with a digest.

While a month is closed nobody writes into the journal. What is learned about it later is booked with the first open day
as its finance date; when it happened stays in `effective_at`.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction

from accounts.models import User
from config.audit import attribute
from config.errors import Code, Conflict, Unavailable, invalid
from config.locks import allow_long_statements
from payments.models import Discrepancy, PeriodClose, PeriodState
from payments.models.discrepancy import OPEN_STATES

PATIENCE = "3s"
NO_WRITERS = "LOCK TABLE payments_journalentry, payments_posting IN SHARE ROW EXCLUSIVE MODE"

# Debits and credits of each kind of account, pool and provider; players are added up.
STANDS = """
    SELECT a.currency_id, a.livemode, a.kind, a.pool_id, a.provider,
           coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0)::bigint,
           coalesce(-sum(p.amount) FILTER (WHERE p.amount < 0), 0)::bigint
    FROM payments_posting p
    JOIN payments_journalentry j ON j.id = p.journal_entry_id
    JOIN payments_account a ON a.id = p.account_id
    WHERE j.finance_date <= %s
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4 NULLS FIRST, 5
"""
NAMES = ("currency", "livemode", "kind", "pool", "provider", "debit", "credit")
COUNTED = "SELECT count(*), coalesce(max(id), 0) FROM payments_journalentry WHERE finance_date <= %s"

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """A closed month that is not what it was."""

    period: PeriodClose
    because: str


@transaction.atomic
def propose_period(*, first_day: date, by: User, now: datetime) -> PeriodClose:
    """Propose to close a month. Refuses one that is not over, and any but the one after the last that was closed."""
    if first_day.day != 1:
        raise invalid("first_day", "A month begins on its first day.")
    last_day = _last_of(first_day)
    if last_day >= now.astimezone(settings.FINANCE_TIME_ZONE).date():
        raise Conflict(Code.PERIOD_CLOSED, f"{first_day:%B %Y} is not over.")
    expected = next_open_month()
    if expected is not None and first_day != expected:
        raise Conflict(Code.PERIOD_CLOSED, f"The next month to be closed is {expected:%B %Y}.")
    if PeriodClose.objects.filter(first_day=first_day, status=PeriodState.PROPOSED).exists():
        raise Conflict(Code.PERIOD_CLOSED, f"To close {first_day:%B %Y} has been proposed already.")
    attribute(by=by)
    return PeriodClose.objects.create(first_day=first_day, last_day=last_day, proposed_by=by)


@transaction.atomic
def withdraw_period(*, period_id: int, by: User, reason: str) -> PeriodClose:
    """Take a proposal back, or turn it down."""
    period = PeriodClose.objects.locked().get(pk=period_id)
    period.move_to(PeriodState.WITHDRAWN)
    attribute(by=by, reason=reason)
    period.save(update_fields=["status"])
    return period


@transaction.atomic(durable=True)
def close_period(*, period_id: int, by: User, now: datetime) -> PeriodClose:
    """Close the month for good. Whoever writes into the journal waits meanwhile.

    Refuses who proposed it, books that do not balance, a month that is not the next, and (503) a moment in which
    somebody writes without a pause. Refuses to be called in a transaction, which would keep all writers waiting.
    """
    _no_writers()
    period = PeriodClose.objects.locked().get(pk=period_id)
    if period.proposed_by_id == by.pk:
        raise Conflict(Code.SECOND_NAME_NEEDED, "Somebody else has to close what you proposed.")
    period.move_to(PeriodState.CLOSED)
    before = PeriodClose.objects.filter(status=PeriodState.CLOSED).order_by("-last_day").first()
    if before is not None and period.first_day != before.last_day + timedelta(days=1):
        raise Conflict(Code.PERIOD_CLOSED, "Months are closed one after another.")
    lines = trial_balance_through(period.last_day)
    _check_balanced(lines)
    attribute(by=by)
    period.trial_balance = lines
    period.entries, period.last_entry_id = _counted(period.last_day)
    period.open_discrepancies = Discrepancy.objects.filter(status__in=OPEN_STATES).count()
    period.previous_digest = before.digest if before else ""
    period.digest = digest_of(period)
    period.closed_by, period.closed_at = by, now
    period.save()
    return period


def next_open_month() -> date | None:
    """The first day of the month that is closed next; None where none was closed and the first may be any."""
    last = PeriodClose.objects.filter(status=PeriodState.CLOSED).order_by("-last_day").first()
    return last.last_day + timedelta(days=1) if last else None


def trial_balance_through(day: date) -> list[Line]:
    """What the books come to, of all entries whose finance date is that day or before."""
    with connection.cursor() as cursor:
        cursor.execute(STANDS, [day])
        return [dict(zip(NAMES, row, strict=True)) for row in cursor.fetchall()]


def digest_of(period: PeriodClose) -> str:
    """SHA-256 over the digest of the month before, the month, and its trial balance as canonical JSON."""
    said = [
        period.previous_digest, period.first_day.isoformat(), period.last_day.isoformat(), period.entries,
        period.last_entry_id, period.trial_balance,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def broken_periods() -> list[Broken]:
    """Every closed month whose seal is broken, or whose entries come to something else by now: none, in right books."""
    found: list[Broken] = []
    previous = ""
    for period in PeriodClose.objects.filter(status=PeriodState.CLOSED).order_by("last_day"):
        if period.previous_digest != previous or digest_of(period) != period.digest:
            found.append(Broken(period, "its digest does not fit"))
        elif trial_balance_through(period.last_day) != period.trial_balance:
            found.append(Broken(period, "its entries come to something else than when it was closed"))
        previous = period.digest
    return found


def _no_writers() -> None:
    allow_long_statements()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
            cursor.execute(NO_WRITERS)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "55P03":
            raise
        raise Unavailable(
            Code.SERVICE_UNAVAILABLE, "The books are being written to without a pause. Try again in a moment."
        ) from None


def _check_balanced(lines: Iterable[Line]) -> None:
    sums: dict[tuple[str, bool], int] = {}
    for line in lines:
        key = (line["currency"], line["livemode"])
        sums[key] = sums.get(key, 0) + line["debit"] - line["credit"]
    if any(sums.values()):
        raise Conflict(Code.PERIOD_CLOSED, "The books do not balance: a month is closed only when they do.")


def _counted(day: date) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, [day])
        count, last = cursor.fetchone()
    return int(count), int(last)


def _last_of(first_day: date) -> date:
    return (first_day + timedelta(days=31)).replace(day=1) - timedelta(days=1)
