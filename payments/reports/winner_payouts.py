"""Prizes on their way to the winners: what was won, what of it is paid out, what is withheld, and who signed.

`gross` is what a payout is of, before the tax that is `withheld`; `net` what the winner gets. A payout counts on the
day it was paid; until then, on the day it was asked for.
"""

from payments.reports.base import Report, code, money, number, text
from payments.reports.options import DATE_BASIS
from payments.reports.sql import date_sql, instant_sql, mode_sql, money_sql
from payments.reports.states import booked, by_date, first_change, state_of

INSTANT = "coalesce(paid.effective_at, o.requested_at)"
BOOKED_ON = "coalesce(paid.finance_date, (o.requested_at AT TIME ZONE %(zone)s)::date)"
# The bank's or the provider's name of it, for whoever looks for it there.
BY_HAND = """
    SELECT h.method, h.reference FROM payments_manualrecord h
    CROSS JOIN LATERAL (
        SELECT to_status FROM payments_manualrecordchange
        WHERE subject_id = h.id AND id <= %(as_of_manual_change)s ORDER BY id DESC LIMIT 1
    ) c
    WHERE h.payout_id = o.id AND c.to_status = 'confirmed' ORDER BY h.id LIMIT 1
"""
# The form that counts is the newest of its kind.
FORM = """
    SELECT string_agg(DISTINCT f.form, ' ' ORDER BY f.form) AS form FROM payments_taxform f
    WHERE f.player_id = o.player_id AND f.id <= %(as_of_tax_form)s
"""

REPORT = Report(
    kind="winner_payouts",
    title="Winner payouts",
    describe="Every prize on its way: gross, tax withheld, net, both names, when it was paid, and if it came back.",
    day="the day it was paid, or asked for",
    options=(DATE_BASIS,),
    pdf="payout_statement",
    columns=(
        code("payout"),
        code("finance_date"),
        code("status"),
        code("requested_at"),
        code("approved_at"),
        code("paid_at"),
        code("returned_at"),
        code("pool"),
        text("pool_name"),
        number("booking"),
        code("user"),
        text("player"),
        code("country"),
        text("tax_forms"),
        code("provider"),
        code("method"),
        text("reference"),
        code("replaces"),
        text("reason"),
        text("failure"),
        text("requested_by"),
        text("approved_by"),
        *money("won"),
        *money("gross"),
        *money("withheld"),
        *money("net"),
        code("currency"),
        code("mode"),
    ),
    sql=f"""
        SELECT o.id::text, {date_sql(BOOKED_ON)}, s.status, {instant_sql("o.requested_at")},
            {instant_sql("approved.at")}, {instant_sql("paid.effective_at")}, {instant_sql("back.effective_at")},
            b.pool_id::text, pool.name, b.number, o.player_id::text, u.display_name, u.country, form.form, o.provider,
            hand.method, coalesce(hand.reference, nullif(s.details ->> 'provider_reference', '')), o.replaces_id::text,
            nullif(s.reason, ''), s.details ->> 'failure', asker.display_name, approver.display_name,
            {money_sql("o.won_cents", "o.currency")}, {money_sql("o.amount_cents", "o.currency")},
            {money_sql("o.withheld_cents", "o.currency")},
            {money_sql("o.amount_cents - o.withheld_cents", "o.currency")}, o.currency, {mode_sql("o")}
        FROM payments_payout o
        {state_of("o.id", "payout_change", "s")}
        JOIN payments_prizebooking b ON b.id = o.booking_id
        JOIN pools_pool pool ON pool.id = b.pool_id
        JOIN accounts_user u ON u.id = o.player_id
        JOIN accounts_user asker ON asker.id = o.requested_by_id
        LEFT JOIN accounts_user approver ON approver.id = (s.details ->> 'approved_by_id')::bigint
        {first_change("o.id", "payout_change", "approved", "approved")}
        {booked("payout", "o", "paid", "paid")}
        {booked("payout", "o", "back", "returned")}
        LEFT JOIN LATERAL ({BY_HAND}) hand ON true
        LEFT JOIN LATERAL ({FORM}) form ON true
        WHERE {by_date("b.pool_id", INSTANT, BOOKED_ON)}
        ORDER BY o.id
    """,
)
