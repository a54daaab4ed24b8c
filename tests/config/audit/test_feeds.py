"""Every change table feeds the audit; what is secret stays out of it; a statement of many is told in few words."""

import pytest
from django.apps import apps
from django.db import connection, transaction

from accounts.models import PersonalDetails
from accounts.services.roles import assign_role
from config import audit
from config.audit import Change
from config.models import AuditEntry
from entries.models import PickChange, RequestChange
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.entries import RequestFactory


def change_tables():
    return [model for model in apps.get_models() if issubclass(model, Change)]


@pytest.mark.parametrize("model", change_tables(), ids=lambda model: model._meta.db_table)
def test_every_change_table_feeds_it(model):
    names = [trigger.name for trigger in model._meta.triggers]

    assert any(name.startswith("feed_audit") for name in names)


def entries(**which):
    return list(AuditEntry.objects.filter(**which).order_by("id"))


def test_a_change_of_a_status_is_told_with_who_whom_and_why(db, moderator):
    request = RequestFactory()
    audit.attribute(by=moderator, reason="not in time")
    request.status = "withdrawn"
    request.save(update_fields=["status"])

    (entry,) = entries(action="request.withdrawn")
    change = RequestChange.objects.get(subject_id=request.pk, to_status="withdrawn")
    assert (entry.actor_id, entry.person_id, entry.subject_id) == (moderator.pk, request.user_id, str(request.pk))
    assert entry.reason == "not in time"
    assert entry.data == {
        "change": change.pk,
        "from": "pending",
        "to": "withdrawn",
        "payment_status": request.payment_status,
    }


def test_many_changes_of_one_statement_are_one_entry_that_names_them(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO entries_requestchange (subject_id, from_status, to_status, at, actor_id, reason)"
            " SELECT n, 'approved', CASE WHEN n <= 150 THEN 'expired' ELSE 'withdrawn' END, now(), NULL, 'x'"
            " FROM generate_series(1, 250) n"
        )

    told = entries(subject_type="request", subject_id="")
    changes = RequestChange.objects.filter(reason="x").order_by("id")
    assert [(entry.action, entry.data["count"]) for entry in told] == [
        ("request.expired", 150),
        ("request.withdrawn", 100),
    ]
    assert (told[0].data["first"], told[1].data["last"]) == (changes.first().pk, changes.last().pk)
    assert told[0].data["from_status"] == "approved"


def test_a_hundred_are_told_one_by_one(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO entries_requestchange (subject_id, from_status, to_status, at, reason)"
            " SELECT n, 'approved', 'expired', now(), '' FROM generate_series(1, 100) n"
        )

    assert AuditEntry.objects.filter(action="request.expired").count() == 100


class TestPicks:
    def test_are_told_without_their_teams(self, db):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO entries_pickchange"
                " (entry_id, round_id, slot, from_team_id, to_team_id, source, at, reason)"
                " VALUES (7, 8, 1, 424242, 434343, 'player', now(), 'because 434343'),"
                " (7, 8, 2, 424242, NULL, 'player', now(), '')"
            )

        saved, removed = entries(subject_type="pick")
        change = PickChange.objects.order_by("id").first()
        assert (saved.action, saved.subject_id) == ("pick.saved", "7")
        assert saved.data == {"change": change.pk, "round": 8, "slot": 1, "source": "player"}
        assert removed.action == "pick.removed"
        with connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(e::text, ' ') FROM config_auditentry e")
            everything = cursor.fetchone()[0]
        assert "424242" not in everything
        assert "434343" not in everything

    def test_of_many_are_told_without_their_teams_as_well(self, db):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO entries_pickchange (entry_id, round_id, slot, to_team_id, source, at, reason)"
                " SELECT n, 8, 1, 434343, 'import', now(), 'because 434343' FROM generate_series(1, 101) n"
            )

        (entry,) = entries(subject_type="pick")
        assert set(entry.data) == {"count", "first", "last", "round_id", "source"}
        assert "434343" not in f"{entry.data} {entry.reason}"


def test_a_role_is_told_once(db, player, admin_user):
    assign_role(user=player, role="moderator", by=admin_user, reason="she helps")

    (entry,) = entries(subject_type="user", action="user.role", person_id=player.pk)
    assert (entry.actor_id, entry.person_id, entry.reason) == (admin_user.pk, player.pk, "she helps")
    assert (entry.data["from"], entry.data["to"]) == ("player", "moderator")


def test_a_changed_password_is_told_and_never_shown(db, player):
    player.set_password("another engine of analysis")
    player.save(update_fields=["password"])

    (entry,) = entries(action="user.password_changed")
    assert (entry.person_id, entry.data) == (player.pk, {})


def test_a_changed_address_is_told_and_never_shown(db, player):
    player.email = "canary@example.test"
    player.save(update_fields=["email"])

    assert entries(action="user.email_changed")[0].person_id == player.pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM config_auditentry e WHERE e::text LIKE '%%canary%%'")
        assert cursor.fetchone()[0] == 0


def test_personal_details_leave_nothing_of_themselves(db, player):
    with transaction.atomic():
        PersonalDetails.objects.create(user=player, legal_name="Canary", tax_country="US", tax_number="123456789")

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM config_auditentry e WHERE e::text ~ 'Canary|123456789'")
        assert cursor.fetchone()[0] == 0


def test_a_list_for_missed_rounds_is_told_without_its_teams(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO entries_fallbackchange (entry_id, team_ids, at, reason) VALUES (7, '{434343}', now(), '')"
        )

    (entry,) = entries(action="fallback.saved")
    assert "434343" not in str(entry.data)


class TestSessions:
    @pytest.fixture
    def person(self, db):
        return UserFactory(email="ada@example.test", password=PASSWORD)

    def sign_in(self, api, password=PASSWORD, email="ada@example.test"):
        return api().post(
            "/api/v1/auth/token",
            {"email": email, "password": password},
            REMOTE_ADDR="203.0.113.8",
            HTTP_X_REQUEST_ID="call-1",
        )

    def test_a_sign_in_is_told_once_with_where_it_came_from(self, api, person):
        assert self.sign_in(api).status_code == 200

        (entry,) = entries(action="session.begun")
        assert (entry.actor_id, entry.person_id, entry.actor_kind) == (person.pk, person.pk, "user")
        assert (entry.address, entry.request_id) == ("203.0.113.8", "call-1")

    def test_a_sign_out_is_told_once_with_why(self, api, person):
        refresh = self.sign_in(api).json()["data"]["refresh"]

        assert api().post("/api/v1/auth/logout", {"refresh": refresh}).status_code == 204

        (entry,) = entries(action="session.ended")
        assert (entry.actor_id, entry.data) == (person.pk, {"why": "signed_out"})

    @pytest.mark.parametrize("email", ["ada@example.test", "Nobody\n\x1b[31m@example.test"])
    def test_a_sign_in_that_failed_is_told_once_and_without_the_address(self, api, person, email):
        assert self.sign_in(api, password="wrong word", email=email).status_code == 401

        (entry,) = entries(action="sign_in.failed")
        assert entry.actor_kind == "anonymous"
        assert entry.person_id == (person.pk if email.startswith("ada") else None)
        assert entry.address == "203.0.113.8"
        with connection.cursor() as cursor:
            cursor.execute("SELECT e::text FROM config_auditentry e WHERE action = 'sign_in.failed'")
            told = cursor.fetchone()[0]
        assert "example.test" not in told
        assert "wrong word" not in told
