"""POST /me/email, /auth/email/confirm, /auth/email/undo."""

import pytest

from accounts.models import EmailChange, User
from accounts.services.links import Purpose, make_change_token
from config.clock import database_now
from tests.accounts.conftest import token_in
from tests.factories.accounts import PASSWORD, UserFactory

NEW = "hopper@example.test"
WISH = {"email": NEW, "password": PASSWORD}


def test_from_the_wish_to_the_new_sign_in(user, signed_in, caller, sign_in, drained):
    inside = signed_in(user)

    assert inside.post("/me/email", WISH) == (204, None)
    [link] = [token_in(mail) for mail in drained() if mail.to == [NEW]]
    status, body = caller.post("/auth/email/confirm", {"token": link})

    assert (status, body["data"]["user"]["email"]) == (200, NEW)
    assert inside.get("/me")[0] == 401
    assert sign_in(User.objects.get(pk=user.pk))["user"]["email"] == NEW


def test_the_answer_does_not_tell_who_has_an_account(user, signed_in):
    UserFactory(email=NEW)
    inside = signed_in(user)

    taken, free = inside.post("/me/email", WISH), inside.post("/me/email", WISH | {"email": "free@example.test"})

    assert taken == free == (204, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"email": "x"}, "email"), ({"password": "wrong"}, "password"), ({"email": ""}, "email")],
)
def test_a_bad_wish_is_refused_by_field(user, signed_in, body, field):
    status, answer = signed_in(user).post("/me/email", WISH | body)

    assert (status, answer["error"]["code"], list(answer["error"]["details"])) == (400, "VALIDATION_ERROR", [field])


def test_passwords_cannot_be_tried_with_a_stolen_token(user, signed_in):
    inside = signed_in(user)

    statuses = [inside.post("/me/email", WISH | {"password": "wrong"})[0] for _ in range(6)]

    assert statuses == [400] * 5 + [429]


def test_the_old_address_takes_it_back(user, signed_in, caller):
    signed_in(user).post("/me/email", WISH)
    change = EmailChange.objects.get()
    token = make_change_token(Purpose.UNDO_EMAIL, change, now=database_now())

    assert caller.post("/auth/email/undo", {"token": token}) == (204, None)
    assert caller.post("/auth/email/undo", {"token": token})[0] == 400
    assert not User.objects.get(pk=user.pk).has_usable_password()


@pytest.mark.parametrize("path", ["/auth/email/confirm", "/auth/email/undo"])
@pytest.mark.parametrize("token", ["", "x", "a.b", "\x00", None, 7])
def test_nonsense_is_no_token(caller, path, token):
    status, body = caller.post(path, {"token": token})

    assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_a_stranger_asks_for_nothing(caller):
    assert caller.post("/me/email", WISH)[0] == 401
