"""The register of disputes: what banks took, what of it came back, until when to answer, and who bore what was lost.

`taken` and `returned` are the legs of the money, and `fee` what the provider kept for it, in the currency of our
balance; `lost` is what the books gave up, in the currency of the dispute.
"""

from payments.reports.base import Report, code, money, number, text
from payments.reports.options import DATE_BASIS
from payments.reports.sql import date_sql, instant_sql, mode_sql, money_sql, source_id
from payments.reports.states import by_date, first_change, state_of

BOOKED_ON = "coalesce(m.finance_date, (d.opened_at AT TIME ZONE %(zone)s)::date)"
CLOSED = ("won", "lost", "prevented", "warning_closed")

REPORT = Report(
    kind="disputes",
    title="Disputes",
    describe="Every dispute and inquiry with its deadline, the legs of its money, its outcome, and who bore the loss.",
    day="the day the dispute was opened",
    options=(DATE_BASIS,),
    columns=(
        code("dispute"),
        code("finance_date"),
        code("opened_at"),
        code("answer_by"),
        code("closed_at"),
        code("status"),
        text("reason"),
        code("borne_by"),
        code("has_suspended"),
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
        text("balance_transactions"),
        *money("amount"),
        *money("lost"),
        code("currency"),
        *money("taken", currency="settled_currency"),
        *money("returned", currency="settled_currency"),
        *money("fee", currency="settled_currency"),
        code("settled_currency"),
        code("mode"),
    ),
    sql=f"""
        SELECT d.id::text, {date_sql(BOOKED_ON)}, {instant_sql("d.opened_at")},
            {instant_sql("(s.details ->> 'evidence_due_at')::timestamptz")},
            {instant_sql(f"CASE WHEN s.status IN {CLOSED} THEN closed.at END")}, s.status, d.reason,
            s.details ->> 'borne_by', s.details ->> 'has_suspended',
            q.pool_id::text, pool.name, q.id::text, q.number, q.user_id::text, u.display_name, p.id::text, t.id::text,
            d.provider, t.charge_id, d.provider_reference, m.names,
            {money_sql("(s.details ->> 'amount_cents')::bigint", "d.currency")},
            {money_sql("lost.minor", "d.currency")}, d.currency,
            {money_sql("m.taken", "m.currency")}, {money_sql("m.returned", "m.currency")},
            {money_sql("m.fee", "m.currency")}, m.currency, {mode_sql("d")}
        FROM payments_dispute d
        {state_of("d.id", "dispute_change", "s")}
        JOIN payments_receipt t ON t.id = d.receipt_id
        JOIN payments_payment p ON p.id = t.payment_id
        JOIN entries_request q ON q.id = p.request_id
        JOIN pools_pool pool ON pool.id = q.pool_id
        JOIN accounts_user u ON u.id = q.user_id
        {first_change("d.id", "dispute_change", "closed", *CLOSED)}
        LEFT JOIN LATERAL (
            SELECT string_agg(n.reference, ' ' ORDER BY n.id) AS names, min(n.currency) AS currency,
                -coalesce(sum(n.amount_cents) FILTER (WHERE n.kind = 'dispute'), 0)::bigint AS taken,
                coalesce(sum(n.amount_cents) FILTER (WHERE n.kind = 'dispute_reversal'), 0)::bigint AS returned,
                sum(n.fee_cents)::bigint AS fee, min(j.finance_date) AS finance_date
            FROM payments_movement n
            LEFT JOIN payments_journalentry j ON j.source_type = 'movement'
                AND j.source_id = {source_id("movement", "n")} AND j.event = 'dispute_withdrawn'
                AND j.id <= %(as_of_journal)s
            WHERE n.dispute_id = d.id AND n.id <= %(as_of_movement)s HAVING count(*) > 0
        ) m ON true
        CROSS JOIN LATERAL (
            SELECT -coalesce(sum(l.amount), 0)::bigint AS minor
            FROM payments_journalentry j
            JOIN payments_posting l ON l.journal_entry_id = j.id
            JOIN payments_account a ON a.id = l.account_id AND a.kind = 'disputes_receivable'
            WHERE (j.source_type, j.source_id) = ('dispute', {source_id("dispute", "d")})
              AND j.id <= %(as_of_journal)s
        ) lost
        WHERE {by_date("q.pool_id", "d.opened_at", BOOKED_ON)}
        ORDER BY d.id
    """,
)
