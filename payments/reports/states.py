"""What rows that change were then: SQL that reads it from their change tables, up to the bound of a report.

A row is there once its first change is; its status, and what else its trigger watches, is what the last change says.
Names of people and pools are labels: they are told as they are now, for history keeps none of them.
"""

from payments.reports.as_of import TABLES
from payments.reports.sql import in_time, of_pool, source_id


def state_of(subject: str, bound: str, alias: str) -> str:
    """SQL of a join with the state of `subject` (an id) as of the bound `bound` of `as_of.TABLES`.

    It has `status`, `details` (what was watched), `at` and `reason`; rows that were not there yet fall out.
    """
    return f"""CROSS JOIN LATERAL (
            SELECT to_status AS status, details, at, reason FROM {TABLES[bound]}
            WHERE subject_id = {subject} AND id <= %(as_of_{bound})s ORDER BY id DESC LIMIT 1
        ) {alias}"""


def first_change(subject: str, bound: str, alias: str, *statuses: str) -> str:
    """SQL of a join with when (`at`) and by whom (`actor_id`) the row came to one of these statuses first."""
    wanted = ", ".join(f"'{status}'" for status in statuses)
    return f"""LEFT JOIN LATERAL (
            SELECT at, actor_id FROM {TABLES[bound]}
            WHERE subject_id = {subject} AND id <= %(as_of_{bound})s AND to_status IN ({wanted}) ORDER BY id LIMIT 1
        ) {alias} ON true"""


def booked(source_type: str, row: str, alias: str, *events: str) -> str:
    """SQL of a join with the entry of the journal that booked one of these events of a row."""
    wanted = ", ".join(f"'{event}'" for event in events)
    return f"""LEFT JOIN LATERAL (
            SELECT id, finance_date, effective_at FROM payments_journalentry
            WHERE source_type = '{source_type}' AND source_id = {source_id(source_type, row)} AND event IN ({wanted})
              AND id <= %(as_of_journal)s ORDER BY id LIMIT 1
        ) {alias} ON true"""


def by_date(pool: str, paid_at: str, booked_on: str) -> str:
    """SQL of the narrowing by pool, and by days of one of the two dates, as the option `date_basis` says."""
    return f"""{of_pool(pool)}
        AND CASE WHEN %(date_basis)s::text = 'event' THEN
            (%(first_day)s::date IS NULL OR {booked_on} >= %(first_day)s::date)
            AND (%(last_day)s::date IS NULL OR {booked_on} <= %(last_day)s::date)
        ELSE
            {in_time(paid_at)}
        END"""
