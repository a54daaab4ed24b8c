"""What the finance page counts: the money of each pool, and how long open things have been open. One query each."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Model
from django.utils.translation import gettext_noop

from config.words import spoken
from payments.ages import BUCKETS, place_of
from payments.models import (
    Cancellation,
    CancellationState,
    CorrectionState,
    Dispute,
    ManualRecord,
    ManualState,
    Payout,
    PrizeCorrection,
    Receipt,
    ReceiptState,
    Refund,
    RefundState,
    WriteOff,
    WriteOffState,
)
from payments.models.discrepancy import OPEN_STATES, URGENT
from payments.models.dispute import TO_ANSWER
from payments.models.payout import PAYOUTS_UNDER_WAY, WAITING_PAYOUTS
from payments.models.refund import UNFINISHED

MOST_POOLS = 12

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
    SELECT kind, {place_of("opened_at")} AS bucket, count(*), count(*) FILTER (WHERE owner_id IS NULL)
    FROM payments_discrepancy WHERE status = ANY(%s) GROUP BY kind, bucket
"""


@dataclass(frozen=True, slots=True)
class Work:
    """What waits for somebody or something: rows in these states, since then."""

    label: str
    model: type[Model]
    since: str
    states: tuple[str, ...]

    @property
    def address(self) -> str:
        """The name of its list."""
        return f"admin:{self.model._meta.db_table}_changelist"

    @property
    def query(self) -> str:
        """What narrows the list to them, where one state does."""
        return f"?status__exact={self.states[0]}" if len(self.states) == 1 else ""


WORK = (
    Work(gettext_noop("Money without a place"), Receipt, "received_at", (ReceiptState.UNAPPLIED,)),
    Work(gettext_noop("Refunds on their way"), Refund, "created_at", (RefundState.REQUESTED, *UNFINISHED)),
    Work(gettext_noop("Disputes to be answered"), Dispute, "opened_at", TO_ANSWER),
    Work(gettext_noop("Payouts to winners"), Payout, "requested_at", (*WAITING_PAYOUTS, *PAYOUTS_UNDER_WAY)),
    Work(gettext_noop("Handed over, for a second name"), ManualRecord, "recorded_at", (ManualState.RECORDED,)),
    Work(
        gettext_noop("Corrections of prizes, for a second name"),
        PrizeCorrection,
        "requested_at",
        (CorrectionState.REQUESTED,),
    ),
    Work(gettext_noop("Write-offs, for a second name"), WriteOff, "requested_at", (WriteOffState.REQUESTED,)),
    Work(gettext_noop("Cancellations, for a second name"), Cancellation, "proposed_at", (CancellationState.PROPOSED,)),
)


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
                is_urgent=kind in URGENT,
                unowned=unowned[kind],
            )
            for kind, numbers in counts.items()
        ),
        key=lambda one: (not one.is_urgent, one.label),
    )


def ageing_of_work() -> list[Ageing]:
    """What is on its way, or waits for somebody: all of it in one query."""
    parts = [
        f"SELECT {place}, {place_of(work.since)}, count(*) FROM {work.model._meta.db_table}"
        " WHERE status = ANY(%s) GROUP BY 2"
        for place, work in enumerate(WORK)
    ]
    counts = [[0] * len(BUCKETS) for _ in WORK]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [list(work.states) for work in WORK])
        for place, bucket, count in cursor.fetchall():
            counts[place][bucket] = count
    return [
        Ageing(work.label, tuple(numbers), work.address, work.query) for work, numbers in zip(WORK, counts, strict=True)
    ]
