"""Keys of the API, made without the way over a sign-in, and callers that carry them."""

from uuid import uuid4

import pytest

from accounts.services.api_keys import make_key
from accounts.services.tokens import AccessClaims
from config.clock import database_now


def claims(user) -> AccessClaims:
    """As if the person had signed in this moment."""
    return AccessClaims(user.pk, uuid4(), user.token_version, database_now())


@pytest.fixture
def new_key(db):
    """A key of somebody with these scopes."""

    def make(user, *scopes, name="Scoreboard", expires_at=None):
        return make_key(
            user=user, claims=claims(user), name=name, scopes=scopes, expires_at=expires_at, now=database_now()
        )

    return make


@pytest.fixture
def with_key(new_caller):
    """A caller that sends this key."""

    def make(text):
        caller = new_caller()
        caller.http.credentials(HTTP_AUTHORIZATION=f"Api-Key {text}")
        return caller

    return make
