"""Row 13: no field that an operation does not take can be set by saying it; row 2: ids of others in bodies."""

from typing import Any

import pytest
from django.apps import apps
from django.db import models
from rest_framework import serializers

from config.api.operations import UNSET
from config.api.parameters import known_parameters
from tests.security.matrix.bodies import body_of
from tests.security.matrix.changes import Written, same_numbers
from tests.security.matrix.knocking import ask, taken_back
from tests.security.matrix.operations import operations
from tests.security.matrix.table import table

pytestmark = pytest.mark.django_db
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
        return field.default is not True
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


@pytest.mark.slow
def test_row_13_saying_more_than_is_asked_for_changes_nothing(world):
    """Each body, and the same with every field of every model that it does not have: refused, and nothing is written.

    Where there is no body, and no money moves, what is said is not heard: the same rows are written.
    """
    cells, tried, faults = table(), 0, []
    for one in SENDING:
        body, kind = body_of(one, world), author(one, cells)
        declared = one.promised.body
        taken = set() if declared in (None, UNSET) else set(declared().fields)
        more = {name: value for name, value in FIELDS.items() if name not in taken}
        with same_numbers():
            status, rows = attempt(world, one, kind, body)
        status_of_more, rows_of_more = attempt(world, one, kind, {**more, **body})
        # Known by its names before it is looked into: also where something else would be refused.
        if (taken or one.promised.moves_money) and (status < 300 or status_of_more == 400):
            status, rows = 400, []
            rows_of_more = [row for row in rows_of_more if not row.startswith(NOTED)]
        if (status_of_more, rows_of_more) != (status, rows):
            faults.append((one.name, kind, status, status_of_more, sorted(set(rows) ^ set(rows_of_more))[:4]))
        tried += 1
    assert faults == [], "\n".join(map(str, faults))
    assert tried > 40


# --- Row 2: ids in bodies and filters --------------------------------------------------------------------------------

# Whole numbers that are no ids.
NO_IDS = (
    "amount", "cents", "number", "capacity", "round", "hour", "max_", "score", "_bp", "days", "age", "strikes",
    "resumes", "_limit", "_until", "payout_table",
)  # fmt: skip
# Every id that a body takes, by the operation.
IDS = {
    ("PATCH /api/v1/webhook-endpoints/<pk>", "pools"),
    ("POST /api/v1/bank-lines/<pk>/match", "manual_records"),
    ("POST /api/v1/bank-lines/<pk>/match", "provider_payouts"),
    ("POST /api/v1/bank-statements", "account"),
    ("POST /api/v1/discrepancies/<pk>/give", "owner"),
    ("POST /api/v1/export-schedules", "pool"),
    ("POST /api/v1/export-schedules", "recipients"),
    ("POST /api/v1/exports", "as_of_export"),
    ("POST /api/v1/exports", "pool"),
    ("POST /api/v1/payouts", "entry"),
    ("POST /api/v1/payouts/approvals", "payouts"),
    ("POST /api/v1/rulings", "entry"),
    ("POST /api/v1/rulings", "game"),
    ("POST /api/v1/requests/approve", "requests"),
    ("POST /api/v1/requests/reject", "requests"),
    ("POST /api/v1/webhook-endpoints", "pools"),
    ("PUT /api/v1/picks", "picks.entry"),
}
# Of these, what only narrows what somebody is told: nothing is told of what is not there.
NARROWING = {(name, "pools") for name, field in IDS if field == "pools" and "webhook-endpoints" in name}
NOBODYS = 10**12
# What says that somebody tried.
NOTED = ("config_audit", "config_ratelimit")


def id_fields() -> set[tuple[str, str]]:
    """Every whole number in a body that may be an id."""
    return {
        (one.name, name)
        for one in SENDING
        if one.promised.body not in (None, UNSET)
        for name in _ids(one.promised.body())
    }


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


def test_row_02_every_field_of_an_id_is_known():
    assert id_fields() == IDS


@pytest.mark.parametrize(("name", "field"), sorted(IDS - NARROWING))
def test_row_02_what_is_not_there_is_refused_and_nothing_is_written(world, name, field):
    """By staff, for whom nothing is anybody else's; a list of which one thing is not there counts as a whole."""
    [one] = [one for one in SENDING if one.name == name]
    if "." in field:
        body = {"picks": [{"entry": NOBODYS, "round": 1, "team": "BAT"}]}
    else:
        taken = one.promised.body().fields[field]
        value = NOBODYS if isinstance(taken, serializers.IntegerField) else [NOBODYS]
        body = {**body_of(one, world), field: value}
    if name == "POST /api/v1/rulings":
        body["kind"] = "disqualify" if field == "entry" else "void_game"
    with taken_back():
        seen = Written()
        answer = ask(world.client("admin"), one.verb, world.path(one.route.template), body)
        rows = [row for row in seen.rows() if not row.startswith(NOTED)]

    # A bulk of picks tells of each by itself.
    assert answer.status in (400, 404, 409, 422) or b"NOT_FOUND" in answer.content
    assert [row for row in rows if not row.startswith("accounts_session")] == []


def test_row_02_an_entry_of_another_in_a_bulk_of_picks_is_not_there(world):
    for entry in (world.rows["foreign entry"].pk, NOBODYS):
        body = {"picks": [{"entry": entry, "round": 1, "team": "BAT"}]}
        for kind in ("owner", "pool", "moderator", "finance", "admin", "key"):
            with taken_back():
                seen = Written()
                answer = ask(world.client(kind), "PUT", "/api/v1/picks", body)
                assert b"NOT_FOUND" in answer.content, kind
                assert [row for row in seen.rows() if row.startswith("entries_")] == []


def test_row_02_no_filter_opens_what_is_anothers(world):
    """Asked for by its id, in a list of one's own."""
    ids = {
        "user": world.people.owner.pk, "player": world.people.owner.pk, "entry": world.rows["entry"].pk,
        "request": world.rows["unpaid"].pk, "payment": world.rows["payment"].pk, "pool": world.rows["pool"].pk,
    }  # fmt: skip
    tried = set()
    for one in operations():
        if one.verb == "GET" and "/<" not in one.route.template:
            for name in known_parameters(one.view, "GET") & set(ids):
                answer = ask(world.client("other"), "GET", one.route.template, **{name: ids[name]})
                assert answer.data in ([], None), (one.name, name)
                tried.add((one.name, name))
    assert tried >= {
        ("GET /api/v1/entries", "user"),
        ("GET /api/v1/requests", "pool"),
        ("GET /api/v1/payments", "request"),
    }
