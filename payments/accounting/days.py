"""What of each day is not exported yet, and what it comes to by account and pool.

A day is the entry's own, in the finance zone, written when it was booked. An entry that is booked late for a day which
was exported is a part of its own, for the next batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from payments.ledger.accounts import Kind

# Of one batch, so that a house that begins to export after years has files that can be imported.
MOST_DAYS = 92

# A batch has all lines, up to the one that it was made at, of all days through its last: what is pending came later,
# or is of later days. So the journal is not read from its beginning each time.
PENDING = """
    WITH last AS (
        SELECT through_day, as_of_posting FROM payments_journalbatch
        WHERE (system, livemode, status) = (%(system)s, %(livemode)s, 'made') ORDER BY number DESC LIMIT 1
    ), line AS (
        SELECT j.finance_date AS day, l.id
        FROM payments_posting l JOIN payments_journalentry j ON j.id = l.journal_entry_id
        WHERE l.id > coalesce((SELECT as_of_posting FROM last), 0)
            AND j.livemode = %(livemode)s AND j.finance_date <= %(through)s
        UNION ALL
        SELECT j.finance_date, l.id
        FROM payments_posting l JOIN payments_journalentry j ON j.id = l.journal_entry_id
        WHERE l.id <= (SELECT as_of_posting FROM last) AND j.finance_date > (SELECT through_day FROM last)
            AND j.livemode = %(livemode)s AND j.finance_date <= %(through)s
    )
    SELECT line.day, coalesce(done.through, 0), max(line.id), coalesce(done.parts, 0) + 1
    FROM line
    LEFT JOIN (
        SELECT day, max(through_posting) AS through, count(*) AS parts FROM payments_journalbatchday
        WHERE (system, livemode) = (%(system)s, %(livemode)s) AND holds GROUP BY day
    ) done ON done.day = line.day
    WHERE line.id > coalesce(done.through, 0) AND (%(as_of)s::bigint IS NULL OR line.id <= %(as_of)s::bigint)
    GROUP BY line.day, done.through, done.parts
    ORDER BY line.day
    LIMIT %(most)s
"""

SUMS = """
    SELECT d.day, d.part, a.currency_id, a.kind, a.provider, a.pool_id, pool.name, sum(l.amount)::bigint
    FROM unnest(%(days)s::date[], %(afters)s::bigint[], %(throughs)s::bigint[], %(parts)s::int[])
        AS d (day, after, through, part)
    JOIN payments_journalentry j ON j.finance_date = d.day AND j.livemode = %(livemode)s
    JOIN payments_posting l ON l.journal_entry_id = j.id AND l.id > d.after AND l.id <= d.through
    JOIN payments_account a ON a.id = l.account_id
    LEFT JOIN pools_pool pool ON pool.id = a.pool_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    HAVING sum(l.amount) <> 0
    ORDER BY d.day, a.currency_id, array_position(%(chart)s::text[], a.kind::text), a.pool_id NULLS FIRST, a.provider
"""


@dataclass(frozen=True, slots=True)
class DayPart:
    """The lines of a day after one, through another; `part` counts the batches that have something of this day."""

    day: date
    after: int
    through: int
    part: int


@dataclass(frozen=True, slots=True)
class Summed:
    """What one kind of account, of one pool and provider, came to in a part of a day. Debits are positive."""

    day: date
    part: int
    currency: str
    kind: Kind
    provider: str
    pool_id: int | None
    pool_name: str | None
    amount: int


def pending_days(*, system: str, livemode: bool, through: date, as_of: int | None = None) -> list[DayPart]:
    """What is not exported yet of the days through this one, oldest first, at most `MOST_DAYS` of them.

    `as_of` is the last line that counts; without it, all that are there.
    """
    asked: dict[str, Any] = {
        "system": system,
        "livemode": livemode,
        "through": through,
        "as_of": as_of,
        "most": MOST_DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(PENDING, asked)
        return [DayPart(*row) for row in cursor.fetchall()]


def sums_of_days(days: Sequence[DayPart], *, livemode: bool) -> Iterator[Summed]:
    """What these parts of days come to: by day, currency, account and pool, in one order."""
    asked: dict[str, Any] = {
        "days": [one.day for one in days],
        "afters": [one.after for one in days],
        "throughs": [one.through for one in days],
        "parts": [one.part for one in days],
        "livemode": livemode,
        "chart": [kind.value for kind in Kind],
    }
    with connection.cursor() as cursor:
        cursor.execute(SUMS, asked)
        rows = cursor.fetchall()
    return (
        Summed(day, part, code, Kind(kind), provider, pool, name, int(amount))
        for day, part, code, kind, provider, pool, name, amount in rows
    )
