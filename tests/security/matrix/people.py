"""Everybody who may knock: of each role, and in each relation to the things asked for."""

from dataclasses import dataclass, fields

from rest_framework.test import APIClient

from accounts.models import User
from accounts.services.sessions import begin_session
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


KINDS = ("anonymous", *(field.name for field in fields(People)))
# To whom the owner's things are no business of theirs.
STRANGERS = ("pool", "other", "unverified")
# Asked in every run; the others in the slow ones.
EVERYDAY = ("anonymous", "owner", "other", "moderator", "finance")


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


def token_of(user: User) -> str:
    """An access token of a session of theirs."""
    return begin_session(user=user, address="192.0.2.1", user_agent="matrix", has_second_factor=False).access


def caller(token: str = "") -> APIClient:
    client = APIClient()
    if token:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client
