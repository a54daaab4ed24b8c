"""What every operation of the schema has, and whether its examples are examples of what it says."""

import json
import re
from collections import Counter

import jsonschema_rs
import pytest

from config.api.document import operations
from config.api.enum_names import ENUM_NAMES
from config.api.tags import TAGS
from tests.support.contract import schema_of
from tests.support.truth import URLS

SCHEMA = schema_of(URLS)
OPERATIONS = {operation["operationId"]: operation for _, _, operation in operations(SCHEMA)}
REGISTRY = jsonschema_rs.Registry([("urn:api", {"components": SCHEMA["components"]})], draft=jsonschema_rs.Draft202012)


def faults(schema, value):
    pointed = json.loads(json.dumps(schema).replace('"#/components/', '"urn:api#/components/'))
    validator = jsonschema_rs.Draft202012Validator(pointed, registry=REGISTRY, validate_formats=True)
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(value)]


def followed(node):
    while "$ref" in node:
        kind, name = node["$ref"].split("/")[-2:]
        node = SCHEMA["components"][kind][name]
    return node


def codes_of(answer):
    schema = followed(answer["content"]["application/json"]["schema"])
    return schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"]


@pytest.fixture(params=sorted(TAGS))
def chapter(request):
    """(name, operation) of each; together they are all, because each operation has one chapter, which is described."""
    return [(name, operation) for name, operation in OPERATIONS.items() if request.param in operation["tags"]]


def test_names_are_unique_and_such_as_generators_make_functions_of():
    names = Counter(operation["operationId"] for _, _, operation in operations(SCHEMA))
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)*", name)] == []


def test_each_chapter_is_described():
    assert [tag["name"] for tag in SCHEMA["tags"] if tag["name"] not in TAGS] == []
    assert {tag for operation in OPERATIONS.values() for tag in operation["tags"]} == {
        tag["name"] for tag in SCHEMA["tags"]
    }


def test_a_set_of_values_is_called_what_it_is_and_described_only_where_there_is_more_to_say():
    sets = SCHEMA["components"]["schemas"]
    assert set(ENUM_NAMES) - set(sets) == set()
    assert "description" not in sets["ErrorCode"]
    assert sets["WebhookCovers"]["description"] == "* `own` - the owner's\n* `all` - everybody's"
    off_because = sets["WebhookEndpointOut"]["properties"]["off_because"]
    assert off_because["description"] == "Why it is off; empty while it is on."


def test_each_operation_says_what_it_is_and_has_one_chapter():
    for name, operation in OPERATIONS.items():
        assert operation["summary"], name
        assert len(operation["tags"]) == 1, name


def test_a_good_answer_has_an_example_that_is_one(chapter):
    for name, operation in chapter:
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json")
            if content is None or int(status) >= 300:
                continue
            assert faults(content["schema"], content["example"]) == [], name


def test_a_body_has_an_example_that_is_one(chapter):
    for name, operation in chapter:
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert faults(content["schema"], content["example"]) == [], name


def test_parameters_have_examples_that_are_ones(chapter):
    for name, operation in chapter:
        for parameter in map(followed, operation["parameters"]):
            if parameter["in"] == "path" or (parameter.get("required") and parameter["in"] == "query"):
                assert "example" in parameter, (name, parameter["name"])
            assert "example" not in parameter or faults(parameter["schema"], parameter["example"]) == [], name


def test_each_error_code_has_an_example_that_is_one(chapter):
    for name, operation in chapter:
        for status, answer in operation["responses"].items():
            if int(status) < 400:
                continue
            content = answer["content"]["application/json"]
            assert list(content["examples"]) == codes_of(answer), name
            for code, example in content["examples"].items():
                value = followed(example)["value"]
                assert value["error"]["code"] == code, name
                assert faults(content["schema"], value) == [], name


def test_each_answer_names_its_headers(chapter):
    for name, operation in chapter:
        for status, answer in operation["responses"].items():
            assert "X-Request-ID" in answer["headers"], (name, status)
            if status in ("429", "503"):
                assert "Retry-After" in answer["headers"], (name, status)
            if status == "401":
                assert "WWW-Authenticate" in answer["headers"], (name, status)


def test_a_body_takes_no_field_that_is_not_described(chapter):
    for name, operation in chapter:
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            if kind == "application/json":
                assert followed(content["schema"])["additionalProperties"] is False, name


def test_links_lead_from_what_was_made_to_what_can_be_done_with_it():
    def links(name, status):
        return OPERATIONS[name]["responses"][status]["links"]

    assert links("createPoolRequest", "201")["approveRequest"] == {
        "operationId": "approveRequest",
        "parameters": {"id": "$response.body#/data/id"},
    }
    assert "startPayment" in links("approveRequest", "200")
    assert "getPayment" in links("startPayment", "201")
    assert "getRequest" in links("getPayment", "200")
    assert links("listCompetitions", "200")["getCompetition"]["parameters"] == {"code": "$response.body#/data/0/code"}
    assert links("getPool", "200")["getCompetition"]["parameters"] == {"code": "$response.body#/data/competition"}
    assert "listCompetitionRounds" in links("getCompetition", "200")
    assert links("listEntries", "200")["getPool"]["parameters"] == {"id": "$response.body#/data/0/pool"}


def test_each_link_leads_somewhere_with_all_that_is_needed():
    found = [
        (link, OPERATIONS[link["operationId"]])
        for operation in OPERATIONS.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(found) > 100
    for link, target in found:
        needed = {one["name"] for one in target["parameters"] if one.get("in") == "path"}
        assert set(link["parameters"]) == needed
