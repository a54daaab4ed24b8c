"""Tokens that travel in mails: they prove that somebody read our mail, for one purpose and for a time.

A token carries an id, when it ends, and a mark of the state it was made for: the address for a verification; address,
password and token version for a reset; the wish itself for a change of address. It is worth nothing once that state has
changed, which is what makes a reset token good for one use. It is signed, holds nothing secret and no personal data (it
ends up in browser histories), and consists of characters that need no quoting in an address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import UNDO, EmailChange, User
from config.errors import Malformed, invalid


class Purpose(StrEnum):
    VERIFY_EMAIL = "verify-email"
    RESET_PASSWORD = "reset-password"
    CONFIRM_EMAIL = "confirm-email"
    UNDO_EMAIL = "undo-email"


LIFETIME = {
    Purpose.VERIFY_EMAIL: timedelta(days=3),
    Purpose.RESET_PASSWORD: timedelta(hours=1),
    Purpose.CONFIRM_EMAIL: timedelta(hours=24),
    Purpose.UNDO_EMAIL: UNDO,
}


@dataclass(frozen=True)
class Link:
    """A token whose signature and time are good; `is_for` and `is_of` say whether it still means anything."""

    purpose: Purpose
    subject_id: int
    mark: str

    def is_for(self, user: User) -> bool:
        """Whether this is the person, an open account, and in the state the token was made for."""
        is_open = user.pk == self.subject_id and user.is_active
        return is_open and constant_time_compare(self.mark, _mark(self.purpose, _state_of(self.purpose, user)))

    def is_of(self, change: EmailChange) -> bool:
        """Whether this is the change of address the token was made for."""
        is_same = change.pk == self.subject_id
        return is_same and constant_time_compare(self.mark, _mark(self.purpose, _state_of_change(change)))


def make_token(purpose: Purpose, user: User, *, now: datetime) -> str:
    """A token for this person in their present state."""
    return _signed(purpose, user.pk, _state_of(purpose, user), now)


def make_change_token(purpose: Purpose, change: EmailChange, *, now: datetime) -> str:
    """A token for this change of address."""
    return _signed(purpose, change.pk, _state_of_change(change), now)


def _signed(purpose: Purpose, subject_id: int, state: str, now: datetime) -> str:
    ends_at = int((now + LIFETIME[purpose]).timestamp())
    return _signer(purpose).sign_object({"u": subject_id, "m": _mark(purpose, state), "x": ends_at})


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


def _state_of(purpose: Purpose, user: User) -> str:
    if purpose is Purpose.RESET_PASSWORD:
        return f"{user.email} {user.token_version} {user.password}"
    return user.email


def _state_of_change(change: EmailChange) -> str:
    return f"{change.user_id} {change.old_email} {change.new_email}"


def _mark(purpose: Purpose, state: str) -> str:
    return salted_hmac(f"accounts.{purpose}.mark", state, algorithm="sha256").hexdigest()[:32]
