"""Writing an entry into the journal: in the caller's transaction, once, with every account it needs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from payments.ledger.accounts import CHART, AccountName


@dataclass(frozen=True, slots=True)
class Line:
    """So much (debits positive, in minor units) on this account."""

    account: AccountName
    amount: int


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry as it is to be posted. `source` and `event` make it unique: posting it again changes nothing."""

    source: tuple[str, str]
    event: str
    currency: str
    livemode: bool
    effective_at: datetime
    lines: Sequence[Line] = field(default_factory=tuple)
    reverses: int | None = None
    memo: str = ""


LINES = """
    unnest(%(keys)s::text[], %(kinds)s::text[], %(sides)s::smallint[], %(pools)s::bigint[], %(players)s::bigint[],
           %(providers)s::text[], %(amounts)s::bigint[])
    WITH ORDINALITY AS l (key, kind, side, pool, player, provider, amount, place)
"""

ACCOUNTS = f"""
    INSERT INTO payments_account (kind, normal_side, currency_id, livemode, pool_id, player_id, provider)
    SELECT DISTINCT l.kind, l.side, %(currency)s, %(livemode)s::boolean, l.pool, l.player, l.provider
    FROM {LINES} WHERE NOT EXISTS (SELECT 1 FROM payments_account a WHERE a.key = l.key)
    ON CONFLICT DO NOTHING
"""

# The day of an instant in the finance zone; the first open day, where that one's month is closed.
FINANCE_DATE = """greatest(({instant} AT TIME ZONE %(zone)s)::date,
    (SELECT max(last_day) + 1 FROM payments_periodclose WHERE status = 'closed'))"""

# A line whose account is missing would leave the entry unbalanced, and the commit would refuse it.
ENTRY = f"""
    WITH entry AS (
        INSERT INTO payments_journalentry (
            source_type, source_id, event, currency_id, livemode, effective_at, finance_date, reverses_id, memo)
        VALUES (%(type)s, %(id)s, %(event)s, %(currency)s, %(livemode)s, %(at)s,
                {FINANCE_DATE.format(instant="%(at)s::timestamptz")}, %(reverses)s, %(memo)s)
        ON CONFLICT (source_type, source_id, event) DO NOTHING
        RETURNING id
    ), lines AS (
        INSERT INTO payments_posting (journal_entry_id, account_id, currency_id, livemode, amount)
        SELECT entry.id, a.id, %(currency)s, %(livemode)s, l.amount
        FROM entry CROSS JOIN {LINES} JOIN payments_account a ON a.key = l.key
        ORDER BY l.place
    )
    SELECT (SELECT id FROM entry), EXISTS (
        SELECT 1 FROM payments_journalentry j
        WHERE (j.source_type, j.source_id, j.event) = (%(type)s, %(id)s, %(event)s) AND (
            SELECT array_agg(a.key || ' ' || p.amount ORDER BY a.key, p.amount)
            FROM payments_posting p JOIN payments_account a ON a.id = p.account_id WHERE p.journal_entry_id = j.id
        ) IS DISTINCT FROM (SELECT array_agg(l.key || ' ' || l.amount ORDER BY l.key, l.amount) FROM {LINES})
    )
"""


class BookedOtherwise(RuntimeError):
    """This event of this source is in the journal, with other lines: one of the two is wrong, and nobody may go on."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(f"{draft.event} of {' '.join(draft.source)} is booked already, and otherwise")


def post(draft: Draft) -> int | None:
    """Write the entry; its id, or None where this event of this source is in the journal already.

    Lines of nothing are left out, and an entry without any line is not written. Refuses lines that do not add up, an
    event that is there with other lines, and to be called outside a transaction: what is booked and what happened
    commit together or not at all.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("post() belongs into the transaction of what it books")
    lines = [line for line in draft.lines if line.amount]
    if sum(line.amount for line in lines):
        raise ValueError(f"{draft.source} {draft.event} does not add up: {lines}")
    if not lines:
        return None
    with connection.cursor() as cursor:
        parameters = _parameters(draft, lines)
        cursor.execute(ACCOUNTS, parameters)
        cursor.execute(ENTRY, parameters)
        entry_id, is_otherwise = cursor.fetchone()
    if is_otherwise:
        raise BookedOtherwise(draft)
    return None if entry_id is None else int(entry_id)


def _parameters(draft: Draft, lines: Sequence[Line]) -> dict[str, Any]:
    source_type, source_id = draft.source
    return {
        "keys": [key_of(line.account, draft.currency, livemode=draft.livemode) for line in lines],
        "type": source_type,
        "id": source_id,
        "event": draft.event,
        "currency": draft.currency,
        "livemode": draft.livemode,
        "at": draft.effective_at,
        "zone": settings.FINANCE_TIME_ZONE.key,
        "reverses": draft.reverses,
        "memo": draft.memo,
        "kinds": [str(line.account.kind) for line in lines],
        "sides": [int(CHART[line.account.kind].side) for line in lines],
        "pools": [line.account.pool_id for line in lines],
        "players": [line.account.player_id for line in lines],
        "providers": [line.account.provider for line in lines],
        "amounts": [line.amount for line in lines],
    }


def key_of(account: AccountName, currency: str, *, livemode: bool) -> str:
    """What the table's own `key` comes to."""
    parts = (account.kind, currency, str(livemode).lower(), account.pool_id, account.player_id, account.provider)
    return "/".join("" if part is None else str(part) for part in parts)
