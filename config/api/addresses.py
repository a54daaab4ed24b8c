"""Where a request came from, believing only proxies of our own."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The caller's address: the one our outermost proxy saw, or the peer itself when no proxy of ours is in front.

    Each of `TRUSTED_PROXY_COUNT` proxies appends to X-Forwarded-For, so the caller stands that many from the right;
    whatever is further left the caller may have invented.
    """
    return address_in(request.META)


def address_in(environ: Mapping[str, Any]) -> str:
    """The same of a request as the server hands it over."""
    peer = environ.get("REMOTE_ADDR", "")
    hops = settings.TRUSTED_PROXY_COUNT
    if not hops:
        return _plain(peer) or "unknown"
    forwarded = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    claimed = forwarded[-hops] if len(forwarded) >= hops else ""
    return _plain(claimed) or _plain(peer) or "unknown"


def network_of(address: str) -> str:
    """What one caller can be expected to own: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return address


def _plain(text: str) -> str:
    """The address without scope or IPv4-in-IPv6 dress; empty when it is none."""
    try:
        address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
