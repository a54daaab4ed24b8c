"""Who is let in with an access token, at GET /me, which is open to everybody who is signed in."""

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from accounts.api.authentication import TokenAuthentication
from accounts.api.authentication import caller as caller_of
from accounts.models import Role, Session, SessionEnd, User
from accounts.services.blocking import deactivate_user
from accounts.services.closing import close_account
from accounts.services.passwords import change_password
from accounts.services.roles import assign_role
from accounts.services.sessions import end_all_sessions, sign_out
from config.clock import database_now
from tests.accounts.api.forgery import forged_accesses
from tests.factories.accounts import PASSWORD, AdminFactory


@pytest.fixture
def tokens(user, sign_in):
    return sign_in(user)


def entered(caller, access) -> tuple[int, str | None]:
    status, body = caller.bear(access).get("/me")
    return status, None if body["success"] else body["error"]["code"]


def test_a_good_token_costs_one_query(caller, tokens, django_assert_num_queries):
    caller.bear(tokens["access"])

    with django_assert_num_queries(1):
        assert caller.get("/me")[0] == 200


@pytest.mark.parametrize("kind", sorted(forged_accesses({})))
def test_a_forged_token_is_refused(caller, tokens, kind):
    assert entered(caller, forged_accesses(tokens)[kind]) == (401, "TOKEN_INVALID")


def test_no_token_is_refused_with_a_code_of_its_own(caller):
    response = caller.http.get("/api/v1/me")

    assert (response.status_code, response.json()["error"]["code"]) == (401, "NOT_AUTHENTICATED")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer \xff\xfe", "Bearer  "])
def test_a_malformed_header_is_refused(caller, header):
    status, body = caller.get("/me", HTTP_AUTHORIZATION=header)

    assert status == 401
    assert body["error"]["code"] in ("TOKEN_INVALID", "NOT_AUTHENTICATED")


@pytest.mark.parametrize("header", ["", "Basic eDp5", "Token abc"])
def test_another_scheme_is_no_token(caller, header):
    assert caller.get("/me", HTTP_AUTHORIZATION=header)[1]["error"]["code"] == "NOT_AUTHENTICATED"


ENDS = {
    "password changed": lambda user, tokens: change_password(user=user, current=PASSWORD, new="a different phrase"),
    "role changed": lambda user, tokens: assign_role(user=user, role=Role.MODERATOR, by=AdminFactory()),
    "deactivated": lambda user, tokens: deactivate_user(user=user, by=AdminFactory(), reason="x"),
    "closed": lambda user, tokens: close_account(user=user, now=database_now()),
    "sessions ended": lambda user, tokens: end_all_sessions(user=user, because=SessionEnd.STAFF),
    "signed out": lambda user, tokens: sign_out(refresh=tokens["refresh"]),
    "deleted": lambda user, tokens: user.delete(),
    "session deleted": lambda user, tokens: Session.objects.all().delete(),
    "inactive in the database": lambda user, tokens: User.objects.filter(pk=user.pk).update(is_active=False),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_access_token_ends_with_the_next_call(caller, user, tokens, end):
    assert entered(caller, tokens["access"]) == (200, None)

    ENDS[end](user, tokens)

    assert entered(caller, tokens["access"]) == (401, "TOKEN_INVALID")


def test_an_access_token_ends_after_ten_minutes(caller, tokens, time_machine):
    time_machine.move_to(database_now().timestamp() + 10 * 60 + 30)

    assert entered(caller, tokens["access"]) == (401, "TOKEN_INVALID")


def test_a_session_of_somebody_else_opens_nothing(caller, user, tokens, stranger):
    """The token names a person and a session: both must belong together."""
    Session.objects.update(user=stranger)

    assert entered(caller, tokens["access"]) == (401, "TOKEN_INVALID")


def test_a_staff_member_keeps_no_right_that_was_taken(caller, admin_user, user, sign_in):
    assign_role(user=user, role=Role.MODERATOR, by=admin_user)
    tokens = sign_in(user)
    assign_role(user=user, role=Role.PLAYER, by=admin_user)

    status, body = caller.post("/auth/token/refresh", {"refresh": tokens["refresh"]})

    assert status == 200
    assert caller.bear(body["data"]["access"]).get("/me")[1]["data"]["role"] == "player"


def test_the_caller_of_a_view_is_a_person(user):
    request = Request(RequestFactory().get("/"), authenticators=[TokenAuthentication()])
    request.user = user

    assert caller_of(request) is user
