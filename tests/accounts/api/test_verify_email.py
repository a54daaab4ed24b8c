"""POST /auth/verify-email and /auth/verify-email/resend."""

from datetime import timedelta

import pytest

from accounts.models import User
from accounts.services.closing import close_account
from accounts.services.links import Purpose, make_token
from config.clock import database_now
from config.models import OutboxMessage
from tests.accounts.conftest import REGISTRATION, token_in
from tests.factories.accounts import UserFactory

PATH = "/auth/verify-email"
RESEND = "/auth/verify-email/resend"


@pytest.fixture
def newcomer(db):
    return UserFactory(email="new@example.test", email_verified_at=None)


def test_the_token_of_the_mail_verifies_the_address(caller, drained):
    caller.post("/auth/register", REGISTRATION)
    [mail] = drained()

    status, body = caller.post(PATH, {"token": token_in(mail)})

    assert (status, body["data"]["user"]["email_verified"]) == (200, True)
    assert User.objects.get().email_verified


def test_the_same_token_again_answers_the_same(caller, newcomer):
    token = make_token(Purpose.VERIFY_EMAIL, newcomer, now=database_now())

    first, second = caller.post(PATH, {"token": token}), caller.post(PATH, {"token": token})

    assert (first[0], first[1]["data"]) == (second[0], second[1]["data"])


@pytest.mark.parametrize(
    "body", [{}, {"token": ""}, {"token": None}, {"token": "x"}, {"token": ["x"]}, {"token": "x" * 1025}]
)
def test_a_bad_token_is_refused_and_named(caller, body):
    status, answer = caller.post(PATH, body)

    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert list(answer["error"]["details"]) == ["token"]


def test_every_useless_token_gets_the_same_answer(caller, newcomer):
    now = database_now()
    gone = UserFactory(email_verified_at=None)
    tokens = [
        "eyJ1IjoxfQ." + "A" * 43,
        make_token(Purpose.VERIFY_EMAIL, newcomer, now=now - timedelta(days=4)),
        make_token(Purpose.RESET_PASSWORD, newcomer, now=now),
        make_token(Purpose.VERIFY_EMAIL, gone, now=now),
    ]
    close_account(user=gone, now=now)

    answers = [caller.post(PATH, {"token": token}) for token in tokens]

    assert {status for status, _ in answers} == {400}
    assert len({str(answer["error"]) for _, answer in answers}) == 1
    assert not User.objects.filter(email_verified_at__isnull=False).exists()


def test_tries_from_one_address_are_limited(caller):
    statuses = [caller.post(PATH, {"token": "x"})[0] for _ in range(61)]

    assert statuses == [400] * 60 + [429]


def test_a_new_link_is_mailed(caller, newcomer, drained):
    status, body = caller.post(RESEND, {"email": "NEW@example.test"})

    [mail] = drained()
    assert (status, body) == (204, None)
    assert mail.to == [newcomer.email]
    assert caller.post(PATH, {"token": token_in(mail)})[0] == 200


def test_a_resend_tells_nobody_who_has_an_account(caller, newcomer, drained):
    UserFactory(email="verified@example.test")
    known, verified, unknown = (
        caller.http.post(f"/api/v1{RESEND}", {"email": email}, format="json")
        for email in (newcomer.email, "verified@example.test", "nobody@example.test")
    )

    def said(response):
        return response.status_code, response.content, set(response.headers), response["X-RateLimit-Limit"]

    assert said(known) == said(verified) == said(unknown)
    assert [mail.to for mail in drained()] == [[newcomer.email]]
    assert OutboxMessage.objects.filter(done_at=None).count() == 0


@pytest.mark.parametrize("body", [{}, {"email": ""}, {"email": None}, {"email": 7 * ["x"]}, {"email": "x" * 255}])
def test_a_resend_without_an_address_is_refused(caller, body):
    status, answer = caller.post(RESEND, body)

    assert (status, list(answer["error"]["details"])) == (400, ["email"])


def test_nobody_is_flooded_with_mail(new_caller, newcomer):
    """Counted by the address mailed to, wherever the calls come from."""
    statuses = [new_caller().post(RESEND, {"email": email})[0] for email in ["flood@example.test"] * 5]

    assert statuses == [204] * 5
    assert new_caller().post(RESEND, {"email": "FLOOD@example.test "})[0] == 429
