"""Every JSON answer has one shape."""

import re
from datetime import datetime

import pytest

from config.api.statuses import CODES_OF_STATUS, STATUS_OF_CODE, STATUS_OF_FAMILY, by_status, status_of
from config.errors import Code, DomainError, InvalidTransition
from tests.config.api.sample import RAISED

pytestmark = pytest.mark.django_db


def test_success_carries_data_and_meta(client):
    answer = client.get("/api/v1/sample/echo")
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"success", "data", "meta"}
    assert body["success"] is True
    assert body["data"] == {"text": "hello"}
    assert set(body["meta"]) == {"timestamp", "request_id"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["meta"]["timestamp"])
    assert answer["Content-Type"] == "application/json"


def test_failure_carries_an_error_and_meta(client):
    body = client.get("/api/v1/sample/raise/conflict").json()
    assert set(body) == {"success", "error", "meta"}
    assert body["success"] is False
    assert body["error"] == {"code": "POOL_FULL", "message": "Full.", "details": {"capacity": 1}}


def test_204_has_no_body(client):
    answer = client.delete("/api/v1/sample/echo")
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_given_request_id_is_echoed_in_header_and_meta(client):
    answer = client.get("/api/v1/sample/echo", headers={"X-Request-ID": "abc-123"})
    assert answer["X-Request-ID"] == "abc-123"
    assert answer.json()["meta"]["request_id"] == "abc-123"


@pytest.mark.parametrize("given", ["", "has space", "new\nline", "x" * 129, "<script>", "naïve"])
def test_a_request_id_that_could_harm_a_log_is_replaced(client, given):
    answer = client.get("/api/v1/sample/echo", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f-]{36}", answer["X-Request-ID"])


def test_two_requests_get_two_ids(client):
    first, second = (client.get("/api/v1/sample/echo")["X-Request-ID"] for _ in range(2))
    assert first != second


def test_instants_end_in_z(client, outbox_rows):
    item = client.get("/api/v1/sample/messages").json()["data"][0]
    assert item["created_at"].endswith("Z")
    assert datetime.fromisoformat(item["created_at"]).utcoffset().total_seconds() == 0


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("malformed", 400, "VALIDATION_ERROR"),
        ("unauthenticated", 401, "INVALID_CREDENTIALS"),
        ("forbidden", 403, "NOT_ELIGIBLE"),
        ("missing", 404, "NOT_FOUND"),
        ("conflict", 409, "POOL_FULL"),
        ("transition", 409, "INVALID_TRANSITION"),
        ("refused", 422, "DEADLINE_PASSED"),
        ("too_many", 429, "RATE_LIMITED"),
        ("crash", 500, "INTERNAL_ERROR"),
        ("provider", 502, "PROVIDER_ERROR"),
        ("unavailable", 503, "SERVICE_UNAVAILABLE"),
        ("http404", 404, "NOT_FOUND"),
        ("object_missing", 404, "NOT_FOUND"),
        ("denied", 403, "FORBIDDEN"),
        ("suspicious", 400, "VALIDATION_ERROR"),
        ("model_invalid", 400, "VALIDATION_ERROR"),
        ("model_constraint", 409, "POOL_FULL"),
    ],
)
def test_each_exception_has_its_status_and_code(client, what, status, code):
    answer = client.get(f"/api/v1/sample/raise/{what}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_the_table_above_covers_all_that_the_sample_can_raise():
    (marker,) = test_each_exception_has_its_status_and_code.pytestmark
    assert {case[0] for case in marker.args[1]} == set(RAISED)


def test_a_crash_tells_nothing_of_the_exception(client):
    answer = client.get("/api/v1/sample/raise/crash")
    assert b"swordfish" not in answer.content
    assert b"Traceback" not in answer.content


def test_waiting_time_is_a_header(client):
    assert client.get("/api/v1/sample/raise/too_many")["Retry-After"] == "7"
    assert client.get("/api/v1/sample/raise/unavailable")["Retry-After"] == "1"


def test_401_says_how_to_sign_in(client):
    assert client.get("/api/v1/sample/raise/unauthenticated")["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/api/v1/sample/private")["WWW-Authenticate"].startswith("Bearer")


def test_every_code_has_exactly_one_status():
    listed = [code for codes in CODES_OF_STATUS.values() for code in codes]
    assert sorted(listed) == sorted(Code)
    assert len(STATUS_OF_CODE) == len(Code)


def test_every_family_has_a_status():
    families = [family for family in DomainError.__subclasses__() if family.__module__ == "config.errors"]
    assert set(families) == set(STATUS_OF_FAMILY)
    assert status_of(InvalidTransition("x", "a", "b")) == 409
    assert status_of(DomainError(Code.INTERNAL_ERROR, "of no family")) == 500


def test_codes_are_grouped_under_their_status():
    grouped = by_status([Code.POOL_FULL, Code.NOT_FOUND, Code.EMAIL_TAKEN, Code.POOL_FULL])
    assert grouped == {404: [Code.NOT_FOUND], 409: [Code.EMAIL_TAKEN, Code.POOL_FULL]}
