"""The statement of one account: what it stood at, each line in the order of posting, what it stands at.

Balances are debits less credits, after each line.
"""

from payments.reports.base import Report, code, money, text
from payments.reports.books import AS_OF, IN_DAYS, LINES
from payments.reports.options import row
from payments.reports.sql import date_sql, instant_sql, mode_sql, money_sql

_EMPTY = "NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text"


def _standing(what: str, place: int, balance: str) -> str:
    return f"""SELECT {place}, 0::bigint, '{what}', {_EMPTY}, NULL::bigint, NULL::bigint, {balance} FROM stood"""


REPORT = Report(
    kind="account_statement",
    title="Account statement",
    describe="One account of the books, line by line, from its opening balance to its closing one.",
    day="the entry's own day of finance",
    columns=(
        code("row"),
        code("line"),
        code("entry"),
        code("finance_date"),
        code("effective_at"),
        code("posted_at"),
        code("booked_for"),
        text("booked_for_id"),
        code("event"),
        *money("debit"),
        *money("credit"),
        # Balances of one day after another: their sum would mean nothing.
        *money("balance", currency=""),
        code("currency"),
        code("account"),
        code("account_kind"),
        code("mode"),
    ),
    options=(row("account", "Account", "payments.Account", is_required=True, help="Its number, as in Accounts."),),
    has_pool=False,
    is_personal=False,
    sql=f"""
        WITH line AS (
            SELECT l.id, j.id AS entry, j.finance_date, j.effective_at, j.posted_at, j.source_type, j.source_id,
                j.event, l.amount, {IN_DAYS} AS is_shown
            FROM {LINES}
            WHERE {AS_OF} AND l.account_id = %(account)s::bigint
        ), stood AS (
            SELECT coalesce(sum(amount) FILTER (WHERE NOT is_shown), 0)::bigint AS opening,
                coalesce(sum(amount), 0)::bigint AS closing
            FROM line
        ), told (place, line, what, line_id, entry, finance_date, effective_at, posted_at, booked_for, booked_for_id,
                 event, debit, credit, balance) AS (
            {_standing("opening", 1, "opening")}
            UNION ALL
            SELECT 2, id, 'line', id::text, entry::text, {date_sql("finance_date")},
                {instant_sql("effective_at")}, {instant_sql("posted_at")}, source_type, source_id, event,
                greatest(amount, 0), greatest(-amount, 0),
                ((SELECT opening FROM stood) + sum(amount) OVER (ORDER BY id))::bigint
            FROM line WHERE is_shown
            UNION ALL
            {_standing("closing", 3, "closing")}
        )
        SELECT t.what, t.line_id, t.entry, t.finance_date, t.effective_at, t.posted_at, t.booked_for, t.booked_for_id,
            t.event, {money_sql("t.debit", "a.currency_id")}, {money_sql("t.credit", "a.currency_id")},
            {money_sql("t.balance", "a.currency_id")}, a.currency_id, a.id::text, a.kind, {mode_sql("a")}
        FROM told t CROSS JOIN payments_account a
        WHERE a.id = %(account)s::bigint
        ORDER BY t.place, t.line
    """,
)
