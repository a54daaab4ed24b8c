"""What each guard refuses, as raw SQL, and in a sentence what it holds.

Most follow from the catalog: a key is attacked by a copy of a row, a reference by pointing nowhere, history by being
quiet. The rest is `written` down.
"""

import re

from tests.mutation.catalog import Guard
from tests.mutation.statements import Attack, Change, Copy, Raw
from tests.mutation.written import ATTACKS


def attacks_on(guard: Guard) -> dict[str, list[Attack]]:
    """By the name of the refusal; for a trigger that only writes something down, by its own name."""
    if guard.kind == "key":
        return {guard.name: [_on_a_key(guard)]}
    if guard.kind == "reference":
        return {guard.name: [_on_a_reference(guard), *_written(guard.table, guard.name)]}
    if guard.kind == "check":
        return {guard.name: _written(guard.table, guard.name) or _on_a_check(guard)}
    if guard.short in OF_HISTORY or guard.short in OF_KEEPING:
        return {name: _on_history(guard) for name in guard.names or (guard.short,)}
    return {name: _written(guard.table, f"{guard.short}: {name}") for name in guard.names or (guard.short,)}


def _on_a_key(guard: Guard) -> Attack:
    """A copy of a row that the key is about; where none has all of the key's columns filled, one is."""
    what, where = ", ".join(guard.columns), guard.where.removeprefix("(").removesuffix(")")
    about = "" if where == "true" else f", where {readable(where)}"
    filled = " AND ".join(f"{column} IS NOT NULL" for column in guard.columns)
    same_id = {"id": "id"} if "id" in guard.columns else {}
    return Attack(f"One row for each {what}{about}.", Copy(f"({where}) AND {filled}", same_id))


def _on_a_reference(guard: Guard) -> Attack:
    column, to = guard.columns[0], re.search(r"REFERENCES (\w+)", guard.text)[1]
    nowhere = "'zzz'" if column == "currency_id" else "-1"
    return Attack(f"{', '.join(guard.columns)} names a row of {to}.", Change(f"{column} = {nowhere}"))


def _on_a_check(guard: Guard) -> list[Attack]:
    """Of the kinds that are everywhere; none for what has to be written down."""
    if not_negative := re.fullmatch(r"CHECK \(\((\w+) >= 0\)\)", guard.text):
        return [Attack(f"{not_negative[1]} is not below nothing.", Change(f"{not_negative[1]} = -1"))]
    if guard.name.endswith("_status_known"):
        return [Attack("A status is one of those that there are.", Change("status = 'zz'"))]
    if guard.name.endswith("_amount_positive"):
        return [Attack("It is about something.", Change("amount_cents = 0"))]
    return []


# By the name of the trigger, wherever it is.
OF_KEEPING = {
    "append_only": [
        Attack("Rows are never changed.", Change("id = id")),
        Attack("Rows are never deleted.", Raw("DELETE FROM {table}")),
    ],
    "append_only_truncate": [Attack("The table is never emptied.", Raw("TRUNCATE {table}"))],
    "never_deleted": [Attack("Rows are never deleted.", Raw("DELETE FROM {table}"))],
    "never_truncated": [Attack("The table is never emptied.", Raw("TRUNCATE {table}"))],
    "status_map": [Attack("The status moves along its map alone.", Change("status = 'zz'"))],
}
OF_HISTORY = {
    "record_insert": [Attack("A new row is in the history.", Copy())],
    "record_update": [Attack("A change of status is in the history.", Change("status = 'zz'"))],
    "feed_audit": [Attack("A new row is told to the audit.", Copy())],
    "tells_subscribers": [
        Attack(
            "Who asked for it is told of a new row.",
            Copy(instead={"from_status": "'-'", "to_status": "'succeeded'"}),
        )
    ],
}


def _on_history(guard: Guard) -> list[Attack]:
    if guard.table == "payments_currency" and guard.short == "append_only":
        return [Attack("Rows are never changed.", Change("code = code")), *OF_KEEPING["append_only"][1:]]
    return OF_KEEPING.get(guard.short) or OF_HISTORY[guard.short]


def readable(condition: str) -> str:
    """PostgreSQL's own form of a condition without its casts."""
    plain = re.sub(r"::(character varying|[a-z]+)(\[\])?", "", condition)
    plain = re.sub(r"= ANY \(\(ARRAY\[(.*?)\]\)\)", r"in (\1)", plain)
    return re.sub(r"\((\w+)\)", r"\1", plain)


def _written(table: str, name: str) -> list[Attack]:
    found = ATTACKS.get(table, {}).get(name, [])
    return found if isinstance(found, list) else [found]
