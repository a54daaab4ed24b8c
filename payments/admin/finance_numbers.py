"""What the finance page counts: the money of each pool, and how long open things have been open. One query each."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from config.words import spoken
from payments.models import DiscrepancyKind
from payments.models.discrepancy import OPEN_STATES, URGENT

MOST_POOLS = 12
# The buckets of the queue, by the days that have passed.
BUCKETS = ("under 1 day", "1 to 3 days", "3 to 7 days", "over 7 days")
BUCKET = """CASE WHEN {since} > clock_timestamp() - interval '1 day' THEN 0
    WHEN {since} > clock_timestamp() - interval '3 days' THEN 1
    WHEN {since} > clock_timestamp() - interval '7 days' THEN 2 ELSE 3 END"""

# Pools by what was booked for them last; their accounts' lines are added up from an index, no entry is looked at.
POOLS = """
    WITH latest AS (
        SELECT a.pool_id, max(c.last) AS last FROM payments_account a
        CROSS JOIN LATERAL (SELECT id AS last FROM payments_posting
                            WHERE account_id = a.id ORDER BY id DESC LIMIT 1) c
        WHERE a.pool_id IS NOT NULL AND a.livemode = %(livemode)s
        GROUP BY a.pool_id ORDER BY last DESC LIMIT %(most)s
    ), sums AS (
        SELECT a.pool_id, a.kind, a.currency_id, s.debits, s.credits FROM latest
        JOIN payments_account a ON a.pool_id = latest.pool_id AND a.livemode = %(livemode)s
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS debits,
                   coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS credits
            FROM payments_posting WHERE account_id = a.id) s
    ), prizes AS (
        SELECT DISTINCT ON (pool_id) pool_id, amount_cents FROM payments_prizebooking
        WHERE pool_id IN (SELECT pool_id FROM latest) ORDER BY pool_id, number DESC
    ), turned AS (
        SELECT pool_id, sum(amount_cents) AS cents FROM payments_prizebooking
        WHERE pool_id IN (SELECT pool_id FROM latest) GROUP BY pool_id
    )
    SELECT p.id, p.name, s.currency_id,
        coalesce(sum(s.credits) FILTER (WHERE s.kind = 'prize_pot'), 0)::bigint
            - coalesce(max(t.cents) - max(z.amount_cents), 0)::bigint,
        coalesce(sum(s.credits - s.debits) FILTER (WHERE s.kind = 'fee_revenue'), 0)::bigint,
        coalesce(sum(s.debits) FILTER (WHERE s.kind = 'prize_pot'), 0)::bigint - coalesce(max(t.cents), 0)::bigint,
        coalesce(max(z.amount_cents), 0)::bigint,
        coalesce(sum(s.credits - s.debits) FILTER (WHERE s.kind = 'prize_pot'), 0)::bigint
    FROM sums s JOIN pools_pool p ON p.id = s.pool_id
    LEFT JOIN prizes z ON z.pool_id = p.id LEFT JOIN turned t ON t.pool_id = p.id
    GROUP BY p.id, p.name, s.currency_id
    ORDER BY s.currency_id, p.id
"""

DOUBTS = f"""
    SELECT kind, {BUCKET.format(since="opened_at")} AS bucket, count(*), count(*) FILTER (WHERE owner_id IS NULL)
    FROM payments_discrepancy WHERE status = ANY(%s) GROUP BY kind, bucket
"""

# What waits for somebody or something, and since when.
WAITING = {
    "Money without a place": (
        "payments_receipt", "received_at", "status = 'unapplied'", "admin:payments_receipt_changelist",
        "?status__exact=unapplied",
    ),
    "Refunds on their way": (
        "payments_refund", "created_at", "status IN ('requested', 'sending', 'unknown', 'pending')",
        "admin:payments_refund_changelist", "",
    ),
    "Disputes to be answered": (
        "payments_dispute", "opened_at", "status IN ('needs_response', 'warning_needs_response')",
        "admin:payments_dispute_changelist", "",
    ),
    "Payouts to winners": (
        "payments_payout", "requested_at", "status NOT IN ('paid', 'returned', 'cancelled')",
        "admin:payments_payout_changelist", "",
    ),
    "Handed over, to be confirmed": (
        "payments_manualrecord", "recorded_at", "status = 'recorded'", "admin:payments_manualrecord_changelist", "",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PoolMoney:
    """One pool's money in minor units. What was paid in is what went back, what was won, and what is in the pot."""

    pool_id: int
    name: str
    currency: str
    paid_in: int
    to_house: int
    given_back: int
    won: int
    in_pot: int


@dataclass(frozen=True, slots=True)
class Ageing:
    """How many of one kind have been open for how long; `counts` is by bucket, in the order of `BUCKETS`."""

    label: str
    counts: tuple[int, ...]
    address: str
    query: str = ""
    is_urgent: bool = False
    unowned: int = 0

    @property
    def total(self) -> int:
        return sum(self.counts)


def pool_money(*, livemode: bool) -> list[PoolMoney]:
    """The pools that something was booked for last, by currency."""
    with connection.cursor() as cursor:
        cursor.execute(POOLS, {"livemode": livemode, "most": MOST_POOLS})
        return [PoolMoney(*row) for row in cursor.fetchall()]


def ageing_of_doubts() -> list[Ageing]:
    """Open discrepancies by kind, the urgent first."""
    counts: dict[str, list[int]] = {}
    unowned: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(DOUBTS, [list(OPEN_STATES)])
        for kind, bucket, count, without in cursor.fetchall():
            counts.setdefault(kind, [0] * len(BUCKETS))[bucket] = count
            unowned[kind] = unowned.get(kind, 0) + without
    return sorted(
        (
            Ageing(
                label=spoken(kind).capitalize(),
                counts=tuple(numbers),
                address="admin:payments_discrepancy_changelist",
                query=f"?kind__exact={kind}",
                is_urgent=kind in {one.value for one in URGENT} and kind in DiscrepancyKind.values,
                unowned=unowned[kind],
            )
            for kind, numbers in counts.items()
        ),
        key=lambda one: (not one.is_urgent, one.label),
    )


def ageing_of_work() -> list[Ageing]:
    """What is on its way, or waits for somebody: all of it in one query."""
    parts = [
        f"SELECT {place}, {BUCKET.format(since=since)}, count(*) FROM {table} WHERE {condition} GROUP BY 2"
        for place, (table, since, condition, _, _) in enumerate(WAITING.values())
    ]
    counts = [[0] * len(BUCKETS) for _ in WAITING]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        for place, bucket, count in cursor.fetchall():
            counts[place][bucket] = count
    return list(_labelled(counts))


def _labelled(counts: list[list[int]]) -> Iterator[Ageing]:
    for (label, (_, _, _, address, query)), numbers in zip(WAITING.items(), counts, strict=True):
        yield Ageing(label, tuple(numbers), address, query)
