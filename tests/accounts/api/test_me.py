"""GET, PATCH and DELETE /me."""

import pytest

from accounts.models import User
from tests.accounts.api.test_register import POWERS
from tests.accounts.conftest import REGISTRATION
from tests.factories.accounts import PASSWORD, AdminFactory, FinanceFactory, ModeratorFactory, UserFactory

PATH = "/me"
KEYS = {
    "id",
    "email",
    "display_name",
    "role",
    "email_verified",
    "country",
    "region",
    "date_of_birth",
    "created_at",
}


@pytest.mark.parametrize(
    ("make", "role"),
    [(UserFactory, "player"), (ModeratorFactory, "moderator"), (FinanceFactory, "finance"), (AdminFactory, "admin")],
)
def test_everybody_sees_exactly_this_of_themselves(db, signed_in, make, role):
    user = make(password=PASSWORD)

    status, body = signed_in(user).get(PATH)

    assert status == 200
    assert set(body["data"]) == KEYS
    assert (body["data"]["id"], body["data"]["role"], body["data"]["email_verified"]) == (user.pk, role, True)


def test_an_imported_player_has_no_date_of_birth(signed_in):
    user = UserFactory(date_of_birth=None, password=PASSWORD)

    assert signed_in(user).get(PATH)[1]["data"]["date_of_birth"] is None


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_nobody_is_nobody(caller, method):
    status, body = caller.send(method, PATH, {})

    assert (status, body["error"]["code"]) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("method", ["post", "put"])
def test_other_methods_are_unknown(user, signed_in, method):
    status, body = signed_in(user).send(method, PATH, {})

    assert (status, body["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")


def test_the_answer_is_the_callers_alone(user, signed_in):
    response = signed_in(user).http.get(f"/api/v1{PATH}")

    assert response["Cache-Control"] == "no-store"
    assert "Authorization" in response["Vary"]


def test_name_country_and_region_change(user, signed_in):
    status, body = signed_in(user).patch(PATH, {"display_name": " Grace H. ", "country": "ca", "region": "on"})

    data = body["data"]
    assert (status, data["display_name"], data["country"], data["region"]) == (200, "Grace H.", "CA", "ON")
    assert set(data) == KEYS
    assert User.objects.get(pk=user.pk).country == "CA"


def test_what_is_not_sent_stays(user, signed_in):
    signed_in(user).patch(PATH, {"region": "NV"})

    changed = User.objects.get(pk=user.pk)
    assert (changed.display_name, changed.country, changed.region) == (user.display_name, user.country, "NV")


def test_an_empty_change_changes_nothing(user, signed_in):
    caller = signed_in(user)
    before = caller.get(PATH)[1]["data"]

    status, body = caller.patch(PATH, {})

    assert (status, body["data"]) == (200, before)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", ""),
        ("display_name", None),
        ("display_name", "x" * 61),
        ("display_name", "a\u202eb"),
        ("display_name", {"first": "Grace"}),
        ("country", "UK"),
        ("country", "usa"),
        ("country", None),
        ("region", "no such region"),
        ("region", None),
        ("date_of_birth", "1990-01-02"),
        ("date_of_birth", "x"),
        ("date_of_birth", None),
    ],
)
def test_a_bad_value_is_refused_and_named(user, signed_in, field, value):
    caller = signed_in(user)
    before = caller.get(PATH)[1]["data"]

    status, body = caller.patch(PATH, {field: value})

    assert (status, body["error"]["code"], list(body["error"]["details"])) == (400, "VALIDATION_ERROR", [field])
    assert caller.get(PATH)[1]["data"] == before


def test_a_date_of_birth_is_given_once(db, signed_in):
    caller = signed_in(UserFactory(date_of_birth=None, password=PASSWORD))

    statuses = [caller.patch(PATH, {"date_of_birth": day})[0] for day in ("1980-01-02", "1980-01-02", "1980-01-03")]

    assert statuses == [200, 200, 400]


@pytest.mark.parametrize("field", [*POWERS, "email", "password", "nonsense"])
def test_everything_else_is_refused_by_name(user, signed_in, field):
    caller = signed_in(user)
    before = User.objects.filter(pk=user.pk).values().get()

    status, body = caller.patch(PATH, {field: (POWERS | REGISTRATION).get(field, 1), "display_name": "Other"})

    assert (status, list(body["error"]["details"])) == (400, [field])
    assert User.objects.filter(pk=user.pk).values().get() == before


@pytest.mark.parametrize("body", [[], [{"display_name": "x"}], "x", 1])
def test_a_body_that_is_no_object_is_refused(user, signed_in, body):
    assert signed_in(user).patch(PATH, body)[0] == 400


def test_a_closed_account_is_gone(new_caller, user, signed_in, sign_in):
    tokens = sign_in(user)

    status, body = signed_in(user).delete(PATH)

    closed = User.objects.get(pk=user.pk)
    assert (status, body) == (204, None)
    assert (closed.is_active, closed.display_name, closed.date_of_birth) == (False, "Former player", None)
    assert new_caller().bear(tokens["access"]).get(PATH)[0] == 401
    assert new_caller().post("/auth/token/refresh", {"refresh": tokens["refresh"]})[0] == 401
    assert new_caller().post("/auth/token", {"email": "grace@example.test", "password": PASSWORD})[0] == 401


def test_the_address_of_a_closed_account_may_register_again(new_caller, user, signed_in):
    signed_in(user).delete(PATH)

    assert new_caller().post("/auth/register", REGISTRATION | {"email": "grace@example.test"})[0] == 201


def test_the_last_admin_cannot_leave_and_is_told_so(db, signed_in):
    caller = signed_in(AdminFactory(password=PASSWORD))

    status, body = caller.delete(PATH)

    assert (status, body["error"]["code"]) == (409, "INVALID_TRANSITION")
    assert "last admin" in body["error"]["message"]
    assert caller.get(PATH)[0] == 200


def test_reading_oneself_is_one_query_and_changing_a_known_number(user, signed_in, django_assert_num_queries):
    caller = signed_in(user)

    with django_assert_num_queries(1):
        caller.get(PATH)
    with django_assert_num_queries(7):  # the caller, the time, begin, lock, write, the audit, commit
        caller.patch(PATH, {"display_name": "Other"})
