"""Writing many entries at once: what no service books one by one, because it came in as a set."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from payments.ledger.accounts import CHART
from payments.ledger.posting import FINANCE_DATE

DRAFT = "CREATE TEMP TABLE ledger_draft ON COMMIT DROP AS {lines}"

ACCOUNTS = """
    INSERT INTO payments_account (kind, normal_side, currency_id, livemode, pool_id, player_id, provider)
    SELECT DISTINCT l.kind, k.side, l.currency, l.livemode, l.pool_id, l.player_id, l.provider
    FROM ledger_draft l
    JOIN unnest(%(kinds)s::text[], %(sides)s::smallint[]) AS k (kind, side) USING (kind)
    LEFT JOIN payments_account a ON (a.kind, a.currency_id, a.livemode, a.provider)
            = (l.kind, l.currency, l.livemode, l.provider)
        AND a.pool_id IS NOT DISTINCT FROM l.pool_id AND a.player_id IS NOT DISTINCT FROM l.player_id
    WHERE a.id IS NULL AND l.amount <> 0
    ON CONFLICT DO NOTHING
"""

ENTRIES = f"""
    WITH entry AS (
        INSERT INTO payments_journalentry (
            source_type, source_id, event, currency_id, livemode, effective_at, finance_date, memo)
        SELECT source_type, source_id, event, currency, livemode, effective_at,
               {FINANCE_DATE.format(instant="effective_at")}, ''
        FROM ledger_draft WHERE amount <> 0
        GROUP BY row_id, source_type, source_id, event, currency, livemode, effective_at ORDER BY row_id
        ON CONFLICT (source_type, source_id, event) DO NOTHING
        RETURNING id, source_type, source_id, event
    ), lines AS (
        INSERT INTO payments_posting (journal_entry_id, account_id, currency_id, livemode, amount)
        SELECT entry.id, a.id, l.currency, l.livemode, l.amount
        FROM entry
        JOIN ledger_draft l USING (source_type, source_id, event)
        JOIN payments_account a ON a.key = concat_ws('/', l.kind, l.currency, l.livemode::text,
            coalesce(l.pool_id::text, ''), coalesce(l.player_id::text, ''), l.provider)
        WHERE l.amount <> 0
        ORDER BY entry.id, l.place
    )
    SELECT count(*) FROM entry
"""


class Posted(NamedTuple):
    """How many entries are new, of how many drafts; the last row of these, and when the earliest of them happened."""

    entries: int
    drafts: int
    last_row: int
    earliest: datetime | None


def post_set(lines: str, parameters: Mapping[str, Any]) -> Posted:
    """Write an entry for each source that the SELECT `lines` tells of; those in the journal already stay as they are.

    It has a row for each line, with the columns row_id, source_type, source_id, event, currency, livemode,
    effective_at, place (the order of the lines), kind, pool_id, player_id, provider and amount. As with `post()`, lines
    of nothing are left out, what does not add up is refused at commit, and a call outside a transaction at once.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("post_set() belongs into the transaction of what it books")
    named = {
        "kinds": [str(kind) for kind in CHART],
        "sides": [int(meaning.side) for meaning in CHART.values()],
        "zone": settings.FINANCE_TIME_ZONE.key,
    }
    with connection.cursor() as cursor:
        cursor.execute(DRAFT.format(lines=lines), parameters)
        cursor.execute("SELECT count(DISTINCT row_id), coalesce(max(row_id), 0), min(effective_at) FROM ledger_draft")
        drafts, last_row, earliest = cursor.fetchone()
        entries = 0
        if drafts:
            cursor.execute("ANALYZE ledger_draft")
            cursor.execute(ACCOUNTS, named)
            cursor.execute(ENTRIES, named)
            (entries,) = cursor.fetchone()
        cursor.execute("DROP TABLE ledger_draft")
    return Posted(entries, drafts, last_row, earliest)
