"""What must be true of the books at any time, asked of the database as a set: each answer names what differs.

The ledger has one account of what happened, the rows of payments, refunds, disputes and requests have another. Neither
is derived from the other, so that where they agree both are right.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from config.locks import allow_long_statements, one_snapshot
from entries.queries.pool_numbers import EntryNumbers
from payments.pool_numbers import collected
from pools.models import Pool

# More than anybody reads; the first of them tell what is wrong.
MOST_SHOWN = 50


class Difference(NamedTuple):
    """What it is about, what it should come to, what it comes to; in minor units where it has a currency."""

    what: str
    expected: int
    found: int
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant, and where it does not hold."""

    name: str
    sentence: str
    differences: list[Difference]

    @property
    def holds(self) -> bool:
        return not self.differences


TRIAL_BALANCE = """
    SELECT format('all lines in %%s, %%s', upper(currency_id), CASE WHEN livemode THEN 'live' ELSE 'test' END),
           0, sum(amount)::bigint, currency_id
    FROM payments_posting GROUP BY currency_id, livemode HAVING sum(amount) <> 0
"""

WHOLE_ENTRIES = """
    SELECT format('entry %%s', j.id), 0, coalesce(l.total, 0)::bigint, j.currency_id
    FROM payments_journalentry j
    LEFT JOIN (SELECT journal_entry_id, count(*) AS lines, sum(amount) AS total
               FROM payments_posting GROUP BY journal_entry_id) l ON l.journal_entry_id = j.id
    WHERE coalesce(l.lines, 0) < 2 OR l.total <> 0
"""

# Nobody can owe the players of a pool, or somebody who is paid back, less than nothing.
NOT_NEGATIVE = """
    SELECT format('%%s of %%s', a.kind, coalesce('pool ' || a.pool_id, 'player ' || a.player_id, 'the house')), 0,
           -sum(l.amount)::bigint, a.currency_id
    FROM payments_account a JOIN payments_posting l ON l.account_id = a.id
    WHERE a.kind IN ('prize_pot', 'winnings_payable', 'refund_payable', 'tax_withheld', 'unallocated')
    GROUP BY a.id HAVING sum(l.amount) > 0
"""

# A refund that replaces another is the other's money; one that was turned down never was.
FIRSTS = """
    WITH RECURSIVE chain AS (
        SELECT r.id, r.id AS first, r.ref, r.is_paid FROM payments_refund r WHERE r.replaces_id IS NULL
        UNION ALL
        SELECT r.id, c.first, r.ref, r.is_paid FROM payments_refund r JOIN chain c ON r.replaces_id = c.id
    ), money AS (
        SELECT r.id, r.receipt_id, r.amount_cents, r.currency, r.livemode, r.origin, r.status, r.taken_from,
               bool_or(c.is_paid) AS is_paid, bool_or(j.id IS NOT NULL) AS is_withdrawn
        FROM chain c
        JOIN payments_refund r ON r.id = c.first
        LEFT JOIN payments_journalentry j
            ON (j.source_type, j.source_id, j.event) = ('refund', c.ref::text, 'withdrawn')
        WHERE r.status NOT IN ('requested', 'cancelled') AND NOT (r.status = 'failed' AND r.taken_from = 'undecided')
        GROUP BY r.id
    )
"""

REFUNDS = f"""
    {FIRSTS}, owed AS (
        SELECT q.user_id AS player_id, m.currency, m.livemode, sum(m.amount_cents) AS cents
        FROM money m
        JOIN payments_receipt t ON t.id = m.receipt_id JOIN payments_payment p ON p.id = t.payment_id
        JOIN entries_request q ON q.id = p.request_id
        WHERE NOT m.is_paid AND NOT m.is_withdrawn AND m.taken_from <> 'undecided'
            AND (m.origin <> 'dashboard' OR m.status = 'failed')
        GROUP BY q.user_id, m.currency, m.livemode
    ), booked AS (
        SELECT a.player_id, a.currency_id AS currency, a.livemode, -sum(l.amount) AS cents
        FROM payments_account a JOIN payments_posting l ON l.account_id = a.id
        WHERE a.kind = 'refund_payable' GROUP BY a.id
    )
    SELECT format('player %%s', player_id), coalesce(o.cents, 0)::bigint, coalesce(b.cents, 0)::bigint, currency
    FROM owed o FULL JOIN booked b USING (player_id, currency, livemode)
    WHERE coalesce(o.cents, 0) <> coalesce(b.cents, 0) ORDER BY player_id
"""

# What a bank took of money that had no place stands in the journal alone.
UNALLOCATED = f"""
    {FIRSTS}, waiting AS (
        SELECT t.currency, t.livemode, sum(
            t.amount_cents
            - coalesce((SELECT sum(m.amount_cents) FROM money m WHERE m.receipt_id = t.id AND NOT m.is_withdrawn), 0)
            - coalesce((SELECT sum(l.amount) FROM payments_dispute d
                        JOIN payments_journalentry j ON j.source_type = 'dispute'
                            AND j.source_id = d.provider || ':' || d.provider_reference
                        JOIN payments_posting l ON l.journal_entry_id = j.id
                        JOIN payments_account a ON (a.id, a.kind) = (l.account_id, 'unallocated')
                        WHERE d.receipt_id = t.id), 0)
            - coalesce((SELECT sum(l.amount) FROM payments_journalentry j
                        JOIN payments_posting l ON l.journal_entry_id = j.id
                        JOIN payments_account a ON (a.id, a.kind) = (l.account_id, 'unallocated')
                        WHERE (j.source_type, j.source_id, j.event)
                              = ('receipt', t.id::text, 'chargeback_recovered')), 0)) AS cents
        FROM payments_receipt t WHERE t.status = 'unapplied' GROUP BY t.currency, t.livemode
    ), booked AS (
        SELECT a.currency_id AS currency, a.livemode, -sum(l.amount) AS cents
        FROM payments_account a JOIN payments_posting l ON l.account_id = a.id
        WHERE a.kind = 'unallocated' GROUP BY a.id
    )
    SELECT format('unallocated, %%s', CASE WHEN livemode THEN 'live' ELSE 'test' END), coalesce(w.cents, 0)::bigint,
           coalesce(b.cents, 0)::bigint, currency
    FROM waiting w FULL JOIN booked b USING (currency, livemode)
    WHERE coalesce(w.cents, 0) <> coalesce(b.cents, 0)
"""

# Disputes whose loss somebody bears are closed in the books; of the others, what the bank has taken is out.
DISPUTES = """
    WITH taken AS (
        SELECT d.currency, d.livemode, d.provider, sum(
            CASE WHEN m.currency = d.currency THEN -m.amount_cents ELSE -sign(m.amount_cents) * d.amount_cents END
        ) AS cents
        FROM payments_dispute d
        JOIN payments_movement m ON m.dispute_id = d.id AND m.kind IN ('dispute', 'dispute_reversal')
        WHERE d.borne_by = '' GROUP BY d.currency, d.livemode, d.provider
    ), booked AS (
        SELECT a.currency_id AS currency, a.livemode, a.provider, sum(l.amount) AS cents
        FROM payments_account a JOIN payments_posting l ON l.account_id = a.id
        WHERE a.kind = 'disputes_receivable' GROUP BY a.id
    )
    SELECT format('disputes at %%s', provider), coalesce(t.cents, 0)::bigint, coalesce(b.cents, 0)::bigint, currency
    FROM taken t FULL JOIN booked b USING (currency, livemode, provider)
    WHERE coalesce(t.cents, 0) <> coalesce(b.cents, 0)
"""

EVERYTHING_BOOKED = """
    WITH missing AS (
        SELECT 'receipt ' || t.id AS what, t.amount_cents, t.currency FROM payments_receipt t
        WHERE NOT EXISTS (SELECT 1 FROM payments_journalentry j WHERE (j.source_type, j.source_id, j.event)
                          = ('charge', t.provider || ':' || t.charge_id, 'received'))
        UNION ALL
        SELECT 'the place of receipt ' || t.id, t.amount_cents, t.currency FROM payments_receipt t
        WHERE t.status = 'allocated' AND NOT EXISTS (
            SELECT 1 FROM payments_journalentry j
            WHERE (j.source_type, j.source_id, j.event) = ('receipt', t.id::text, 'allocated'))
        UNION ALL
        SELECT 'the waiver of request ' || q.id, q.fee_cents, q.currency FROM entries_request q
        WHERE q.payment_status = 'completed' AND q.waived_by_id IS NOT NULL AND q.fee_cents > 0 AND NOT EXISTS (
            SELECT 1 FROM payments_journalentry j
            WHERE (j.source_type, j.source_id, j.event) = ('request', q.id::text, 'waived'))
          AND (SELECT house_fee_bp FROM pools_rules WHERE pool_id = q.pool_id ORDER BY version DESC LIMIT 1) < 10000
    )
    SELECT what, amount_cents, 0, currency FROM missing
"""

CHECKPOINTS = """
    WITH newest AS (
        SELECT DISTINCT ON (account_id) account_id, through_posting_id, balance, credits, debits
        FROM payments_checkpoint ORDER BY account_id, through_posting_id DESC
    )
    SELECT format('account %%s', n.account_id), coalesce(sum(l.amount), 0)::bigint, n.balance, min(a.currency_id)
    FROM newest n
    JOIN payments_account a ON a.id = n.account_id
    LEFT JOIN payments_posting l ON l.account_id = n.account_id AND l.id <= n.through_posting_id
    GROUP BY n.account_id, n.balance, n.credits, n.debits
    HAVING (coalesce(sum(l.amount), 0), count(*) FILTER (WHERE l.amount < 0), count(*) FILTER (WHERE l.amount > 0))
        IS DISTINCT FROM (n.balance, n.credits, n.debits)
"""


def _pots() -> list[Difference]:
    """Settlement counts the fees of paid requests, the ledger what was booked: the two pots are one."""
    currencies: Mapping[int, str] = dict(Pool.objects.values_list("pk", "currency"))
    tallies, ledger = _tallied(currencies), collected(currencies)
    return [
        Difference(f"pot of pool {pool_id}", tallies.get(pool_id, 0), ledger.get(pool_id, (0, 0))[0], currency)
        for pool_id, currency in sorted(currencies.items())
        if tallies.get(pool_id, 0) != ledger.get(pool_id, (0, 0))[0]
    ][: MOST_SHOWN + 1]


def _tallied(pool_ids: Collection[int]) -> dict[int, int]:
    return {pool_id: numbers.pot_cents for pool_id, numbers in EntryNumbers().pool_numbers(pool_ids).items()}


def _asked(statement: str) -> Callable[[], list[Difference]]:
    def ask() -> list[Difference]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({statement}) d LIMIT %(most)s", {"most": MOST_SHOWN + 1})
            return [Difference(*row) for row in cursor.fetchall()]

    return ask


INVARIANTS: tuple[tuple[str, str, Callable[[], list[Difference]]], ...] = (
    ("trial_balance", "Debits and credits are the same, in every currency and mode.", _asked(TRIAL_BALANCE)),
    ("whole_entries", "Every entry has two lines or more, which add up to nothing.", _asked(WHOLE_ENTRIES)),
    ("everything_booked", "Every receipt, every paid place and every waived fee is booked.", _asked(EVERYTHING_BOOKED)),
    ("pots", "The pot of each pool is what its paid requests come to, less the house's part.", _pots),
    ("not_negative", "No pot, and nothing that is owed, is below nothing.", _asked(NOT_NEGATIVE)),
    ("unallocated", "Money without a place is what is left of the receipts that wait.", _asked(UNALLOCATED)),
    ("refund_payable", "What is owed to players is what was decided and has not arrived.", _asked(REFUNDS)),
    ("disputes_receivable", "What disputes have taken is what the undecided ones hold.", _asked(DISPUTES)),
    ("checkpoints", "Every checkpoint is the sum of its lines.", _asked(CHECKPOINTS)),
)


def invariants() -> list[Check]:
    """Ask all of them, in one look at the database where the caller has none open. Nothing is changed."""
    with one_snapshot():
        allow_long_statements()
        return [Check(name, sentence, ask()) for name, sentence, ask in INVARIANTS]


def broken() -> dict[str, Any]:
    """Those that do not hold, by name; empty in right books. For tests and tasks."""
    return {check.name: check.differences for check in invariants() if not check.holds}
