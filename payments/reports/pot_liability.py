"""What is owed to players, by pool and player: pots that are not shared out, prizes and refunds that are not paid.

A pot belongs to the pool's players together: it stands in a row of the pool, without a player. The rows of its players
say what each has put into it, what each has won and was paid, and what is owed to each. All of `liability` is what the
trial balance has on pots, winnings and refunds. Pools and players to whom nothing is owed any more are left out unless
asked for.
"""

from payments.reports.base import Days, Report, code, money, text
from payments.reports.books import AS_OF, LINES, MONEY, OF_MONEY, ORIGIN, origins, sum_of
from payments.reports.options import choice
from payments.reports.sql import mode_sql, money_sql, of_pool

SHOWN = choice(
    "shown", "Rows", {"owed": "Where something is owed", "all": "Also where nothing is owed any more"}, default="owed"
)  # fmt: skip
_AMOUNTS = ("pot", "put_in", "won", "prizes_paid", "winnings_owed", "refunds_owed", "liability")

REPORT = Report(
    kind="pot_liability",
    title="Pot liability",
    describe="What the house owes its players: each pool's pot, and by player what is won or to be returned, unpaid.",
    day="the entry's own day of finance",
    columns=(
        code("currency"),
        code("mode"),
        code("pool"),
        text("pool_name"),
        code("player"),
        text("player_name"),
        *(column for name in _AMOUNTS for column in money(name)),
    ),
    options=(MONEY, SHOWN),
    days=Days.UNTIL,
    sql=f"""
        WITH {origins("receipt", "request", "refund", "payout", "prize_correction", "pool")}, line AS (
            SELECT a.currency_id AS currency, {mode_sql("a")} AS mode, coalesce(a.pool_id, o.pool_id) AS pool_id,
                coalesce(a.player_id, CASE WHEN a.kind = 'prize_pot' THEN o.player_id END) AS player_id,
                a.kind, j.source_type, l.amount
            FROM {LINES} {ORIGIN}
            WHERE {AS_OF} AND {OF_MONEY} AND a.kind IN ('prize_pot', 'winnings_payable', 'refund_payable')
                AND {of_pool("coalesce(a.pool_id, o.pool_id)")}
        ), told AS (
            SELECT currency, mode, pool_id, NULL::bigint AS player_id, -sum(amount)::bigint AS pot, 0::bigint AS put_in,
                0::bigint AS won, 0::bigint AS prizes_paid, 0::bigint AS winnings_owed, 0::bigint AS refunds_owed,
                -sum(amount)::bigint AS liability
            FROM line WHERE kind = 'prize_pot' GROUP BY 1, 2, 3
            UNION ALL
            SELECT currency, mode, pool_id, player_id, 0, {sum_of("kind = 'prize_pot'", sign="-", amount="amount")},
                {sum_of("kind = 'winnings_payable' AND source_type = 'pool'", sign="-", amount="amount")},
                {sum_of("kind = 'winnings_payable' AND source_type <> 'pool'", amount="amount")},
                {sum_of("kind = 'winnings_payable'", sign="-", amount="amount")},
                {sum_of("kind = 'refund_payable'", sign="-", amount="amount")},
                {sum_of("kind <> 'prize_pot'", sign="-", amount="amount")}
            FROM line WHERE player_id IS NOT NULL GROUP BY 1, 2, 3, 4
        ), shown AS (
            SELECT *, bool_or(pot <> 0) OVER (PARTITION BY currency, mode, pool_id) AS has_pot FROM told
        )
        SELECT t.currency, t.mode, t.pool_id::text, pool.name, t.player_id::text, u.display_name,
            {", ".join(money_sql(f"t.{name}", "t.currency") for name in _AMOUNTS)}
        FROM shown t
        LEFT JOIN pools_pool pool ON pool.id = t.pool_id
        LEFT JOIN accounts_user u ON u.id = t.player_id
        WHERE %(shown)s = 'all' OR t.has_pot OR t.liability <> 0
        ORDER BY t.currency, t.mode, t.pool_id NULLS LAST, t.player_id NULLS FIRST
    """,
)
