"""What calls are made for: where each may lead, over which doors, and when a host is left alone.

A purpose is declared by whoever calls, beside the calls; those of more than one caller stand here. Whatever it says, no
call leads into a network of our own (`config.http.inward`), save to hosts that the operator has named.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.conf import settings


def no_hosts() -> Collection[str]:
    """None in particular."""
    return ()


def hosts_of_settings() -> Collection[str]:
    """Those of OUTGOING_HOSTS."""
    found: list[str] = settings.OUTGOING_HOSTS
    return found


@dataclass(frozen=True)
class Purpose:
    """Why somebody is called. `hosts` are the only ones allowed; none named allows every host in the open."""

    name: str
    hosts: Callable[[], Collection[str]] = no_hosts
    # What to say about a host that is not among them.
    listed_in: str = "the hosts that are called for this"
    # Hosts that may be in a private network, because the operator said so.
    private_hosts: Callable[[], Collection[str]] = no_hosts
    # Plain http only to this machine, and there only where OUTGOING_LOOPBACK says so.
    is_https_only: bool = False
    # Empty: any.
    ports: frozenset[int] = frozenset()
    # How many calls in a row fail before the host is left alone, and for how many seconds then, at first.
    opens_after: int = 5
    rest: float = 10.0
    # Whether an answer of 5xx is a failure of the host, or of one of the many who live there.
    counts_statuses: bool = True


FEEDS = Purpose(
    "feeds", hosts=hosts_of_settings, listed_in="the hosts of OUTGOING_HOSTS", private_hosts=hosts_of_settings
)
# Addresses that strangers gave us. One of them must not be able to shut a host for the others who live there.
SUBSCRIBERS = Purpose("webhooks", is_https_only=True, ports=frozenset({443, 8443}), counts_statuses=False)
