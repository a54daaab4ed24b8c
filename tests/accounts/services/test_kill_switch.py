"""Row 39: the last resort, when keys or tokens may be in wrong hands."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Session
from accounts.services import sessions
from accounts.services.sessions import SessionEnd, end_everybodys_sessions
from config.models import AuditEntry
from tests.factories.accounts import AdminFactory, ModeratorFactory, UserFactory
from tests.security.matrix.people import bearer, caller, new_key

pytestmark = pytest.mark.django_db


def test_row_39_everybody_is_signed_out_at_once(monkeypatch):
    """Players, staff and services; the next call is refused."""
    monkeypatch.setattr(sessions, "PEOPLE_AT_ONCE", 2)
    people = [UserFactory(), UserFactory(), ModeratorFactory(), AdminFactory()]
    clients = [caller(bearer(person)) for person in people]
    clients.append(caller(f"Api-Key {new_key(people[0], ['account:read']).text}"))
    desk = Client()
    desk.force_login(people[3])
    assert {client.get("/api/v1/me").status_code for client in clients} == {200}
    assert desk.get("/admin/").status_code == 200

    assert end_everybodys_sessions() == 4

    assert {client.get("/api/v1/me").status_code for client in clients} == {401}
    assert desk.get("/admin/").status_code == 302
    assert set(Session.objects.values_list("revoked_because", flat=True)) == {SessionEnd.STAFF}
    # Who signs in again is in.
    people[0].refresh_from_db()
    assert caller(bearer(people[0])).get("/api/v1/me").status_code == 200


def test_the_command_wants_to_be_meant_and_says_why(capsys):
    person = UserFactory()
    client = caller(bearer(person))
    for options in ([], ["--everybody"], ["--reason", "A leak."]):
        with pytest.raises(CommandError):
            call_command("end_sessions", *options)
    assert client.get("/api/v1/me").status_code == 200

    call_command("end_sessions", "--everybody", "--reason", "A leak.")

    assert client.get("/api/v1/me").status_code == 401
    assert capsys.readouterr().out == "1 people are signed out.\n"
    entry = AuditEntry.objects.get(action="sessions.ended")
    assert (entry.reason, entry.data) == ("A leak.", {"count": 1})
