"""One call over one connection, with whatever goes wrong as one of our failures."""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout, Url

from config.http.answers import Limits
from config.http.connections import Watch, kept_pool_to, pool_to
from config.http.failures import BrokenOff, HttpFailed, NotConnected, TimedOut, Unreachable
from config.http.purposes import Purpose


@dataclass(frozen=True)
class Call:
    """What is sent, why, and whether the connection is kept for the next one."""

    method: str
    purpose: Purpose
    headers: Mapping[str, str]
    body: bytes | None = None
    keeps_connection: bool = False


@contextmanager
def called(url: Url, call: Call, limits: Limits, left: float) -> Iterator[BaseHTTPResponse]:
    """The answer, its body still to be read within the seconds that are `left` for all of it."""
    watch = Watch(left)
    try:
        pool = nullcontext(kept_pool_to(url, call.purpose)) if call.keeps_connection else pool_to(url, call.purpose)
        with watch, pool as connections:
            response = connections.urlopen(
                call.method,
                url.request_uri,
                body=call.body,
                headers=call.headers,
                timeout=Timeout(connect=limits.connect, read=limits.read),
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            with closing(response):
                yield response
    except HttpFailed:
        raise
    except (HTTPError, OSError, EOFError, zlib.error) as error:
        raise _told(error, watch, limits) from error


def _told(error: Exception, watch: Watch, limits: Limits) -> HttpFailed:
    """Our word for the library's failure."""
    if watch.is_over:
        return TimedOut(f"no whole answer within {limits.total:g} s")
    if isinstance(error, NewConnectionError):
        return Unreachable("no connection")
    if isinstance(error, ConnectTimeoutError):
        return NotConnected(f"no connection within {limits.connect:g} s")
    if isinstance(error, ReadTimeoutError):
        return TimedOut(f"nothing came for {limits.read:g} s")
    if isinstance(error, SSLError):
        return Unreachable("no secure connection")
    return BrokenOff("broken or incomplete")
