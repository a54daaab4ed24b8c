"""Where a call would lead, judged by numbers: never into a network of our own.

A name is resolved once, every number it has is judged, and the connection is made to one of the judged numbers: a name
that points elsewhere a moment later (DNS rebinding) changes nothing.
"""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Any

from django.conf import settings

from config.http.failures import AddressRefused
from config.http.purposes import Purpose

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# A network without IPv4 of its own names the others' addresses so (RFC 6052): the number at the end is meant.
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
MOST_NUMBERS = 4


def reachable(purpose: Purpose, host: str, port: int, *, seconds: float) -> list[str]:
    """The numbers of a host, each of which may be called, looked up within these seconds.

    Raises `AddressRefused` if one may not be called, OSError if there is none, TimeoutError if nobody knows in time.
    One bad number spoils all: which of them a call ends at would be for the name's owner to choose.
    """
    found = _looked_up(host.strip("[]"), port, seconds)
    numbers = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for number in numbers:
        refuse_number(purpose, host, number)
    return numbers[:MOST_NUMBERS]


def _looked_up(host: str, port: int, seconds: float) -> list[Any]:
    """What the resolver says. It takes no limit of time, and whoever owns the name can make it wait for half a minute.

    So it is asked in a thread, which nobody waits for any longer than that; it ends when the resolver gives up.
    """
    told: SimpleQueue[list[Any] | OSError] = SimpleQueue()

    def look() -> None:
        try:
            told.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            told.put(error)
        except UnicodeError:
            told.put(socket.gaierror("this can be no name"))

    threading.Thread(target=look, name="look-up", daemon=True).start()
    try:
        found = told.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(found, OSError):
        raise found
    return found


def refuse_number(purpose: Purpose, host: str, number: str) -> None:
    """Raise `AddressRefused` for what is not in the open, unless the settings allow it."""
    address = ipaddress.ip_address(number.split("%")[0])
    if all(_is_open(one) for one in _meant(address)) or host.lower() in purpose.private_hosts():
        return
    if is_loopback_allowed() and all(one.is_loopback for one in _meant(address)):
        return
    raise AddressRefused("it leads into a private network; OUTGOING_HOSTS can allow that")


def is_loopback_allowed() -> bool:
    """Whether servers on this machine may be called: where nobody is served but us, and the setting says so."""
    return bool(settings.OUTGOING_LOOPBACK and not settings.IS_SERVED)


def _is_open(address: Address) -> bool:
    is_special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not is_special and not getattr(address, "is_site_local", False)


def _meant(address: Address) -> Iterator[Address]:
    """The address, or in place of one that only wraps another, that other; and where a tunnel would end."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    if address in TRANSLATED:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
