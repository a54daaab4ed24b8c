"""From an exception to an answer."""

import threading

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from rest_framework import exceptions as drf

from config import constraints
from config.api.handler import explain, flatten
from config.errors import Code, Conflict
from config.models import IdempotencyKey, OutboxMessage

ECHO = "/api/v1/sample/echo"


@pytest.mark.django_db
class TestValidation:
    def test_details_map_a_field_to_its_messages(self, client):
        error = client.post(ECHO, {"text": "x" * 21, "number": 0}, format="json").json()["error"]
        assert error["code"] == "VALIDATION_ERROR"
        assert error["details"] == {
            "text": ["Ensure this field has no more than 20 characters."],
            "number": ["Ensure this value is greater than or equal to 1."],
        }

    def test_missing_field_is_named(self, client):
        assert client.post(ECHO, {}, format="json").json()["error"]["details"] == {"text": ["This field is required."]}

    def test_nested_fields_have_dotted_names(self, client):
        error = client.put(ECHO, {"picks": [{"text": "a"}, {"text": ""}]}, format="json").json()["error"]
        assert error["details"] == {"picks.1.text": ["This field may not be blank."]}

    @pytest.mark.parametrize("body", ["[]", '"text"', "3", "null"])
    def test_body_that_is_no_object_is_refused(self, client, body):
        answer = client.generic("POST", ECHO, body, content_type="application/json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
        assert list(answer.json()["error"]["details"]) == ["non_field_errors"]


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (["No."], {"non_field_errors": ["No."]}),
        ({"a": ["No."]}, {"a": ["No."]}),
        ({"a": {"b": ["No."], "c": "Nor this."}}, {"a.b": ["No."], "a.c": ["Nor this."]}),
        ([{}, {"a": ["No."]}], {"1.a": ["No."]}),
        ({"a": [{}, {"b": ["No."]}]}, {"a.1.b": ["No."]}),
        ({"a": []}, {}),
    ],
)
def test_nested_errors_are_flattened(detail, expected):
    assert flatten(detail) == expected


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (drf.ParseError(), Code.PARSE_ERROR),
        (drf.NotAuthenticated(), Code.NOT_AUTHENTICATED),
        (drf.AuthenticationFailed(), Code.TOKEN_INVALID),
        (drf.PermissionDenied(), Code.FORBIDDEN),
        (drf.NotFound(), Code.NOT_FOUND),
        (drf.MethodNotAllowed("GET"), Code.METHOD_NOT_ALLOWED),
        (drf.NotAcceptable(), Code.NOT_ACCEPTABLE),
        (drf.UnsupportedMediaType("a/b"), Code.UNSUPPORTED_MEDIA_TYPE),
        (drf.Throttled(wait=3), Code.RATE_LIMITED),
        (drf.APIException("of another kind"), Code.INTERNAL_ERROR),
        (RequestDataTooBig(), Code.PAYLOAD_TOO_LARGE),
        (OperationalError(), Code.SERVICE_UNAVAILABLE),
        (InterfaceError(), Code.SERVICE_UNAVAILABLE),
        (IntegrityError(), Code.INTERNAL_ERROR),
        (Conflict(Code.POOL_FULL, "Full."), Code.POOL_FULL),
        (KeyError("x"), Code.INTERNAL_ERROR),
    ],
)
def test_exceptions_of_the_frameworks_have_our_codes(error, code):
    assert explain(error)[0].code == code


def test_drf_throttle_keeps_its_waiting_time():
    assert explain(drf.Throttled(wait=3))[1] == {"Retry-After": "3"}


def test_model_errors_without_fields_are_general():
    found, _ = explain(ModelValidationError("No."))
    assert found.details == {"non_field_errors": ["No."]}
    found, _ = explain(ModelValidationError({"__all__": ["No."], "name": ["Short."]}))
    assert found.details == {"non_field_errors": ["No."], "name": ["Short."]}


def insert_twice():
    OutboxMessage.objects.create(kind="a", key="same")
    with transaction.atomic():
        OutboxMessage.objects.create(kind="a", key="same")


@pytest.mark.django_db
class TestConstraints:
    def test_unexplained_duplicate_is_a_lost_race(self):
        with pytest.raises(IntegrityError) as caught:
            insert_twice()
        assert explain(caught.value)[0].code == Code.VERSION_CONFLICT

    def test_explained_constraint_has_its_own_code_and_sentence(self, monkeypatch):
        monkeypatch.setattr(constraints, "_explained", {})
        constraints.explain("config_outboxmessage_key_key", Code.POOL_FULL, "Full.")
        with pytest.raises(IntegrityError) as caught:
            insert_twice()
        found, _ = explain(caught.value)
        assert (found.code, found.message) == (Code.POOL_FULL, "Full.")

    def test_constraint_with_a_violation_code_explains_itself(self, monkeypatch):
        constraint = IdempotencyKey._meta.constraints[0]
        monkeypatch.setattr(constraint, "violation_error_code", Code.EMAIL_TAKEN)
        constraints.declared.cache_clear()
        try:
            assert constraints.declared()["idempotency_key_once"].code == Code.EMAIL_TAKEN
        finally:
            constraints.declared.cache_clear()

    def test_unexplained_check_is_our_bug(self):
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            OutboxMessage.objects.create(kind="a", key="b", done_at="2026-01-01T00:00Z", dead_at="2026-01-01T00:00Z")
        assert explain(caught.value)[0].code == Code.INTERNAL_ERROR

    def test_row_data_of_a_refusal_is_not_shown(self, client):
        OutboxMessage.objects.create(kind="a", key="private words")
        sql = "INSERT INTO config_outboxmessage (kind, key, payload, request_id, attempts, last_error) "
        sql += "VALUES ('a', 'private words', '{}', '', 0, '')"
        answer = client.post("/api/v1/sample/sql", {"sql": sql}, format="json")
        assert answer.status_code == 409
        assert b"private" not in answer.content


@pytest.mark.django_db(transaction=True)
class TestBusyDatabase:
    def test_lock_that_is_not_to_be_had_is_503(self, client):
        OutboxMessage.objects.create(kind="a", key="held")
        held, done = threading.Event(), threading.Event()

        def hold():
            with transaction.atomic():
                OutboxMessage.objects.select_for_update().get(key="held")
                held.set()
                done.wait(10)
            connection.close()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(10)
        try:
            sql = "SET LOCAL lock_timeout = '50ms'; SELECT 1 FROM config_outboxmessage FOR UPDATE"
            answer = client.post("/api/v1/sample/sql", {"sql": sql}, format="json")
        finally:
            done.set()
            holder.join()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert answer["Retry-After"] == "1"

    def test_statement_that_takes_too_long_is_503(self, client):
        sql = "SET LOCAL statement_timeout = '50ms'; SELECT pg_sleep(5)"
        assert client.post("/api/v1/sample/sql", {"sql": sql}, format="json").status_code == 503
