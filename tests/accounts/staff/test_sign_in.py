"""POST /auth/token and /auth/reauthenticate with a second factor."""

from datetime import timedelta

import pytest

from accounts.models import Session, SessionEnd
from accounts.services.second_factor import begin_setup, confirm_setup
from config.clock import database_now
from config.models import AuditEntry
from tests.factories.accounts import PASSWORD, AdminFactory
from tests.support.devices import Device, give_device

PATH, AGAIN = "/auth/token", "/auth/reauthenticate"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def device(user):
    return give_device(user)


@pytest.fixture
def credentials(user):
    return {"email": user.email, "password": PASSWORD}


def test_the_right_password_alone_is_asked_for_the_code(caller, credentials, device):
    status, body = caller.post(PATH, credentials)

    assert (status, body["error"]["code"], body["error"]["details"]) == (401, "OTP_REQUIRED", {"is_set_up": True})
    assert not Session.objects.exists()


def test_with_the_code_the_session_begins(caller, credentials, device):
    status, body = caller.post(PATH, credentials | {"otp": device.code()})

    assert status == 200
    assert caller.bear(body["data"]["access"]).get("/me")[0] == 200
    assert Session.objects.get().has_second_factor


def test_a_wrong_password_is_never_asked_for_a_code(caller, credentials, device):
    status, body = caller.post(PATH, credentials | {"password": "wrong", "otp": device.code()})

    assert (status, body["error"]["code"]) == (401, "INVALID_CREDENTIALS")


def test_a_used_code_opens_nothing(new_caller, credentials, device):
    code = device.code()

    statuses = [new_caller().post(PATH, credentials | {"otp": code})[0] for _ in range(2)]

    assert statuses == [200, 401]


def test_a_recovery_code_opens_once(new_caller, user, credentials):
    device = Device(begin_setup(user=user).secret)
    [code, *_] = confirm_setup(user=user, code=device.code(), now=database_now())

    statuses = [new_caller().post(PATH, credentials | {"otp": code})[0] for _ in range(2)]

    assert statuses == [200, 401]


def test_ten_wrong_codes_are_tried_and_no_more(new_caller, credentials, device):
    """From anywhere: whoever guesses has the password, so the account counts."""
    statuses = [new_caller().post(PATH, credentials | {"otp": device.wrong()})[0] for _ in range(11)]
    right = new_caller().post(PATH, credentials | {"otp": device.code()})

    assert statuses == [401] * 10 + [429]
    assert (right[0], right[1]["error"]["code"]) == (429, "RATE_LIMITED")


def test_whoever_guesses_codes_does_not_shut_the_owners_door(new_caller, credentials, device):
    home = new_caller()
    assert home.post(PATH, credentials | {"otp": device.code()})[0] == 200
    for _ in range(12):
        new_caller().post(PATH, credentials | {"otp": device.wrong()})

    assert home.post(PATH, credentials | {"otp": device.code()})[0] == 200


def test_somebody_without_the_password_uses_up_no_tries_of_the_code(new_caller, credentials, device):
    for _ in range(12):
        new_caller().post(PATH, credentials | {"password": "wrong", "otp": "123456"})

    assert new_caller().post(PATH, credentials | {"otp": device.code()})[0] == 200


def test_asking_for_the_code_uses_no_tries_up(caller, credentials, device):
    statuses = [caller.post(PATH, credentials)[0] for _ in range(12)]

    assert statuses == [401] * 12
    assert caller.post(PATH, credentials | {"otp": device.code()})[0] == 200


def test_staff_without_a_device_are_sent_to_set_it_up(caller, db, settings):
    settings.STAFF_TOTP_REQUIRED = True
    boss = AdminFactory(password=PASSWORD)

    status, body = caller.post(PATH, {"email": boss.email, "password": PASSWORD})

    assert (status, body["error"]["code"], body["error"]["details"]) == (401, "OTP_REQUIRED", {"is_set_up": False})
    assert not Session.objects.exists()


def test_failures_are_told_to_the_audit_without_what_was_typed(caller, user, credentials, device):
    caller.post(PATH, credentials | {"password": "hunter2hunter2"})
    caller.post(PATH, credentials | {"otp": device.wrong()})
    caller.post(PATH, {"email": "nobody@example.test", "password": "hunter2hunter2"})

    entries = AuditEntry.objects.filter(action="sign_in.failed").order_by("id")
    assert [(entry.person_id, entry.actor_kind, entry.data) for entry in entries] == [
        (user.pk, "anonymous", {"why": "password"}),
        (user.pk, "anonymous", {"why": "code"}),
        (None, "anonymous", {"why": "password"}),
    ]
    assert {entry.address for entry in entries} == {caller.http.defaults["REMOTE_ADDR"]}


class TestAgain:
    @pytest.fixture
    def pair(self, new_caller, credentials):
        return new_caller().post(PATH, credentials)[1]["data"]

    @pytest.fixture
    def stale(self, new_caller, pair):
        """A caller whose person gave the password long ago, and their refresh token."""
        Session.objects.update(authenticated_at="2026-01-01T00:00:00Z")
        fresh = new_caller().post("/auth/token/refresh", {"refresh": pair["refresh"]})[1]["data"]
        return new_caller().bear(fresh["access"]), fresh["refresh"]

    def test_a_refresh_does_not_make_a_sign_in_fresh(self, stale):
        me, _ = stale
        status, body = me.post("/me/totp")

        assert (status, body["error"]["code"]) == (403, "REAUTHENTICATION_REQUIRED")
        assert body["error"]["details"] == {"max_age_seconds": 600}

    def test_the_password_again_makes_it_fresh(self, stale, new_caller):
        me, _ = stale
        status, body = me.post(AGAIN, {"password": PASSWORD})

        assert (status, set(body["data"])) == (200, {"access", "refresh"})
        assert new_caller().bear(body["data"]["access"]).post("/me/totp")[0] == 201
        # The token that was in other hands, perhaps, is not what became fresh.
        assert me.post("/me/totp")[0] == 403

    def test_it_is_told_to_the_audit(self, stale, user):
        me, _ = stale
        me.post(AGAIN, {"password": PASSWORD})

        entry = AuditEntry.objects.get(action="sign_in.proved_again")
        assert (entry.actor_id, entry.person_id) == (user.pk, user.pk)

    def test_it_goes_on_with_the_same_session(self, stale, new_caller):
        me, old = stale
        new = me.post(AGAIN, {"password": PASSWORD})[1]["data"]["refresh"]

        assert Session.objects.count() == 1
        assert new_caller().post("/auth/token/refresh", {"refresh": new})[0] == 200
        assert new_caller().post("/auth/token/refresh", {"refresh": old})[0] == 401

    def test_after_ten_minutes_it_is_stale_again(self, pair, new_caller):
        for minutes, expected in [(9, 201), (11, 403)]:
            Session.objects.update(authenticated_at=database_now() - MINUTE * minutes)
            pair = new_caller().post("/auth/token/refresh", {"refresh": pair["refresh"]})[1]["data"]
            assert new_caller().bear(pair["access"]).post("/me/totp")[0] == expected

    def test_a_wrong_password_is_refused_five_times(self, stale):
        me, _ = stale
        answers = [me.post(AGAIN, {"password": "guess"}) for _ in range(6)]

        assert [status for status, _ in answers] == [401] * 5 + [429]
        assert answers[0][1]["error"]["code"] == "INVALID_CREDENTIALS"
        assert me.post(AGAIN, {"password": PASSWORD})[0] == 429

    def test_a_second_factor_is_asked_for_as_well(self, stale, user):
        me, _ = stale
        device = give_device(user)

        assert me.post(AGAIN, {"password": PASSWORD})[1]["error"]["code"] == "OTP_REQUIRED"
        assert me.post(AGAIN, {"password": PASSWORD, "otp": device.wrong()})[0] == 401
        assert me.post(AGAIN, {"password": PASSWORD, "otp": device.code()})[0] == 200
        assert Session.objects.get().has_second_factor

    def test_an_ended_session_does_not_come_back(self, stale, pair, new_caller):
        me, refresh = stale
        new_caller().post("/auth/logout", {"refresh": refresh})

        assert me.post(AGAIN, {"password": PASSWORD})[0] == 401

    def test_only_whoever_signed_in_can(self, caller, api, user):
        assert caller.post(AGAIN, {"password": PASSWORD})[0] == 401
        client = api()
        client.force_authenticate(user)
        answer = client.post("/api/v1/auth/reauthenticate", {"password": PASSWORD}, format="json")
        assert answer.status_code == 403

    def test_the_pair_is_not_kept_under_an_idempotency_key(self, stale, new_caller):
        me, _ = stale
        first = me.post(AGAIN, {"password": PASSWORD}, HTTP_IDEMPOTENCY_KEY="the same key")[1]["data"]
        status, body = me.post(AGAIN, {"password": PASSWORD}, HTTP_IDEMPOTENCY_KEY="the same key")

        assert (status, body["data"]["refresh"] != first["refresh"]) == (200, True)


class TestStaffComeBackLate:
    """Over the API as in the browser."""

    @pytest.fixture
    def refresh(self, new_caller, db):
        boss = AdminFactory(password=PASSWORD)
        return new_caller().post(PATH, {"email": boss.email, "password": PASSWORD})[1]["data"]["refresh"]

    @pytest.mark.parametrize(
        ("column", "minutes", "status"),
        [
            ("refreshed_at", 29, 200),
            ("refreshed_at", 31, 401),
            ("created_at", 7 * 60, 200),
            ("created_at", 8 * 60 + 1, 401),
        ],
    )
    def test_their_session_ends(self, new_caller, refresh, column, minutes, status):
        Session.objects.update(**{column: database_now() - MINUTE * minutes})

        assert new_caller().post("/auth/token/refresh", {"refresh": refresh})[0] == status
        assert Session.objects.get().revoked_because == ("" if status == 200 else SessionEnd.TIMED_OUT)

    def test_players_are_not_hurried(self, new_caller, credentials):
        refresh = new_caller().post(PATH, credentials)[1]["data"]["refresh"]
        Session.objects.update(created_at="2026-01-01T00:00:00Z", refreshed_at=database_now() - MINUTE * 60 * 24 * 29)

        assert new_caller().post("/auth/token/refresh", {"refresh": refresh})[0] == 200


def test_a_code_nobody_asked_for_uses_no_tries_up(caller, credentials):
    statuses = [caller.post(PATH, credentials | {"otp": "123456"})[0] for _ in range(12)]

    assert statuses == [400] * 12


def test_closing_the_account_needs_a_fresh_sign_in(new_caller, credentials):
    pair = new_caller().post(PATH, credentials)[1]["data"]
    Session.objects.update(authenticated_at="2026-01-01T00:00:00Z")
    pair = new_caller().post("/auth/token/refresh", {"refresh": pair["refresh"]})[1]["data"]

    assert new_caller().bear(pair["access"]).delete("/me")[0] == 403


def test_a_wrong_password_of_somebody_signed_in_is_told_to_the_audit(user, signed_in):
    status, body = signed_in(user).post(AGAIN, {"password": "wrong"})

    assert (status, body["error"]["code"]) == (401, "INVALID_CREDENTIALS")
    (entry,) = AuditEntry.objects.filter(action="sign_in.failed")
    assert (entry.person_id, entry.data) == (user.pk, {"why": "proof"})
