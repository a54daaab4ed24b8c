"""Connections that end in time, lead to nobody inside our own network, and can be kept for the next call."""

import logging
import os
import socket
import threading
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import Url

from config.http.inward import reachable
from config.http.purposes import Purpose

logger = logging.getLogger(__name__)

KEPT_TO_ONE_HOST = 8


class Watch:
    """Ends a call that takes too long in all: timeouts of sockets only bound the silence between two bytes.

    What it holds is a handle of its own: the connection may close its one while the body is still being read.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = seconds <= 0
        self._handle: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(seconds, 0), self._end)
        self._timer.daemon = True

    def __enter__(self) -> "Watch":
        self._timer.start()
        self._token = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
        self._timer.cancel()
        with self._lock:
            if self._handle is not None:
                # The connection may be the next caller's from here on.
                self._handle.close()
                self._handle = None
        if self.is_over:
            # An end that we made looks like the end of a body without a length.
            raise TimeoutError

    def guard(self, handle: socket.socket) -> None:
        """Watch over this connection."""
        with self._lock:
            self._handle = handle.dup()
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


_current: ContextVar[Watch] = ContextVar("watch")


class Connection(HTTPConnection):
    """A connection under the watch of the call at hand, to a number that was judged."""

    def __init__(self, *args: Any, purpose: Purpose, **options: Any) -> None:
        super().__init__(*args, **options)
        self._purpose = purpose
        # A second handle, which TLS leaves alone and which nobody else closes.
        self._handle: socket.socket | None = None

    def watch(self) -> None:
        """Let the call at hand end this connection, if it stands already."""
        if self._handle is not None:
            _current.get().guard(self._handle)

    def close(self) -> None:
        super().close()
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _new_conn(self) -> socket.socket:
        opened = self._opened()
        try:
            self._handle = opened.dup()
            self.watch()
        except BaseException:
            opened.close()
            raise
        return opened

    def _opened(self) -> socket.socket:
        """To the first number of the host that answers; the name itself is not looked up again."""
        name = self._dns_host
        assert self.timeout is not None, "every call says how long it may take to connect"
        try:
            numbers = reachable(self._purpose, name, self.port, seconds=self.timeout)
        except TimeoutError:
            raise ConnectTimeoutError(self, "nobody knows the name in time") from None
        except OSError as error:
            raise NameResolutionError(name, self, socket.gaierror(str(error))) from error
        try:
            for number in numbers[:-1]:
                with suppress(ConnectTimeoutError, NewConnectionError):
                    self._dns_host = number
                    return super()._new_conn()
            self._dns_host = numbers[-1]
            return super()._new_conn()
        finally:
            # What the certificate must be for, and what the header `Host` says.
            self._dns_host = name


class SecureConnection(Connection, HTTPSConnection):
    """The same over TLS."""


class _Watched(HTTPConnectionPool):
    """Hands out connections that stand already under the watch of the call at hand."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)
        connection.watch()
        return connection


class Pool(_Watched):
    ConnectionCls = Connection


class SecurePool(_Watched, HTTPSConnectionPool):
    ConnectionCls = SecureConnection


_kept: dict[tuple[Any, ...], Pool | SecurePool] = {}
_lock = threading.Lock()


def pool_to(url: Url, purpose: Purpose) -> Pool | SecurePool:
    """Connections to a host, closed with the pool."""
    kind: Any = SecurePool if url.scheme == "https" else Pool
    # The port is told always: without it, the end of a number such as ::1 would be taken for one.
    host, port = (url.host or "").strip("[]"), port_of(url)
    made: Pool | SecurePool = kind(host, port, retries=False, maxsize=KEPT_TO_ONE_HOST, purpose=purpose)
    return made


def kept_pool_to(url: Url, purpose: Purpose) -> Pool | SecurePool:
    """The same, for as long as the process lives. For the few hosts that are called again and again."""
    # By process: two that fork from one must not speak over one connection.
    key = (os.getpid(), purpose.name, url.scheme, url.host, url.port)
    with _lock:
        if key not in _kept:
            _kept[key] = pool_to(url, purpose)
        return _kept[key]


def port_of(url: Url) -> int:
    """The port that is meant, also where none is said."""
    return url.port or (443 if url.scheme == "https" else 80)
