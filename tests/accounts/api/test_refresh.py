"""POST /auth/token/refresh."""

import pytest

from accounts.models import Session, User
from tests.accounts.api.forgery import forged_refreshes

PATH = "/auth/token/refresh"


@pytest.fixture
def tokens(user, sign_in):
    return sign_in(user)


def test_the_answer_is_a_new_pair(caller, tokens):
    status, body = caller.post(PATH, {"refresh": tokens["refresh"]})

    assert status == 200
    assert set(body["data"]) == {"access", "refresh"}
    assert body["data"]["refresh"] != tokens["refresh"]
    assert caller.bear(body["data"]["access"]).get("/me")[0] == 200


def test_the_old_access_token_lives_out_its_time(caller, tokens):
    caller.post(PATH, {"refresh": tokens["refresh"]})

    assert caller.bear(tokens["access"]).get("/me")[0] == 200


def test_a_spent_token_ends_the_whole_family(caller, tokens):
    _, body = caller.post(PATH, {"refresh": tokens["refresh"]})
    child = body["data"]

    status, body = caller.post(PATH, {"refresh": tokens["refresh"]})

    assert (status, body["error"]["code"]) == (401, "TOKEN_INVALID")
    assert caller.post(PATH, {"refresh": child["refresh"]})[0] == 401
    assert caller.bear(child["access"]).get("/me")[0] == 401


def test_another_family_of_the_same_person_goes_on(caller, user, sign_in, tokens):
    other = sign_in(user)
    for _ in range(2):
        caller.post(PATH, {"refresh": tokens["refresh"]})

    assert caller.post(PATH, {"refresh": other["refresh"]})[0] == 200


@pytest.mark.parametrize("fate", ["inactive", "deleted", "session gone"])
def test_somebody_gone_is_refused(caller, user, tokens, fate):
    if fate == "inactive":
        User.objects.filter(pk=user.pk).update(is_active=False)
    elif fate == "deleted":
        user.delete()
    else:
        Session.objects.all().delete()

    status, body = caller.post(PATH, {"refresh": tokens["refresh"]})

    assert (status, body["error"]["code"]) == (401, "TOKEN_INVALID")


@pytest.mark.parametrize("kind", sorted(forged_refreshes({})))
def test_a_forged_token_is_refused(caller, tokens, kind):
    token = forged_refreshes(tokens)[kind]

    status, body = caller.post(PATH, {"refresh": token})

    assert (status, body["error"]["code"]) == (401, "TOKEN_INVALID")
    assert Session.objects.live().count() == 1
    assert caller.post(PATH, {"refresh": tokens["refresh"]})[0] == 200


@pytest.mark.parametrize("body", [{}, {"refresh": ""}, {"refresh": None}, {"refresh": {}}, {"refresh": "x" * 2049}])
def test_a_missing_token_is_a_fault_of_the_body(caller, body):
    status, answer = caller.post(PATH, body)

    assert (status, list(answer["error"]["details"])) == (400, ["refresh"])


def test_the_answer_is_kept_by_no_cache(caller, tokens):
    response = caller.http.post(f"/api/v1{PATH}", {"refresh": tokens["refresh"]}, format="json")

    assert response["Cache-Control"] == "no-store"


def test_refreshes_from_one_address_are_limited(caller):
    statuses = [caller.post(PATH, {"refresh": "x"})[0] for _ in range(121)]

    assert statuses == [401] * 120 + [429]
