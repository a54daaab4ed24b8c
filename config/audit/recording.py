"""Telling the audit what no change table tells: sign-ins that failed, denials, looks at personal data, exports.

An entry has ids and codes, nothing that a person is or typed: no name, address of mail, number of theirs, no pick. So
what may be said in `data` is a list of keys, and what their values may look like is a pattern.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.db import connection, models

from config.audit.origin import told

ACTION = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+")
LONGEST_ACTION = 60

# What an entry may say beside its own columns.
DATA_KEYS = frozenset(
    {
        "after", "before", "code", "count", "expires_at", "fields", "field", "from", "into", "key", "kind", "method",
        "provider", "report", "role", "route", "rows", "scopes", "session", "size", "status", "to", "until", "way",
        "why",
    }
)  # fmt: skip
# Codes, ids, instants, templates of routes. An address of mail has a sign that is not among these.
HARMLESS = re.compile(r"[\w.:,/<>()?\[\]{}*|\\^$+ -]{0,200}")

_INSERT = """
    INSERT INTO config_auditentry (actor_kind, actor_id, action, subject_type, subject_id, person_id, address,
        request_id, api_key, reason, data)
    SELECT %(kind)s, %(actor)s, %(action)s, %(type)s, %(id)s, %(person)s, nullif(o.said ->> 'address', '')::inet,
        coalesce(o.said ->> 'request', ''), coalesce(o.said ->> 'key', ''), %(reason)s, %(data)s::jsonb
    FROM (SELECT %(origin)s::jsonb AS said) o
"""
_WHOEVER: Any = object()


def record(
    *,
    action: str,
    subject: models.Model | None = None,
    subject_type: str = "",
    subject_id: object = "",
    person: Any = None,
    by: Any = _WHOEVER,
    anonymous: bool = False,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry, in the transaction at hand: it stands exactly when what it tells of does.

    `action` is `noun.verb`; `subject` the row that was acted upon; `person` whom it is about, a person or an id; `by`
    who did it, else whoever `attribute()` named; `anonymous`, that nobody was signed in. Refuses (ValueError) an action
    that is none, and data that is not on the list.
    """
    if not ACTION.fullmatch(action) or len(action) > LONGEST_ACTION:
        raise ValueError(f"{action!r} is not an action such as session.ended")
    if subject is not None:
        subject_type, subject_id = subject._meta.model_name or "", subject.pk
    kind = "anonymous" if anonymous else "system" if by is None else ""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "kind": kind,
                "actor": None if anonymous or by is _WHOEVER else _id_of(by),
                "action": action,
                "type": subject_type,
                "id": str(subject_id),
                "person": _id_of(person),
                "origin": told(),
                "reason": reason,
                "data": json.dumps(_allowed(data or {})),
            },
        )


def _id_of(person: Any) -> int | None:
    found: int | None = getattr(person, "pk", person)
    return found


def _allowed(data: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(data) - DATA_KEYS)
    if unknown:
        raise ValueError(f"the audit has no place for {', '.join(unknown)}")
    for key, value in data.items():
        if not _is_harmless(value):
            raise ValueError(f"{key} is not a code, a number or a list of codes")
    return dict(data)


def _is_harmless(value: Any) -> bool:
    if value is None or isinstance(value, bool | int):
        return True
    if isinstance(value, list | tuple):
        return all(isinstance(one, str) and _is_harmless(one) for one in value)
    return isinstance(value, str) and HARMLESS.fullmatch(value) is not None
