"""The trial balance: what every account began with, what moved on it, what it stands at. Debits are credits.

Balances are debits less credits; the last two columns have them on the side that they are on, and add up to the same.
Narrowed to a pool it has that pool's own accounts alone, which need not balance.
"""

from payments.reports.base import Report, code, money, text
from payments.reports.books import AS_OF, IN_DAYS, LINES, MONEY, OF_MONEY, label_of, place_of, sum_of
from payments.reports.options import choice
from payments.reports.sql import mode_sql, money_sql, of_pool

DETAIL = choice(
    "detail",
    "Detail",
    {"kind": "One row for each kind of account", "pool": "and pool", "account": "Every account"},
    default="kind",
)
# As finely as asked for.
_POOL = "CASE WHEN %(detail)s IN ('pool', 'account') THEN a.pool_id END"
_PLAYER = "CASE WHEN %(detail)s = 'account' THEN a.player_id END"
_PROVIDER = "CASE WHEN %(detail)s = 'account' THEN a.provider ELSE '' END"

REPORT = Report(
    kind="trial_balance",
    title="Trial balance",
    describe="Every kind of account with its debits, credits and balance: the proof that the books are whole.",
    day="the entry's own day of finance",
    columns=(
        code("currency"),
        code("mode"),
        code("account_kind"),
        code("account_name"),
        code("pool"),
        text("pool_name"),
        code("player"),
        code("provider"),
        *money("opening"),
        *money("debits"),
        *money("credits"),
        *money("closing_debit"),
        *money("closing_credit"),
    ),
    options=(DETAIL, MONEY),
    is_personal=False,
    pdf="trial_balance",
    sql=f"""
        WITH stood AS (
            SELECT a.currency_id AS currency, {mode_sql("a")} AS mode, a.kind, {_POOL} AS pool_id,
                {_PLAYER} AS player_id, {_PROVIDER} AS provider, {sum_of(f"NOT {IN_DAYS}")} AS opening,
                {sum_of(f"l.amount > 0 AND {IN_DAYS}")} AS debits,
                {sum_of(f"l.amount < 0 AND {IN_DAYS}", sign="-")} AS credits, sum(l.amount)::bigint AS closing
            FROM {LINES}
            WHERE {AS_OF} AND {OF_MONEY} AND {of_pool("a.pool_id")}
            GROUP BY 1, 2, 3, 4, 5, 6
        )
        SELECT s.currency, s.mode, s.kind, {label_of("s.kind")}, s.pool_id::text, pool.name, s.player_id::text,
            s.provider, {money_sql("s.opening", "s.currency")}, {money_sql("s.debits", "s.currency")},
            {money_sql("s.credits", "s.currency")}, {money_sql("greatest(s.closing, 0)", "s.currency")},
            {money_sql("greatest(-s.closing, 0)", "s.currency")}
        FROM stood s
        LEFT JOIN pools_pool pool ON pool.id = s.pool_id
        ORDER BY s.currency, s.mode, {place_of("s.kind")}, s.pool_id NULLS FIRST, s.player_id NULLS FIRST, s.provider
    """,
)
