"""What a tax office wants to know of a year's winners: what they were paid, what their entries cost, what was withheld.

One row for each winner, currency and mode, by the books. A prize counts in the year in which it was paid; what came
back, or was sent back, does not count. `entry_fees` is what the winner paid for places in that year, less what went
back. The rule is that of the winner's country as it stands now; the tax number itself is not kept here.
"""

from payments.reports.base import Days, Report, code, money, number, text
from payments.reports.options import number as number_option
from payments.reports.sql import date_sql, mode_sql, money_sql, source_id

# The finance year of an entry of the journal.
IN_YEAR = """j.id <= %(as_of_journal)s AND j.finance_date >= make_date(%(year)s::int, 1, 1)
              AND j.finance_date < make_date(%(year)s::int + 1, 1, 1)"""
# What a receipt brought, what refunds took of it, and what a bank took back for good.
FEES = "('received', 'paid', 'external', 'failed', 'external_failed', 'lost', 'recovered')"
SOURCES = f"""
    SELECT 'charge' AS type, {source_id("charge", "t")} AS id
    UNION ALL SELECT 'refund', {source_id("refund", "f")} FROM payments_refund f WHERE f.receipt_id = t.id
    UNION ALL SELECT 'dispute', {source_id("dispute", "d")} FROM payments_dispute d
        WHERE d.receipt_id = t.id
"""

REPORT = Report(
    kind="tax_year",
    title="Tax year",
    describe="Winners of a year: prizes paid, entry fees as their cost, the form on file, the threshold, tax withheld.",
    day="",
    days=Days.NONE,
    has_pool=False,
    needs_approval=True,
    options=(number_option("year", "Year", least=2000, most=2200, is_required=True),),
    columns=(
        number("year"),
        code("user"),
        text("player"),
        text("email"),
        code("country"),
        *money("gross"),
        *money("entry_fees"),
        *money("net"),
        *money("withheld"),
        *money("paid_out"),
        code("currency"),
        code("rule_form"),
        *money("threshold"),
        number("threshold_hit"),
        number("form_on_file"),
        code("form_received_on"),
        text("tin"),
        code("mode"),
    ),
    sql=f"""
        WITH prize AS (
            SELECT coalesce(o.player_id, c.player_id) AS player_id, j.currency_id AS currency, j.livemode,
                sum(l.amount) FILTER (WHERE a.kind = 'winnings_payable')::bigint AS gross,
                -coalesce(sum(l.amount) FILTER (WHERE a.kind = 'tax_withheld'), 0)::bigint AS withheld
            FROM payments_journalentry j
            JOIN payments_posting l ON l.journal_entry_id = j.id
            JOIN payments_account a ON a.id = l.account_id AND a.kind IN ('winnings_payable', 'tax_withheld')
            LEFT JOIN payments_payout o ON j.source_type = 'payout' AND {source_id("payout", "o")} = j.source_id
            LEFT JOIN payments_prizecorrection c ON j.source_type = 'prize_correction' AND c.id::text = j.source_id
            WHERE (j.source_type = 'payout'
                   OR j.source_type = 'prize_correction' AND j.event IN ('repaid', 'came_back', 'tax_released'))
              AND {IN_YEAR}
            GROUP BY 1, 2, 3
        ), fee AS (
            SELECT q.user_id AS player_id, j.currency_id AS currency, j.livemode, sum(l.amount)::bigint AS minor
            FROM entries_request q
            JOIN payments_payment p ON p.request_id = q.id
            JOIN payments_receipt t ON t.payment_id = p.id
            CROSS JOIN LATERAL ({SOURCES}) source
            JOIN payments_journalentry j ON (j.source_type, j.source_id) = (source.type, source.id)
                AND j.event IN {FEES} AND {IN_YEAR}
            JOIN payments_posting l ON l.journal_entry_id = j.id
            JOIN payments_account a ON a.id = l.account_id AND a.kind IN ('clearing', 'disputes_receivable')
            WHERE q.user_id IN (SELECT player_id FROM prize)
            GROUP BY 1, 2, 3
        ), row AS (
            SELECT w.*, coalesce(fee.minor, 0) AS fees
            FROM prize w
            LEFT JOIN fee USING (player_id, currency, livemode)
            WHERE w.gross <> 0 OR w.withheld <> 0
        )
        SELECT %(year)s::int, r.player_id::text, u.display_name, u.email, u.country,
            {money_sql("r.gross", "r.currency")}, {money_sql("r.fees", "r.currency")},
            {money_sql("r.gross - r.fees", "r.currency")}, {money_sql("r.withheld", "r.currency")},
            {money_sql("r.gross - r.withheld", "r.currency")}, r.currency,
            y.form, {money_sql("y.threshold_cents", "r.currency")},
            CASE WHEN y.id IS NOT NULL THEN (r.gross >= y.threshold_cents)::int END,
            (form.id IS NOT NULL)::int, {date_sql("form.received_on")},
            CASE WHEN form.tin_last_four <> '' THEN '****' || form.tin_last_four END,
            {mode_sql("r")}
        FROM row r
        JOIN accounts_user u ON u.id = r.player_id
        LEFT JOIN payments_taxyear y ON (y.country, y.year, y.currency) = (u.country, %(year)s, r.currency)
        LEFT JOIN LATERAL (
            SELECT f.id, f.received_on, f.tin_last_four, f.valid_through_year FROM payments_taxform f
            WHERE f.player_id = r.player_id AND f.id <= %(as_of_tax_form)s AND (y.form IS NULL OR f.form = y.form)
            ORDER BY f.id DESC LIMIT 1
        ) form ON form.valid_through_year IS NULL OR form.valid_through_year >= %(year)s::int
        ORDER BY r.player_id, r.currency, r.livemode
    """,
)
