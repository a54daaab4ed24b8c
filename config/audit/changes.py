"""What changed, from, to, who, why, when: append-only rows that triggers write, so that raw SQL leaves them too.

A service says who acts and why with `attribute()`; the triggers read it from the transaction's settings. Rows of a
change table are never updated, deleted or truncated, by a superuser of the application neither.
"""

from typing import Any

import pgtrigger
from django.db import connection, models

from config.audit.origin import ORIGIN_SETTING, told
from config.clock import ClockTimestamp
from config.triggers import Guard, planned_anew

ACTOR_SETTING = "outlast.actor"
REASON_SETTING = "outlast.reason"

# SQL for the acting user's id and the reason inside a trigger; NULL and '' when nobody said.
ACTOR_SQL = f"nullif(current_setting('{ACTOR_SETTING}', true), '')::bigint"
REASON_SQL = f"coalesce(current_setting('{REASON_SETTING}', true), '')"


def attribute(*, by: Any = None, reason: str = "") -> None:
    """Say who (a user, or None for the system) makes the changes that follow in this transaction, and why.

    From where, and under which request, is said along with it.
    """
    actor = "" if by is None else str(by.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT set_config(%s, %s, true), set_config(%s, %s, true), set_config('{ORIGIN_SETTING}', %s, true)",
            [ACTOR_SETTING, actor, REASON_SETTING, reason, told()],
        )


class Change(models.Model):
    """One change of one row. Deliberately without foreign keys: history outlives what it tells about."""

    at = models.DateTimeField(db_default=ClockTimestamp())
    actor_id = models.BigIntegerField(null=True, blank=True, help_text="The user who did it; empty for the system.")
    reason = models.TextField(blank=True, default="", db_default="")

    class Meta:
        abstract = True


class StatusChange(Change):
    """A change of a status, with what else of interest changed beside it."""

    subject_id = models.BigIntegerField(db_index=True)
    from_status = models.CharField(max_length=20, blank=True, default="", db_default="")
    to_status = models.CharField(max_length=20)
    details = models.JSONField(default=dict, db_default=models.Value("{}", models.JSONField()))

    class Meta:
        abstract = True


def append_only() -> list[Guard]:
    """Triggers for a change table: rows are added, never touched again."""
    return [
        _refuse("append_only", pgtrigger.Update | pgtrigger.Delete),
        _refuse("append_only_truncate", pgtrigger.Truncate),
    ]


def immutable() -> list[Guard]:
    """The same for rows that are versions: written once, quoted for ever."""
    return append_only()


def never_deleted() -> list[Guard]:
    """Rows that may change along their map but never disappear."""
    return [_refuse("never_deleted", pgtrigger.Delete), _refuse("never_truncated", pgtrigger.Truncate)]


def _refuse(name: str, operation: Any) -> Guard:
    return Guard(
        name=name,
        level=pgtrigger.Statement if operation is pgtrigger.Truncate else pgtrigger.Row,
        when=pgtrigger.Before,
        operation=operation,
        func=f"""
            RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}';
        """,
    )


def record_status(change_table: str, watched: tuple[str, ...] = ()) -> list[Guard]:
    """Write a `StatusChange` for each row whose status or a watched column changed, once per statement.

    Set-based on purpose: settling a million entries must not fire a million functions.
    """
    columns = ", ".join(f"'{column}', n.{column}" for column in watched)
    details = f"jsonb_build_object({columns})" if columns else "'{{}}'::jsonb"
    differs = " OR ".join(f"o.{column} IS DISTINCT FROM n.{column}" for column in ("status", *watched))
    insert = (
        f"INSERT INTO {change_table} (subject_id, from_status, to_status, details, at, actor_id, reason) "
        f"SELECT n.id, {{old}}, n.status, {details}, clock_timestamp(), {ACTOR_SQL}, {REASON_SQL} FROM new_rows n "
    )
    return [
        Guard(
            name="record_insert",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="new_rows"),
            func=insert.format(old="''") + "; RETURN NULL;",
        ),
        Guard(
            name="record_update",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),
            func=planned_anew(insert.format(old="o.status") + f"JOIN old_rows o USING (id) WHERE {differs}")
            + " RETURN NULL;",
        ),
    ]
