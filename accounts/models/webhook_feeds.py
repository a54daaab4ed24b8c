"""From what changes to those who want to be told: triggers, so that no service can forget it.

Set-based, and only for those who subscribed: while nobody wants a type, a million rows of it cost one look at the table
of endpoints. Who may know is part of the same statement: an endpoint is told of its owner's own, or, where it covers
everybody, of what the owner's role may see at this moment; of what is public, any is.
"""

from collections.abc import Iterable

import pgtrigger

from accounts.models.webhook_types import SEEN_BY, EventType
from config.triggers import Guard, planned_anew

# Of an endpoint `h` and its owner `u`.
IS_ON = "h.off_because = '' AND h.removed_at IS NULL AND u.is_active"
MAY_SEE = " OR ".join(
    f"split_part(t.type, '.', 1) = '{first}' AND u.role IN ({', '.join(repr(str(role)) for role in roles)})"
    for first, roles in SEEN_BY.items()
)


def tells_subscribers(rows: str, *, types: Iterable[EventType], person: bool = True) -> Guard:
    """After an insert of many rows, a delivery to each endpoint that wants one.

    `rows` is SQL over the `new_rows` with the columns `type, key, user_id, pool_id, data`. The key makes the event's
    id: the same key is told once. `person`: whether it is about somebody, or public.
    """
    return Guard(
        name="tells_subscribers",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="new_rows"),
        func=f"""
            IF EXISTS ({_wanted(types)}) THEN
                {planned_anew(posting(rows, person=person))}
            END IF;
            RETURN NULL;
        """,
    )


def _wanted(types: Iterable[EventType]) -> str:
    wanted = ", ".join(f"'{type_}'" for type_ in types)
    return (
        "SELECT 1 FROM accounts_webhookendpoint h JOIN accounts_user u ON u.id = h.user_id"
        f" WHERE h.events && ARRAY[{wanted}]::varchar[] AND {IS_ON}"
    )


def posting(rows: str, *, person: bool) -> str:
    """SQL that writes the deliveries of these rows; what was told before is left out."""
    chosen = f"t.type = ANY(h.events) AND {IS_ON} AND (h.pools = '{{}}' OR t.pool_id = ANY(h.pools))"
    own = f"""
        SELECT h.id AS endpoint_id, t.type, t.key, t.data FROM ({rows}) t
        JOIN accounts_webhookendpoint h ON h.user_id = t.user_id AND h.covers = 'own'
        JOIN accounts_user u ON u.id = h.user_id WHERE {chosen}
    """
    everybodys = f"""
        SELECT h.id, t.type, t.key, t.data FROM ({rows}) t
        JOIN accounts_webhookendpoint h ON h.covers = 'all'
        JOIN accounts_user u ON u.id = h.user_id
        WHERE (u.is_superuser OR {MAY_SEE}) AND {chosen}
    """
    public = f"""
        SELECT h.id AS endpoint_id, t.type, t.key, t.data FROM ({rows}) t
        CROSS JOIN accounts_webhookendpoint h
        JOIN accounts_user u ON u.id = h.user_id WHERE {chosen}
    """
    return f"""
        INSERT INTO accounts_webhookdelivery (endpoint_id, event_id, type, data, status, created_at, due_at)
        SELECT told.endpoint_id, 'evt_' || md5(told.key), told.type, told.data, 'pending',
               clock_timestamp(), clock_timestamp()
        FROM ({own + " UNION ALL " + everybodys if person else public}) told
        ORDER BY told.key
        ON CONFLICT (endpoint_id, event_id) DO NOTHING
    """


def in_utc(column: str) -> str:
    """SQL: an instant in UTC by ISO 8601, to the microsecond."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
