"""Every entry with its fate and the money that stands behind it: a receipt, or a waiver with a name.

The fee is that of the place. What was paid for buying back in stands beside it, as a number and a sum.
"""

from payments.reports.base import Report, code, money, number, text
from payments.reports.sql import day_sql, in_time, instant_sql, money_sql, of_pool

PAID_BY = """CASE WHEN t.id IS NOT NULL THEN 'receipt' WHEN q.fee_cents = 0 THEN 'free'
    WHEN q.waived_by_id IS NOT NULL THEN 'waiver' ELSE 'nothing' END"""

REPORT = Report(
    kind="entries",
    title="Entries",
    describe="Every entry with its fate, its fee and prize, and the receipt or the waiver that stands behind it.",
    day="the day the entry was made",
    is_live=True,
    columns=(
        text("reference"),
        text("player"),
        number("number"),
        code("status"),
        number("eliminated_round"),
        code("eliminated_reason"),
        number("strikes"),
        code("entry"),
        code("pool"),
        text("pool_name"),
        code("user"),
        code("request"),
        code("finance_date"),
        code("created_at"),
        *money("fee"),
        *money("prize"),
        code("currency"),
        code("paid_by"),
        code("receipt"),
        text("waived_by"),
        text("waiver_reason"),
        number("first_round"),
        number("buy_backs"),
        *money("buy_back_fees"),
    ),
    sql=f"""
        SELECT e.reference, u.display_name, e.number, e.status, e.eliminated_round_number, e.eliminated_code, e.strikes,
            e.id::text, e.pool_id::text, pool.name, e.user_id::text, e.request_id::text,
            {day_sql("e.created_at")}, {instant_sql("e.created_at")},
            {money_sql("q.fee_cents", "q.currency")}, {money_sql("e.prize_cents", "q.currency")}, q.currency,
            {PAID_BY}, t.id::text, w.display_name, q.waiver_reason,
            e.first_round_number, coalesce(b.times, 0), {money_sql("coalesce(b.fees, 0)", "q.currency")}
        FROM entries_entry e
        JOIN entries_request q ON q.id = e.request_id
        JOIN pools_pool pool ON pool.id = e.pool_id
        JOIN accounts_user u ON u.id = e.user_id
        LEFT JOIN accounts_user w ON w.id = q.waived_by_id
        LEFT JOIN (
            payments_receipt t JOIN payments_payment m ON m.id = t.payment_id
        ) ON t.entry_id = e.id AND m.request_id = e.request_id
        LEFT JOIN (
            SELECT bought_entry_id, count(*) AS times, sum(fee_cents)::bigint AS fees
            FROM entries_request WHERE kind = 'buy_back' AND payment_status = 'completed' GROUP BY bought_entry_id
        ) b ON b.bought_entry_id = e.id
        WHERE {of_pool("e.pool_id")} AND {in_time("e.created_at")}
        ORDER BY e.id
    """,
)
