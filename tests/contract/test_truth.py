"""The suite notices an answer that the schema does not describe, whichever test meets it."""

import copy

import pytest

from tests.support import contract, truth
from tests.support.contract import Document

pytestmark = pytest.mark.django_db


@pytest.fixture
def lying(monkeypatch):
    """A schema that says something else than what comes."""

    def make(change) -> None:
        schema = copy.deepcopy(contract.schema_of(truth.URLS))
        change(schema)
        monkeypatch.setattr(contract, "document_of", lambda _: Document(schema))

    return make


def found(api, path="/api/v1/pools"):
    """What was found out about the answer, which would fail this very test."""
    truth.lies.clear()
    api().get(path)
    lies = list(truth.lies)
    truth.lies.clear()
    return lies


def test_a_true_answer_is_no_lie(api):
    assert found(api) == []


def test_an_unknown_status_is_found_out(api, lying):
    lying(lambda schema: schema["paths"]["/api/v1/pools"]["get"]["responses"].pop("200"))
    assert found(api) == ["GET /api/v1/pools 200: get /api/v1/pools may not answer 200"]


def test_a_field_that_is_not_described_is_found_out(api, lying):
    lying(lambda schema: schema["components"]["schemas"]["PageMeta"]["properties"].pop("timestamp"))
    lie = "meta: Additional properties are not allowed ('timestamp' was unexpected)"
    assert found(api) == [f"GET /api/v1/pools 200: {lie}"]


def test_a_header_that_is_promised_and_missing_is_found_out(api, lying):
    def change(schema):
        schema["components"]["headers"]["X-Answered-By"] = {"required": True}
        headers = schema["paths"]["/api/v1/pools"]["get"]["responses"]["200"]["headers"]
        headers["X-Answered-By"] = {"$ref": "#/components/headers/X-Answered-By"}

    lying(change)
    assert found(api) == ["GET /api/v1/pools 200: X-Answered-By is promised"]


def test_an_error_code_that_is_not_declared_is_found_out(api, lying):
    def change(schema):
        narrowed = schema["components"]["schemas"]["FailureNotFound"]["allOf"][1]
        narrowed["properties"]["error"]["properties"]["code"]["enum"] = ["POOL_FULL"]

    lying(change)
    lie = 'error/code: "NOT_FOUND" is not one of "POOL_FULL"'
    assert found(api, "/api/v1/pools/999999") == [f"GET /api/v1/pools/999999 404: {lie}"]


def test_a_test_that_met_a_lie_fails(request):
    running = truth.pytest_runtest_call(request.node)
    next(running)
    truth.lies.append("GET /api/v1/pools 200: wrong")
    with pytest.raises(pytest.fail.Exception, match="GET /api/v1/pools 200: wrong"):
        running.send(None)
    assert truth.lies == []
