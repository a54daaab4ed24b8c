"""What a provider says about itself, and its keys: fetched, checked and kept for an hour.

A key we do not know has it fetched anew, at most once a minute: that is how providers rotate, and a token with an
invented key must not send us there each time.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from django.conf import settings
from django.core.cache import caches

from accounts.oidc.failures import ProviderAway, WrongAnswer
from accounts.oidc.providers import SIGN_IN, Provider
from config.http import HttpFailed, Limits, fetch

KEPT_SECONDS = 60 * 60
FETCHED_ANEW_SECONDS = 60
# Somebody sits before a browser and waits.
LIMITS = Limits(connect=3, read=4, total=8, attempts=2, largest_body=256 * 1024, redirects=0)
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


@dataclass(frozen=True)
class Metadata:
    """Where a provider answers."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    takes_secret_in_body: bool


def metadata_of(provider: Provider) -> Metadata:
    """Its discovery document. Refuses one of another issuer, and addresses in the clear."""
    address = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    return _read(provider, _kept(f"oidc {provider.issuer}", address, lambda said: _read(provider, said)))


def _read(provider: Provider, said: Any) -> Metadata:
    try:
        ways = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        found = Metadata(
            issuer=str(said["issuer"]),
            authorization_endpoint=str(said["authorization_endpoint"]),
            token_endpoint=str(said["token_endpoint"]),
            jwks_uri=str(said["jwks_uri"]),
            takes_secret_in_body="client_secret_basic" not in ways,
        )
    except (KeyError, AttributeError, TypeError):
        raise WrongAnswer("discovery") from None
    if found.issuer != provider.issuer:
        raise WrongAnswer("discovery of another issuer")
    endpoints = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
    if settings.IS_SERVED and not all(endpoint.startswith("https://") for endpoint in endpoints):
        raise WrongAnswer("an endpoint in the clear")
    return found


def key_for(metadata: Metadata, key_id: str | None) -> jwt.PyJWK:
    """The provider's key of that name. Refuses with `WrongAnswer` one that it does not have."""
    name = f"oidc keys {metadata.jwks_uri}"
    found = _key_in(_kept(name, metadata.jwks_uri, _usable_keys), key_id)
    if found is None and caches["default"].add(f"{name} anew", True, FETCHED_ANEW_SECONDS):
        fresh = _fetched(metadata.jwks_uri)
        found = _key_in(fresh, key_id)
        caches["default"].set(name, fresh, KEPT_SECONDS)
    if found is None:
        raise WrongAnswer("an unknown key")
    return found


def _key_in(said: Any, key_id: str | None) -> jwt.PyJWK | None:
    """The key named; where the token names none, the only one."""
    keys = _usable_keys(said)
    named = [key for key in keys if key.key_id == key_id] if key_id is not None else keys
    return named[0] if len(named) == 1 else None


def _usable_keys(said: Any) -> list[jwt.PyJWK]:
    try:
        # Of each key by itself: one of a sort that we do not know must not hide the others.
        return [key for row in said["keys"] if (key := _usable(row)) is not None]
    except (KeyError, TypeError):
        raise WrongAnswer("keys") from None


def _usable(row: Any) -> jwt.PyJWK | None:
    try:
        key = jwt.PyJWK(row)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    is_for_signing = row.get("use", "sig") == "sig"
    return key if is_for_signing and key.algorithm_name in ALGORITHMS else None


def _kept(name: str, address: str, check: Callable[[Any], object]) -> Any:
    """From the cache, which forgets while Redis is away. What does not hold is not kept: it may in a moment."""
    found = caches["default"].get(name)
    if found is None:
        found = _fetched(address)
        check(found)
        caches["default"].set(name, found, KEPT_SECONDS)
    return found


def _fetched(address: str) -> Any:
    try:
        return json.loads(fetch(address, purpose=SIGN_IN, limits=LIMITS).body)
    except HttpFailed as failure:
        raise ProviderAway(failure.message) from failure
    except ValueError:
        raise WrongAnswer("no JSON") from None
