"""The register of refunds: who wanted each, whose money it is, where it stands, and when it left the house.

`amount` is what is to go back; `gone` what has left and did not come back, by the books. What the provider took out of
our balance for it is `settled`, and what it kept of that `fee`, in the currency of that balance.
"""

from payments.reports.base import Report, code, money, number, text
from payments.reports.options import DATE_BASIS
from payments.reports.sql import date_sql, instant_sql, mode_sql, money_sql
from payments.reports.states import booked, by_date, first_change, state_of

# It counts on the day it left; until then, on the day it was asked for.
INSTANT = "coalesce(paid.effective_at, f.created_at)"
GONE = "CASE WHEN paid.id IS NOT NULL AND back.id IS NULL THEN f.amount_cents ELSE 0 END"
BOOKED_ON = "coalesce(paid.finance_date, decided.finance_date, (f.created_at AT TIME ZONE %(zone)s)::date)"

REPORT = Report(
    kind="refunds",
    title="Refunds",
    describe="Every refund, from the wish to the provider's last word: who asked, who approved, when the money left.",
    day="the day the money left, or the refund was asked for",
    options=(DATE_BASIS,),
    columns=(
        code("refund"),
        code("finance_date"),
        code("requested_at"),
        code("decided_at"),
        code("left_at"),
        code("came_back_at"),
        code("status"),
        code("origin"),
        code("taken_from"),
        text("reason"),
        text("failure"),
        text("pending_reason"),
        code("replaces"),
        text("requested_by"),
        text("approved_by"),
        code("pool"),
        text("pool_name"),
        code("request"),
        number("number"),
        code("user"),
        text("player"),
        code("payment"),
        code("receipt"),
        code("provider"),
        text("charge"),
        text("provider_reference"),
        text("balance_transaction"),
        *money("amount"),
        *money("gone"),
        code("currency"),
        *money("settled", currency="settled_currency"),
        *money("fee", currency="settled_currency"),
        code("settled_currency"),
        code("mode"),
    ),
    sql=f"""
        SELECT f.id::text, {date_sql(BOOKED_ON)}, {instant_sql("f.created_at")}, {instant_sql("sent.at")},
            {instant_sql("paid.effective_at")}, {instant_sql("back.effective_at")}, s.status, f.origin,
            s.details ->> 'taken_from', f.reason, s.details ->> 'failure', s.details ->> 'pending_reason',
            f.replaces_id::text, asker.display_name, approver.display_name,
            q.pool_id::text, pool.name, q.id::text, q.number, q.user_id::text, u.display_name, p.id::text, t.id::text,
            f.provider, t.charge_id, s.details ->> 'provider_reference', m.reference,
            {money_sql("f.amount_cents", "f.currency")},
            {money_sql(GONE, "f.currency")}, f.currency,
            {money_sql("m.settled", "m.currency")}, {money_sql("m.fee", "m.currency")}, m.currency, {mode_sql("f")}
        FROM payments_refund f
        {state_of("f.id", "refund_change", "s")}
        JOIN payments_receipt t ON t.id = f.receipt_id
        JOIN payments_payment p ON p.id = t.payment_id
        JOIN entries_request q ON q.id = p.request_id
        JOIN pools_pool pool ON pool.id = q.pool_id
        JOIN accounts_user u ON u.id = q.user_id
        LEFT JOIN accounts_user asker ON asker.id = f.requested_by_id
        LEFT JOIN accounts_user approver ON approver.id = (s.details ->> 'approved_by_id')::bigint
        {first_change("f.id", "refund_change", "sent", "sending")}
        {booked("refund", "f", "decided", "decided")}
        {booked("refund", "f", "paid", "paid", "external")}
        {booked("refund", "f", "back", "failed", "external_failed")}
        LEFT JOIN LATERAL (
            SELECT string_agg(n.reference, ' ' ORDER BY n.id) AS reference, min(n.currency) AS currency,
                sum(n.amount_cents)::bigint AS settled, sum(n.fee_cents)::bigint AS fee
            FROM payments_movement n WHERE n.refund_id = f.id AND n.id <= %(as_of_movement)s
        ) m ON true
        WHERE {by_date("q.pool_id", INSTANT, BOOKED_ON)}
        ORDER BY f.id
    """,
)
