"""What a setting is: its name, its meaning, how its text is read, what stands in for it, what a bad value is.

Parsers raise ValueError, and checks return a text, that continues a sentence which starts with the variable's name.
`config.env` declares the variables with these and reads them.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

# How the lines of Pwned Passwords begin.
HASH_LINE = re.compile(rb"[0-9A-Fa-f]{40}:")
# 32 random bytes or more in url-safe base64.
KEY = re.compile(r"[A-Za-z0-9_-]{43,}={0,2}")

ISSUER_KEYS = ("id", "name", "issuer", "client_id", "client_secret")
# Stands in addresses.
SLUG = re.compile(r"[a-z][a-z0-9-]{0,29}")

# No key or password that was drawn at random contains one of these.
SAMPLE_WORDS = ("sample", "change-me", "changeme", "insecure", "your-own")


class Environment(StrEnum):
    """Where this process runs."""

    LOCAL = "local"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def is_served(self) -> bool:
        """Whether strangers can reach it, so that nothing may be left to a default."""
        return self in (Environment.STAGING, Environment.PRODUCTION)


@dataclass(frozen=True)
class Variable:
    """One setting: what it means, how it is read, what stands in for it, and where it must be given."""

    name: str
    meaning: str
    sample: str
    parse: Callable[[str], Any] = str
    default: str = ""
    test_default: str | None = None
    required_when_served: bool = False
    secret_length: int = 0
    check: Callable[[Any, Environment], str] = field(default=lambda value, environment: "")

    def default_for(self, environment: Environment) -> str | None:
        """The text that stands in when the variable is not set; None where it must be set."""
        if environment.is_served and self.required_when_served:
            return None
        if environment is Environment.TEST and self.test_default is not None:
            return self.test_default
        return self.default

    def read(self, text: str, environment: Environment) -> Any:
        """The value of `text`, or of the default when it is blank. Raises ValueError with what is wrong."""
        given = text.strip()
        if not given:
            standby = self.default_for(environment)
            if standby is None:
                raise ValueError("is missing")
            return self.parse(standby)
        if environment.is_served:
            self._refuse_sample(given)
        if self.secret_length and len(given) < self.secret_length:
            raise ValueError(f"must have at least {self.secret_length} characters")
        value = self.parse(given)
        fault = self.check(value, environment)
        if fault:
            raise ValueError(fault)
        return value

    def _refuse_sample(self, given: str) -> None:
        """Refuse what a stranger could guess: our own samples, and keys nobody drew at random."""
        if self.sample and given == self.sample and self.required_when_served:
            raise ValueError("must not be the sample of .env.example")
        lowered = given.lower()
        if any(word in lowered for word in SAMPLE_WORDS) and (self.secret_length or "://" in given):
            raise ValueError("must not contain a sample or default value")
        if self.secret_length >= 40 and len(set(given)) < 16:
            raise ValueError("must be random: it repeats too few characters")


def parse_list(text: str) -> list[str]:
    """Comma-separated, blanks dropped."""
    return [part.strip() for part in text.split(",") if part.strip()]


def parse_hosts(text: str) -> list[str]:
    """Comma-separated names or addresses of hosts, in lower case; never a whole address."""
    hosts = [host.lower() for host in parse_list(text)]
    if any(set(host) & set("/@*? ") for host in hosts):
        raise ValueError("must be names of hosts, such as example.org, without scheme, path or *")
    return hosts


def parse_networks(text: str) -> list[IPv4Network | IPv6Network]:
    """Comma-separated networks or single addresses, of either kind of IP."""
    try:
        return [ip_network(part) for part in parse_list(text)]
    except ValueError as fault:
        raise ValueError("must be networks such as 203.0.113.0/24, without bits behind the mask") from fault


def parse_origins(text: str) -> list[str]:
    """Comma-separated origins as a browser names them: scheme, host and perhaps port, in lower case, nothing after."""
    found = parse_list(text)
    for origin in found:
        parts = urlsplit(origin)
        if origin != f"{parts.scheme}://{parts.netloc}".lower() or not parts.hostname or set(parts.netloc) & set("@*"):
            raise ValueError("must be origins such as https://play.example.org, without path, user or *")
    return found


def parse_flag(text: str) -> bool:
    """true/false, yes/no, on/off, 1/0."""
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in known:
        raise ValueError("must be true or false")
    return known[text.lower()]


def parse_flag_or_none(text: str) -> bool | None:
    """The same, or nothing, which leaves it to the environment."""
    return parse_flag(text) if text else None


def parse_count(text: str) -> int:
    """A whole number of 0 or more."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must be a whole number, 0 or more")
    return int(text)


def number_within(least: int, most: int) -> Callable[[str], int]:
    """A whole number of a range."""

    def parse(text: str) -> int:
        if not least <= parse_count(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def url_with(*schemes: str) -> Callable[[str], str]:
    """An address with one of the schemes and a host; empty stays empty."""

    def parse(text: str) -> str:
        parts = urlsplit(text)
        if text and (parts.scheme not in schemes or not parts.hostname):
            raise ValueError(f"must be an address that starts with {' or '.join(f'{s}://' for s in schemes)}")
        return text.rstrip("/")

    return parse


def parse_mail(text: str) -> str:
    """`file:` for local folders, or an SMTP address."""
    if text == "file:":
        return text
    return url_with("smtp", "smtp+tls", "smtps")(text)


def parse_store(text: str) -> str:
    """`file:` for a folder, or an S3 bucket with its key and secret."""
    if text == "file:":
        return text
    parts = urlsplit(url_with("s3", "s3+http")(text))
    if not parts.username or not parts.password or not parts.path.strip("/") or "/" in parts.path.strip("/"):
        raise ValueError("must be file: or s3://key:secret@host/bucket")
    return text


def parse_hash_file(text: str) -> Path | None:
    """A file that can be read and whose lines begin with a SHA-1; None where none is given."""
    if not text:
        return None
    path = Path(text)
    try:
        with path.open("rb") as file:
            begins = file.read(41)
    except OSError:
        raise ValueError("must be a file that can be read") from None
    if not HASH_LINE.fullmatch(begins):
        raise ValueError("must be a file whose lines begin with 40 hexadecimal digits and a colon")
    return path


def parse_scanner(text: str) -> str:
    """A clamd with its port; empty for `off`."""
    if text == "off":
        return ""
    address = url_with("clamd")(text)
    if not urlsplit(address).port:
        raise ValueError("must be off or clamd://host:port")
    return address


def parse_issuers(text: str) -> list[dict[str, str]]:
    """A JSON list of issuers, each told apart by its id."""
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError("must be JSON") from None
    if not isinstance(found, list) or not all(_is_issuer(row) for row in found):
        raise ValueError(f"must be a list of objects, each with {', '.join(ISSUER_KEYS)}, all of them text")
    ids = [row["id"] for row in found]
    if len(set(ids)) < len(ids) or {"google", "apple"} & set(ids):
        raise ValueError("must give each issuer an id of its own, other than google and apple")
    return found


def _is_issuer(row: Any) -> bool:
    is_whole = isinstance(row, dict) and set(row) == set(ISSUER_KEYS)
    return is_whole and all(isinstance(text, str) and text for text in row.values()) and bool(SLUG.fullmatch(row["id"]))


def parse_returns(text: str) -> list[str]:
    """Whole addresses, to which a query is added: they have none."""
    found = parse_list(text)
    if any(not urlsplit(address).hostname or set(address) & set("?#*@ ") for address in found):
        raise ValueError("must be whole addresses without query, separated by commas")
    return found


def parse_zone(text: str) -> ZoneInfo:
    """An IANA time zone."""
    if text not in available_timezones():
        raise ValueError("must be a time zone such as America/New_York")
    return ZoneInfo(text)


def https_when_served(url: str, environment: Environment) -> str:
    """Players' credentials never travel in the clear."""
    return "must start with https://" if environment.is_served and not url.startswith("https://") else ""


def no_wildcard(hosts: list[str], environment: Environment) -> str:
    """A wildcard would let anyone put their own host into the links of our mails."""
    return "must name the hosts, without *" if environment.is_served and "*" in hosts else ""


def off_when_served(debug: bool, environment: Environment) -> str:
    """Debug pages show settings and source."""
    return "must be false" if environment.is_served and debug else ""


def smtp_when_served(url: str, environment: Environment) -> str:
    """Mail in a folder reaches nobody; mail in the clear reaches too many."""
    if not environment.is_served:
        return ""
    return "" if url.startswith(("smtp+tls://", "smtps://")) else "must start with smtp+tls:// or smtps://"


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
