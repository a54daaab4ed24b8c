"""What both sides come to, currency by currency: the control totals of a run."""

from typing import Any

from django.db import connection

from payments.models import ReconciliationRun
from payments.reconciliation.rules.base import GRACE

# By the kinds of movements; what is in none of these groups is of the last one.
GROUPS = {
    "charges": ("charge",),
    "refunds": ("refund", "refund_failure"),
    "disputes": ("dispute", "dispute_reversal"),
    "transfers": ("transfer", "transfer_reversal"),
    "payouts": ("payout", "payout_reversal"),
}
OTHERS = "others"
FEES = "fees"
# Theirs: every movement of theirs, net. Ours: those of them that stand in our books in the very same figures.
MATCHED = "matched"

# The window is the same on both sides, and what moved bears the provider's own instant on both.
SQL = """
    WITH told AS (
        SELECT 'theirs' AS side, currency, kind, amount_cents, fee_cents
        FROM payments_stagedmovement WHERE run_id = %(run)s
        UNION ALL
        SELECT 'ours', currency, kind, amount_cents, fee_cents
        FROM payments_movement
        WHERE provider = %(provider)s AND livemode = %(livemode)s
            AND occurred_at >= %(since)s AND occurred_at < %(until)s
        UNION ALL
        SELECT 'young', s.currency, s.kind, s.amount_cents, s.fee_cents
        FROM payments_stagedmovement s
        WHERE s.run_id = %(run)s AND s.occurred_at > clock_timestamp() - %(grace)s AND NOT EXISTS (
            SELECT 1 FROM payments_movement m WHERE (m.provider, m.reference) = (%(provider)s, s.reference))
    )
    SELECT currency, side, kind, count(*), sum(amount_cents), count(*) FILTER (WHERE fee_cents <> 0), sum(fee_cents)
    FROM told GROUP BY 1, 2, 3
"""
MATCHED_SQL = """
    SELECT s.currency, count(*), sum(s.net_cents), count(m.id), coalesce(sum(m.net_cents), 0),
           count(*) FILTER (WHERE s.occurred_at > clock_timestamp() - %(grace)s AND o.id IS NULL),
           coalesce(sum(s.net_cents) FILTER (WHERE s.occurred_at > clock_timestamp() - %(grace)s AND o.id IS NULL), 0)
    FROM payments_stagedmovement s
    LEFT JOIN payments_movement m ON m.provider = %(provider)s AND m.reference = s.reference
        AND (m.livemode, m.currency, m.amount_cents, m.fee_cents)
          = (s.livemode, s.currency, s.amount_cents, s.fee_cents)
    LEFT JOIN payments_movement o ON (o.provider, o.reference) = (%(provider)s, s.reference)
    WHERE s.run_id = %(run)s GROUP BY 1
"""

# What (a group) → side → [how many, minor units].
Totals = dict[str, dict[str, list[int]]]


def control_totals(run: ReconciliationRun) -> dict[str, Totals]:
    """Currency → what → {"ours": [count, minor], "theirs": [count, minor]}, of what the run has read and its window.

    Where there is some, "young" has what of theirs moved so lately that it may still be on its way to our books.
    """
    totals: dict[str, Totals] = {}
    for currency, side, kind, count, amount, charged, fees in _rows(SQL, run):
        of = totals.setdefault(currency, _blank())
        _add(of[_group(kind)].setdefault(side, [0, 0]), count, amount)
        if charged:
            _add(of[FEES].setdefault(side, [0, 0]), charged, fees)
    for currency, theirs, net, ours, our_net, young, young_net in _rows(MATCHED_SQL, run):
        of = totals.setdefault(currency, _blank())
        _add(of[MATCHED]["theirs"], theirs, net)
        _add(of[MATCHED]["ours"], ours, our_net)
        if young:
            _add(of[MATCHED].setdefault("young", [0, 0]), young, young_net)
    return dict(sorted(totals.items()))


def _rows(sql: str, run: ReconciliationRun) -> list[tuple[Any, ...]]:
    of_run: dict[str, Any] = {
        "run": run.pk, "provider": run.provider, "livemode": run.livemode, "since": run.since, "until": run.until,
        "grace": GRACE,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(sql, of_run)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _blank() -> Totals:
    return {what: {"ours": [0, 0], "theirs": [0, 0]} for what in (*GROUPS, OTHERS, FEES, MATCHED)}


def _add(sums: list[int], count: int, cents: int) -> None:
    sums[0] += int(count)
    sums[1] += int(cents)


def _group(kind: str) -> str:
    return next((group for group, kinds in GROUPS.items() if kind in kinds), OTHERS)
