"""The authorization code flow with PKCE: where to send a browser, and whom the code that comes back stands for."""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import jwt
from django.utils.crypto import constant_time_compare
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient  # type: ignore[import-untyped]  # ships no types

from accounts.oidc.discovery import ALGORITHMS, LIMITS, Metadata, key_for, metadata_of
from accounts.oidc.failures import ProviderAway, WrongAnswer
from accounts.oidc.providers import SIGN_IN, Provider
from config.http import HttpFailed, StatusRefused, post_form

# Clocks of others.
LEEWAY_SECONDS = 60
REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
LONGEST_SUBJECT = 255
LONGEST_EMAIL = 254
LONGEST_NAME = 200


@dataclass(frozen=True)
class Trip:
    """One browser's way to the provider: what it carries, and what it must bring back."""

    address: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True)
class Identity:
    """Whom the provider vouches for."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    # When they last proved it there, in seconds of Unix; None where the provider does not say.
    proved_at: int | None = None


def begin_trip(provider: Provider, *, callback: str, anew: bool = False) -> Trip:
    """Where to send the browser. `anew` asks that the person prove themselves there again, signed in or not.

    Raises `OidcFailed` where the provider cannot be asked.
    """
    metadata = metadata_of(provider)
    client = WebApplicationClient(provider.client_id)
    state, nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32), client.create_code_verifier(64)
    address = client.prepare_request_uri(
        metadata.authorization_endpoint,
        redirect_uri=callback,
        scope=list(provider.scopes),
        state=state,
        nonce=nonce,
        code_challenge=client.create_code_challenge(verifier, "S256"),
        code_challenge_method="S256",
        **({"response_mode": "form_post"} if provider.posts_back else {}),
        **({"prompt": "login", "max_age": "0"} if anew else {}),
    )
    return Trip(address, state, nonce, verifier)


def end_trip(provider: Provider, *, code: str, callback: str, nonce: str, verifier: str) -> Identity:
    """Whom the code stands for. Raises `ProviderAway`, or `WrongAnswer` for whatever does not hold."""
    metadata = metadata_of(provider)
    token = _exchange(provider, metadata, code=code, callback=callback, verifier=verifier)
    return read_identity(provider, metadata, token, nonce=nonce)


def read_identity(provider: Provider, metadata: Metadata, token: str, *, nonce: str) -> Identity:
    """Whom an ID token names: signed by the provider, for us, for this very sign-in, and in time."""
    claims = _claims(provider, metadata, token)
    if not constant_time_compare(str(claims["nonce"]), nonce):
        raise WrongAnswer("a token of another sign-in")
    audience = claims["aud"]
    # Where it is for several, it says for whom it was made.
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != provider.client_id:
        raise WrongAnswer("a token made for somebody else")
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise WrongAnswer("a token made for somebody else")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise WrongAnswer("a person without a name")
    return Identity(
        issuer=provider.issuer,
        subject=subject,
        email=_address(claims.get("email")),
        # Apple writes it as text.
        email_verified=claims.get("email_verified") is True or claims.get("email_verified") == "true",
        name=_name(claims.get("name")),
        proved_at=_moment(claims.get("auth_time")),
    )


def _exchange(provider: Provider, metadata: Metadata, *, code: str, callback: str, verifier: str) -> str:
    """The ID token for the code. Asked once: a code is good for one try."""
    client = WebApplicationClient(provider.client_id)
    headers: dict[str, str] = {}
    extra: dict[str, str] = {}
    if metadata.takes_secret_in_body:
        extra["client_secret"] = provider.secret()
    else:
        # RFC 6749, 2.3.1: each is encoded before they are joined.
        pair = f"{quote(provider.client_id, safe='')}:{quote(provider.secret(), safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    body = client.prepare_request_body(
        code=code,
        redirect_uri=callback,
        include_client_id=metadata.takes_secret_in_body,
        code_verifier=verifier,
        **extra,
    )
    try:
        answer = post_form(metadata.token_endpoint, body.encode(), purpose=SIGN_IN, headers=headers, limits=LIMITS)
        token = client.parse_request_body_response(answer.body.decode())["id_token"]
    except StatusRefused as failure:
        if failure.is_transient:
            raise ProviderAway(failure.message) from failure
        raise WrongAnswer("the code was refused") from failure
    except HttpFailed as failure:
        raise ProviderAway(failure.message) from failure
    except (OAuth2Error, LookupError, ValueError, TypeError, AttributeError, OverflowError):
        # JSON of any shape. Without the cause: it may quote a token.
        raise WrongAnswer("no ID token for the code") from None
    return str(token)


def _claims(provider: Provider, metadata: Metadata, token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        key = key_for(metadata, header.get("kid"))
        if header.get("alg") != key.algorithm_name or header["alg"] not in ALGORITHMS:
            raise WrongAnswer("a signature of another sort than its key")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED},
        )
    except jwt.PyJWTError as failure:
        raise WrongAnswer(type(failure).__name__) from None
    return claims


def _address(value: Any) -> str:
    """As our accounts have it; nothing for what is none.

    Only of ASCII: some letters become another person's when they are made small, as the sign of Kelvin becomes a k.
    """
    address = value.strip() if isinstance(value, str) else ""
    is_one = address.isascii() and address.isprintable() and len(address) <= LONGEST_EMAIL
    return address.lower() if is_one else ""


def _name(value: Any) -> str:
    """What can be shown of it."""
    text = value[:LONGEST_NAME] if isinstance(value, str) else ""
    return "".join(character for character in text if character.isprintable()).strip()


def _moment(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**40 else None
