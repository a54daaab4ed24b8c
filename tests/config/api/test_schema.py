"""The OpenAPI schema says what the API does: the same declarations make both."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from openapi_spec_validator import OpenAPIV31SpecValidator

from config.api.declared import all_errors
from config.api.failures import SENTENCES
from config.api.handler import MESSAGES
from config.errors import Code
from tests.config.api.conftest import SAMPLE
from tests.config.api.sample import Echo, Works
from tests.support import contract

BASE = "/api/v1/sample"


@pytest.fixture(scope="module")
def schema():
    return contract.schema_of(SAMPLE)


def operation(schema, method, path):
    return schema["paths"][BASE + path][method]


def codes(schema, method, path, status):
    content = operation(schema, method, path)["responses"][str(status)]["content"]["application/json"]
    narrowed = resolved(schema, content["schema"])["allOf"][1]
    return narrowed["properties"]["error"]["properties"]["code"]["enum"]


def resolved(schema, node):
    while "$ref" in node:
        kind, name = node["$ref"].split("/")[-2:]
        node = schema["components"][kind][name]
    return node


def parameters(schema, method, path, place):
    found = [resolved(schema, each) for each in operation(schema, method, path).get("parameters", [])]
    return [each["name"] for each in found if each["in"] == place]


def body_of(schema, method, path, status):
    answer = operation(schema, method, path)["responses"][str(status)]
    found = answer["content"]["application/json"]["schema"]
    # The whole answer, before the one to `?fields=`.
    return resolved(schema, found["anyOf"][0] if "anyOf" in found else found)


@pytest.mark.slow
def test_the_schema_is_valid_openapi_31():
    found = contract.schema_of("config.urls")
    assert found["openapi"] == "3.1.1"
    OpenAPIV31SpecValidator(found).validate()


def test_the_sample_schema_is_valid_and_made_without_a_warning(schema):
    # The rest of it is the real one.
    own = contract.part_of(schema, BASE)
    assert len(own["paths"]) > 10
    OpenAPIV31SpecValidator(own).validate()
    assert GENERATOR_STATS._warn_cache == {}
    assert GENERATOR_STATS._error_cache == {}


def test_an_answer_stands_in_the_envelope(schema):
    body = body_of(schema, "get", "/echo", 200)
    assert body["required"] == ["success", "data", "meta"]
    assert body["properties"]["success"] == {"type": "boolean", "const": True}
    assert resolved(schema, body["properties"]["data"])["properties"]["text"]["type"] == "string"
    assert set(resolved(schema, body["properties"]["meta"])["properties"]) == {"timestamp", "request_id"}


def test_a_list_has_items_and_pagination(schema):
    body = body_of(schema, "get", "/messages", 200)
    assert resolved(schema, body["properties"]["data"])["type"] == "array"
    assert "pagination" in resolved(schema, body["properties"]["meta"])["properties"]
    for path in ("/messages", "/messages-by-time"):
        names = parameters(schema, "get", path, "query")
        assert [name for name in names if name != "fields"] == ["cursor", "kind", "limit", "page"]


def test_one_item_has_no_pagination(schema):
    assert body_of(schema, "get", "/messages/{id}", 200)["properties"]["meta"] == {"$ref": "#/components/schemas/Meta"}


def test_204_has_no_content(schema):
    assert "content" not in operation(schema, "delete", "/echo")["responses"]["204"]


def test_declared_status_and_summary(schema):
    found = operation(schema, "post", "/echo")
    assert "201" in found["responses"]
    assert "200" not in found["responses"]
    assert found["summary"] == "Say it again"


def test_an_operation_lists_its_own_errors_under_their_status(schema):
    assert codes(schema, "post", "/works", 409) == ["IDEMPOTENCY_IN_PROGRESS", "POOL_FULL"]
    assert codes(schema, "post", "/works", 422) == ["IDEMPOTENCY_KEY_REUSED"]
    assert codes(schema, "post", "/works/{id}/pay", 502) == ["PROVIDER_ERROR"]
    assert codes(schema, "post", "/works/{id}/pay", 400) == [
        "IDEMPOTENCY_KEY_REQUIRED",
        "PARSE_ERROR",
        "VALIDATION_ERROR",
    ]


def test_sign_in_is_described_where_it_is_needed(schema):
    assert codes(schema, "get", "/private", 401) == ["NOT_AUTHENTICATED", "TOKEN_INVALID"]
    assert codes(schema, "get", "/private", 403) == ["FORBIDDEN"]
    assert codes(schema, "get", "/echo", 401) == ["TOKEN_INVALID"]
    # To an API key, which the sample's views know nothing of.
    assert codes(schema, "get", "/echo", 403) == ["FORBIDDEN"]
    assert "403" not in operation(schema, "post", "/sign-in")["responses"]
    assert "401" not in operation(schema, "post", "/sign-in")["responses"]
    assert operation(schema, "get", "/private")["security"] != []


def test_404_is_described_where_there_is_an_id(schema):
    assert "404" in operation(schema, "get", "/messages/{id}")["responses"]
    assert "404" not in operation(schema, "get", "/messages")["responses"]


def test_405_is_no_answer_of_an_operation(schema):
    described = [
        status for path in schema["paths"].values() for found in path.values() for status in found["responses"]
    ]
    assert "405" not in described


def test_headers_are_described(schema):
    found = operation(schema, "post", "/works")
    assert set(found["responses"]["201"]["headers"]) >= {"X-Request-ID", "X-RateLimit-Limit", "Idempotent-Replayed"}
    assert "Retry-After" in found["responses"]["429"]["headers"]
    assert "WWW-Authenticate" in found["responses"]["401"]["headers"]


def test_the_idempotency_key_is_a_parameter_of_posts(schema):
    def key(method, path):
        found = [resolved(schema, each) for each in operation(schema, method, path).get("parameters", [])]
        return next((p.get("required", False) for p in found if p["name"] == "Idempotency-Key"), None)

    assert key("post", "/works") is False
    assert key("post", "/works/{id}/pay") is True
    assert key("post", "/works/secret") is None
    assert key("get", "/messages") is None
    assert key("post", "/sign-in") is None


def test_every_code_of_the_registry_fits_the_failure_schema(schema):
    assert schema["components"]["schemas"]["Failure"]["properties"]["error"]["properties"]["code"] == {"type": "string"}
    assert set(codes(schema, "get", "/raise/{what}", 422)) == {
        "BUY_BACK_NOT_ALLOWED",
        "DEADLINE_PASSED",
        "ENTRY_NOT_ACTIVE",
        "ENTRY_SUSPENDED",
        "FALLBACK_NOT_USED",
        "FILE_REFUSED",
        "GAME_STARTED",
        "IDEMPOTENCY_KEY_REUSED",
        "PAYMENT_NOT_DUE",
        "POOL_CLOSED",
        "PROFILE_INCOMPLETE",
        "REFUND_NOT_ALLOWED",
        "ROUND_NOT_OPEN",
        "SPENDING_LIMIT_REACHED",
        "TEAM_ALREADY_USED",
        "TEAM_NOT_PLAYING",
    }


def test_every_code_has_an_example_of_its_own():
    assert [code for code in Code if code not in SENTENCES and code not in MESSAGES] == []


CALLS = [
    ("get", "/echo", None),
    ("post", "/echo", {"text": "a"}),
    ("post", "/echo", {}),
    ("put", "/echo", {"picks": [{}]}),
    ("delete", "/echo", None),
    ("get", "/messages?limit=3", None),
    ("get", "/messages?limit=x", None),
    ("get", "/messages-by-time?limit=3", None),
    ("get", "/messages/999999", None),
    ("get", "/private", None),
    ("get", "/staff", None),
    ("post", "/works", {"text": "a"}),
    ("post", "/works", {"text": "full"}),
    ("post", "/works", {"text": "crash"}),
    ("post", "/works/1/pay", {"text": "a"}),
    ("post", "/works/secret", {"text": "a"}),
    ("get", "/raise/conflict", None),
    ("get", "/raise/refused", None),
    ("get", "/raise/provider", None),
    ("get", "/raise/unavailable", None),
    ("get", "/raise/too_many", None),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "body"), CALLS)
@pytest.mark.parametrize("who", ["player", "anonymous"])
def test_answers_are_as_described(client, signed_in, player, outbox_rows, method, path, body, who):
    caller = signed_in(player) if who == "player" else client
    answer = getattr(caller, method)(BASE + path, body, format="json")
    assert contract.faults(SAMPLE, method, BASE + path, answer) == []


@pytest.mark.django_db
def test_the_check_above_notices_a_lie(client):
    answer = client.get(f"{BASE}/echo")
    answer.content = answer.content.replace(b'"hello"', b"17")
    assert contract.faults(SAMPLE, "get", f"{BASE}/echo", answer) == ['data/text: 17 is not of type "string"']
    answer.status_code = 201
    assert contract.faults(SAMPLE, "get", f"{BASE}/echo", answer) == [f"get {BASE}/echo may not answer 201"]


def test_an_undeclared_error_fails_the_test_that_meets_it(client, db):
    answer = client.get(f"{BASE}/undeclared")
    assert answer.json()["error"]["code"] == "INTERNAL_ERROR"


def test_elsewhere_an_undeclared_error_is_still_the_answer(client, db, settings):
    settings.OUTLAST_ENV = "production"
    assert client.get(f"{BASE}/undeclared").json()["error"]["code"] == "ALREADY_PAID"


def test_errors_of_a_view_are_those_of_the_kind_of_call_and_its_own(rf):
    view = Echo()
    view.request = rf.get("/")
    assert Code.NOT_AUTHENTICATED not in all_errors(view, "get")
    assert Code.PARSE_ERROR not in all_errors(view, "get")
    assert Code.PARSE_ERROR in all_errors(view, "post")
    view = Works(action="create")
    assert {Code.POOL_FULL, Code.NOT_AUTHENTICATED, Code.IDEMPOTENCY_KEY_REUSED} <= all_errors(view, "post")
