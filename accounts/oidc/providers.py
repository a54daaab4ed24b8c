"""Which providers there are: Google, Apple and any other issuer, each by its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings

from config.clock import database_now
from config.errors import Code, NotFound

GOOGLE = "https://accounts.google.com"
APPLE = "https://appleid.apple.com"
APPLE_SECRET_LIVES = timedelta(minutes=5)


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
