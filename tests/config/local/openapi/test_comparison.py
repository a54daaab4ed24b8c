"""Which changes of the schema break callers: one test for each rule, both ways where it has two."""

import copy

import pytest

from config.local.openapi.comparison import compare

BODY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 60, "minLength": 1, "pattern": "^x"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "number": {"type": "integer", "minimum": 1, "maximum": 9},
        "teams": {"type": "array", "items": {"type": "string", "maxLength": 5}, "maxItems": 3},
        "day": {"type": "string"},
    },
    "required": ["name"],
}
THING = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "paid_at": {"type": ["string", "null"], "format": "date-time"},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
        "success": {"type": "boolean", "const": True},
    },
    "required": ["id", "name"],
}


def failure(*codes):
    code = {"properties": {"error": {"properties": {"code": {"enum": list(codes)}}}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Failure"}, {"type": "object", **code}]}
    return {"content": {"application/json": {"schema": schema}}}


@pytest.fixture
def old():
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
        {"name": "status", "in": "query", "schema": {"$ref": "#/components/schemas/Status"}},
        {"$ref": "#/components/parameters/Key"},
    ]
    operation = {
        "operationId": "changeThing",
        "parameters": parameters,
        "security": [{"bearer": []}, {"apiKey": ["things:write"]}],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}}},
        "responses": {
            "200": {
                "headers": {"ETag": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
            },
            "404": failure("NOT_FOUND"),
            "409": failure("POOL_FULL", "ALREADY_PAID"),
        },
    }
    schemas = {
        "Body": BODY,
        "Thing": THING,
        "Part": {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]},
        "Status": {"type": "string", "enum": ["open", "closed"]},
        "Failure": {"type": "object", "properties": {"error": {"properties": {"code": {"type": "string"}}}}},
    }
    key = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string"}}
    return copy.deepcopy(
        {
            "paths": {"/things/{id}": {"put": operation}},
            "components": {"schemas": schemas, "parameters": {"Key": key}},
        }
    )


@pytest.fixture
def new(old):
    return copy.deepcopy(old)


def put(schema):
    return schema["paths"]["/things/{id}"]["put"]


def said(old, new):
    """`! where: what` of what breaks, `+` of what adds."""
    return [f"{'!' if change.is_breaking else '+'} {change.where}: {change.what}" for change in compare(old, new)]


def test_nothing_changed_is_no_change(old, new):
    assert said(old, new) == []


def test_an_operation_that_is_gone_breaks(old, new):
    put(new)["operationId"] = "getThing"
    new["paths"]["/things/{id}"] = {"get": put(new)}
    assert said(old, new) == ["! PUT /things/{}: is gone", "+ GET /things/{}: is new"]


def test_what_an_id_is_called_does_not_matter(old, new):
    put(new)["parameters"][0]["name"] = "thing_id"
    new["paths"] = {"/things/{thing_id}": {"put": put(new)}}
    assert said(old, new) == []


def test_another_operation_id_breaks_clients_made_from_it(old, new):
    put(new)["operationId"] = "updateThing"
    assert said(old, new) == ["! PUT /things/{}: operationId changeThing is now updateThing"]


def test_to_be_deprecated_only_announces(old, new):
    put(new)["deprecated"] = True
    assert said(old, new) == ["+ PUT /things/{}: is deprecated"]
    assert said(new, old) == []


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ([{"bearer": []}], ["! PUT /things/{}: apiKey may not call it any more"]),
        ([{"bearer": []}, {"apiKey": ["other"]}], ["! PUT /things/{}: apiKey may not call it any more"]),
        ([{"bearer": []}, {"apiKey": ["things:write"]}, {}], []),
        ([{}], []),
    ],
)
def test_a_way_to_sign_in_stays(old, new, ways, expected):
    put(new)["security"] = ways
    assert said(old, new) == expected


def test_what_anybody_could_call_stays_open(old, new):
    put(old)["security"] = [{}]
    assert said(old, new) == ["! PUT /things/{}: anybody may not call it any more"]


def test_a_parameter_that_is_gone_breaks_and_a_new_one_adds(old, new):
    put(new)["parameters"][1] = {"name": "state", "in": "query", "schema": {"type": "string"}}
    assert said(old, new) == [
        "! PUT /things/{}: query parameter status is not taken any more",
        "+ PUT /things/{}: query parameter state is new",
    ]


def test_a_new_parameter_that_is_required_breaks(old, new):
    put(new)["parameters"].append({"name": "state", "in": "query", "required": True, "schema": {"type": "string"}})
    assert said(old, new) == ["! PUT /things/{}: query parameter state is new and required"]


def test_a_parameter_that_becomes_required_breaks(old, new):
    new["components"]["parameters"]["Key"]["required"] = True
    assert said(old, new) == ["! PUT /things/{}: header parameter Idempotency-Key is required"]
    assert said(new, old) == []


def test_a_value_that_a_parameter_loses_breaks(old, new):
    new["components"]["schemas"]["Status"]["enum"] = ["open"]
    assert said(old, new) == ["! PUT /things/{} query parameter status: it does not take 'closed' any more"]
    assert said(new, old) == []


def test_a_body_that_becomes_needed_breaks(old, new):
    put(new)["requestBody"]["required"] = True
    assert said(old, new) == ["! PUT /things/{}: wants a body"]
    assert said(new, old) == []


def test_a_body_that_is_not_taken_any_more_breaks(old, new):
    del put(new)["requestBody"]
    assert said(old, new) == ["! PUT /things/{}: takes no body any more"]


def test_a_form_that_is_not_taken_any_more_breaks(old, new):
    put(old)["requestBody"]["content"]["multipart/form-data"] = {"schema": {}}
    assert said(old, new) == ["! PUT /things/{}: takes no multipart/form-data any more"]
    assert said(new, old) == []


# What becomes of a field of the body, and what that is called; the other way round it adds, and is not told.
NARROWED = [
    ("name", {"maxLength": 50}, "name has maxLength 50, not 60"),
    ("name", {"minLength": 2}, "name has minLength 2, not 1"),
    ("name", {"pattern": "^y"}, "name has pattern ^y, not ^x"),
    ("kind", {"enum": ["a"]}, "kind does not take 'b' any more"),
    ("day", {"enum": ["mon"]}, "day takes only some values"),
    ("day", {"format": "date"}, "day has format date, not None"),
    ("number", {"minimum": 2}, "number has minimum 2, not 1"),
    ("number", {"maximum": 8}, "number has maximum 8, not 9"),
    ("number", {"type": "string"}, "number takes no integer any more"),
    ("teams", {"maxItems": 2}, "teams has maxItems 2, not 3"),
    ("teams", {"minItems": 1}, "teams has minItems 1, not None"),
    ("teams", {"items": {"type": "string", "maxLength": 4}}, "teams[] has maxLength 4, not 5"),
]


@pytest.mark.parametrize(("field", "change", "expected"), NARROWED)
def test_a_body_that_takes_less_breaks(old, new, field, change, expected):
    new["components"]["schemas"]["Body"]["properties"][field].update(change)
    assert said(old, new) == [f"! PUT /things/{{}} body: {expected}"]


WIDENED = [
    ("name", {"maxLength": 70}),
    ("name", {"minLength": 0}),
    ("kind", {"enum": ["a", "b", "c"]}),
    ("number", {"minimum": 0, "maximum": 10}),
    ("number", {"type": "number"}),
    ("number", {"type": ["integer", "null"]}),
    ("teams", {"maxItems": 4}),
    ("number", {"format": "int64"}),
]


@pytest.mark.parametrize(("field", "change"), WIDENED)
def test_a_body_that_takes_more_does_not(old, new, field, change):
    new["components"]["schemas"]["Body"]["properties"][field].update(change)
    assert said(old, new) == []


def test_a_rule_of_a_field_that_goes_does_not_break(old, new):
    del new["components"]["schemas"]["Body"]["properties"]["name"]["pattern"]
    assert said(old, new) == []


def test_a_field_that_is_refused_from_now_on_breaks(old, new):
    del new["components"]["schemas"]["Body"]["properties"]["day"]
    assert said(old, new) == ["! PUT /things/{} body: day is not taken any more"]
    assert said(new, old) == []


def test_a_field_that_is_required_from_now_on_breaks(old, new):
    new["components"]["schemas"]["Body"]["required"] = ["name", "day"]
    assert said(old, new) == ["! PUT /things/{} body: day is required"]
    assert said(new, old) == []


def test_to_refuse_unknown_fields_breaks(old, new):
    del old["components"]["schemas"]["Body"]["additionalProperties"]
    assert said(old, new) == ["! PUT /things/{} body: it takes no other fields any more"]
    assert said(new, old) == []


def test_a_choice_that_is_not_taken_any_more_breaks(old, new):
    day = {"oneOf": [{"type": "string"}, {"type": "null"}]}
    old["components"]["schemas"]["Body"]["properties"]["day"] = day
    assert said(old, new) == ["! PUT /things/{} body: day does not take its choice 2 any more"]
    assert said(new, old) == []


def test_an_answer_that_never_comes_any_more_breaks(old, new):
    put(new)["responses"]["202"] = put(new)["responses"].pop("200")
    assert said(old, new) == [
        "! PUT /things/{} 200: is not answered any more",
        "! PUT /things/{} 202: is a new answer",
    ]


def test_304_comes_only_to_those_who_ask_for_it(old, new):
    put(new)["responses"]["304"] = {"description": "Not modified."}
    assert said(old, new) == ["+ PUT /things/{} 304: is a new answer"]


def test_another_media_type_and_a_header_that_is_gone_break(old, new):
    answer = put(new)["responses"]["200"]
    answer["content"] = {"text/csv": {}}
    answer["headers"] = {}
    assert said(old, new) == [
        "! PUT /things/{} 200: does not come as application/json any more",
        "! PUT /things/{} 200: header ETag is gone",
    ]


def test_a_field_of_an_answer_that_is_gone_breaks_and_a_new_one_adds(old, new):
    properties = new["components"]["schemas"]["Thing"]["properties"]
    properties["title"] = properties.pop("kind")
    assert said(old, new) == ["! PUT /things/{} 200: kind is gone", "+ PUT /things/{} 200: title is new"]


def test_a_field_that_is_not_always_there_any_more_breaks(old, new):
    new["components"]["schemas"]["Thing"]["required"] = ["id"]
    assert said(old, new) == ["! PUT /things/{} 200: name is not always there any more"]
    assert said(new, old) == []


# What becomes of a field of the answer, and whether that breaks.
ANSWERED = [
    ("name", {"type": ["string", "null"]}, "! PUT /things/{} 200: name can be null"),
    ("name", {"type": "integer"}, "! PUT /things/{} 200: name can be integer"),
    ("name", {"format": "date"}, "! PUT /things/{} 200: name has another format"),
    ("id", {"type": "number"}, "! PUT /things/{} 200: id can be number"),
    ("kind", {"enum": ["a", "b", "c"]}, "+ PUT /things/{} 200: kind can be 'c'"),
    ("success", {"const": False}, "! PUT /things/{} 200: success can be False"),
]


@pytest.mark.parametrize(("field", "change", "expected"), ANSWERED)
def test_an_answer_that_says_more(old, new, field, change, expected):
    new["components"]["schemas"]["Thing"]["properties"][field].update(change)
    assert said(old, new) == [expected]


@pytest.mark.parametrize(
    ("field", "change"),
    [("kind", {"enum": ["a"]}), ("paid_at", {"type": "string"}), ("id", {"minimum": 1}), ("id", {"format": "int64"})],
)
def test_an_answer_that_says_less_does_not_break(old, new, field, change):
    new["components"]["schemas"]["Thing"]["properties"][field].update(change)
    assert said(old, new) == []


def test_an_enum_that_becomes_any_text_breaks(old, new):
    del new["components"]["schemas"]["Thing"]["properties"]["kind"]["enum"]
    assert said(old, new) == ["! PUT /things/{} 200: kind can be anything"]


def test_what_is_inside_of_a_list_counts_too(old, new):
    new["components"]["schemas"]["Part"]["required"] = []
    assert said(old, new) == ["! PUT /things/{} 200: parts[].size is not always there any more"]


def test_a_new_choice_of_an_answer_breaks(old, new):
    known = {"oneOf": [{"$ref": "#/components/schemas/Part"}, {"type": "null"}]}
    old["components"]["schemas"]["Thing"]["properties"]["part"] = known
    new["components"]["schemas"]["Thing"]["properties"]["part"] = {"oneOf": [*known["oneOf"], {"type": "string"}]}
    assert said(old, new) == ["! PUT /things/{} 200: part can be its choice 3"]
    assert said(new, old) == []


def test_an_error_code_stays_what_it_is(old, new):
    put(new)["responses"]["409"] = failure("POOL_FULL")
    put(new)["responses"]["422"] = failure("ALREADY_PAID")
    assert said(old, new) == ["! PUT /things/{}: error ALREADY_PAID has status 422, not 409"]


def test_an_error_code_that_is_gone_breaks_and_a_new_one_adds(old, new):
    put(new)["responses"]["409"] = failure("POOL_FULL", "LIMIT_PENDING")
    assert said(old, new) == [
        "! PUT /things/{}: error ALREADY_PAID is gone",
        "+ PUT /things/{}: error LIMIT_PENDING is new",
    ]


def test_a_schema_that_contains_itself_comes_to_an_end(old, new):
    for schema in (old, new):
        schema["components"]["schemas"]["Part"]["properties"]["inner"] = {"$ref": "#/components/schemas/Part"}
    assert said(old, new) == []
