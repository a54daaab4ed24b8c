"""How the texts of settings are read. Each raises ValueError with what ends a sentence that begins with the name."""

import json
import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

# How the lines of Pwned Passwords begin.
HASH_LINE = re.compile(rb"[0-9A-Fa-f]{40}:")

ISSUER_KEYS = ("id", "name", "issuer", "client_id", "client_secret")
# Stands in addresses.
SLUG = re.compile(r"[a-z][a-z0-9-]{0,29}")


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


MAIL_PROVIDERS = ("postmark", "mailgun", "ses")


def parse_mail(text: str) -> str:
    """`file:` for local folders, an SMTP address, or a provider with the key that it gave out."""
    if text == "file:":
        return text
    parts = urlsplit(url_with("smtp", "smtp+tls", "smtps", *MAIL_PROVIDERS)(text))
    if parts.scheme in MAIL_PROVIDERS and not (parts.username and (parts.password or parts.scheme != "ses")):
        raise ValueError(
            "must have the provider's key: postmark://token@host, mailgun://key@domain, ses://id:key@region"
        )
    return text.rstrip("/")


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
