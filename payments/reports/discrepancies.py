"""The register of discrepancies: what the machine was not certain about, since when, whose it is, and how it ended."""

from payments.reports.base import Report, code, money, number, text
from payments.reports.options import choice
from payments.reports.sql import bucket_sql, day_sql, in_time, instant_sql, money_sql
from payments.reports.states import first_change, state_of

# What the row says now stands in for what its changes did not keep.
AMOUNT = "coalesce((s.details ->> 'amount_cents')::bigint, d.amount_cents)"
CURRENCY = "nullif(coalesce(s.details ->> 'currency', d.currency), '')"
IS_DONE = "s.status IN ('resolved', 'written_off')"
# As of then, or when it was closed.
AGE = f"greatest(extract(epoch FROM CASE WHEN {IS_DONE} THEN closed.at ELSE %(as_of)s END - d.opened_at), 0)"
DAYS = f"floor({AGE} / 86400)::bigint"


def side_sql(name: str) -> str:
    """SQL of what one side says: as JSON, nothing where it says nothing."""
    return f"nullif(coalesce(s.details -> '{name}', d.{name}), '{{}}'::jsonb)::text"


REPORT = Report(
    kind="discrepancies",
    title="Discrepancies",
    describe="What reconciliation and services put before a person: age, owner, both sides, and how it ended.",
    day="the day it was opened",
    options=(
        choice(
            "which",
            "Which",
            {"all": "all", "open": "still open then", "closed": "closed by then"},
            default="all",
        ),
    ),
    has_pool=False,
    columns=(
        code("discrepancy"),
        code("finance_date"),
        code("opened_at"),
        code("kind"),
        text("about"),
        code("status"),
        text("owner"),
        number("age_days"),
        code("age_bucket"),
        code("due_at"),
        *money("amount"),
        code("currency"),
        text("sentence"),
        text("suggestion"),
        text("ours"),
        text("theirs"),
        code("first_run"),
        code("closed_at"),
        text("closed_by"),
        text("resolution"),
    ),
    sql=f"""
        SELECT d.id::text, {day_sql("d.opened_at")}, {instant_sql("d.opened_at")}, d.kind, d.object_key, s.status,
            owner.display_name, {DAYS}, {bucket_sql(AGE, 1, 3, 7)},
            {instant_sql("coalesce((s.details ->> 'due_at')::timestamptz, d.due_at)")},
            {money_sql(f"CASE WHEN {CURRENCY} IS NOT NULL THEN {AMOUNT} END", CURRENCY)}, {CURRENCY},
            coalesce(s.details ->> 'sentence', d.sentence), coalesce(s.details ->> 'suggestion', d.suggestion),
            {side_sql("ours")}, {side_sql("theirs")}, d.first_run_id::text,
            {instant_sql(f"CASE WHEN {IS_DONE} THEN closed.at END")},
            CASE WHEN {IS_DONE} THEN closer.display_name END,
            CASE WHEN {IS_DONE} THEN s.details ->> 'resolution' END
        FROM payments_discrepancy d
        {state_of("d.id", "discrepancy_change", "s")}
        {first_change("d.id", "discrepancy_change", "closed", "resolved", "written_off")}
        LEFT JOIN accounts_user owner ON owner.id = (s.details ->> 'owner_id')::bigint
        LEFT JOIN accounts_user closer ON closer.id = closed.actor_id
        WHERE (%(which)s::text = 'all' OR (%(which)s::text = 'closed') = ({IS_DONE}))
          AND {in_time("d.opened_at")}
        ORDER BY d.id
    """,
)
