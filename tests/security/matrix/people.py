"""Everybody who may knock: of each role, and in each relation to the things asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import timedelta
from uuid import uuid4

from rest_framework.test import APIClient

from accounts.models import User
from accounts.services.api_keys import MadeKey, make_key, scopes_for
from accounts.services.sessions import begin_session
from accounts.services.tokens import AccessClaims, AccessToken
from config.clock import database_now
from tests.factories.accounts import AdminFactory, FinanceFactory, ModeratorFactory, UserFactory


@dataclass(frozen=True)
class People:
    """One of each kind. The closed one has an account of the pool and a token from before it was closed."""

    owner: User
    pool: User
    other: User
    moderator: User
    finance: User
    admin: User
    closed: User
    unverified: User


# Services that call with a key of the owner's, and of an admin's, of as many scopes as their role may have.
KEYS_OF = {"key": "owner", "admin_key": "admin"}
KINDS = ("anonymous", *(field.name for field in fields(People)), *KEYS_OF)
# To whom the owner's things are no business of theirs.
STRANGERS = ("pool", "other", "unverified")
# Asked in every run; the others in the slow ones.
EVERYDAY = ("anonymous", "owner", "pool", "other")


def everybody() -> People:
    return People(
        owner=UserFactory(email="owner@matrix.test", display_name="Owner"),
        pool=UserFactory(email="pool@matrix.test", display_name="Of the same pool"),
        other=UserFactory(email="other@matrix.test", display_name="Of another pool"),
        moderator=ModeratorFactory(email="moderator@matrix.test"),
        finance=FinanceFactory(email="finance@matrix.test"),
        admin=AdminFactory(email="admin@matrix.test"),
        closed=UserFactory(email="closed@matrix.test"),
        unverified=UserFactory(email="unverified@matrix.test", email_verified_at=None),
    )


A_RUN = timedelta(days=1)


def bearer(user: User) -> str:
    """The header of a session of theirs, which lasts as long as any run, and so does their proof of who they are."""
    proved_at = database_now() + A_RUN
    pair = begin_session(
        user=user, address="192.0.2.1", user_agent="matrix", has_second_factor=False, proved_at=proved_at
    )
    access = AccessToken(pair.access)
    access.set_exp(lifetime=A_RUN)
    return f"Bearer {access}"


def new_key(user: User, scopes: Iterable[str], name: str = "Scores") -> MadeKey:
    """As if the person had signed in this moment."""
    now = database_now()
    claims = AccessClaims(user.pk, uuid4(), user.token_version, now)
    return make_key(user=user, claims=claims, name=name, scopes=scopes, expires_at=None, now=now)


def credentials(people: People) -> dict[str, str]:
    """The `Authorization` of each kind, but of those who sign nobody in."""
    sessions = {field.name: bearer(getattr(people, field.name)) for field in fields(People)}
    owners = {kind: getattr(people, name) for kind, name in KEYS_OF.items()}
    keys = {kind: new_key(user, scopes_for(user), "Everything") for kind, user in owners.items()}
    return sessions | {kind: f"Api-Key {made.text}" for kind, made in keys.items()}


def caller(authorization: str = "") -> APIClient:
    client = APIClient()
    if authorization:
        client.credentials(HTTP_AUTHORIZATION=authorization)
    return client
