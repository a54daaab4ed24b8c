"""Each pool in one row: who is in, what came in, what is in the pot, what waits for a person.

The pot has every fee that counts as paid, of entries and of buying back in, less the house's part of each; those of
disqualified entries stay in it.
"""

from payments.reports.base import Report, code, money, number, text
from payments.reports.sql import day_sql, in_time, instant_sql, is_gone, money_sql, of_pool


def _received(status: str) -> str:
    return f"coalesce(r.{status}, 0)"


REPORT = Report(
    kind="pool_summary",
    title="Pools",
    describe="Every pool in one row: who is in, what came in and went back, the pot, and what waits for a person.",
    day="the day the pool was created",
    is_live=True,
    is_personal=False,
    columns=(
        code("pool"),
        text("pool_name"),
        code("competition"),
        code("status"),
        code("finance_date"),
        code("created_at"),
        code("currency"),
        *money("fee"),
        number("capacity"),
        number("requests_pending"),
        number("requests_unpaid"),
        number("entries_total"),
        number("entries_active"),
        number("entries_eliminated"),
        number("entries_won"),
        number("entries_void"),
        number("entries_waived"),
        number("buy_backs"),
        *money("buy_back_fees"),
        *money("collected"),
        *money("unapplied"),
        *money("returned"),
        *money("house_fee"),
        *money("pot"),
        *money("prizes"),
    ),
    sql=f"""
        WITH counted AS (
            SELECT e.pool_id, count(*) FILTER (WHERE e.status <> 'void') AS total,
                count(*) FILTER (WHERE e.status = 'active') AS active,
                count(*) FILTER (WHERE e.status = 'eliminated') AS eliminated,
                count(*) FILTER (WHERE e.status = 'winner') AS won,
                count(*) FILTER (WHERE e.status = 'void') AS void,
                count(*) FILTER (WHERE e.status <> 'void' AND q.fee_cents > 0 AND q.waived_by_id IS NOT NULL) AS waived,
                sum(e.prize_cents)::bigint AS prizes
            FROM entries_entry e
            JOIN entries_request q ON q.id = e.request_id
            GROUP BY e.pool_id
        ), paid AS (
            SELECT f.pool_id, sum(f.times * f.fee_cents)::bigint AS fees,
                sum(f.times * (f.fee_cents * rules.house_fee_bp / 10000))::bigint AS house,
                sum(f.times) FILTER (WHERE f.kind = 'buy_back')::bigint AS buy_backs,
                sum(f.times * f.fee_cents) FILTER (WHERE f.kind = 'buy_back')::bigint AS buy_back_fees
            FROM (
                SELECT pool_id, kind, fee_cents::bigint AS fee_cents, count(*) AS times
                FROM entries_request WHERE payment_status = 'completed' GROUP BY pool_id, kind, fee_cents
            ) f
            CROSS JOIN LATERAL (
                SELECT house_fee_bp FROM pools_rules WHERE pool_id = f.pool_id ORDER BY version DESC LIMIT 1
            ) rules
            GROUP BY f.pool_id
        ), asked AS (
            SELECT pool_id, count(*) FILTER (WHERE status = 'pending') AS pending,
                count(*) FILTER (WHERE status = 'approved' AND payment_status IN ('pending', 'failed')) AS unpaid
            FROM entries_request GROUP BY pool_id
        ), received AS (
            SELECT q.pool_id, sum(t.amount_cents) FILTER (WHERE t.status = 'allocated')::bigint AS allocated,
                sum(t.amount_cents - coalesce(back.promised, 0)) FILTER (WHERE t.status = 'unapplied')::bigint
                    AS unapplied,
                sum(back.gone)::bigint AS returned
            FROM payments_receipt t
            JOIN payments_payment p ON p.id = t.payment_id
            JOIN entries_request q ON q.id = p.request_id
            LEFT JOIN (
                SELECT f.receipt_id, sum(f.amount_cents) FILTER (WHERE {is_gone("f")}) AS gone,
                    sum(f.amount_cents) FILTER (
                        WHERE f.replaces_id IS NULL AND f.status NOT IN ('requested', 'cancelled')
                        AND (f.status, f.taken_from) <> ('failed', 'undecided')) AS promised
                FROM payments_refund f GROUP BY f.receipt_id
            ) back ON back.receipt_id = t.id
            WHERE t.currency = p.currency
            GROUP BY q.pool_id
        )
        SELECT o.id::text, o.name, c.code, o.status, {day_sql("o.created_at")}, {instant_sql("o.created_at")},
            o.currency, {money_sql("o.entry_fee_cents", "o.currency")}, o.capacity,
            coalesce(a.pending, 0), coalesce(a.unpaid, 0), coalesce(n.total, 0),
            coalesce(n.active, 0), coalesce(n.eliminated, 0), coalesce(n.won, 0), coalesce(n.void, 0),
            coalesce(n.waived, 0), coalesce(m.buy_backs, 0), {money_sql("coalesce(m.buy_back_fees, 0)", "o.currency")},
            {money_sql(_received("allocated"), "o.currency")}, {money_sql(_received("unapplied"), "o.currency")},
            {money_sql(_received("returned"), "o.currency")}, {money_sql("coalesce(m.house, 0)", "o.currency")},
            {money_sql("coalesce(m.fees - m.house, 0)", "o.currency")},
            {money_sql("coalesce(n.prizes, 0)", "o.currency")}
        FROM pools_pool o
        JOIN pools_competition c ON c.id = o.competition_id
        LEFT JOIN counted n ON n.pool_id = o.id
        LEFT JOIN paid m ON m.pool_id = o.id
        LEFT JOIN asked a ON a.pool_id = o.id
        LEFT JOIN received r ON r.pool_id = o.id
        WHERE {of_pool("o.id")} AND {in_time("o.created_at")}
        ORDER BY o.id
    """,
)
