"""GET and DELETE /me/sessions: where the caller is signed in."""

import pytest

from accounts.models import Session, SessionEnd
from tests.factories.accounts import PASSWORD, UserFactory

# Drawn anew for each worker, it would give them different tests.
NOBODYS = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def devices(user, new_caller):
    """Three sign-ins of one person, as callers, each with its own session."""

    def enter(number):
        caller = new_caller()
        body = {"email": user.email, "password": PASSWORD}
        tokens = caller.post("/auth/token", body, HTTP_USER_AGENT=f"Phone {number}")[1]["data"]
        return caller.bear(tokens["access"]), tokens

    return [enter(number) for number in range(3)]


def listed(caller):
    status, body = caller.get("/me/sessions")
    assert status == 200
    return body["data"]


def own_id(caller) -> str:
    [current] = [one["id"] for one in listed(caller) if one["is_current"]]
    return current


def test_each_is_listed_with_the_own_one_marked(devices):
    caller, _ = devices[1]
    found = listed(caller)

    assert [set(one) for one in found] == [
        {"id", "created_at", "refreshed_at", "address", "user_agent", "is_current"}
    ] * 3
    assert {one["user_agent"]: one["is_current"] for one in found} == {
        "Phone 0": False,
        "Phone 1": True,
        "Phone 2": False,
    }
    assert all(one["address"].startswith("198.18.") for one in found)


def test_one_device_is_signed_out_at_once(devices, caller):
    (first, _), (second, tokens), _ = devices

    assert first.delete(f"/me/sessions/{own_id(second)}") == (204, None)

    assert second.get("/me")[0] == 401
    assert caller.post("/auth/token/refresh", {"refresh": tokens["refresh"]})[0] == 401
    assert len(listed(first)) == 2
    assert Session.objects.get(revoked_at__isnull=False).revoked_because == SessionEnd.SIGNED_OUT


def test_all_others_are_signed_out_at_once(devices):
    (first, _), (second, _), (third, _) = devices

    assert second.delete("/me/sessions") == (204, None)

    assert [caller.get("/me")[0] for caller in (first, second, third)] == [401, 200, 401]
    assert second.delete("/me/sessions") == (204, None)


def test_the_own_one_can_be_ended_too(devices):
    caller, _ = devices[0]

    assert caller.delete(f"/me/sessions/{own_id(caller)}") == (204, None)
    assert caller.get("/me")[0] == 401


def test_sessions_of_others_are_not_there(devices, signed_in):
    stranger = signed_in(UserFactory(password=PASSWORD))
    caller, _ = devices[0]
    theirs = own_id(stranger)

    assert caller.delete(f"/me/sessions/{theirs}")[0] == 404
    assert len(listed(stranger)) == 1
    assert stranger.get("/me")[0] == 200


@pytest.mark.parametrize("what", [NOBODYS.replace("-", ""), NOBODYS, "1", "x"])
def test_what_is_no_session_is_not_there(devices, what):
    assert devices[0][0].delete(f"/me/sessions/{what}")[0] == 404


def test_an_ended_one_is_not_there_any_more(devices):
    (first, _), (second, _), _ = devices
    theirs = own_id(second)

    assert [first.delete(f"/me/sessions/{theirs}")[0] for _ in "12"] == [204, 404]


def test_the_list_costs_the_same_for_three_and_for_one(devices, django_assert_num_queries):
    caller, _ = devices[0]
    with django_assert_num_queries(3):
        listed(caller)
    caller.delete("/me/sessions")
    with django_assert_num_queries(3):
        listed(caller)
