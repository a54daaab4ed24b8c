"""Row 13: no field that an operation does not take can be set by saying it; row 2: ids of others in bodies."""

from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from rest_framework import serializers

from config.api.operations import UNSET
from tests.security.matrix.bodies import body_of
from tests.security.matrix.changes import Written, same_numbers
from tests.security.matrix.knocking import ask, taken_back
from tests.security.matrix.operations import operations

OURS = ("accounts", "pools", "entries", "payments", "config")


def intruding() -> dict[str, Any]:
    """A value for every field of every model, that nobody would have there by chance."""
    found: dict[str, Any] = {}
    for model in apps.get_models():
        if model._meta.app_label in OURS:
            for field in model._meta.concrete_fields:
                found[field.name] = found[field.attname] = _value(field)
    return found


def _value(field: Any) -> Any:
    if isinstance(field, models.BooleanField):
        return not (field.default is True)
    if isinstance(field, models.DateTimeField):
        return "2087-01-01T00:00:00Z"
    if isinstance(field, models.DateField):
        return "2087-01-01"
    if isinstance(field, models.ForeignKey):
        return 1
    if field.choices:
        return list(dict(field.flatchoices))[-1]
    if isinstance(field, models.IntegerField):
        return 987654321
    return "intruder"


FIELDS = intruding()
SENDING = [one for one in operations() if one.verb in ("POST", "PUT", "PATCH")]
WITH_BODY = [one for one in SENDING if one.promised.body is not None]


def attempt(world, operation, kind, body) -> tuple[int, list[str]]:
    with taken_back():
        seen = Written()
        answer = ask(world.client(kind), operation.verb, world.path(operation.route.template), body)
        return answer.status, seen.rows()


def author(operation, cells) -> str:
    """Somebody who may: the owner, before staff."""
    for kind in ("owner", "moderator", "finance"):
        if cells[operation.name][kind] < 300:
            return kind
    return "owner" if cells[operation.name]["owner"] not in (401, 403, 404) else "admin"


def test_row_13_saying_more_than_is_asked_for_changes_nothing(world):
    """Each body, and the same with every field of every model that it does not have: the same rows are written."""
    from tests.security.matrix.table import table

    cells, tried, faults = table(), 0, []
    for one in SENDING:
        body, kind = body_of(one, world), author(one, table())
        declared = one.promised.body
        taken = set() if declared in (None, UNSET) else set(declared().fields)
        more = {name: value for name, value in FIELDS.items() if name not in taken}
        with same_numbers():
            status, rows = attempt(world, one, kind, body)
        status_of_more, rows_of_more = attempt(world, one, kind, {**more, **body})
        if status_of_more == 400 and status != 400:
            continue
        if (status_of_more, rows_of_more) != (status, rows):
            faults.append((one.name, kind, status, status_of_more, sorted(set(rows) ^ set(rows_of_more))[:4]))
        tried += status < 300
    assert faults == []
    assert tried > 40
    assert cells


# --- Row 2: by the field's name, what is sent of another's, and who sends it -----------------------------------------


def id_fields() -> set[tuple[str, str]]:
    """Every whole number in a body that is no sum, count or number of a round."""
    found = set()
    for one in SENDING:
        if one.promised.body not in (None, UNSET):
            found |= {(one.name, name) for name in _ids(one.promised.body())}
    return found


NO_IDS = ("amount", "cents", "number", "capacity", "round", "hour", "max_", "score", "_bp", "days")


def _ids(serializer, inside="") -> set[str]:
    names = set()
    for name, field in serializer.fields.items():
        child = getattr(field, "child", None)
        for each in (field, child):
            if isinstance(each, serializers.Serializer):
                names |= _ids(each, f"{inside}{name}.")
            elif isinstance(each, serializers.IntegerField) and not any(word in name for word in NO_IDS):
                names.add(inside + name)
    return names


def test_row_2_an_entry_of_another_in_a_bulk_of_picks_is_not_there(world):
    foreign = world.rows["foreign entry"].pk
    body = {"picks": [{"entry": foreign, "round": 1, "team": "BAT"}]}
    for kind in ("owner", "pool", "moderator", "finance", "admin"):
        with taken_back():
            seen = Written()
            answer = ask(world.client(kind), "PUT", "/api/v1/picks", body)
            assert b"NOT_FOUND" in answer.content, kind
            assert [row for row in seen.rows() if row.startswith("entries_")] == []
