"""Who did what with money, and when: every change of a status that triggers wrote down, and every entry of the books.

`from` and `to` are statuses, `details` what else is watched, as the row said it after the change. An entry of the books
has its amount: the sum of its debits. Nobody's name means that the system did it by itself.
"""

from dataclasses import dataclass

from payments.reports.as_of import TABLES
from payments.reports.base import Report, code, money, text
from payments.reports.options import choice, row
from payments.reports.sql import day_sql, in_time, instant_sql, mode_sql, money_sql


@dataclass(frozen=True, slots=True)
class Audited:
    """A change table, by the name of its bound, and what its rows are changes of."""

    bound: str
    thing: str


CHANGES = (
    Audited("payment_change", "payment"),
    Audited("receipt_change", "receipt"),
    Audited("refund_change", "refund"),
    Audited("dispute_change", "dispute"),
    Audited("manual_change", "manual_record"),
    Audited("cancellation_change", "cancellation"),
    Audited("payout_change", "payout"),
    Audited("discrepancy_change", "discrepancy"),
    Audited("run_change", "reconciliation_run"),
    Audited("provider_payout_change", "provider_payout"),
    Audited("bank_line_change", "bank_line"),
    Audited("write_off_change", "write_off"),
    Audited("foreign_object_change", "foreign_object"),
    Audited("prize_correction_change", "prize_correction"),
    Audited("payout_account_change", "payout_account"),
    Audited("export_change", "export"),
    Audited("schedule_change", "export_schedule"),
    Audited("period_change", "period"),
    Audited("journal_batch_change", "journal_batch"),
    # Approvals, waivers, what is owed.
    Audited("request_change", "request"),
)
NOTHING = "NULL::bigint AS minor, NULL::text AS currency, NULL::boolean AS livemode"


def _changes(audited: Audited) -> str:
    return f"""
        SELECT c.at, c.actor_id, '{audited.thing}' AS thing, c.subject_id::text AS subject, 'changed' AS action,
            nullif(c.from_status, '') AS from_status, c.to_status, c.reason, nullif(c.details, '{{}}'::jsonb)::text,
            c.id, {NOTHING}
        FROM {TABLES[audited.bound]} c WHERE c.id <= %(as_of_{audited.bound})s"""


# The acts of people on rows of the queue, also those that moved no status.
ACTS = f"""
        SELECT c.at, c.by_id, 'discrepancy', c.discrepancy_id::text, c.act, NULL, NULL, c.reason, nullif(c.outcome, ''),
            c.id, {NOTHING}
        FROM payments_discrepancyact c WHERE c.id <= %(as_of_discrepancy_act)s"""
# Who took files with people's names out of the house.
DOWNLOADS = f"""
        SELECT c.at, c.by_id, 'export', c.export_id::text, 'downloaded', NULL, NULL, NULL, c.way, c.id, {NOTHING}
        FROM payments_exportdownload c WHERE c.id <= %(as_of_export_download)s"""
TAX_FORMS = f"""
        SELECT c.recorded_at, c.recorded_by_id, 'tax_form', c.player_id::text, 'recorded', NULL, NULL, NULL, c.form,
            c.id, {NOTHING}
        FROM payments_taxform c WHERE c.id <= %(as_of_tax_form)s"""
MAPPINGS = f"""
        SELECT c.at, c.actor_id, 'account_mapping', coalesce(c.after, c.before) ->> 'id', 'changed', c.before::text,
            c.after::text, c.reason, NULL, c.id, {NOTHING}
        FROM payments_accountmappingchange c WHERE c.id <= %(as_of_account_mapping_change)s"""
BOOKED = """
        SELECT j.posted_at, j.actor_id, j.source_type, j.source_id, 'booked', NULL, j.event, j.memo, NULL, j.id,
            (SELECT sum(l.amount) FROM payments_posting l WHERE l.journal_entry_id = j.id AND l.amount > 0)::bigint,
            j.currency_id, j.livemode
        FROM payments_journalentry j WHERE j.id <= %(as_of_journal)s"""
ALL = " UNION ALL ".join((*map(_changes, CHANGES), ACTS, DOWNLOADS, TAX_FORMS, MAPPINGS, BOOKED))

REPORT = Report(
    kind="audit_log",
    title="Money audit log",
    describe="Who did what with money, and when: every change of a status and every entry of the books, with reasons.",
    day="the day it was done",
    options=(
        choice("who", "Done by", {"all": "everybody", "people": "people alone"}, default="all"),
        row("actor", "Person", "accounts.User", help="Only what this one did."),
    ),
    has_pool=False,
    columns=(
        code("at"),
        code("finance_date"),
        code("user"),
        text("who"),
        code("thing"),
        text("subject"),
        code("action"),
        text("from"),
        text("to"),
        text("reason"),
        text("details"),
        *money("amount"),
        code("currency"),
        code("mode"),
    ),
    sql=f"""
        SELECT {instant_sql("o.at")}, {day_sql("o.at")}, o.actor_id::text, u.display_name, o.thing, o.subject, o.action,
            o.from_status, o.to_status, nullif(o.reason, ''), o.details, {money_sql("o.minor", "o.currency")},
            o.currency, CASE WHEN o.livemode IS NOT NULL THEN {mode_sql("o")} END
        FROM ({ALL}) o (at, actor_id, thing, subject, action, from_status, to_status, reason, details, id, minor,
            currency, livemode)
        LEFT JOIN accounts_user u ON u.id = o.actor_id
        WHERE (%(who)s::text = 'all' OR o.actor_id IS NOT NULL)
          AND (%(actor)s::bigint IS NULL OR o.actor_id = %(actor)s::bigint)
          AND {in_time("o.at")}
        ORDER BY o.at, o.thing, o.id, o.action
    """,
)
