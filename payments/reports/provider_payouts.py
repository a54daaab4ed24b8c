"""What a provider sent to our bank, and what each payout is made of: a line for the payout, and one for each item.

`amount` is what the bank gets, on the payout's line; `net` what each item brought. Where the items are known,
`difference` is what they leave over: nothing, or somebody has to look. The bank's line stands beside it once the two
are matched.
"""

from payments.reports.base import Report, code, money, number, text
from payments.reports.sql import date_sql, day_sql, in_time, instant_sql, mode_sql, money_sql
from payments.reports.states import state_of

MADE = "coalesce(y.made_at, y.created_at)"
# A match counts from the entry that booked it to the one that took it back.
MATCHED = """
    SELECT l.booked_on, l.reference, a.name FROM payments_bankmatch x
    JOIN payments_bankline l ON l.id = x.line_id
    JOIN payments_bankaccount a ON a.id = l.account_id
    JOIN payments_journalentry j ON (j.source_type, j.source_id, j.event) = ('bank_match', x.id::text, 'matched')
        AND j.id <= %(as_of_journal)s
    WHERE x.payout_id = y.id AND NOT EXISTS (
        SELECT 1 FROM payments_journalentry r WHERE r.reverses_id = j.id AND r.id <= %(as_of_journal)s
    )
    ORDER BY x.id LIMIT 1
"""
ITEMS = """
    FROM payments_providerpayoutitem i JOIN payments_movement m ON m.id = i.movement_id
    WHERE i.id <= %(as_of_payout_item)s AND i.payout_id = p.id
"""

REPORT = Report(
    kind="provider_payouts",
    title="Provider payouts",
    describe="Each payout of a provider to our bank with its items, what they come to, and the line of the bank.",
    day="the day the provider made the payout",
    has_pool=False,
    is_personal=False,
    columns=(
        code("line"),
        code("payout"),
        code("provider"),
        text("reference"),
        code("finance_date"),
        code("made_at"),
        code("arrives_on"),
        code("status"),
        text("trace_id"),
        text("failure"),
        text("bank_account"),
        code("bank_booked_on"),
        text("bank_line"),
        number("items"),
        *money("amount"),
        *money("difference"),
        text("balance_transaction"),
        code("item_kind"),
        code("occurred_at"),
        text("charge"),
        code("receipt"),
        code("refund"),
        code("dispute"),
        *money("gross"),
        *money("fee"),
        *money("net"),
        code("currency"),
        code("mode"),
    ),
    sql=f"""
        WITH payout AS (
            SELECT y.id, y.provider, y.reference, {day_sql(MADE)} AS finance_date, {instant_sql(MADE)} AS made_at,
                s.details ->> 'arrives_on' AS arrives_on, s.status, s.details ->> 'trace_id' AS trace_id,
                s.details ->> 'failure' AS failure, y.amount_cents, y.currency, y.livemode
            FROM payments_providerpayout y
            {state_of("y.id", "provider_payout_change", "s")}
            WHERE {in_time(MADE)}
        ), line AS (
            SELECT p.id, 1 AS place, 0::bigint AS item, k.name, k.booked_on, k.reference AS bank_line,
                sums.items, p.amount_cents, CASE WHEN sums.items > 0 THEN p.amount_cents - sums.net END AS difference,
                NULL AS transaction, NULL AS kind, NULL::timestamptz AS occurred_at, NULL AS charge_id,
                NULL::bigint AS receipt_id, NULL::bigint AS refund_id, NULL::bigint AS dispute_id,
                NULL::bigint AS gross, NULL::bigint AS fee, NULL::bigint AS net
            FROM payout p
            JOIN payments_providerpayout y ON y.id = p.id
            LEFT JOIN LATERAL ({MATCHED}) k ON true
            CROSS JOIN LATERAL (SELECT count(*) AS items, coalesce(sum(m.net_cents), 0)::bigint AS net {ITEMS}) sums
            UNION ALL
            SELECT p.id, 2, n.item, NULL, NULL, NULL, NULL, NULL, NULL, n.reference, n.kind, n.occurred_at, t.charge_id,
                n.receipt_id, n.refund_id, n.dispute_id, n.amount_cents, n.fee_cents, n.net_cents
            FROM payout p
            CROSS JOIN LATERAL (
                SELECT i.id AS item, m.reference, m.kind, m.occurred_at, m.receipt_id, m.refund_id, m.dispute_id,
                    m.amount_cents, m.fee_cents, m.net_cents {ITEMS}
            ) n
            LEFT JOIN payments_receipt t ON t.id = n.receipt_id
        )
        SELECT CASE l.place WHEN 1 THEN 'payout' ELSE 'item' END, p.id::text, p.provider, p.reference, p.finance_date,
            p.made_at, p.arrives_on, p.status, p.trace_id, p.failure, l.name, {date_sql("l.booked_on")}, l.bank_line,
            l.items, {money_sql("l.amount_cents", "p.currency")}, {money_sql("l.difference", "p.currency")},
            l.transaction, l.kind, {instant_sql("l.occurred_at")}, l.charge_id, l.receipt_id::text, l.refund_id::text,
            l.dispute_id::text, {money_sql("l.gross", "p.currency")}, {money_sql("l.fee", "p.currency")},
            {money_sql("l.net", "p.currency")}, p.currency, {mode_sql("p")}
        FROM line l JOIN payout p ON p.id = l.id
        ORDER BY l.id, l.place, l.item
    """,
)
