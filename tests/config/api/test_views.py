"""The base of every view."""

import pytest
from django.contrib.auth.models import Permission

from config.api import views
from config.api.ratelimit import By, Policy
from config.api.strictness import MOST_NAMED, UNKNOWN
from tests.config.api.sample import Private

pytestmark = pytest.mark.django_db

PRIVATE = "/api/v1/sample/private"
STAFF = "/api/v1/sample/staff"


def test_without_credentials_is_401(client):
    answer = client.get(PRIVATE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("header", ["Bearer x", "Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer a b"])
def test_bad_credentials_are_401(client, header):
    answer = client.get(PRIVATE, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "TOKEN_INVALID")


def test_bad_credentials_are_401_on_public_addresses_too(client):
    answer = client.get("/api/v1/sample/echo", headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "TOKEN_INVALID")


def test_signed_in_callers_are_let_in(signed_in, player):
    assert signed_in(player).get(PRIVATE).json()["data"] == {"user": player.pk}


def test_a_missing_permission_is_403(signed_in, player):
    answer = signed_in(player).get(STAFF)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_what_is_denied_is_counted_as_well(signed_in, player, stranger, monkeypatch):
    monkeypatch.setattr(views, "DENIED", Policy("denied", 2, 60))

    answers = [signed_in(player).get(STAFF) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert (answers[0]["X-RateLimit-Remaining"], answers[-1]["Retry-After"]) == ("1", answers[-1]["X-RateLimit-Reset"])
    assert signed_in(player).get(PRIVATE).status_code == 200
    assert signed_in(stranger).get(STAFF).status_code == 403


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}])
def test_calls_without_good_credentials_are_counted_by_their_address(client, signed_in, player, header, monkeypatch):
    monkeypatch.setattr(views, "NOBODY", Policy("nobody", 2, 60, By.ADDRESS))

    answers = [client.get(PRIVATE, headers=header) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[-1].json()["error"]["code"] == "RATE_LIMITED"
    assert client.get(PRIVATE, headers=header, REMOTE_ADDR="198.51.100.7").status_code == 401
    assert signed_in(player).get(PRIVATE).status_code == 200


def test_a_permission_opens_its_door(signed_in, player):
    player.user_permissions.add(Permission.objects.get(codename="change_outboxmessage"))
    assert signed_in(player).get(STAFF).status_code == 200


def test_without_sign_in_a_staff_address_is_401(client):
    assert client.get(STAFF).status_code == 401


@pytest.mark.parametrize("pk", ["abc", "1.5", "-1", "9" * 30, "1%2F2"])
def test_an_id_that_is_none_is_404(client, pk):
    assert client.get(f"/api/v1/sample/messages/{pk}").status_code == 404


def test_validating_without_a_declaration_is_a_mistake_of_ours(rf):
    view = Private()
    view.request = rf.get("/")
    view.request.query_params = {}
    view.operation = Private.get.operation
    with pytest.raises(TypeError, match="declares nothing"):
        view.valid_query()


def test_a_field_the_view_does_not_know_is_refused_by_name(client):
    answer = client.post("/api/v1/sample/echo", {"text": "a", "is_staff": True}, format="json")
    assert (answer.status_code, answer.json()["error"]["details"]) == (400, {"is_staff": [UNKNOWN]})


def test_unknown_fields_are_told_together_with_faults_of_known_ones(client):
    answer = client.post("/api/v1/sample/echo", {"txet": "a"}, format="json")
    assert set(answer.json()["error"]["details"]) == {"txet", "text"}


def test_an_unknown_field_of_an_item_is_named_with_its_place(client):
    picks = [{"text": "a"}, {"text": "b", "numbre": 1}]
    answer = client.put("/api/v1/sample/echo", {"picks": picks}, format="json")
    assert answer.json()["error"]["details"] == {"picks.1.numbre": [UNKNOWN]}


def test_of_a_thousand_unknown_fields_a_few_are_named(client):
    answer = client.post("/api/v1/sample/echo", {f"f{n}": 1 for n in range(900)}, format="json")
    assert len(answer.json()["error"]["details"]) == MOST_NAMED + 1
