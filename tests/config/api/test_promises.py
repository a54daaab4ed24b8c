"""What callers were promised stands in the schema: each call, what it takes, what it answers. Added to, never dropped.

The lists are those of the contract that was agreed with callers, word for word; the schema itself is held against every
answer of the whole suite elsewhere.
"""

import pytest

from tests.support.contract import schema_of

URLS = "config.urls"
REQUEST = "id pool user number status payment_status fee_cents currency reason pay_by created_at decided_at entry"
POOL = (
    "id name competition status entry_fee_cents currency capacity max_entries_per_user registration_closes_at"
    " current_round entries_total entries_active pot_cents rules"
)
ROUND = "number name opens_at locks_at status games"
ENTRY = "id pool user number status strikes eliminated_round eliminated_reason teams_used picks_made next_lock_at"
PICK = "round team game result source locked picked_at slip"
PAYMENT = "id request status amount_cents refunded_cents currency provider created_at"
USER = "id email display_name role email_verified country region date_of_birth created_at"

# Call, what the body may have, under which status, what the data has.
CALLS = [
    ("POST auth/register", "email password display_name date_of_birth country region", 201, "user"),
    ("POST auth/verify-email", "token", 200, "user"),
    ("POST auth/token", "email password otp", 200, "access refresh user"),
    ("POST auth/token/refresh", "refresh", 200, "access refresh"),
    ("POST auth/logout", "refresh", 204, ""),
    ("POST auth/password/change", "", 204, ""),
    ("POST auth/password/reset", "", 204, ""),
    ("POST auth/password/reset/confirm", "", 204, ""),
    ("GET me", "", 200, USER),
    ("PATCH me", "", 200, USER),
    ("DELETE me", "", 204, ""),
    ("GET api-keys", "", 200, ""),
    ("POST api-keys", "", 201, ""),
    ("DELETE api-keys/{id}", "", 204, ""),
    ("GET competitions", "", 200, "code name"),
    ("GET competitions/{code}", "", 200, "code name"),
    ("GET competitions/{code}/teams", "", 200, "code name"),
    ("GET competitions/{code}/rounds", "", 200, ROUND),
    ("GET pools", "", 200, POOL),
    ("GET pools/{id}", "", 200, POOL),
    ("GET pools/{id}/rounds", "", 200, "picks_total missed eliminated alive_after merkle_root"),
    ("GET pools/{id}/rounds/{n}", "", 200, "picks_total missed eliminated alive_after merkle_root"),
    ("GET pools/{id}/rounds/{n}/distribution", "", 200, "team picks share result"),
    ("GET pools/{id}/rounds/{n}/report.json", "", 200, ""),
    ("GET pools/{id}/rounds/{n}/report.csv", "", 200, ""),
    (
        "GET pools/{id}/standings", "", 200,
        "rank entry display_name number status strikes eliminated_round rounds_survived picks",
    ),
    ("POST pools/{id}/requests", "", 201, REQUEST),
    ("GET requests", "", 200, REQUEST),
    ("GET requests/{id}", "", 200, REQUEST),
    ("POST requests/{id}/withdraw", "", 200, REQUEST),
    ("POST requests/{id}/approve", "", 200, REQUEST),
    ("POST requests/{id}/reject", "reason", 200, REQUEST),
    (
        "POST requests/{id}/payment", "", 201,
        "id status amount_cents currency provider provider_reference client_secret checkout_url",
    ),
    ("GET payments", "", 200, PAYMENT),
    ("GET payments/{id}", "", 200, PAYMENT),
    ("POST webhooks/stripe", "", 200, ""),
    ("GET entries", "", 200, ENTRY),
    ("GET entries/{id}", "", 200, ENTRY),
    ("GET entries/{id}/picks", "", 200, PICK),
    ("PUT entries/{id}/picks/{n}", "team teams", 200, PICK),
    ("DELETE entries/{id}/picks/{n}", "", 204, ""),
    ("GET entries/{id}/picks/{n}/history", "", 200, "from to by source at"),
    ("PUT picks", "picks", 200, "entry round pick error"),
    ("PUT entries/{id}/fallback", "teams", 200, ""),
    # Since then.
    ("POST requests/approve", "requests", 200, "id decided request error"),
    ("POST requests/reject", "requests reason", 200, "id decided request error"),
]  # fmt: skip
PARAMETERS = [
    ("GET pools", "page limit cursor status competition search order created_since created_before"),
    ("GET pools/{id}/standings", "page limit cursor status search"),
    ("GET requests", "page limit cursor status pool competition order created_since created_before"),
    ("GET entries", "page limit cursor status pool competition order created_since created_before"),
    ("GET payments", "page limit cursor status pool request order created_since created_before"),
    ("GET entries/{id}/picks", "page limit cursor"),
    ("GET entries/{id}/picks/{n}/history", "page limit cursor"),
    ("PUT picks", "atomic"),
]
ENUMS = [
    ("GET pools/{id}", "status", "draft open running finished cancelled"),
    ("GET requests/{id}", "status", "pending approved rejected withdrawn expired"),
    ("GET requests/{id}", "payment_status", "not_due pending completed failed refunded"),
    ("GET payments/{id}", "status", "pending succeeded failed cancelled"),
    ("GET entries/{id}", "status", "active eliminated winner void"),
    ("GET entries/{id}/picks", "result", "pending won lost tied void missed"),
    ("GET entries/{id}/picks", "source", "player fallback favourite staff import"),
    ("GET me", "role", "player moderator finance admin"),
]


def operation(call):
    """The call's operation; whatever its path parameters are called."""
    method, wanted = call.split(" ")
    for path, found in schema_of(URLS)["paths"].items():
        if _plain(path.removeprefix("/api/v1/")) == _plain(wanted) and method.lower() in found:
            return found[method.lower()]
    raise AssertionError(f"nothing answers {call}")


def _plain(path):
    return ["{}" if part.startswith("{") else part for part in path.split("/")]


def resolved(node):
    """The schema that is meant: references followed, the one of several that has the properties."""
    while "$ref" in node:
        found = schema_of(URLS)
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    for several in ("allOf", "anyOf", "oneOf"):
        if several in node and "properties" not in node:
            parts = [resolved(part) for part in node[several]]
            return {"properties": {name: one for part in parts for name, one in part.get("properties", {}).items()}} | {
                key: value
                for part in reversed(parts)
                for key, value in part.items()
                if key in ("items", "enum", "type")
            }
    return node


def data_of(call, status=200):
    """What stands under `data`, of a list what each item has."""
    content = operation(call)["responses"][str(status)].get("content", {})
    if "application/json" not in content:
        return {}
    data = resolved(resolved(content["application/json"]["schema"])["properties"]["data"])
    return resolved(data["items"]) if "items" in data else data


def enum_of(node):
    """The values of a field, wherever its schema says them; null apart."""
    node = resolved(node)
    parts = [node, *(resolved(part) for key in ("allOf", "anyOf", "oneOf") for part in node.get(key, []))]
    return {value for part in parts for value in part.get("enum", []) if value not in (None, "")}


@pytest.mark.parametrize(("call", "body", "status", "data"), CALLS, ids=[call for call, *_ in CALLS])
def test_a_call_takes_and_answers_what_was_promised(call, body, status, data):
    described = operation(call)
    assert str(status) in described["responses"]
    assert set(data.split()) <= set(data_of(call, status).get("properties", {}))
    if body:
        taken = resolved(described["requestBody"]["content"]["application/json"]["schema"])
        assert set(body.split()) <= set(taken["properties"])


@pytest.mark.parametrize(("call", "names"), PARAMETERS, ids=[call for call, _ in PARAMETERS])
def test_a_list_takes_the_parameters_that_were_promised(call, names):
    known = {resolved(one)["name"] for one in operation(call)["parameters"] if resolved(one)["in"] == "query"}
    assert set(names.split()) <= known


@pytest.mark.parametrize(("call", "field", "values"), ENUMS)
def test_a_status_has_the_values_that_were_promised(call, field, values):
    assert enum_of(data_of(call)["properties"][field]) == set(values.split())


def test_money_starts_only_under_a_key():
    keys = [resolved(one) for one in operation("POST requests/{id}/payment")["parameters"]]
    assert [one["required"] for one in keys if one["name"] == "Idempotency-Key"] == [True]
