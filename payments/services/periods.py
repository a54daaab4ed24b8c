"""Closing months: somebody proposes, somebody else closes, and what the books had come to is sealed with a digest.

While a month is closed nobody writes into the journal. What is learned about it later is booked with the first open day
as its finance date; when it happened stays in `effective_at`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from config.audit import attribute
from config.clock import finance_date, last_of_month
from config.errors import Code, Conflict, invalid
from config.locks import advisory_lock, allow_long_statements, keep_writers_out
from config.phrases import phrase
from payments.models import Discrepancy, PeriodClose, PeriodState
from payments.models.discrepancy import OPEN_STATES
from payments.reports.base import check_day

PATIENCE = "3s"
# Debits and credits of each month on each kind of account, pool and provider; players are added up.
FLOWS = """
    SELECT date_trunc('month', j.finance_date)::date, a.currency_id, a.livemode, a.kind, a.pool_id, a.provider,
           coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0)::bigint,
           coalesce(-sum(p.amount) FILTER (WHERE p.amount < 0), 0)::bigint
    FROM payments_posting p
    JOIN payments_journalentry j ON j.id = p.journal_entry_id
    JOIN payments_account a ON a.id = p.account_id
    WHERE j.finance_date <= %s
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1
"""
NAMES = ("currency", "livemode", "kind", "pool", "provider")
COUNTED = "SELECT count(*), coalesce(max(id), 0) FROM payments_journalentry WHERE finance_date <= %s"

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """A closed month that is not what it was."""

    period: PeriodClose
    because: str


@transaction.atomic
def propose_period(*, first_day: date, by: User, now: datetime) -> PeriodClose:
    """Propose to close a month. Refuses one that is not over, or in a year that nobody means, and any but the one after
    the last that was closed."""
    if first_day.day != 1:
        raise invalid("first_day", "A month begins on its first day.")
    last_day = last_of_month(first_day)
    if last_day >= finance_date(now):
        raise Conflict(Code.PERIOD_CLOSED, phrase("{first_day:month} is not over.", first_day=first_day))
    # All months from the first on are closed one after another: from the year 202 nobody comes to this one.
    check_day("first_day", first_day)
    # Two who propose at once: the second finds what the first proposed.
    advisory_lock("propose a period")
    expected = next_open_month()
    if expected is not None and first_day != expected:
        raise Conflict(
            Code.PERIOD_CLOSED, phrase("The next month to be closed is {expected:month}.", expected=expected)
        )
    if PeriodClose.objects.filter(first_day=first_day, status=PeriodState.PROPOSED).exists():
        raise Conflict(
            Code.PERIOD_CLOSED, phrase("To close {first_day:month} has been proposed already.", first_day=first_day)
        )
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
def close_period(*, period_id: int, by: User, now: datetime, seen: str = "") -> PeriodClose:
    """Close the month for good. Whoever writes into the journal waits meanwhile.

    Refuses who proposed it, books that do not balance or are not as they were `seen` (VERSION_CONFLICT, see
    `books_of`), a month that is not the next, and (503) a moment in which somebody writes without a pause. Refuses to
    be called in a transaction, which would keep all writers waiting.
    """
    allow_long_statements()
    keep_writers_out("payments_journalentry", "payments_posting", patience=PATIENCE)
    period = PeriodClose.objects.locked().get(pk=period_id)
    if period.proposed_by_id == by.pk:
        raise Conflict(Code.SECOND_NAME_NEEDED, "Somebody else has to close what you proposed.")
    period.move_to(PeriodState.CLOSED)
    before = _last_closed()
    if before is not None and period.first_day != before.last_day + timedelta(days=1):
        raise Conflict(Code.PERIOD_CLOSED, "Months are closed one after another.")
    period.entries, period.last_entry_id = _counted(period.last_day)
    if seen not in ("", _stand(period.entries, period.last_entry_id)):
        raise Conflict(Code.VERSION_CONFLICT, "More was booked since you looked: read it again, then close.")
    (lines,) = trial_balances([period.last_day])
    _check_balanced(lines)
    attribute(by=by)
    period.trial_balance = lines
    period.open_discrepancies = Discrepancy.objects.filter(status__in=OPEN_STATES).count()
    period.previous_digest = before.digest if before else ""
    period.digest = digest_of(period)
    period.closed_by, period.closed_at = by, now
    period.save()
    return period


def books_of(period: PeriodClose) -> str:
    """What tells whether anything was booked since: entries are never changed, so how many and the last are enough."""
    return _stand(*_counted(period.last_day))


def _stand(entries: int, last_entry_id: int) -> str:
    return f"{entries}-{last_entry_id}"


def next_open_month() -> date | None:
    """The first day of the month that is closed next; None where none was closed and the first may be any."""
    last = _last_closed()
    return last.last_day + timedelta(days=1) if last else None


def trial_balances(last_days: Sequence[date]) -> Iterator[list[Line]]:
    """What the books come to through each of these last days of months, oldest first: one look for all of them."""
    if not last_days:
        return
    with connection.cursor() as cursor:
        cursor.execute(FLOWS, [last_days[-1]])
        flows = cursor.fetchall()
    stands: dict[tuple[Any, ...], tuple[int, int]] = {}
    place = 0
    for day in last_days:
        while place < len(flows) and flows[place][0] <= day:
            _, *account, debit, credit = flows[place]
            debits, credits = stands.get(tuple(account), (0, 0))
            stands[tuple(account)] = debits + debit, credits + credit
            place += 1
        lines = [
            dict(zip(NAMES, account, strict=True)) | {"debit": debits, "credit": credits}
            for account, (debits, credits) in stands.items()
        ]
        yield sorted(lines, key=_in_order)


def digest_of(period: PeriodClose) -> str:
    """SHA-256 over the digest of the month before, the month, and its trial balance as canonical JSON."""
    said = [
        period.previous_digest, period.first_day.isoformat(), period.last_day.isoformat(), period.entries,
        period.last_entry_id, period.trial_balance,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@transaction.atomic
def broken_periods() -> list[Broken]:
    """Every closed month whose seal is broken, or whose entries come to something else by now: none, in right books."""
    allow_long_statements()
    found: list[Broken] = []
    previous = ""
    closed = list(PeriodClose.objects.filter(status=PeriodState.CLOSED).order_by("last_day"))
    for period, lines in zip(closed, trial_balances([period.last_day for period in closed]), strict=True):
        if period.previous_digest != previous or digest_of(period) != period.digest:
            found.append(Broken(period, "its digest does not fit"))
        elif lines != sorted(period.trial_balance, key=_in_order):
            found.append(Broken(period, "its entries come to something else than when it was closed"))
        previous = period.digest
    return found


def _last_closed() -> PeriodClose | None:
    return PeriodClose.objects.filter(status=PeriodState.CLOSED).order_by("-last_day").first()


def _in_order(line: Line) -> tuple[Any, ...]:
    return line["currency"], line["livemode"], line["kind"], line["pool"] or 0, line["provider"]


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
