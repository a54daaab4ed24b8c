"""Tokens in mails work for one person, one purpose, one state and a time."""

import re
from datetime import timedelta

import pytest

from accounts.models import User
from accounts.services.links import LIFETIME, Purpose, make_token, read_token
from config.clock import database_now
from config.errors import Code, Malformed

VERIFY, RESET = Purpose.VERIFY_EMAIL, Purpose.RESET_PASSWORD


@pytest.fixture
def now(db):
    return database_now()


def refused(purpose, token, now) -> bool:
    with pytest.raises(Malformed) as caught:
        read_token(purpose, token, now=now)
    assert caught.value.code is Code.VALIDATION_ERROR
    assert list(caught.value.details) == ["token"]
    return True


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_is_for_its_person(user, stranger, now, purpose):
    link = read_token(purpose, make_token(purpose, user, now=now), now=now)

    assert link.is_for(user)
    assert not link.is_for(stranger)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_needs_no_quoting_and_tells_nothing(user, now, purpose):
    token = make_token(purpose, user, now=now)

    assert re.fullmatch(r"[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+", token)
    assert user.email not in token


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_ends_with_its_time(user, now, purpose):
    token = make_token(purpose, user, now=now)

    assert read_token(purpose, token, now=now + LIFETIME[purpose] - timedelta(seconds=2))
    assert refused(purpose, token, now + LIFETIME[purpose])


def test_a_token_serves_no_other_purpose(user, now):
    assert refused(RESET, make_token(VERIFY, user, now=now), now)
    assert refused(VERIFY, make_token(RESET, user, now=now), now)


@pytest.mark.parametrize("token", ["", ".", "x", "a.b", "a.b.c", "é.ü", "\x00", "eyJ1IjoxfQ." + "A" * 43])
def test_what_we_did_not_sign_is_refused(now, token):
    assert refused(VERIFY, token, now)


def test_a_changed_token_is_refused(user, now):
    token = make_token(VERIFY, user, now=now)

    assert refused(VERIFY, token[:-1] + ("A" if token[-1] != "A" else "B"), now)
    assert refused(VERIFY, "A" + token, now)


def test_a_token_of_another_key_is_refused(user, now, settings):
    token = make_token(VERIFY, user, now=now)
    settings.SECRET_KEY = "another key, long enough to be one " * 2

    assert refused(VERIFY, token, now)


@pytest.mark.parametrize(
    ("purpose", "change"),
    [
        (VERIFY, {"email": "new@example.test"}),
        (VERIFY, {"is_active": False}),
        (RESET, {"email": "new@example.test"}),
        (RESET, {"password": "!other"}),
        (RESET, {"token_version": 2}),
        (RESET, {"is_active": False}),
    ],
)
def test_a_token_ends_with_the_state_it_was_made_for(user, now, purpose, change):
    link = read_token(purpose, make_token(purpose, user, now=now), now=now)

    User.objects.filter(pk=user.pk).update(**change)
    user.refresh_from_db()

    assert not link.is_for(user)


def test_a_verification_survives_a_new_password(user, now):
    link = read_token(VERIFY, make_token(VERIFY, user, now=now), now=now)

    user.set_password("something else entirely")

    assert link.is_for(user)
