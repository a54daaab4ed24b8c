"""Tokens that travel in mails: they prove that somebody read our mail, for one purpose and for a time.

A token carries the person's id, when it ends, and a mark of the state it was made for: the address for a
verification; address, password and token version for a reset. It is worth nothing once that state has changed, which
is what makes a reset token good for one use. It is signed, holds nothing secret and no personal data (it ends up in
browser histories), and consists of characters that need no quoting in an address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User
from config.errors import Malformed, invalid


class Purpose(StrEnum):
    VERIFY_EMAIL = "verify-email"
    RESET_PASSWORD = "reset-password"


LIFETIME = {Purpose.VERIFY_EMAIL: timedelta(days=3), Purpose.RESET_PASSWORD: timedelta(hours=1)}


@dataclass(frozen=True)
class Link:
    """A token whose signature and time are good; `is_for` says whether it still means anything."""

    purpose: Purpose
    user_id: int
    mark: str

    def is_for(self, user: User) -> bool:
        """Whether this is the person, an open account, and in the state the token was made for."""
        is_open = user.pk == self.user_id and user.is_active
        return is_open and constant_time_compare(self.mark, _mark(self.purpose, user))


def make_token(purpose: Purpose, user: User, *, now: datetime) -> str:
    """A token for this person in their present state."""
    ends_at = int((now + LIFETIME[purpose]).timestamp())
    return _signer(purpose).sign_object({"u": user.pk, "m": _mark(purpose, user), "x": ends_at})


def read_token(purpose: Purpose, token: str, *, now: datetime) -> Link:
    """The link in a token. Refuses what we did not sign, signed for something else, or whose time is over."""
    try:
        said = _signer(purpose).unsign_object(token)
    except (signing.BadSignature, ValueError):
        raise no_good() from None
    if said["x"] <= now.timestamp():
        raise no_good()
    return Link(purpose, said["u"], said["m"])


def no_good() -> Malformed:
    """The one answer to every token that does not work, so that it tells nothing about anybody."""
    return invalid("token", "This link is not valid, or not any more. Ask for a new one.")


def _signer(purpose: Purpose) -> signing.Signer:
    return signing.Signer(salt=f"accounts.{purpose}", sep=".")


def _mark(purpose: Purpose, user: User) -> str:
    state = user.email
    if purpose is Purpose.RESET_PASSWORD:
        state = f"{user.email} {user.token_version} {user.password}"
    return salted_hmac(f"accounts.{purpose}.mark", state, algorithm="sha256").hexdigest()[:32]
