"""The keys of tokens: which one signs, which ones are believed, and for how long."""

import secrets

import jwt
import pytest

from accounts.services.sessions import refresh_session, sign_in
from accounts.services.tokens import TokenInvalid, read_access, read_refresh
from config.encryption import key_id
from tests.factories.accounts import PASSWORD


def pair_of(user):
    return sign_in(email=user.email, password=PASSWORD).pair


@pytest.fixture
def rotate(settings):
    """A new key signs; the one before it stays believed, or not."""

    def replace(*, believed: bool) -> str:
        old, new = settings.SIMPLE_JWT["SIGNING_KEY"], secrets.token_urlsafe(64)
        settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "SIGNING_KEY": new}
        settings.JWT_PREVIOUS_SIGNING_KEYS = [old, *settings.JWT_PREVIOUS_SIGNING_KEYS] if believed else []
        return new

    return replace


def test_the_header_names_the_key_and_not_the_key_itself(user, settings):
    key = settings.SIMPLE_JWT["SIGNING_KEY"]
    pair = pair_of(user)

    for token in (pair.access, pair.refresh):
        header = jwt.get_unverified_header(token)
        assert header == {"alg": "HS256", "typ": "JWT", "kid": key_id(key)}
        assert header["kid"] not in key


def test_tokens_outlive_the_change_of_a_key(user, rotate):
    before = pair_of(user)
    new = rotate(believed=True)

    assert read_access(before.access.encode()).user_id == user.pk
    after = refresh_session(refresh=before.refresh)

    assert {jwt.get_unverified_header(token)["kid"] for token in (after.access, after.refresh)} == {key_id(new)}
    assert read_access(after.access.encode()).user_id == user.pk


def test_two_changes_are_outlived_as_well(user, rotate):
    before = pair_of(user)
    rotate(believed=True)
    rotate(believed=True)

    assert read_refresh(before.refresh).jti


def test_a_key_that_was_dropped_is_believed_no_more(user, rotate):
    before = pair_of(user)
    rotate(believed=False)

    with pytest.raises(TokenInvalid):
        read_access(before.access.encode())
    with pytest.raises(TokenInvalid):
        refresh_session(refresh=before.refresh)


def test_a_token_under_one_key_that_names_another_is_refused(user, rotate, settings):
    old = settings.SIMPLE_JWT["SIGNING_KEY"]
    claims = jwt.decode(pair_of(user).access, options={"verify_signature": False})
    new = rotate(believed=True)

    with pytest.raises(TokenInvalid):
        read_access(jwt.encode(claims, old, headers={"kid": key_id(new)}).encode())
    assert read_access(jwt.encode(claims, old, headers={"kid": key_id(old)}).encode()).user_id == user.pk


def test_a_token_that_names_no_key_is_refused(user, settings):
    claims = jwt.decode(pair_of(user).access, options={"verify_signature": False})

    with pytest.raises(TokenInvalid):
        read_access(jwt.encode(claims, settings.SIMPLE_JWT["SIGNING_KEY"]).encode())
