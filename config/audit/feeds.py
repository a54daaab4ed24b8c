"""From change tables into the audit: a trigger on each of them, so that no service can forget it.

Up to `FEW` rows of one statement become an entry each. More of them, a settlement or an import, become an entry for
each kind of change, which names the rows it stands for: the change table keeps them, as unalterably.
"""

from typing import Any

import pgtrigger

from config.audit.changes import REASON_SQL
from config.triggers import Guard

FEW = 100


def feeds_status(noun: str, *, owner: str = "", person: str = "NULL::bigint", keys: tuple[str, ...] = ()) -> Guard:
    """Of a table of `StatusChange`s: `payment.succeeded`, or `payment.changed` where the status stayed.

    `keys` are those of the details that the audit may know. Whom it is about says `owner`, a column of the table whose
    rows change (`entries_request.user_id`), or `person`, SQL with the change `n`.
    """
    if owner:
        table, _, column = owner.partition(".")
        person = f"(SELECT s.{column} FROM {table} s WHERE s.id = n.subject_id)"
    told = "".join(f", '{key}', n.details -> '{key}'" for key in keys)
    return feeds(
        noun,
        verb="CASE WHEN n.from_status = n.to_status THEN 'changed' ELSE n.to_status END",
        subject="n.subject_id",
        person=person,
        data=f"'from', n.from_status, 'to', n.to_status{told}",
        alike="n.from_status, n.to_status",
    )


def feeds(
    noun: str,
    *,
    verb: str,
    subject: str,
    person: str = "NULL::bigint",
    data: str = "",
    alike: str = "",
    actor: str = "n.actor_id",
    reason: str = "n.reason",
    name: str = "feed_audit",
) -> Guard:
    """Of any table to which rows are only added. All but `noun` and `name` are SQL, with the new row `n`.

    `data` are pairs of a key and a value; `alike` are columns that the rows of one entry have in common where a
    statement added many: the same columns make up the data of that entry, by their names.
    """
    pairs = f", {data}" if data else ""
    common = [column.strip() for column in alike.split(",") if column]
    columns = "".join(f", {column}" for column in common)
    names = [column.removeprefix("n.") for column in common]
    grouped = ", ".join(("action", "actor_id", "reason", *names))
    shared = "".join(f", '{one}', {one}" for one in names)
    into = "INSERT INTO config_auditentry (action, subject_type, subject_id, person_id, actor_id, reason, data)"
    return Guard(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="new_rows"),
        func=f"""
            IF (SELECT count(*) FROM (SELECT 1 FROM new_rows LIMIT {FEW + 1}) few) <= {FEW} THEN
                {into}
                SELECT '{noun}.' || {verb}, '{noun}', coalesce(({subject})::text, ''), {person}, {actor}, {reason},
                    jsonb_build_object('change', n.id{pairs})
                FROM new_rows n ORDER BY n.id;
            ELSE
                {into}
                SELECT action, '{noun}', '', NULL, actor_id, reason,
                    jsonb_build_object('count', count(*), 'first', min(id), 'last', max(id){shared})
                FROM (SELECT n.id, '{noun}.' || {verb} AS action, {actor} AS actor_id, {reason} AS reason{columns}
                      FROM new_rows n) told
                GROUP BY {grouped} ORDER BY min(id);
            END IF;
            RETURN NULL;
        """,
    )


def feeds_each(
    name: str,
    *,
    noun: str,
    verb: str,
    operation: Any,
    condition: str | None = None,
    subject: str = "NEW.id",
    person: str = "NULL::bigint",
    actor: str = "NULL::bigint",
    reason: str = REASON_SQL,
    data: str = "",
) -> Guard:
    """Of a table whose rows change, one by one. All but the names are SQL, with the rows `OLD` and `NEW`.

    Where the actor is not known from the row, it is whoever `attribute()` named.
    """
    return Guard(
        name=name,
        when=pgtrigger.After,
        operation=operation,
        condition=None if condition is None else pgtrigger.Condition(condition),
        func=f"""
            INSERT INTO config_auditentry (action, subject_type, subject_id, person_id, actor_id, reason, data)
            VALUES ('{noun}.' || {verb}, '{noun}', coalesce(({subject})::text, ''), {person}, {actor}, {reason},
                jsonb_build_object({data}));
            RETURN NULL;
        """,
    )
