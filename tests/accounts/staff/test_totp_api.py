"""GET, POST, DELETE /me/totp, /me/totp/confirm, /me/totp/recovery-codes."""

import pytest

from accounts.models import Session, SessionEnd, Totp
from tests.factories.accounts import PASSWORD, AdminFactory
from tests.support.devices import Device, give_device

PATH, CONFIRM, CODES = "/me/totp", "/me/totp/confirm", "/me/totp/recovery-codes"
SIGN_IN = "/auth/token"


@pytest.fixture
def me(signed_in, user):
    return signed_in(user)


@pytest.fixture
def begun(me):
    return Device(me.post(PATH)[1]["data"]["secret"])


def test_in_the_beginning_there_is_none(me):
    assert me.get(PATH)[1]["data"] == {"enabled": False, "mandatory": False, "since": None, "recovery_codes_left": 0}


def test_a_set_up_begins_with_a_secret_and_its_picture(me):
    status, body = me.post(PATH)

    assert (status, set(body["data"])) == (201, {"secret", "uri", "qr_svg"})
    assert body["data"]["secret"] in body["data"]["uri"]
    assert me.get(PATH)[1]["data"]["enabled"] is False


def test_the_devices_code_confirms_it_and_ten_codes_come(me, begun):
    status, body = me.post(CONFIRM, {"code": begun.code()})

    assert (status, len(body["data"]["recovery_codes"])) == (200, 10)


def test_a_change_ends_every_other_session_and_each_access_token(new_caller, sign_in, user):
    mine, other = sign_in(user), sign_in(user)
    me = new_caller().bear(mine["access"])
    device = Device(me.post(PATH)[1]["data"]["secret"])

    me.post(CONFIRM, {"code": device.code()})

    assert me.get("/me")[0] == 401
    assert new_caller().post("/auth/token/refresh", {"refresh": other["refresh"]})[0] == 401
    status, body = new_caller().post("/auth/token/refresh", {"refresh": mine["refresh"]})
    assert status == 200
    assert new_caller().bear(body["data"]["access"]).get(PATH)[1]["data"]["recovery_codes_left"] == 10
    assert set(Session.objects.values_list("revoked_because", "has_second_factor")) == {
        ("", True),
        (SessionEnd.SECOND_FACTOR, False),
    }


def test_a_wrong_code_is_named_and_changes_nothing(me, begun):
    status, body = me.post(CONFIRM, {"code": begun.wrong()})

    assert (status, list(body["error"]["details"])) == (400, ["code"])
    assert me.get(PATH)[1]["data"]["enabled"] is False


def test_nothing_begun_is_nothing_to_confirm(me):
    status, body = me.post(CONFIRM, {"code": "123456"})

    assert (status, body["error"]["code"]) == (409, "INVALID_TRANSITION")


def again(new_caller, user, device):
    """The same person on a new session, past the second factor."""
    status, body = new_caller().post(SIGN_IN, {"email": user.email, "password": PASSWORD, "otp": device.code()})
    assert status == 200, body
    return new_caller().bear(body["data"]["access"])


def test_turned_off_the_password_alone_is_enough(new_caller, user):
    me = again(new_caller, user, give_device(user))

    assert me.delete(PATH)[0] == 204
    assert not Totp.objects.exists()
    assert new_caller().post(SIGN_IN, {"email": user.email, "password": PASSWORD})[0] == 200


def test_off_again_is_no_error(me):
    assert [me.delete(PATH)[0], me.delete(PATH)[0]] == [204, 204]


def test_staff_cannot_turn_it_off_where_it_is_required(new_caller, settings, db):
    settings.STAFF_TOTP_REQUIRED = True
    boss = AdminFactory(password=PASSWORD)
    me = again(new_caller, boss, give_device(boss))

    assert me.get(PATH)[1]["data"]["mandatory"] is True
    status, body = me.delete(PATH)
    assert (status, body["error"]["code"]) == (403, "FORBIDDEN")
    assert Totp.objects.confirmed().count() == 1


def test_new_recovery_codes_count_in_place_of_the_old(new_caller, user):
    me = again(new_caller, user, give_device(user))

    first, second = (me.post(CODES)[1]["data"]["recovery_codes"] for _ in range(2))

    credentials = {"email": user.email, "password": PASSWORD}
    assert new_caller().post(SIGN_IN, credentials | {"otp": first[0]})[0] == 401
    assert new_caller().post(SIGN_IN, credentials | {"otp": second[0]})[0] == 200


def test_without_a_second_factor_there_are_no_recovery_codes(me):
    assert me.post(CODES)[1]["error"]["code"] == "INVALID_TRANSITION"


@pytest.mark.parametrize(("method", "path"), [("post", PATH), ("post", CONFIRM), ("post", CODES), ("delete", PATH)])
def test_each_needs_a_fresh_sign_in(new_caller, sign_in, user, method, path):
    give_device(user)
    Totp.objects.all().delete()
    refresh = sign_in(user)["refresh"]
    Session.objects.update(authenticated_at="2026-01-01T00:00:00Z")
    me = new_caller().bear(new_caller().post("/auth/token/refresh", {"refresh": refresh})[1]["data"]["access"])

    status, body = me.send(method, path, {"code": "123456"})

    assert (status, body["error"]["code"]) == (403, "REAUTHENTICATION_REQUIRED")


@pytest.mark.parametrize(("method", "path"), [("get", PATH), ("post", PATH), ("post", CONFIRM), ("post", CODES)])
def test_strangers_are_asked_to_sign_in(caller, method, path):
    assert caller.send(method, path, {"code": "123456"})[0] == 401


def test_no_answer_with_secrets_is_kept_under_an_idempotency_key(me):
    first, second = (me.post(PATH, HTTP_IDEMPOTENCY_KEY="the same key")[1]["data"]["secret"] for _ in range(2))

    assert first != second


def test_guessing_at_the_set_up_is_limited(me, begun):
    statuses = [me.post(CONFIRM, {"code": begun.wrong()})[0] for _ in range(21)]

    assert statuses == [400] * 20 + [429]
