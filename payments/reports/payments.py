"""The register of payments: one row for each, with the money that came for it and what became of it."""

from payments.reports.base import GONE, Report, code, day_sql, instant_sql, money, money_sql, narrowed, number, text

# A payment belongs to the day on which its money came; without money, to the day on which it was started.
INSTANT = "coalesce(t.received_at, p.created_at)"
# What callers of the API are told; see `payments.api.serializers`.
STATUS = "CASE WHEN p.status IN ('intent', 'open', 'processing', 'unknown') THEN 'pending' ELSE p.status END"
# What of it has really gone back; beside a payment without money, nothing.
RETURNED = f"""coalesce((SELECT sum(f.amount_cents)::bigint FROM payments_refund f
    WHERE f.receipt_id = t.id AND {GONE.format("f")}), 0)"""

REPORT = Report(
    kind="payments",
    title="Payments",
    day="the day the money came, or the payment was started",
    columns=(
        code("payment"),
        code("finance_date"),
        code("created_at"),
        code("status"),
        code("pool"),
        text("pool_name"),
        code("request"),
        code("kind"),
        number("number"),
        code("user"),
        text("player"),
        code("provider"),
        text("provider_reference"),
        *money("amount"),
        *money("refunded"),
        code("currency"),
        code("receipt"),
        code("receipt_status"),
        code("unapplied_because"),
        text("charge"),
        code("received_at"),
        *money("received", currency="received_currency"),
        code("received_currency"),
        code("entry"),
        code("source"),
    ),
    sql=f"""
        SELECT p.id::text, {day_sql(INSTANT)}, {instant_sql("p.created_at")}, {STATUS}, q.pool_id::text, pool.name,
            q.id::text, q.kind, q.number, q.user_id::text, u.display_name, p.provider, p.provider_reference,
            {money_sql("p.amount_cents", "p.currency")}, {money_sql(RETURNED, "coalesce(t.currency, p.currency)")},
            p.currency,
            t.id::text, t.status, t.unapplied_because, t.charge_id, {instant_sql("t.received_at")},
            {money_sql("t.amount_cents", "t.currency")}, t.currency, t.entry_id::text, t.source
        FROM payments_payment p
        JOIN entries_request q ON q.id = p.request_id
        JOIN pools_pool pool ON pool.id = q.pool_id
        JOIN accounts_user u ON u.id = q.user_id
        LEFT JOIN payments_receipt t ON t.payment_id = p.id
        WHERE {narrowed("q.pool_id", INSTANT)}
        ORDER BY p.id, t.id
    """,
)
