"""The statement of one account: what it stood at, every line of a period, what it stands at."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

BEFORE = "SELECT id FROM payments_journalentry WHERE posted_at < %s ORDER BY posted_at DESC, id DESC LIMIT 1"
NEWEST = "SELECT max(id) FROM payments_journalentry"

# All of it stands in one index, `posting_of_account`: no line itself is looked at.
STANDS = """
    SELECT coalesce(sum(amount) FILTER (WHERE journal_entry_id <= %(first)s), 0)::bigint,
           coalesce(sum(amount) FILTER (WHERE journal_entry_id <= %(last)s), 0)::bigint,
           coalesce(sum(amount) FILTER (WHERE journal_entry_id > %(first)s AND journal_entry_id <= %(last)s
                                        AND amount > 0), 0)::bigint,
           coalesce(-sum(amount) FILTER (WHERE journal_entry_id > %(first)s AND journal_entry_id <= %(last)s
                                         AND amount < 0), 0)::bigint
    FROM payments_posting WHERE account_id = %(account)s
"""

LINES = """
    SELECT page.*, (%(carried)s + sum(amount) OVER (ORDER BY line))::bigint
    FROM (
        SELECT l.id AS line, j.id, j.posted_at, j.effective_at, j.finance_date, j.source_type, j.source_id, j.event,
               l.amount
        FROM payments_posting l JOIN payments_journalentry j ON j.id = l.journal_entry_id
        WHERE l.account_id = %(account)s AND l.id > %(after)s
            AND l.journal_entry_id > %(first)s AND l.journal_entry_id <= %(last)s
        ORDER BY l.id LIMIT %(limit)s
    ) page
    ORDER BY line
"""


class Position(NamedTuple):
    """Where a page ended: the line, and the balance after it."""

    posting_id: int
    balance: int


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line, with what the account came to by it. Amounts are signed as posted, debits positive."""

    posting_id: int
    entry_id: int
    posted_at: datetime
    effective_at: datetime
    finance_date: date
    source_type: str
    source_id: str
    event: str
    amount: int
    balance: int


@dataclass(frozen=True, slots=True)
class Statement:
    """`opening` + `debits` - `credits` of the period = `closing`; `carried` is the balance before this page's lines."""

    opening: int
    closing: int
    debits: int
    credits: int
    carried: int
    lines: list[StatementLine]
    next: Position | None


def account_statement(
    *,
    account_id: int,
    since: datetime | None = None,
    until: datetime | None = None,
    after: Position | None = None,
    limit: int = 50,
) -> Statement:
    """What was posted on the account from `since` on and before `until`, in the order of the lines, page by page."""
    bounds = {"account": account_id, "first": _before(since) if since else 0, "last": _before(until)}
    with connection.cursor() as cursor:
        cursor.execute(STANDS, bounds)
        opening, closing, debits, credits = cursor.fetchone()
        carried, last_line = (after.balance, after.posting_id) if after else (opening, 0)
        cursor.execute(LINES, {**bounds, "after": last_line, "carried": carried, "limit": limit + 1})
        lines = [StatementLine(*row) for row in cursor.fetchall()]
    page = lines[:limit]
    more = Position(page[-1].posting_id, page[-1].balance) if len(lines) > limit else None
    return Statement(opening, closing, debits, credits, carried, page, more)


def _before(instant: datetime | None) -> int:
    """The last entry that was posted before then; the newest of all where no instant is given."""
    with connection.cursor() as cursor:
        cursor.execute(*((NEWEST,) if instant is None else (BEFORE, [instant])))
        row = cursor.fetchone()
    return int(row[0] or 0) if row else 0
