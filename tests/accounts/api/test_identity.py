"""GET and PUT /me/identity, GET /me/export."""

import json

import pytest

from accounts.models import PersonalDetails
from accounts.services import own_data
from config.models import AuditEntry
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.entries import EntryFactory

TOLD = {"legal_name": "Grace Hopper", "tax_country": "us", "tax_number": "123-45-6789"}
SECTIONS = {
    "account", "account_changes", "audit", "email_changes", "entries", "fallbacks", "identity", "payments",
    "payout_accounts", "payouts", "pick_changes", "picks", "receipts", "refunds", "requests", "sessions", "tax_forms",
}  # fmt: skip


def put(caller, body):
    return caller.send("put", "/me/identity", body)


def test_nothing_is_there_to_begin_with(user, signed_in):
    status, body = signed_in(user).get("/me/identity")

    assert (status, body["data"]) == (
        200,
        {"legal_name": "", "tax_country": "", "tax_number_ends": "", "has_tax_number": False, "updated_at": None},
    )


def test_the_number_is_never_shown_again(user, signed_in):
    caller = signed_in(user)

    answers = [put(caller, TOLD), caller.get("/me/identity"), put(caller, {**TOLD, "tax_number": "123-45-6789"})]

    for status, body in answers:
        assert status == 200
        assert (body["data"]["legal_name"], body["data"]["tax_country"]) == ("Grace Hopper", "US")
        assert (body["data"]["tax_number_ends"], body["data"]["has_tax_number"]) == ("6789", True)
        assert "123-45" not in json.dumps(body)


def test_a_left_out_number_stays(user, signed_in):
    caller = signed_in(user)
    put(caller, TOLD)

    put(caller, {"legal_name": "Grace Murray", "tax_country": "US"})

    found = PersonalDetails.objects.get()
    assert (found.legal_name, found.tax_number) == ("Grace Murray", "123-45-6789")


@pytest.mark.parametrize("field", ["legal_name", "tax_country"])
def test_what_is_needed_is_asked_for(user, signed_in, field):
    body = {name: value for name, value in TOLD.items() if name != field}

    status, answer = put(signed_in(user), body)

    assert (status, list(answer["error"]["details"])) == (400, [field])


@pytest.mark.parametrize("field", ["user", "user_id", "updated_at"])
def test_other_fields_are_not_written(user, signed_in, field):
    caller = signed_in(user)

    status, body = put(caller, {**TOLD, field: UserFactory().pk})

    assert (status, list(body["error"]["details"])) == (400, [field])
    assert not PersonalDetails.objects.exists()


def test_strangers_have_no_identity(caller):
    assert [caller.get("/me/identity")[0], put(caller, TOLD)[0], caller.get("/me/export")[0]] == [401] * 3


def fetch(caller):
    response = caller.http.get("/api/v1/me/export")
    assert response.status_code == 200
    return response, json.loads(b"".join(response.streaming_content))


def test_everything_about_the_caller_comes_in_one_file(user, signed_in):
    caller = signed_in(user)
    put(caller, TOLD)
    EntryFactory(owner=user)

    response, body = fetch(caller)

    assert response["Content-Disposition"] == 'attachment; filename="outlast-own-data.json"'
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert "Authorization" in response["Vary"].split(", ")
    assert (body["success"], set(body["meta"])) == (True, {"timestamp", "request_id"})
    data = body["data"]
    assert set(data) >= SECTIONS | {"truncated"}
    assert set(data) == {*own_data.sections(), "truncated"}
    assert data["truncated"] == []
    assert data["account"][0]["email"] == user.email
    assert data["identity"][0]["tax_number"] == "123-45-6789"
    assert data["sessions"][0]["address"].startswith("198.18.")
    assert [one["number"] for one in data["entries"]] == [1]
    assert data["requests"][0]["id"] == data["entries"][0]["request_id"]
    assert "own_data.fetched" in {one["what"] for one in data["audit"]}


def test_nothing_of_others_is_in_it(user, signed_in):
    other = UserFactory(email="canary@example.test", display_name="Canary", password=PASSWORD)
    put(signed_in(other), {**TOLD, "legal_name": "Canary"})
    EntryFactory(owner=other)

    _, body = fetch(signed_in(user))

    assert "canary" not in json.dumps(body).lower()
    assert (body["data"]["requests"], body["data"]["entries"], body["data"]["identity"]) == ([], [], [])


def test_each_fetch_is_written_down(user, signed_in):
    fetch(signed_in(user))

    assert AuditEntry.objects.get(action="own_data.fetched").person_id == user.pk


def test_it_is_fetched_ten_times_an_hour(user, signed_in):
    caller = signed_in(user)

    statuses = [caller.http.get("/api/v1/me/export").status_code for _ in range(11)]

    assert statuses == [200] * 10 + [429]


def test_what_is_too_much_is_cut_off_and_told(user, signed_in, monkeypatch):
    EntryFactory(owner=user)
    EntryFactory(owner=user)
    monkeypatch.setattr(own_data, "MOST_ROWS", 1)

    _, body = fetch(signed_in(user))

    assert len(body["data"]["entries"]) == 1
    assert {"entries", "requests"} <= set(body["data"]["truncated"])
    assert "account" not in body["data"]["truncated"]


def test_a_section_that_fails_is_an_error_and_no_half_file(user, signed_in, monkeypatch):
    def failing(_):
        yield {"a": 1}
        raise RuntimeError("broken")

    monkeypatch.setitem(own_data._sections, "zz", failing)

    response = signed_in(user).http.get("/api/v1/me/export")

    assert (response.status_code, response.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
