"""Tie-outs that the database alone can answer: banks, what is on its way to them, money by hand, forgotten money.

Each statement answers rows of currency, mode, provider, ours, theirs, and what differs.
"""

from dataclasses import dataclass

from django.db import connection

from config.locks import allow_long_statements, one_snapshot
from payments.models import DiscrepancyKind
from payments.reconciliation.tie_out import TieOut

# Money without a place is on its way back, or somebody's task, by then.
FORGOTTEN_AFTER_HOURS = 24

LEDGER = """
    SELECT a.currency_id AS currency, a.livemode, a.provider, coalesce(sum(l.amount), 0)::bigint AS cents
    FROM payments_account a LEFT JOIN payments_posting l ON l.account_id = a.id
    WHERE a.kind = '{kind}' GROUP BY a.currency_id, a.livemode, a.provider
"""

# A payout is on its way from the balance until the bank's line is found, and again where a bank sent it back.
IN_TRANSIT = f"""
    WITH ledger AS ({LEDGER.format(kind="bank_in_transit")}), sent AS (
        SELECT currency, livemode, provider, sum(cents)::bigint AS cents FROM (
            SELECT currency, livemode, provider, amount_cents AS cents FROM payments_providerpayout
            WHERE status <> 'failed'
            UNION ALL
            SELECT p.currency, p.livemode, p.provider, -m.amount_cents FROM payments_bankmatch m
            JOIN payments_providerpayout p ON p.id = m.payout_id WHERE m.undone_at IS NULL
        ) moved GROUP BY currency, livemode, provider
    )
    SELECT currency, livemode, provider, coalesce(l.cents, 0), coalesce(s.cents, 0), ARRAY[]::text[]
    FROM ledger l FULL JOIN sent s USING (currency, livemode, provider) ORDER BY 1, 2, 3
"""

# What is not known yet what it is stands on the statement and not in the books: it is added to ours.
BANK = f"""
    WITH ledger AS ({LEDGER.format(kind="bank")}), last AS (
        SELECT DISTINCT ON (s.account_id) a.currency, a.livemode, s.account_id, s.closing_cents, a.name
        FROM payments_bankstatement s JOIN payments_bankaccount a ON a.id = s.account_id
        ORDER BY s.account_id, s.last_on DESC, s.id DESC
    ), said AS (
        SELECT currency, livemode, sum(closing_cents)::bigint AS cents FROM last GROUP BY currency, livemode
    ), waiting AS (
        SELECT l.currency, a.livemode, sum(l.amount_cents)::bigint AS cents, count(*) AS lines
        FROM payments_bankline l JOIN payments_bankaccount a ON a.id = l.account_id
        WHERE l.status = 'waiting' GROUP BY l.currency, a.livemode
    )
    SELECT currency, livemode, '', coalesce(l.cents, 0) + coalesce(w.cents, 0), coalesce(s.cents, 0),
           CASE WHEN w.lines > 0 THEN ARRAY[format('%%s lines wait', w.lines)] ELSE ARRAY[]::text[] END
    FROM ledger l FULL JOIN said s USING (currency, livemode) FULL JOIN waiting w USING (currency, livemode)
    ORDER BY 1, 2
"""

# Confirmed by two names, less what a bank has shown since. A prize that came back is in hand again.
IN_HAND = f"""
    WITH ledger AS ({LEDGER.format(kind="clearing")}), record AS (
        SELECT r.id, r.currency, coalesce(p.livemode, f.livemode, o.livemode, c.livemode) AS livemode,
               coalesce(p.provider, f.provider, o.provider, 'manual') AS provider,
               r.amount_cents * CASE WHEN o.status = 'returned' THEN 0
                   WHEN r.refund_id IS NULL AND r.payout_id IS NULL THEN 1 ELSE -1 END::bigint
               - coalesce((SELECT sum(m.amount_cents) FROM payments_bankmatch m
                           WHERE m.record_id = r.id AND m.undone_at IS NULL), 0) AS cents
        FROM payments_manualrecord r
        LEFT JOIN payments_payment p ON p.id = r.payment_id
        LEFT JOIN payments_refund f ON f.id = r.refund_id
        LEFT JOIN payments_payout o ON o.id = r.payout_id
        LEFT JOIN payments_prizecorrection c ON c.id = r.correction_id
        WHERE r.status = 'confirmed'
    ), held AS (
        SELECT currency, livemode, provider, sum(cents)::bigint AS cents FROM record
        GROUP BY currency, livemode, provider
    )
    SELECT currency, livemode, provider, coalesce(l.cents, 0), h.cents, ARRAY[]::text[]
    FROM held h LEFT JOIN ledger l USING (currency, livemode, provider) ORDER BY 1, 2, 3
"""

FORGOTTEN = f"""
    WITH ledger AS ({LEDGER.format(kind="unallocated")}), forgotten AS (
        SELECT t.currency, t.livemode, sum(t.amount_cents)::bigint AS cents,
               (array_agg('receipt ' || t.id ORDER BY t.id))[1:10] AS named
        FROM payments_receipt t
        WHERE t.status = 'unapplied'
        AND t.created_at < clock_timestamp() - make_interval(hours => {FORGOTTEN_AFTER_HOURS})
        AND NOT EXISTS (
            SELECT 1 FROM payments_discrepancy d WHERE d.status IN ('open', 'acknowledged')
            AND d.object_key IN ('receipt:' || t.id, 'charge:' || t.provider || ':' || t.charge_id))
        AND NOT EXISTS (
            SELECT 1 FROM payments_refund r WHERE r.receipt_id = t.id
            AND r.status IN ('requested', 'sending', 'unknown', 'pending'))
        AND t.amount_cents > coalesce((
            SELECT sum(r.amount_cents) FROM payments_refund r WHERE r.receipt_id = t.id AND r.status = 'succeeded'), 0)
        GROUP BY t.currency, t.livemode
    )
    SELECT l.currency, l.livemode, '', coalesce(f.cents, 0), 0, coalesce(f.named, ARRAY[]::text[])
    FROM ledger l LEFT JOIN forgotten f USING (currency, livemode) ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class _Sum:
    name: str
    sentence: str
    statement: str
    doubt: DiscrepancyKind = DiscrepancyKind.CLEARING_TIEOUT_DIFF


SUMS = (
    _Sum("bank_in_transit", "What is on its way to the bank is what was paid out and is not there yet.", IN_TRANSIT),
    _Sum("bank", "What the books have in the bank is what its last statement closed with.", BANK),
    _Sum("in_hand", "Money by hand is what two people signed for, less what the bank has shown.", IN_HAND),
    _Sum(
        "forgotten",
        f"No money without a place is older than {FORGOTTEN_AFTER_HOURS} hours and nobody's task.",
        FORGOTTEN,
        DiscrepancyKind.HELD_MONEY,
    ),
)


def sums_of_ours() -> list[TieOut]:
    """Ask all of them, in one look at the database where the caller has none open."""
    with one_snapshot(), connection.cursor() as cursor:
        allow_long_statements()
        found = []
        for one in SUMS:
            cursor.execute(one.statement.replace("%%", "%"))
            found += [
                TieOut(
                    name=one.name,
                    sentence=one.sentence,
                    currency=currency,
                    livemode=livemode,
                    provider=provider,
                    ours=ours,
                    theirs=theirs,
                    agrees=ours == theirs,
                    differences=tuple(named),
                    doubt=one.doubt,
                )
                for currency, livemode, provider, ours, theirs, named in cursor.fetchall()
            ]
        return found
