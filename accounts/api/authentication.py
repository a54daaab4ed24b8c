"""Who is calling: the bearer of an access token, or of an API key, checked against the database in one query.

A good signature is not enough. The person must still be there and active, the token's version must be theirs, and
its session must be live: a sign-out, a changed password or role, or staff who end the sessions work with the very
next call.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

from accounts.models import Role, Session, User
from accounts.services.api_keys import KeyClaims, note_refused, read_key
from accounts.services.tokens import AccessClaims, TokenInvalid, read_access
from config import audit
from config.api import ratelimit
from config.api.addresses import client_address, network_of
from config.api.ratelimit import By, Policy
from config.errors import Code, Forbidden

# Counted for wrong keys alone. A service whose key ended knocks on for days, and each try is told to the audit.
WRONG_KEY = Policy("wrong_api_key", 60, 15 * 60, By.ADDRESS, survives_redis=True)


class TokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access>`. Refuses with TOKEN_INVALID, whatever is wrong."""

    def authenticate(self, request: Request) -> tuple[User, AccessClaims] | None:  # type: ignore[override]  # our claims for simplejwt's token
        raw_token = self.get_raw_token(self.get_header(request) or b"")
        if raw_token is None:
            return None
        try:
            claims = read_access(raw_token)
        except TokenInvalid as error:
            raise AuthenticationFailed from error
        return self.bearer(claims), claims

    def bearer(self, claims: AccessClaims) -> User:
        """The person a token speaks for, if it still does."""
        session = Session.objects.live().filter(pk=claims.session_id, user_id=OuterRef("pk"))
        holds = Q(Exists(session))
        if settings.STAFF_TOTP_REQUIRED:
            # Also of somebody who signed in as a player and was given a role since.
            holds &= Q(Exists(session.filter(has_second_factor=True))) | Q(role=Role.PLAYER, is_superuser=False)
        user = User.objects.filter(holds, pk=claims.user_id, is_active=True, token_version=claims.token_version).first()
        if user is None:
            raise AuthenticationFailed
        return user


class BearerScheme(OpenApiAuthenticationExtension):
    """How the schema describes it."""

    target_class = TokenAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """RFC 6750."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key ol_…`. Refuses with TOKEN_INVALID, whatever is wrong, and with RATE_LIMITED an address
    that many wrong ones came from.
    """

    keyword = b"api-key"

    def authenticate(self, request: Request) -> tuple[User, KeyClaims] | None:
        """The key's owner, and what the key may do; every entry of the audit then names the key."""
        scheme, _, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != self.keyword:
            return None
        address = client_address(request._request)
        given = text.strip().decode("latin-1")
        key = read_key(given, address="" if address == "unknown" else address)
        if key is None:
            self._count_wrong(request, address)
            note_refused(given)
            raise AuthenticationFailed
        audit.came_with_key(key.prefix)
        return key.user, KeyClaims(key.prefix, frozenset(key.scopes))

    def _count_wrong(self, request: Request, address: str) -> None:
        try:
            ratelimit.enforce_on([(WRONG_KEY, network_of(address))], request._request)
        except ratelimit.RateLimited as refused:
            # DRF asks who is calling once more, for the answer, unless one of its own says that nobody is.
            raise Throttled(refused.details["retry_after"]) from refused


class KeyScheme(OpenApiAuthenticationExtension):
    """How the schema describes it."""

    target_class = KeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A header with a word before the key."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key ol_…`. What a key needs for an operation stands beside it.",
        }


def caller(request: Request) -> User:
    """The person who calls, in a view that only signed-in people reach."""
    assert isinstance(request.user, User)
    return request.user


def session_of(request: Request) -> UUID:
    """The session that the caller's access token belongs to. Refuses who came without one, with a key or otherwise."""
    return claims_of(request).session_id


def claims_of(request: Request) -> AccessClaims:
    """What the caller's access token says. Refuses who came without one, with a key or otherwise."""
    if not isinstance(request.auth, AccessClaims):
        raise Forbidden(Code.FORBIDDEN, "Only somebody who signed in may do this.")
    return request.auth
