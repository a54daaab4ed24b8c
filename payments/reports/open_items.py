"""Money that waits: what lies on the accounts that must come to nothing, thing by thing, and for how long.

Received and nobody's place (`unallocated`), promised back and not gone (`refund_payable`), moved without a decision of
ours (`suspense`), held by a bank (`disputes_receivable`). Each row is what one receipt, refund or movement has come to
on one of them; all rows of an account come to its balance in the trial balance as of then.
"""

from payments.reports.base import Days, Report, code, money, number, text
from payments.reports.options import choice
from payments.reports.sql import bucket_sql, instant_sql, mode_sql, money_sql, of_pool, source_id

AGE = "greatest(extract(epoch FROM %(as_of)s - o.since), 0)"
# What a decision about a row of the queue moved is told of what the row is about: `movement:stripe:txn_1`.
SOURCE = """
    SELECT kind, currency_id, livemode, provider, amount, effective_at,
        CASE WHEN key IS NULL THEN source_type ELSE split_part(key, ':', 1) END AS source_type,
        CASE WHEN key IS NULL THEN source_id ELSE substr(key, length(split_part(key, ':', 1)) + 2) END AS source_id
    FROM (
        SELECT a.kind, a.currency_id, a.livemode, a.provider, a.normal_side * l.amount AS amount, j.effective_at,
            j.source_type, j.source_id, w.object_key AS key
        FROM payments_account a
        JOIN payments_posting l ON l.account_id = a.id AND l.id <= %(as_of_posting)s
        JOIN payments_journalentry j ON j.id = l.journal_entry_id
        LEFT JOIN payments_discrepancy w ON w.id = CASE WHEN j.source_type = 'discrepancy' THEN j.source_id::bigint END
        WHERE a.kind IN ('unallocated', 'refund_payable', 'suspense', 'disputes_receivable')
          AND (%(account_kind)s::text = 'all' OR a.kind = %(account_kind)s::text)
    ) line
"""
# The receipt that a source is about, by whatever name it goes; a receipt goes by its number.
NUMBER = "CASE WHEN s.source_id ~ '^[0-9]{1,18}$' THEN s.source_id::bigint END"
RECEIPT = "coalesce(own.id, charge.id, refund.receipt_id, named.receipt_id, dispute.receipt_id, moved.receipt_id)"
NAMED = f"""
    LEFT JOIN payments_receipt own ON s.source_type = 'receipt' AND own.id = {NUMBER}
    LEFT JOIN payments_receipt charge
        ON s.source_type = 'charge' AND {source_id("charge", "charge")} = s.source_id
    LEFT JOIN payments_refund refund ON s.source_type = 'refund' AND {source_id("refund", "refund")} = s.source_id
    LEFT JOIN payments_refund named ON s.source_type = 'refund' AND named.id = {NUMBER}
    LEFT JOIN payments_dispute dispute
        ON s.source_type = 'dispute' AND {source_id("dispute", "dispute")} = s.source_id
    LEFT JOIN payments_movement moved
        ON s.source_type = 'movement' AND {source_id("movement", "moved")} = s.source_id
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
        WITH source AS (
            SELECT kind, currency_id, livemode, max(provider) AS provider, source_type, source_id,
                sum(amount)::bigint AS minor, min(effective_at) AS since
            FROM ({SOURCE}) line GROUP BY kind, currency_id, livemode, source_type, source_id
        ), item AS (
            SELECT kind, currency_id, livemode, receipt_id, about, max(provider) AS provider,
                sum(minor)::bigint AS minor, min(since) AS since
            FROM (
                SELECT s.kind, s.currency_id, s.livemode, s.provider, s.minor, s.since, {RECEIPT} AS receipt_id,
                    CASE WHEN {RECEIPT} IS NULL THEN s.source_type || ' ' || s.source_id
                        ELSE 'receipt ' || {RECEIPT} END AS about
                FROM source s {NAMED}
            ) found
            GROUP BY kind, currency_id, livemode, receipt_id, about HAVING sum(minor) <> 0
        )
        SELECT o.kind, o.about, o.receipt_id::text, q.pool_id::text, pool.name, q.user_id::text, u.display_name,
            coalesce(t.provider, nullif(o.provider, '')), t.charge_id, {instant_sql("o.since")},
            floor({AGE} / 86400)::bigint, {bucket_sql(AGE, 1, 3, 7, 30, 90)},
            {money_sql("o.minor", "o.currency_id")}, o.currency_id, {mode_sql("o")}
        FROM item o
        LEFT JOIN payments_receipt t ON t.id = o.receipt_id
        LEFT JOIN payments_payment p ON p.id = t.payment_id
        LEFT JOIN entries_request q ON q.id = p.request_id
        LEFT JOIN pools_pool pool ON pool.id = q.pool_id
        LEFT JOIN accounts_user u ON u.id = q.user_id
        WHERE {of_pool("q.pool_id")}
        ORDER BY o.kind, o.currency_id, o.livemode, o.since, o.about
    """,
)
