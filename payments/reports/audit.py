"""The audit as a file, in the order of its chain: with day, number and hash, so that anybody can recompute it.

Only what is linked is in it, which is all but the last seconds, and no pick of a round that is not revealed: its place
in the chain is a gap until then. How an entry is hashed, docs/audit.md says.
"""

from config.audit.chain import AT
from config.audit.secrecy import hidden_sql
from payments.reports.base import Report, code, number, text
from payments.reports.options import row

REPORT = Report(
    kind="audit",
    title="Audit",
    describe="Who did what to whom, from where, under which request: every entry of the audit, with place and hash.",
    day="the day it was written",
    options=(
        row("actor", "Person", "accounts.User", help="Only what this one did."),
        row("person", "Concerned", "accounts.User", help="Only what was done to this one, or for them."),
    ),
    has_pool=False,
    is_live=True,
    permission="config.view_auditentry",
    columns=(
        code("day"),
        number("number"),
        code("entry"),
        code("at"),
        code("actor_kind"),
        code("actor"),
        text("who"),
        code("api_key"),
        code("action"),
        code("subject_type"),
        code("subject"),
        code("person"),
        text("whom"),
        code("address"),
        text("request_id"),
        text("reason"),
        text("data"),
        code("previous_hash"),
        code("hash"),
    ),
    sql=f"""
        SELECT l.day::text, l.number, e.id::text, {AT.format(entry="e")}, e.actor_kind, e.actor_id::text,
            a.display_name, nullif(e.api_key, ''), e.action, nullif(e.subject_type, ''), nullif(e.subject_id, ''),
            e.person_id::text, w.display_name, host(e.address), nullif(e.request_id, ''), nullif(e.reason, ''),
            e.data::text, l.previous_hash, l.hash
        FROM config_auditlink l
        JOIN config_auditentry e ON e.id = l.entry_id
        LEFT JOIN accounts_user a ON a.id = e.actor_id
        LEFT JOIN accounts_user w ON w.id = e.person_id
        WHERE (%(actor)s::bigint IS NULL OR e.actor_id = %(actor)s::bigint)
          AND (%(person)s::bigint IS NULL OR e.person_id = %(person)s::bigint)
          AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s::timestamptz)
          AND (%(until)s::timestamptz IS NULL OR e.at < %(until)s::timestamptz)
          AND NOT {hidden_sql("e")}
        ORDER BY l.day, l.number
    """,
)
