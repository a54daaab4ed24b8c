"""Money that waits: what lies on the accounts that must come to nothing, thing by thing, and for how long.

Received and nobody's place (`unallocated`), promised back and not gone (`refund_payable`), moved without a decision of
ours (`suspense`), held by a bank (`disputes_receivable`). Each row is what one receipt, refund or movement has come to
on one of them; all rows of an account come to its balance in the trial balance as of then.
"""

from payments.reports.base import Days, Report, code, instant_sql, money, money_sql, number, text
from payments.reports.options import choice
from payments.reports.states import MODE

KINDS = "('unallocated', 'refund_payable', 'suspense', 'disputes_receivable')"
AGE = "greatest(extract(epoch FROM %(as_of)s - o.since), 0)"
BUCKET = f"""CASE WHEN {AGE} < 86400 THEN '0-1' WHEN {AGE} < 3 * 86400 THEN '1-3'
    WHEN {AGE} < 7 * 86400 THEN '3-7' WHEN {AGE} < 30 * 86400 THEN '7-30' WHEN {AGE} < 90 * 86400 THEN '30-90'
    ELSE '>90' END"""
# The receipt that an entry of the journal is about, by whatever name its source goes.
RECEIPT = """
    SELECT coalesce(
        CASE WHEN j.source_type = 'receipt' THEN j.source_id::bigint END,
        (SELECT r.id FROM payments_receipt r WHERE j.source_type = 'charge'
            AND r.provider = split_part(j.source_id, ':', 1)
            AND r.charge_id = substr(j.source_id, length(split_part(j.source_id, ':', 1)) + 2)),
        (SELECT f.receipt_id FROM payments_refund f WHERE j.source_type = 'refund' AND f.ref::text = j.source_id),
        (SELECT d.receipt_id FROM payments_dispute d WHERE j.source_type = 'dispute'
            AND d.provider = split_part(j.source_id, ':', 1)
            AND d.provider_reference = substr(j.source_id, length(split_part(j.source_id, ':', 1)) + 2)),
        (SELECT m.receipt_id FROM payments_movement m WHERE j.source_type = 'movement'
            AND m.provider = split_part(j.source_id, ':', 1)
            AND m.reference = substr(j.source_id, length(split_part(j.source_id, ':', 1)) + 2))
    ) AS receipt_id
"""

REPORT = Report(
    kind="open_items",
    title="Unallocated and aged",
    describe="What lies on accounts that must come to nothing: unallocated money, refunds owed, suspense, disputes.",
    day="",
    days=Days.NONE,
    options=(
        choice(
            "account_kind",
            "Of which account",
            {
                "all": "all four",
                "unallocated": "unallocated",
                "refund_payable": "refunds owed",
                "suspense": "suspense",
                "disputes_receivable": "disputes",
            },
            default="all",
        ),
    ),
    columns=(
        code("account_kind"),
        text("about"),
        code("receipt"),
        code("pool"),
        text("pool_name"),
        code("user"),
        text("player"),
        code("provider"),
        text("charge"),
        code("since"),
        number("age_days"),
        code("age_bucket"),
        *money("open"),
        code("currency"),
        code("mode"),
    ),
    sql=f"""
        WITH line AS (
            SELECT a.kind, a.currency_id, a.livemode, a.provider, a.normal_side * l.amount AS amount, j.effective_at,
                found.receipt_id,
                CASE WHEN found.receipt_id IS NULL THEN j.source_type || ' ' || j.source_id
                    ELSE 'receipt ' || found.receipt_id END AS about
            FROM payments_account a
            JOIN payments_posting l ON l.account_id = a.id AND l.id <= %(as_of_posting)s
            JOIN payments_journalentry j ON j.id = l.journal_entry_id
            CROSS JOIN LATERAL ({RECEIPT}) found
            WHERE a.kind IN {KINDS}
              AND (%(account_kind)s::text = 'all' OR a.kind = %(account_kind)s::text)
        ), item AS (
            SELECT kind, currency_id, livemode, about, receipt_id, max(provider) AS provider,
                sum(amount)::bigint AS minor, min(effective_at) AS since
            FROM line GROUP BY kind, currency_id, livemode, about, receipt_id HAVING sum(amount) <> 0
        )
        SELECT o.kind, o.about, o.receipt_id::text, q.pool_id::text, pool.name, q.user_id::text, u.display_name,
            coalesce(t.provider, nullif(o.provider, '')), t.charge_id, {instant_sql("o.since")},
            floor({AGE} / 86400)::bigint, {BUCKET}, {money_sql("o.minor", "o.currency_id")}, o.currency_id,
            {MODE.format("o")}
        FROM item o
        LEFT JOIN payments_receipt t ON t.id = o.receipt_id
        LEFT JOIN payments_payment p ON p.id = t.payment_id
        LEFT JOIN entries_request q ON q.id = p.request_id
        LEFT JOIN pools_pool pool ON pool.id = q.pool_id
        LEFT JOIN accounts_user u ON u.id = q.user_id
        WHERE %(pool)s::bigint IS NULL OR q.pool_id = %(pool)s::bigint
        ORDER BY o.kind, o.currency_id, o.livemode, o.since, o.about
    """,
)
