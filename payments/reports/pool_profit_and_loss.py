"""Profit and loss of every pool: what its places brought the house, what it cost, and what became of its pot.

What a provider kept and what disputes took is counted to the pool of the payment that it was for. What is of no pool
stands in a row of its own for each currency: so all rows together are the trial balance. `house_fee` less all costs is
`margin`; `pot_before` and `pot_in` less `prizes` is `pot_left`. What flows is of the days asked for, what stands
(`pot_before`, `pot_left`, `prizes_unpaid`) is as of their beginning and end.
"""

from payments.ledger.accounts import Kind
from payments.reports.base import Report, code, money, number, text
from payments.reports.books import AS_OF, IN_DAYS, LINES, MONEY, OF_MONEY, ORIGIN, origins, sum_of
from payments.reports.sql import mode_sql, money_sql, of_pool

# What the house pays, each a column of its own; with fee_revenue all that makes a profit or a loss.
COSTS = (
    Kind.PROVIDER_FEES, Kind.DISPUTE_FEES, Kind.CHARGEBACK_LOSS, Kind.GOODWILL, Kind.WAIVED_FEES, Kind.WRITE_OFFS,
)  # fmt: skip
_AMOUNTS = (
    "gross", "pot_part", "house_fee", *(str(kind) for kind in COSTS), "margin", "pot_before", "pot_in", "prizes",
    "pot_left", "prizes_paid", "prizes_unpaid", "refunds", "chargebacks",
)  # fmt: skip
_POT = "a.kind = 'prize_pot'"
_PAID_FOR = "j.source_type = 'receipt'"


def _flow(condition: str, *, sign: str = "") -> str:
    return sum_of(f"{condition} AND {IN_DAYS}", sign=sign)


def _times(event: str, kinds: str) -> str:
    """How many entries; each has up to two lines on accounts of the pool."""
    condition = f"j.event = '{event}' AND a.kind IN ({kinds}) AND {IN_DAYS}"
    return f"count(DISTINCT j.id) FILTER (WHERE {condition})"


def _cost(kind: Kind) -> str:
    flow = _flow(f"a.kind = '{kind}'")
    return f"{flow} AS {kind}"


REPORT = Report(
    kind="pool_profit_and_loss",
    title="Pool profit and loss",
    describe="Each pool with its fees, the house's part, every cost, the margin, and its pot, paid and unpaid.",
    day="the entry's own day of finance",
    columns=(
        code("currency"),
        code("mode"),
        code("pool"),
        text("pool_name"),
        number("places"),
        number("places_waived"),
        *(column for name in _AMOUNTS for column in money(name)),
    ),
    options=(MONEY,),
    is_personal=False,
    pdf="pool_profit_and_loss",
    sql=f"""
        WITH {origins("refund", "dispute", "movement", "payout", "prize_correction", "pool")}, summed AS (
            SELECT a.currency_id AS currency, {mode_sql("a")} AS mode, coalesce(a.pool_id, o.pool_id) AS pool_id,
                {_times("allocated", "'prize_pot', 'fee_revenue'")}
                    - {_times("place_taken", "'prize_pot', 'fee_revenue'")} AS places,
                {_times("waived", "'prize_pot'")} - {_times("waiver_taken", "'prize_pot'")} AS places_waived,
                {_flow(f"{_POT} AND {_PAID_FOR}", sign="-")} AS pot_part,
                {_flow("a.kind = 'fee_revenue'", sign="-")} AS house_fee,
                {", ".join(map(_cost, COSTS))},
                {sum_of(f"{_POT} AND NOT {IN_DAYS}", sign="-")} AS pot_before,
                {_flow(f"{_POT} AND j.source_type <> 'pool'", sign="-")} AS pot_in,
                {_flow(f"{_POT} AND j.source_type = 'pool'")} AS prizes,
                {sum_of(_POT, sign="-")} AS pot_left,
                {_flow("a.kind = 'winnings_payable' AND j.source_type <> 'pool'")} AS prizes_paid,
                {sum_of("a.kind = 'winnings_payable'", sign="-")} AS prizes_unpaid,
                {_flow("a.kind = 'clearing' AND j.source_type = 'refund'", sign="-")} AS refunds,
                {_flow("a.kind = 'disputes_receivable' AND j.source_type = 'dispute'", sign="-")} AS chargebacks
            FROM {LINES} {ORIGIN}
            WHERE {AS_OF} AND {OF_MONEY} AND a.kind NOT IN ('unallocated', 'bank', 'bank_in_transit', 'conversion')
                AND {of_pool("coalesce(a.pool_id, o.pool_id)")}
            GROUP BY 1, 2, 3
        ), told AS (
            SELECT s.*, s.pot_part + s.house_fee AS gross,
                s.house_fee - ({" + ".join(COSTS)}) AS margin
            FROM summed s
        )
        SELECT t.currency, t.mode, t.pool_id::text, pool.name, t.places, t.places_waived,
            {", ".join(money_sql(f"t.{name}", "t.currency") for name in _AMOUNTS)}
        FROM told t
        LEFT JOIN pools_pool pool ON pool.id = t.pool_id
        WHERE t.pool_id IS NOT NULL OR EXISTS (SELECT 1 FROM unnest(ARRAY[{", ".join(_AMOUNTS)}]) one WHERE one <> 0)
        ORDER BY t.currency, t.mode, t.pool_id NULLS LAST
    """,
)
