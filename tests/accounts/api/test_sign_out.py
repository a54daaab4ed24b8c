"""POST /auth/logout."""

import pytest

from tests.accounts.api.forgery import forged_refreshes

PATH = "/auth/logout"


@pytest.fixture
def tokens(user, sign_in):
    return sign_in(user)


def test_both_tokens_end_at_once(caller, tokens):
    status, body = caller.post(PATH, {"refresh": tokens["refresh"]})

    assert (status, body) == (204, None)
    assert caller.post("/auth/token/refresh", {"refresh": tokens["refresh"]})[0] == 401
    assert caller.bear(tokens["access"]).get("/me")[0] == 401


def test_again_is_no_error(caller, tokens):
    assert [caller.post(PATH, {"refresh": tokens["refresh"]})[0] for _ in range(2)] == [204, 204]


def test_an_access_token_may_be_sent_along(caller, tokens):
    assert caller.bear(tokens["access"]).post(PATH, {"refresh": tokens["refresh"]})[0] == 204


def test_other_sessions_go_on(caller, user, sign_in, tokens):
    other = sign_in(user)

    caller.post(PATH, {"refresh": tokens["refresh"]})

    assert caller.bear(other["access"]).get("/me")[0] == 200


def test_the_refresh_token_of_a_deleted_person_ends_nothing(caller, user, tokens):
    user.delete()

    assert caller.post(PATH, {"refresh": tokens["refresh"]})[0] == 204


# Whose session is none of ours any more: nothing is left to end, which is what was asked for.
HARMLESS = {"another session"}


@pytest.mark.parametrize("kind", sorted(set(forged_refreshes({})) - HARMLESS))
def test_a_forged_token_ends_nothing(caller, tokens, kind):
    status, body = caller.post(PATH, {"refresh": forged_refreshes(tokens)[kind]})

    assert (status, body["error"]["code"]) == (401, "TOKEN_INVALID")
    assert caller.bear(tokens["access"]).get("/me")[0] == 200


@pytest.mark.parametrize("body", [{}, {"refresh": ""}, {"refresh": None}, {"refresh": 1.5e300}])
def test_a_missing_token_is_refused(caller, body):
    assert caller.post(PATH, body)[0] in (400, 401)
