"""Which providers there are: Google, Apple and any other issuer, each by its settings."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
from django.conf import settings

from config.clock import database_now
from config.errors import Code, NotFound
from config.http import Purpose

GOOGLE = "https://accounts.google.com"
APPLE = "https://appleid.apple.com"
APPLE_SECRET_LIVES = timedelta(minutes=5)
# Where the two answer besides the issuer's own host.
HOSTS_BESIDE = {GOOGLE: ("oauth2.googleapis.com", "www.googleapis.com", "openidconnect.googleapis.com")}


@dataclass(frozen=True)
class Provider:
    """Somebody whose word about a person we take. `id` stands in addresses, `issuer` in tokens."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    # Apple answers with a form as soon as it is asked for an address of mail.
    posts_back: bool = False

    def secret(self) -> str:
        """What proves that it is us."""
        return self.client_secret


@dataclass(frozen=True)
class Apple(Provider):
    """Its client secret is a token that we sign ourselves, anew each time."""

    team_id: str = ""
    key_id: str = ""

    def secret(self) -> str:
        """Signed with the private key that Apple gave out."""
        now = database_now()
        claims = {
            "iss": self.team_id,
            "iat": int(now.timestamp()),
            "exp": int((now + APPLE_SECRET_LIVES).timestamp()),
            "aud": APPLE,
            "sub": self.client_id,
        }
        return jwt.encode(claims, self.client_secret, algorithm="ES256", headers={"kid": self.key_id})


def providers() -> Mapping[str, Provider]:
    """Those of the settings, by id, in the order in which people are shown them."""
    found: list[Provider] = []
    if settings.GOOGLE_CLIENT_ID:
        found.append(Provider("google", "Google", GOOGLE, settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET))
    if settings.APPLE_CLIENT_ID:
        found.append(
            Apple(
                "apple",
                "Apple",
                APPLE,
                settings.APPLE_CLIENT_ID,
                # One line in the environment, several in what Apple gave out.
                settings.APPLE_PRIVATE_KEY.replace("\\n", "\n"),
                scopes=("openid", "email", "name"),
                posts_back=True,
                team_id=settings.APPLE_TEAM_ID,
                key_id=settings.APPLE_KEY_ID,
            )
        )
    found += [_other(row) for row in settings.OIDC_ISSUERS]
    return {provider.id: provider for provider in found}


def provider_named(name: str) -> Provider:
    """The one with this id. Refuses with NOT_FOUND."""
    provider = providers().get(name)
    if provider is None:
        raise NotFound(Code.NOT_FOUND, "There is no such provider.")
    return provider


def _other(row: Mapping[str, Any]) -> Provider:
    return Provider(row["id"], row["name"], row["issuer"], row["client_id"], row["client_secret"])


def hosts_of_providers() -> Collection[str]:
    """Those of the issuers in the settings, and of OUTGOING_HOSTS: a provider's own papers may lead to no other."""
    issuers = [provider.issuer for provider in providers().values()]
    own = [urlsplit(issuer).hostname or "" for issuer in issuers]
    return {*own, *(host for issuer in issuers for host in HOSTS_BESIDE.get(issuer, ())), *settings.OUTGOING_HOSTS}


def private_hosts_of_providers() -> Collection[str]:
    """A house's own issuer may stand in its own network, where the operator says so."""
    found: list[str] = settings.OUTGOING_HOSTS
    return found


SIGN_IN = Purpose(
    "sign-in",
    hosts=hosts_of_providers,
    listed_in="the hosts of the providers and of OUTGOING_HOSTS",
    private_hosts=private_hosts_of_providers,
)
