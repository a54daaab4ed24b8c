"""The register of payments: one row for each, with the money that came for it and what became of it.

`amount` is what was asked for, `gross` what the player paid. What the provider put into our balance for it, what it
kept and what was left of it are `settled`, `fee` and `net`, in the currency of that balance.
"""

from payments.reports.base import Report, code, money, number, text
from payments.reports.options import DATE_BASIS
from payments.reports.sql import date_sql, instant_sql, mode_sql, money_sql
from payments.reports.states import booked, by_date, state_of

# A payment belongs to the day on which its money came; without money, to the day on which it was started.
INSTANT = "coalesce(t.received_at, p.created_at)"
# What callers of the API are told; see `payments.api.serializers`.
STATUS = "CASE WHEN ps.status IN ('intent', 'open', 'processing', 'unknown') THEN 'pending' ELSE ps.status END"
BOOKED_ON = "coalesce(j.finance_date, (p.created_at AT TIME ZONE %(zone)s)::date)"
# What of it has really gone back, by the books: paid out, and not come back.
RETURNED = f"""
    SELECT coalesce(sum(f.amount_cents), 0)::bigint AS minor FROM payments_refund f
    {booked("refund", "f", "paid", "paid", "external")}
    {booked("refund", "f", "back", "failed", "external_failed")}
    WHERE f.receipt_id = t.id AND paid.id IS NOT NULL AND back.id IS NULL
"""
# Nobody keeps a part of money in hand.
MOVEMENT = """
    (SELECT id, reference, currency, amount_cents, fee_cents, net_cents FROM payments_movement
     WHERE receipt_id = t.id AND kind = 'charge' AND id <= %(as_of_movement)s ORDER BY id LIMIT 1)
    UNION ALL
    SELECT NULL, NULL, t.currency, t.amount_cents, 0, t.amount_cents WHERE t.provider = 'manual'
    LIMIT 1
"""

REPORT = Report(
    kind="payments",
    title="Payments",
    describe="Every payment with the money that came for it: gross, the provider's fee, net, and what went back.",
    day="the day the money came, or the payment was started",
    options=(DATE_BASIS,),
    version=2,
    columns=(
        code("payment"),
        code("receipt"),
        code("finance_date"),
        code("received_at"),
        code("created_at"),
        code("status"),
        code("receipt_status"),
        code("unapplied_because"),
        code("pool"),
        text("pool_name"),
        code("request"),
        code("kind"),
        number("number"),
        code("user"),
        text("player"),
        code("entry"),
        code("provider"),
        text("provider_reference"),
        text("charge"),
        text("balance_transaction"),
        text("provider_payout"),
        *money("amount"),
        code("currency"),
        *money("gross", currency="gross_currency"),
        *money("refunded", currency="gross_currency"),
        code("gross_currency"),
        *money("settled", currency="settled_currency"),
        *money("fee", currency="settled_currency"),
        *money("net", currency="settled_currency"),
        code("settled_currency"),
        code("source"),
        code("mode"),
    ),
    sql=f"""
        SELECT p.id::text, t.id::text, {date_sql(BOOKED_ON)}, {instant_sql("t.received_at")},
            {instant_sql("p.created_at")}, {STATUS}, t.status, t.because, q.pool_id::text, pool.name, q.id::text,
            q.kind, q.number, q.user_id::text, u.display_name, t.entry, p.provider, ps.details ->> 'provider_reference',
            t.charge_id, m.reference, po.reference,
            {money_sql("p.amount_cents", "p.currency")}, p.currency,
            {money_sql("t.amount_cents", "t.currency")},
            {money_sql("CASE WHEN t.id IS NOT NULL THEN back.minor END", "t.currency")}, t.currency,
            {money_sql("m.amount_cents", "m.currency")}, {money_sql("m.fee_cents", "m.currency")},
            {money_sql("m.net_cents", "m.currency")}, m.currency, t.source, {mode_sql("p")}
        FROM payments_payment p
        {state_of("p.id", "payment_change", "ps")}
        JOIN entries_request q ON q.id = p.request_id
        JOIN pools_pool pool ON pool.id = q.pool_id
        JOIN accounts_user u ON u.id = q.user_id
        LEFT JOIN LATERAL (
            SELECT r.id, r.received_at, r.provider, r.charge_id, r.amount_cents, r.currency, r.source, rs.status,
                rs.details ->> 'entry_id' AS entry, rs.details ->> 'unapplied_because' AS because
            FROM payments_receipt r {state_of("r.id", "receipt_change", "rs")} WHERE r.payment_id = p.id
        ) t ON true
        {booked("charge", "t", "j", "received")}
        LEFT JOIN LATERAL ({MOVEMENT}) m ON true
        LEFT JOIN (
            payments_providerpayoutitem i JOIN payments_providerpayout po ON po.id = i.payout_id
        ) ON i.movement_id = m.id AND i.id <= %(as_of_payout_item)s
        LEFT JOIN LATERAL ({RETURNED}) back ON true
        WHERE {by_date("q.pool_id", INSTANT, BOOKED_ON)}
        ORDER BY p.id, t.id
    """,
)
