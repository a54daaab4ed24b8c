"""The general journal: every line of every entry, as it was posted.

Narrowed to a pool it has the whole entries that touch an account of the pool, so that debits are credits in it, too.
"""

from payments.reports.base import Report, code, money, text
from payments.reports.books import AS_OF, IN_DAYS, LINES, MONEY, OF_MONEY
from payments.reports.sql import date_sql, instant_sql, mode_sql, money_sql

REPORT = Report(
    kind="journal",
    title="General journal",
    describe="Every line that was ever posted, debits and credits. For accountants, and to look anything up.",
    day="the entry's own day of finance",
    columns=(
        code("line"),
        code("entry"),
        code("finance_date"),
        code("effective_at"),
        code("posted_at"),
        code("booked_for"),
        text("booked_for_id"),
        code("event"),
        code("account"),
        code("account_kind"),
        code("pool"),
        text("pool_name"),
        code("player"),
        code("provider"),
        *money("debit"),
        *money("credit"),
        code("currency"),
        code("mode"),
        code("reverses"),
        code("booked_by"),
        text("memo"),
    ),
    options=(MONEY,),
    is_personal=False,
    sql=f"""
        SELECT l.id::text, j.id::text, {date_sql("j.finance_date")}, {instant_sql("j.effective_at")},
            {instant_sql("j.posted_at")}, j.source_type, j.source_id, j.event, a.id::text, a.kind, a.pool_id::text,
            pool.name, a.player_id::text, a.provider,
            {money_sql("greatest(l.amount, 0)", "a.currency_id")},
            {money_sql("greatest(-l.amount, 0)", "a.currency_id")},
            a.currency_id, {mode_sql("a")}, j.reverses_id::text, j.actor_id::text, j.memo
        FROM {LINES}
        LEFT JOIN pools_pool pool ON pool.id = a.pool_id
        WHERE {AS_OF} AND {OF_MONEY} AND {IN_DAYS}
            AND (%(pool)s::bigint IS NULL OR j.id IN (
                SELECT m.journal_entry_id FROM payments_posting m JOIN payments_account b ON b.id = m.account_id
                WHERE b.pool_id = %(pool)s::bigint))
        ORDER BY l.id
    """,
)
