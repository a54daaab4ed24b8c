"""Connections that end in time, and lead to nobody inside our own network."""

import ipaddress
import logging
import socket
import threading
from typing import Any

from django.conf import settings
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from config.http.failures import AddressRefused

logger = logging.getLogger(__name__)


class Watch:
    """Ends a call that takes too long in all: timeouts of sockets only bound the silence between two bytes.

    What it holds is a second handle of the connection, so that a lost race closes nothing else.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = seconds <= 0
        self._handle: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(seconds, 0), self._end)
        self._timer.daemon = True

    def __enter__(self) -> "Watch":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None
        if self.is_over:
            # An end that we made looks like the end of a body without a length.
            raise TimeoutError

    def guard(self, opened: socket.socket) -> None:
        """Watch over this connection."""
        with self._lock:
            self._handle = opened.dup()
        if self.is_over:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            if self._handle is not None:
                try:
                    self._handle.shutdown(socket.SHUT_RDWR)
                except OSError:
                    logger.debug("the connection had ended by itself")


class Connection(HTTPConnection):
    """A connection under a watch, to nobody inside our own network."""

    def __init__(self, *args: Any, watch: Watch, **options: Any) -> None:
        super().__init__(*args, **options)
        self._watch = watch

    def _new_conn(self) -> socket.socket:
        _refuse_inward(self.host, self.port)
        opened = super()._new_conn()
        try:
            _refuse_inside(self.host, opened)
            self._watch.guard(opened)
        except BaseException:
            opened.close()
            raise
        return opened


class SecureConnection(Connection, HTTPSConnection):
    """The same over TLS."""


class Pool(HTTPConnectionPool):
    ConnectionCls = Connection


class SecurePool(HTTPSConnectionPool):
    ConnectionCls = SecureConnection


def _refuse_inward(host: str, port: int) -> None:
    """Judged by where the name leads, before anybody is called: a call alone tells which doors inside are open."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except OSError:
        # The call itself fails in the same way, and says so.
        return
    for *_, address in found:
        _refuse_private(host, str(address[0]))


def _refuse_inside(host: str, opened: socket.socket) -> None:
    """Judged again by where we are, before anything is sent: a name can point elsewhere a moment later."""
    _refuse_private(host, opened.getpeername()[0])


def _refuse_private(host: str, number: str) -> None:
    if not settings.IS_SERVED or host.lower() in settings.OUTGOING_HOSTS:
        return
    address = ipaddress.ip_address(number.split("%")[0])
    if not (getattr(address, "ipv4_mapped", None) or address).is_global:
        raise AddressRefused("it leads into a private network; OUTGOING_HOSTS can allow that")
