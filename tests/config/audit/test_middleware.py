"""Where a request comes from is in whatever it writes; and denials to people who are known are written down."""

import pytest
from django.db import connection
from django.test import Client

from config.models import AuditEntry
from entries.models import RequestStatus
from tests.factories.entries import RequestFactory


def denials():
    return list(AuditEntry.objects.filter(action="access.denied").order_by("id"))


def test_what_a_call_changes_bears_its_address_and_its_id(db, api, player):
    request = RequestFactory(user=player, status=RequestStatus.PENDING)

    answer = api(player).post(
        f"/api/v1/requests/{request.pk}/withdraw", {}, REMOTE_ADDR="203.0.113.5", HTTP_X_REQUEST_ID="call-77"
    )

    assert answer.status_code == 200
    entry = AuditEntry.objects.get(action="request.withdrawn")
    assert (entry.request_id, entry.address, entry.actor_kind) == ("call-77", "203.0.113.5", "user")
    assert (entry.actor_id, entry.person_id) == (player.pk, player.pk)


def test_a_spoofed_address_is_not_believed(db, api, player):
    api(player).get("/api/v1/ledger/trial-balance", HTTP_X_FORWARDED_FOR="198.51.100.99", REMOTE_ADDR="203.0.113.5")

    assert [entry.address for entry in denials()] == ["203.0.113.5"]


def test_a_denial_is_written_down_once_with_the_route_and_the_code(db, api, player):
    answer = api(player).get("/api/v1/exports/17", HTTP_X_REQUEST_ID="call-78")

    assert answer.status_code == 403
    (entry,) = denials()
    assert (entry.actor_id, entry.request_id) == (player.pk, "call-78")
    assert entry.data["method"] == "GET"
    assert entry.data["code"] == "FORBIDDEN"
    # The template, never the id that was tried.
    assert "17" not in entry.data["route"]


def test_whoever_knocks_without_end_does_not_fill_the_audit(db, api, player, moderator):
    client = api(player)
    statuses = {client.get(f"/api/v1/exports/{number}").status_code for number in range(123)}

    assert statuses == {403}
    assert len(denials()) == 120
    (entry,) = AuditEntry.objects.filter(action="limit.reached")
    assert (entry.actor_id, entry.data) == (player.pk, {"kind": "denials_noted"})
    api(moderator).get("/api/v1/exports/1")
    assert [entry.actor_id for entry in denials()[120:]] == [moderator.pk]


def test_a_denial_in_the_back_office_is_written_down(db, moderator):
    client = Client()
    client.force_login(moderator)

    assert client.get("/admin/config/auditentry/").status_code == 403
    assert [entry.actor_id for entry in denials()] == [moderator.pk]


def test_strangers_fill_nothing(db, api):
    assert api().get("/api/v1/exports/17").status_code == 401
    Client(enforce_csrf_checks=True).post("/admin/login/", {})

    assert denials() == []


@pytest.mark.django_db(transaction=True)
def test_what_was_refused_is_written_down_although_it_was_rolled_back(api, player):
    answer = api(player).post(
        "/api/v1/pools", {"name": "x"}, format="json", HTTP_IDEMPOTENCY_KEY="once", HTTP_X_REQUEST_ID="call-79"
    )

    assert answer.status_code == 403
    assert [entry.request_id for entry in denials()] == ["call-79"]


@pytest.mark.django_db(transaction=True)
def test_an_audit_that_cannot_be_written_changes_no_answer(api, player):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE config_auditpending RENAME TO config_auditpending_away")
    try:
        answer = api(player).get("/api/v1/exports/17")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE config_auditpending_away RENAME TO config_auditpending")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
