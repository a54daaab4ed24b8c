"""POST /auth/password/change, /auth/password/reset and /auth/password/reset/confirm."""

import pytest

from accounts.models import User
from config.models import AuditEntry, OutboxMessage
from tests.accounts.conftest import token_in
from tests.factories.accounts import PASSWORD, UserFactory

CHANGE, RESET, CONFIRM = "/auth/password/change", "/auth/password/reset", "/auth/password/reset/confirm"
NEW = "a wholly different phrase"


def code(answer) -> tuple[int, str]:
    status, body = answer
    return status, body["error"]["code"]


def test_a_change_ends_every_token_at_once(new_caller, user, sign_in):
    here, there = sign_in(user), sign_in(user)

    status, body = new_caller().bear(here["access"]).post(CHANGE, {"current_password": PASSWORD, "new_password": NEW})

    assert (status, body) == (204, None)
    for tokens in (here, there):
        assert code(new_caller().bear(tokens["access"]).get("/me")) == (401, "TOKEN_INVALID")
        assert code(new_caller().post("/auth/token/refresh", {"refresh": tokens["refresh"]})) == (401, "TOKEN_INVALID")


def test_only_the_new_password_opens_the_account(new_caller, user, signed_in):
    signed_in(user).post(CHANGE, {"current_password": PASSWORD, "new_password": NEW})

    assert new_caller().post("/auth/token", {"email": user.email, "password": PASSWORD})[0] == 401
    assert new_caller().post("/auth/token", {"email": user.email, "password": NEW})[0] == 200


def test_a_change_needs_somebody_signed_in(caller):
    answer = caller.post(CHANGE, {"current_password": PASSWORD, "new_password": NEW})

    assert code(answer) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"current_password", "new_password"}),
        ({"current_password": "wrong", "new_password": NEW}, {"current_password"}),
        ({"current_password": PASSWORD, "new_password": "short"}, {"new_password"}),
        ({"current_password": PASSWORD, "new_password": PASSWORD}, {"new_password"}),
        ({"current_password": PASSWORD, "new_password": "x7" * 65}, {"new_password"}),
        ({"current_password": PASSWORD, "new_password": None}, {"new_password"}),
        ({"current_password": ["x"], "new_password": NEW}, {"current_password"}),
    ],
)
def test_a_bad_change_is_refused_and_changes_nothing(user, signed_in, body, fields):
    caller = signed_in(user)

    status, answer = caller.post(CHANGE, body)

    assert (status, set(answer["error"]["details"])) == (400, fields)
    assert caller.get("/me")[0] == 200


def test_the_same_key_does_not_change_twice(user, signed_in):
    """The first answer cannot be given again, because its token is worthless; but nothing happens a second time."""
    caller, body = signed_in(user), {"current_password": PASSWORD, "new_password": NEW}

    statuses = [caller.post(CHANGE, body, HTTP_IDEMPOTENCY_KEY="k")[0] for _ in range(2)]

    assert statuses == [204, 401]
    assert OutboxMessage.objects.filter(kind="mail.password_changed").count() == 1


def test_who_has_signed_in_anew_is_given_the_first_answer_again(user, signed_in, new_caller):
    key, body = {"HTTP_IDEMPOTENCY_KEY": "once"}, {"current_password": PASSWORD, "new_password": NEW}
    assert signed_in(user).post(CHANGE, body, **key)[0] == 204
    again = new_caller().post("/auth/token", {"email": user.email, "password": NEW})[1]["data"]

    assert new_caller().bear(again["access"]).post(CHANGE, body, **key)[0] == 204
    assert OutboxMessage.objects.filter(kind="mail.password_changed").count() == 1


@pytest.mark.parametrize("headers", [{}, {"HTTP_IDEMPOTENCY_KEY": "once"}])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHANGE, {"current_password": "wrong", "new_password": NEW}),
        ("/me/email", {"email": "new@example.test", "password": "wrong"}),
    ],
)
def test_a_wrong_password_is_told_to_the_audit(user, signed_in, path, body, headers):
    assert signed_in(user).post(path, body, **headers)[0] == 400

    (entry,) = AuditEntry.objects.filter(action="sign_in.failed")
    assert (entry.person_id, entry.data) == (user.pk, {"why": "proof"})


def test_other_faults_are_no_wrong_passwords(user, signed_in):
    signed_in(user).post(CHANGE, {"current_password": PASSWORD, "new_password": "short"})
    signed_in(user).post("/me/email", {"email": user.email, "password": PASSWORD})

    assert not AuditEntry.objects.filter(action="sign_in.failed").exists()


def test_a_stranger_cannot_use_up_the_reset_of_somebody_else(new_caller, user, signed_in):
    """Neither by asking for links that nobody is mailed, nor by wishing for the address themselves."""
    for _ in range(6):
        new_caller().post("/auth/verify-email/resend", {"email": user.email})
    thief = signed_in(UserFactory(password=PASSWORD))
    for _ in range(5):
        thief.post("/me/email", {"email": user.email, "password": PASSWORD})

    assert new_caller().post(RESET, {"email": user.email})[0] == 204


def test_a_stolen_token_gets_five_tries_at_the_password(user, signed_in):
    caller = signed_in(user)

    statuses = [caller.post(CHANGE, {"current_password": f"guess {n}", "new_password": NEW})[0] for n in range(6)]

    assert statuses == [400] * 5 + [429]
    assert caller.post(CHANGE, {"current_password": PASSWORD, "new_password": NEW})[0] == 429


def test_a_forgotten_password_is_replaced_by_mail(new_caller, user, sign_in, drained, settings):
    tokens = sign_in(user)

    assert new_caller().post(RESET, {"email": "GRACE@example.test"}) == (204, None)
    [mail] = drained()
    token = token_in(mail)
    status, body = new_caller().post(CONFIRM, {"token": token, "new_password": NEW})

    assert mail.to == [user.email]
    assert f"{settings.PUBLIC_URL}/reset-password?token={token}" in mail.body
    assert (status, body) == (204, None)
    assert new_caller().post("/auth/token", {"email": user.email, "password": NEW})[0] == 200
    assert new_caller().bear(tokens["access"]).get("/me")[0] == 401
    assert [mail.subject for mail in drained()] == ["Your password was changed"]


def test_a_token_works_once(new_caller, user, drained):
    new_caller().post(RESET, {"email": user.email})
    [mail] = drained()
    body = {"token": token_in(mail), "new_password": NEW}

    answers = [new_caller().post(CONFIRM, body) for _ in range(2)]

    assert answers[0][0] == 204
    assert code(answers[1]) == (400, "VALIDATION_ERROR")


def test_a_reset_tells_nobody_who_has_an_account(caller, user, drained):
    UserFactory(email="gone@example.test", is_active=False)
    known, inactive, unknown = (
        caller.http.post(f"/api/v1{RESET}", {"email": email}, format="json")
        for email in (user.email, "gone@example.test", "nobody@example.test")
    )

    def said(response):
        return response.status_code, response.content, set(response.headers), response["X-RateLimit-Limit"]

    assert said(known) == said(inactive) == said(unknown)
    assert [mail.to for mail in drained()] == [[user.email]]


@pytest.mark.parametrize("body", [{}, {"email": ""}, {"email": None}, {"email": ["x"]}])
def test_a_reset_without_an_address_is_refused(caller, body):
    status, answer = caller.post(RESET, body)

    assert (status, list(answer["error"]["details"])) == (400, ["email"])


def test_nobody_is_flooded_with_resets(new_caller):
    statuses = [new_caller().post(RESET, {"email": "reset-flood@example.test"})[0] for _ in range(6)]

    assert statuses == [204] * 5 + [429]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"token", "new_password"}),
        ({"token": "x", "new_password": NEW}, {"token"}),
        ({"token": "x", "new_password": "short"}, {"token"}),
        ({"token": None, "new_password": NEW}, {"token"}),
        ({"token": "x", "new_password": ""}, {"new_password"}),
    ],
)
def test_a_bad_confirmation_is_refused(caller, body, fields):
    status, answer = caller.post(CONFIRM, body)

    assert (status, set(answer["error"]["details"])) == (400, fields)


def test_a_weak_password_leaves_the_token_good(caller, user, drained):
    caller.post(RESET, {"email": user.email})
    [mail] = drained()
    token = token_in(mail)

    assert caller.post(CONFIRM, {"token": token, "new_password": "grace@example.test"})[0] == 400
    assert caller.post(CONFIRM, {"token": token, "new_password": NEW})[0] == 204
    assert User.objects.get().check_password(NEW)


def test_tries_at_tokens_are_limited(caller):
    statuses = [caller.post(CONFIRM, {"token": "x", "new_password": NEW})[0] for _ in range(61)]

    assert statuses == [400] * 60 + [429]
