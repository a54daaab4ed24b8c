"""The schema as generators get it: what is left out of it, and that the rest is untouched."""

import copy

from config.errors import Code
from config.local.clients.plain import for_generators

ANSWER = {"description": "Done.", "headers": {"X-Request-ID": {}}, "content": {
    "application/json": {"schema": {"$ref": "#/components/schemas/Pool"}, "example": {"id": 1}}
}}  # fmt: skip
REFUSAL = {"description": "No.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}}


def schema_with(**operation):
    components = {
        "schemas": {
            "Pool": {"type": "object", "properties": {"rules": {"$ref": "#/components/schemas/Rules"}}},
            "Rules": {"type": "object", "properties": {"strikes": {"type": "integer"}}},
            "Refusal": {"type": "object"},
        },
        "parameters": {"Language": {"name": "Accept-Language", "in": "header"}},
    }
    described = {"operationId": "getPool", "responses": {"200": ANSWER, "404": REFUSAL}} | operation
    return {"openapi": "3.1.1", "paths": {"/pools": {"get": described, "parameters": []}}, "components": components}


def operation_of(schema):
    return schema["paths"]["/pools"]["get"]


def test_good_answers_are_left_with_their_types_alone():
    plain = for_generators(schema_with())
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Pool"}}}
    assert operation_of(plain)["responses"] == {"200": {"description": "Done.", "content": content}}


def test_what_only_errors_lead_to_is_gone_and_what_is_used_stays():
    assert set(for_generators(schema_with())["components"]["schemas"]) == {"Pool", "Rules", "ErrorCode"}


def test_every_code_is_there():
    codes = for_generators(schema_with())["components"]["schemas"]["ErrorCode"]["enum"]
    assert codes == [code.value for code in Code]


def test_what_the_runtime_sends_is_no_parameter_whether_named_or_referred_to():
    asked = [
        {"$ref": "#/components/parameters/Language"}, {"name": "X-Request-ID", "in": "header"},
        {"name": "fields", "in": "query"}, {"name": "Idempotency-Key", "in": "header"},
    ]  # fmt: skip
    plain = for_generators(schema_with(parameters=asked))
    assert [one["name"] for one in operation_of(plain)["parameters"]] == ["Idempotency-Key"]


def test_files_of_whatever_kind_are_bytes():
    pictures = {"description": "Done.", "content": {"image/png": {"schema": {}}, "image/jpeg": {"schema": {}}}}
    plain = for_generators(schema_with(responses={"200": pictures}))
    assert list(operation_of(plain)["responses"]["200"]["content"]) == ["application/octet-stream"]


def test_which_fields_go_together_is_no_type():
    schema = schema_with()
    body = schema["components"]["schemas"]["Pool"]
    body["oneOf"] = [{"required": ["team"]}, {"title": "Two", "required": ["teams"]}]
    assert "oneOf" not in for_generators(schema)["components"]["schemas"]["Pool"]


def test_of_an_answer_in_parts_the_whole_is_taken():
    both = {"anyOf": [{"$ref": "#/components/schemas/Pool"}, {"$ref": "#/components/schemas/SparsePool"}]}
    answer = {"description": "Done.", "content": {"application/json": {"schema": both}}}
    schema = schema_with(responses={"200": answer})
    schema["components"]["schemas"]["SparsePool"] = {"type": "object"}
    plain = for_generators(schema)
    content = operation_of(plain)["responses"]["200"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Pool"}
    assert "SparsePool" not in plain["components"]["schemas"]


def test_a_choice_of_types_stays():
    schema = schema_with()
    schema["components"]["schemas"]["Rules"]["oneOf"] = [{"type": "object"}, {"type": "null"}]
    assert "oneOf" in for_generators(schema)["components"]["schemas"]["Rules"]


def test_the_schema_that_was_given_is_as_it_was():
    schema = schema_with()
    before = copy.deepcopy(schema)
    for_generators(schema)
    assert schema == before
