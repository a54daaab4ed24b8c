"""The two JWTs of a session: a short access token, and a refresh token good for one use. Minted and read here alone.

Both name their session (`sid`) and themselves (`jti`). The access token also carries the person's `token_version`
(`tv`), so that raising it ends every access token at once, while sessions may go on, and when the person last proved
who they are (`auth_time`). Their text is never stored.

Keys rotate: a token's header names the key that signed it (`kid`), the present key signs, the ones before it are
believed as long as the setting lists them. A token without a key we know is nobody's.

simplejwt signs and verifies; its own refresh view is not used, because it lets several callers spend one token.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.utils import datetime_from_epoch

from accounts.models import Session, User
from config.encryption import key_id
from config.errors import Code, Unauthenticated

# A token that we signed cannot lack a claim or carry a senseless one, but whoever reads one must not rely on that.
# OSError is what an end beyond the calendar becomes.
UNREADABLE = (TokenError, KeyError, TypeError, ValueError, OverflowError, OSError)


class TokenInvalid(Unauthenticated):
    """Forged, expired, spent, ended or of somebody gone: the caller learns no more."""

    def __init__(self) -> None:
        super().__init__(Code.TOKEN_INVALID, "The token is not valid, or no longer. Sign in again.")


class KeyRing(TokenBackend):
    """The present signing key, and those before it."""

    def __init__(self, *keys: str) -> None:
        super().__init__(
            api_settings.ALGORITHM,
            signing_key=keys[0],
            audience=api_settings.AUDIENCE,
            issuer=api_settings.ISSUER,
            leeway=api_settings.LEEWAY,
        )
        self.key_id = key_id(keys[0])
        self._keys = {key_id(key): self._prepare_key(key) for key in keys}

    def encode(self, payload: dict[str, Any]) -> str:
        """Signed under the present key, which the header names."""
        claims = {**payload, "aud": self.audience, "iss": self.issuer}
        return jwt.encode(claims, self._keys[self.key_id], algorithm=self.algorithm, headers={"kid": self.key_id})

    def get_verifying_key(self, token: Any) -> Any:
        """The key that the header names. Refuses a token without one of ours."""
        try:
            named = jwt.get_unverified_header(token).get("kid")
        except jwt.InvalidTokenError as error:
            raise TokenBackendError("Token is invalid") from error
        if named not in self._keys:
            raise TokenBackendError("Token is invalid")
        return self._keys[named]


@lru_cache(maxsize=8)
def _ring(*keys: str) -> KeyRing:
    return KeyRing(*keys)


def key_ring() -> KeyRing:
    """That of the settings."""
    return _ring(settings.SIMPLE_JWT["SIGNING_KEY"], *settings.JWT_PREVIOUS_SIGNING_KEYS)


class AccessToken(tokens.AccessToken):
    """What every call carries."""

    def get_token_backend(self) -> KeyRing:
        """Signed and read with the key ring."""
        return key_ring()


class RefreshToken(tokens.RefreshToken):
    """What a new pair costs."""

    def get_token_backend(self) -> KeyRing:
        """Signed and read with the key ring."""
        return key_ring()

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
    authenticated_at: datetime


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
    access["auth_time"] = int(session.authenticated_at.timestamp())
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
        proved_at = datetime.fromtimestamp(int(read["auth_time"]), UTC)
        return AccessClaims(int(read["user_id"]), UUID(read["sid"]), int(read["tv"]), proved_at)
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
