"""What a setting may not be where it runs: each returns a text that continues a sentence which begins with the name."""

import re
from urllib.parse import urlsplit

from config.env.parsing import MAIL_PROVIDERS
from config.env.variable import Environment

# 32 random bytes or more in url-safe base64.
KEY = re.compile(r"[A-Za-z0-9_-]{43,}={0,2}")


def https_when_served(url: str, environment: Environment) -> str:
    """Players' credentials never travel in the clear."""
    return "must start with https://" if environment.is_served and not url.startswith("https://") else ""


def no_wildcard(hosts: list[str], environment: Environment) -> str:
    """A wildcard would let anyone put their own host into the links of our mails."""
    return "must name the hosts, without *" if environment.is_served and "*" in hosts else ""


def off_when_served(flag: bool | None, environment: Environment) -> str:
    """Debug pages show settings and source; servers beside ours are nobody's to have called."""
    return "must be false" if environment.is_served and flag else ""


def smtp_when_served(url: str, environment: Environment) -> str:
    """Mail in a folder reaches nobody; mail in the clear reaches too many."""
    if not environment.is_served:
        return ""
    is_safe = url.startswith(("smtp+tls://", "smtps://", *(f"{one}://" for one in MAIL_PROVIDERS)))
    return "" if is_safe else f"must start with smtp+tls://, smtps:// or {':// or '.join(MAIL_PROVIDERS)}://"


def absent_when_served(url: str, environment: Environment) -> str:
    """The Stripe double must never take a real player's payment."""
    return "must be empty: only Stripe itself takes payments there" if environment.is_served and url else ""


def stripe_key_of(key: str, environment: Environment) -> str:
    """Test keys take no money in production, live keys take real money anywhere else."""
    live = key.startswith(("sk_live_", "rk_live_"))
    if environment is Environment.PRODUCTION and not live:
        return "must be a live key (sk_live_… or rk_live_…)"
    if environment is not Environment.PRODUCTION and live:
        return "must not be a live key outside production"
    return ""


def webhook_secrets(secrets: list[str], environment: Environment) -> str:
    """Stripe's own form, long enough that nobody guesses it."""
    if not secrets or any(not secret.startswith("whsec_") or len(secret) < 22 for secret in secrets):
        return "must be one or more signing secrets (whsec_…), separated by commas"
    return ""


def webhook_secrets_if_any(secrets: list[str], environment: Environment) -> str:
    """The same for an endpoint that there need not be."""
    return webhook_secrets(secrets, environment) if secrets else ""


def previous_keys(keys: list[str], environment: Environment) -> str:
    """What is still believed must be as hard to guess as what is signed with now."""
    if any(len(key) < 64 or (environment.is_served and len(set(key)) < 16) for key in keys):
        return "must be random keys of 64 or more characters, separated by commas"
    return ""


def previous_secret_keys(keys: list[str], environment: Environment) -> str:
    """As they were: a word that was cut off knows nobody."""
    return "" if all(len(key) >= 50 for key in keys) else "must be keys of 50 or more characters, separated by commas"


def personal_data_keys(keys: list[str], environment: Environment) -> str:
    """Long enough that nobody guesses one, in letters that no list or shell takes apart, each another."""
    if not keys or any(not KEY.fullmatch(key) or len(set(key)) < 16 for key in keys):
        return "must be one or more random keys of 43 or more letters, digits, - or _, separated by commas"
    return "must not hold a key twice" if len(set(keys)) < len(keys) else ""


def issuers_https_when_served(issuers: list[dict[str, str]], environment: Environment) -> str:
    """Whoever sits between us and an issuer could be anybody."""
    schemes = ("https://",) if environment.is_served else ("https://", "http://")
    return "" if all(row["issuer"].startswith(schemes) for row in issuers) else "must name issuers by https://"


def signing_key_if_any(key: str, environment: Environment) -> str:
    """In the form in which it is handed out."""
    return "" if not key or "BEGIN PRIVATE KEY" in key else "must be a private key in PEM"


def encrypted_store_when_served(url: str, environment: Environment) -> str:
    """Players' names never travel in the clear."""
    return "must start with s3://" if environment.is_served and url.startswith("s3+http://") else ""


def password_when_served(url: str, environment: Environment) -> str:
    """A database or broker without a password is everyone's."""
    return "must carry a password" if environment.is_served and not urlsplit(url).password else ""


def origins(values: list[str], environment: Environment) -> str:
    """Django compares scheme and host; a bare host would never match."""
    allowed = ("https://",) if environment.is_served else ("https://", "http://")
    return "" if all(value.startswith(allowed) for value in values) else f"must each start with {' or '.join(allowed)}"


def sender(address: str, environment: Environment) -> str:
    """A sender of the sample's reserved domain would be refused by every mail server."""
    if "@" not in address:
        return "must be a mail address"
    return "must be your own address" if environment.is_served and ".test" in address else ""


def on_in_production(flag: bool | None, environment: Environment) -> str:
    """A password alone must not open the back office to whoever read it somewhere."""
    return "must not be false in production" if environment is Environment.PRODUCTION and flag is False else ""


def at_least_one(number: int, environment: Environment) -> str:
    """Nothing times a limit would refuse everyone."""
    return "" if number >= 1 else "must be 1 or more"
