"""Guards that count what pages are made of: `PageChange` rows, written by the transaction that makes the change.

A topic is the thing whose pages change: `pool:7`, `competition:3`. Declared beside the model, as every guard:

    triggers = [*tells_pages("'pool:' || n.id")]

Whoever adds a table, or a column, to a page adds it here: a test holds the tables that pages read against the tables
that tell.
"""

import pgtrigger

from config.triggers import Guard, planned_anew

TABLE = "config_pagechange"
FOLD_EVERY = 64
# The topic of what people are called, wherever they play.
NAMES = "'names'"

_FOLD = f"""
    IF due IS NOT NULL THEN
        WITH pile AS (
            DELETE FROM {TABLE} WHERE id IN (
                SELECT id FROM {TABLE} WHERE topic = ANY(due) ORDER BY id FOR UPDATE SKIP LOCKED)
            RETURNING topic, raised
        )
        INSERT INTO {TABLE} (topic, raised) SELECT topic, sum(raised) FROM pile GROUP BY topic;
    END IF;
"""


def raised(topics: str) -> str:
    """PL/pgSQL: count a change of each topic of this query, and fold what has piled up of those whose turn it is."""
    counted = f"""WITH added AS (
            INSERT INTO {TABLE} (topic, raised) SELECT topic, 1 FROM (SELECT DISTINCT {topics}) told (topic)
            RETURNING id, topic
        )
        SELECT array_agg(topic) FROM added WHERE id % {FOLD_EVERY} = 0"""
    # Only where two transition tables are joined does a plan of one row hurt many.
    run = planned_anew(counted, into="due") if "JOIN old_rows" in topics else f"{counted} INTO due;"
    return f"{run}{_FOLD}"


def changed(topics: str) -> str:
    """A statement that counts a change of each topic of this query: for what is written past the guards."""
    return f"INSERT INTO {TABLE} (topic, raised) SELECT topic, 1 FROM (SELECT DISTINCT {topics}) told (topic)"


def tells_pages(topic: str, *, joined: str = "", insert: bool = True, update: bool = True, many: bool = False,
                delete: bool = False) -> list[Guard]:  # fmt: skip
    """Guards of a table: whatever is written to it changes the pages of `topic`, said of its rows `n`.

    `joined` is what else the topic needs, as `JOIN … ON … n.…`. An update that changes nothing tells nothing; of a
    table whose rows are written by the million (`many`) that is not looked at.
    """
    written = f"{topic} FROM new_rows n {joined}"
    compared = f"{topic} FROM new_rows n JOIN old_rows o ON o.id = n.id {joined} WHERE n.* IS DISTINCT FROM o.*"
    made = []
    if insert:
        made.append(_guard("pages_insert", pgtrigger.Insert, written, new="new_rows"))
    if update and many:
        made.append(_guard("pages_update", pgtrigger.Update, written, new="new_rows"))
    elif update:
        made.append(_guard("pages_update", pgtrigger.Update, compared, new="new_rows", old="old_rows"))
    if delete:
        made.append(_guard("pages_delete", pgtrigger.Delete, f"{topic} FROM old_rows n {joined}", old="old_rows"))
    return made


def _guard(name: str, operation: pgtrigger.Operation, topics: str, **rows: str) -> Guard:
    return Guard(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(**rows),
        declare=[("due", "text[]")],
        func=f"{raised(topics)} RETURN NULL;",
    )
