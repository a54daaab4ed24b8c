"""The two JWTs of a session: a short access token, and a refresh token good for one use. Minted and read here alone.

Both name their session (`sid`) and themselves (`jti`). The access token also carries the person's `token_version`
(`tv`), so that raising it ends every access token at once, while sessions may go on. Their text is never stored.

simplejwt signs and verifies; its own refresh view is not used, because it lets several callers spend one token.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.utils import datetime_from_epoch

from accounts.models import Session, User
from config.errors import Code, Unauthenticated

# A token that we signed cannot lack a claim or carry a senseless one, but whoever reads one must not rely on that.
# OSError is what an end beyond the calendar becomes.
UNREADABLE = (TokenError, KeyError, TypeError, ValueError, OverflowError, OSError)


class TokenInvalid(Unauthenticated):
    """Forged, expired, spent, ended or of somebody gone: the caller learns no more."""

    def __init__(self) -> None:
        super().__init__(Code.TOKEN_INVALID, "The token is not valid, or no longer. Sign in again.")


class AccessToken(tokens.AccessToken):
    """What every call carries."""


class RefreshToken(tokens.RefreshToken):
    """What a new pair costs."""

    def verify(self, *args: Any, **kwargs: Any) -> None:
        """Everything but the blacklist: a spent token must reach its session, which ends because of it."""
        tokens.Token.verify(self)


@dataclass(frozen=True)
class Pair:
    """What a client keeps."""

    access: str
    refresh: str


@dataclass(frozen=True)
class AccessClaims:
    """Whom an access token says it speaks for."""

    user_id: int
    session_id: UUID
    token_version: int


@dataclass(frozen=True)
class RefreshClaims:
    """Which token of which session this is."""

    session_id: UUID
    jti: str


def mint_pair(session: Session, user: User) -> Pair:
    """A fresh pair, whose refresh token becomes the session's current one. The caller saves the session."""
    refresh = RefreshToken()
    access = AccessToken()
    for token in (refresh, access):
        token["user_id"] = str(user.pk)
        token["sid"] = session.pk.hex
    access["tv"] = user.token_version
    session.current_jti = refresh["jti"]
    ends_at = datetime_from_epoch(refresh["exp"])
    OutstandingToken.objects.create(
        user=user, jti=session.current_jti, created_at=refresh.current_time, expires_at=ends_at
    )
    return Pair(str(access), str(refresh))


def read_access(token: bytes) -> AccessClaims:
    """The claims of an access token of ours whose time is not over. Whether they still hold, the database says."""
    try:
        read = AccessToken(token)  # type: ignore[arg-type]  # annotated as a Token, documented as the encoded text
        return AccessClaims(int(read["user_id"]), UUID(read["sid"]), int(read["tv"]))
    except UNREADABLE as error:
        raise TokenInvalid from error


def read_refresh(token: str) -> RefreshClaims:
    """The claims of a refresh token of ours whose time is not over. Whether it is spent, its session says."""
    try:
        read = RefreshToken(token)  # type: ignore[arg-type]  # annotated as a Token, documented as the encoded text
        return RefreshClaims(UUID(read["sid"]), str(read["jti"]))
    except UNREADABLE as error:
        raise TokenInvalid from error


def blacklist(jtis: Iterable[str]) -> None:
    """Spend tokens for whoever else asks simplejwt's blacklist; a second time is no error."""
    spent = OutstandingToken.objects.filter(jti__in=jtis)
    BlacklistedToken.objects.bulk_create([BlacklistedToken(token=token) for token in spent], ignore_conflicts=True)
