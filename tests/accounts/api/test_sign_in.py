"""POST /auth/token."""

import pytest

from accounts.models import Session, User
from tests.factories.accounts import PASSWORD, UserFactory

PATH = "/auth/token"


@pytest.fixture
def credentials(user):
    return {"email": user.email, "password": PASSWORD}


def test_the_answer_is_a_pair_of_tokens_and_the_person(caller, user, credentials):
    status, body = caller.post(PATH, credentials)

    assert status == 200
    assert set(body["data"]) == {"access", "refresh", "user"}
    assert body["data"]["user"]["email"] == user.email


def test_the_access_token_opens_the_own_account(caller, user, credentials):
    _, body = caller.post(PATH, credentials)

    status, me = caller.bear(body["data"]["access"]).get("/me")

    assert (status, me["data"]) == (200, body["data"]["user"])


def test_the_session_knows_where_it_began(caller, credentials):
    caller.from_address("192.0.2.77").post(PATH, credentials, HTTP_USER_AGENT="Phone 7")

    session = Session.objects.get()
    assert (session.address, session.user_agent) == ("192.0.2.77", "Phone 7")


def test_a_forwarded_address_is_not_believed(caller, credentials):
    caller.from_address("192.0.2.77").post(PATH, credentials, HTTP_X_FORWARDED_FOR="10.1.1.1")

    assert Session.objects.get().address == "192.0.2.77"


@pytest.mark.parametrize("otp", ["", None])
def test_an_empty_one_time_code_is_none(caller, credentials, otp):
    assert caller.post(PATH, credentials | {"otp": otp})[0] == 200


def test_a_one_time_code_is_refused_while_there_is_no_second_factor(caller, credentials):
    status, body = caller.post(PATH, credentials | {"otp": "123456"})

    assert (status, list(body["error"]["details"])) == (400, ["otp"])


def test_every_refusal_is_the_same(new_caller, user):
    UserFactory(email="inactive@example.test", password=PASSWORD, is_active=False)
    UserFactory(email="imported@example.test")
    answers = [
        new_caller().post(PATH, {"email": email, "password": password})
        for email, password in [
            (user.email, "wrong"),
            ("nobody@example.test", PASSWORD),
            ("inactive@example.test", PASSWORD),
            ("inactive@example.test", "wrong"),
            ("imported@example.test", "!"),
            ("' OR 1=1 --", "x"),
        ]
    ]

    assert {status for status, _ in answers} == {401}
    assert len({str(body["error"]) for _, body in answers}) == 1
    assert answers[0][1]["error"]["code"] == "INVALID_CREDENTIALS"


def test_a_refusal_says_how_to_sign_in(caller, user):
    response = caller.http.post(f"/api/v1{PATH}", {"email": user.email, "password": "x"}, format="json")

    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": None}, "email"),
        ({"email": {"a": 1}}, "email"),
        ({"password": ""}, "password"),
        ({"password": None}, "password"),
        ({"password": ["x"]}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"password": "a\x00b"}, "password"),
        ({"otp": "x" * 21}, "otp"),
    ],
)
def test_a_bad_value_is_refused_and_named(caller, credentials, change, field):
    status, body = caller.post(PATH, credentials | change)

    assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert list(body["error"]["details"]) == [field]


@pytest.mark.parametrize("field", ["email", "password"])
def test_a_missing_field_is_named(caller, credentials, field):
    del credentials[field]

    assert list(caller.post(PATH, credentials)[1]["error"]["details"]) == [field]


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Basic eDp5", "Api-Key x"])
def test_other_credentials_sent_along_are_not_looked_at(caller, credentials, header):
    assert caller.post(PATH, credentials, HTTP_AUTHORIZATION=header)[0] == 200


def test_a_page_of_another_kind_is_refused(caller):
    assert caller.get(PATH)[0] == 405


def test_after_five_wrong_tries_even_the_right_password_waits(caller, user, credentials):
    wrong = credentials | {"password": "wrong"}

    statuses = [caller.post(PATH, wrong)[0] for _ in range(6)]
    response = caller.http.post(f"/api/v1{PATH}", credentials, format="json")

    assert statuses == [401] * 5 + [429]
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert response["X-RateLimit-Remaining"] == "0"


def test_the_address_is_counted_in_any_case(caller, user):
    emails = [user.email, user.email.upper(), f" {user.email}", user.email.title(), user.email, user.email]

    statuses = [caller.post(PATH, {"email": email, "password": "wrong"})[0] for email in emails]

    assert statuses == [401] * 5 + [429]


def test_a_stranger_cannot_lock_the_owner_out(new_caller, user, credentials):
    attacker = new_caller()
    for _ in range(10):
        attacker.post(PATH, credentials | {"password": "wrong"})

    assert new_caller().post(PATH, credentials)[0] == 200


def test_signing_in_rightly_uses_nothing_up(caller, credentials):
    statuses = [caller.post(PATH, credentials)[0] for _ in range(8)]

    assert statuses == [200] * 8


def test_a_right_password_does_not_wash_away_wrong_ones(caller, credentials):
    """An attacker with an account of their own must not get new tries by using it."""
    for _ in range(4):
        caller.post(PATH, credentials | {"password": "wrong"})
    caller.post(PATH, credentials)

    assert [caller.post(PATH, credentials | {"password": "wrong"})[0] for _ in range(2)] == [401, 429]


def test_one_address_cannot_try_everybodys_door(caller):
    statuses = [caller.post(PATH, {"email": f"p{n}@example.test", "password": "x"})[0] for n in range(101)]

    assert statuses == [401] * 100 + [429]


def test_the_version_of_a_new_session_is_the_present_one(caller, user, credentials):
    User.objects.filter(pk=user.pk).update(token_version=9)
    _, body = caller.post(PATH, credentials)

    assert caller.bear(body["data"]["access"]).get("/me")[0] == 200
