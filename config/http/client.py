"""Fetching: tries, waits, redirects, bodies."""

import gzip
import http.client
import logging
import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db import connection
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InvalidHeader,
    LocationParseError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Retry, Timeout, Url, parse_url

from config.http.connections import Pool, SecurePool, Watch
from config.http.failures import AddressRefused, BrokenOff, HttpFailed, StatusRefused, TimedOut, TooLarge, Unreachable

logger = logging.getLogger(__name__)

USER_AGENT = "outlast"
PIECE = 64 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CONDITIONS = frozenset({"If-None-Match", "If-Modified-Since"})

# Told how many bytes came over the wire, and how many there will be (None where the other side does not say).
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how often, how much. Seconds and bytes."""

    connect: float = 3.0
    read: float = 10.0
    total: float = 30.0
    attempts: int = 3
    # Before the second try; doubled for each further one, and each wait is drawn from half to one and a half of it.
    backoff: float = 0.5
    # A server may ask for a longer wait than the backoff; more than this is not waited for here.
    longest_wait: float = 10.0
    largest_body: int = 32 * 1024 * 1024
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: a whole body, or the word that nothing changed since."""

    status: int
    body: bytes = b""
    etag: str = ""
    last_modified: str = ""

    @property
    def is_unchanged(self) -> bool:
        return self.status == http.HTTPStatus.NOT_MODIFIED


def fetch(
    address: str,
    *,
    limits: Limits = Limits(),  # immutable
    etag: str = "",
    last_modified: str = "",
    progress: Progress | None = None,
) -> Answer:
    """The body behind an http(s) address, or that it is still the one of `etag` or `last_modified`.

    Tries again after a lost connection, a timeout, a body broken off, 429 and most of 5xx. Raises one of `HttpFailed`.
    """
    refuse_inside_transaction()
    deadline = time.monotonic() + limits.total
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    attempt = 1
    while True:
        try:
            return _follow(address, headers, limits, deadline, progress)
        except HttpFailed as failure:
            wait = _wait_before(attempt, failure, limits)
            if attempt >= limits.attempts or wait is None or time.monotonic() + wait >= deadline:
                raise
            logger.info("try %s of %s failed: %s", attempt, limits.attempts, failure.message)
            time.sleep(wait)
            attempt += 1


def post_form(
    address: str,
    body: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    limits: Limits = Limits(),  # immutable
) -> Answer:
    """What a server answers to a form. Sent once, whatever comes of it, and along no redirect. Raises `HttpFailed`."""
    refuse_inside_transaction()
    deadline = time.monotonic() + limits.total
    sent = {
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "gzip",
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        **(headers or {}),
    }
    with _called(check_address(address), sent, limits, deadline, body=body) as response:
        return _read(response, limits, is_conditional=False, progress=None)


def refuse_inside_transaction() -> None:
    """A call to somebody else inside a transaction would hold its locks for as long as they please."""
    # Django's own test cases wrap every test in a transaction, and mark it.
    blocks: list[Any] = connection.atomic_blocks
    if any(not getattr(block, "_from_testcase", False) for block in blocks):
        raise RuntimeError("No other server is called inside a transaction.")


def check_address(address: str) -> Url:
    """The parts of an address that we would go to. Raises `AddressRefused`; nothing is looked up."""
    try:
        url = parse_url(address.strip())
    except LocationParseError:
        raise AddressRefused("this is no address") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise AddressRefused("only http and https addresses with a host are fetched")
    if url.auth:
        raise AddressRefused("an address must not hold a name or password")
    if settings.OUTGOING_HOSTS and _host(url) not in settings.OUTGOING_HOSTS:
        raise AddressRefused(f"{_host(url)} is not among the hosts of OUTGOING_HOSTS")
    return url


def _wait_before(attempt: int, failure: HttpFailed, limits: Limits) -> float | None:
    """How long to wait before the next try; None where that is pointless or longer than we wait."""
    if not failure.is_transient:
        return None
    wait = limits.backoff * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.5)
    asked = failure.retry_after if isinstance(failure, StatusRefused) else None
    if asked is None:
        return wait
    return max(wait, asked) if asked <= limits.longest_wait else None


def _follow(
    address: str, headers: dict[str, str], limits: Limits, deadline: float, progress: Progress | None
) -> Answer:
    """One try, along redirects that stay on the host and do not leave https."""
    url = check_address(address)
    for _ in range(limits.redirects + 1):
        with _called(url, headers, limits, deadline) as response:
            if response.status not in REDIRECTS:
                return _read(response, limits, is_conditional=bool(CONDITIONS & headers.keys()), progress=progress)
            target = _target(url, response.headers.get("Location", ""))
        if _host(target) != _host(url):
            raise AddressRefused(f"it redirects to another host, {_host(target)}")
        if url.scheme == "https" and target.scheme != "https":
            raise AddressRefused("it redirects from https to http")
        url = target
    raise AddressRefused(f"it redirects more than {limits.redirects} times")


def _target(url: Url, location: str) -> Url:
    """Where a redirect leads, which may be said relative to where it came from."""
    try:
        return check_address(urljoin(url.url, location))
    except ValueError:
        raise AddressRefused("it redirects to what is no address") from None


def _host(url: Url) -> str:
    return (url.host or "").strip("[]").rstrip(".").lower()


@contextmanager
def _called(
    url: Url, headers: dict[str, str], limits: Limits, deadline: float, *, body: bytes | None = None
) -> Iterator[BaseHTTPResponse]:
    """The answer, its body still to be read; whatever goes wrong meanwhile becomes one of ours."""
    watch = Watch(deadline - time.monotonic())
    pool_class = SecurePool if url.scheme == "https" else Pool
    timeout = Timeout(connect=limits.connect, read=limits.read)
    # Told always: without it, the end of a number such as ::1 would be taken for one.
    port = url.port or pool_class.ConnectionCls.default_port
    try:
        with (
            watch,
            pool_class((url.host or "").strip("[]"), port, timeout=timeout, retries=False, watch=watch) as pool,
        ):
            response = pool.urlopen(
                "GET" if body is None else "POST",
                url.request_uri,
                body=body,
                headers=headers,
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
        return TimedOut(f"no connection within {limits.connect:g} s")
    if isinstance(error, ReadTimeoutError):
        return TimedOut(f"nothing came for {limits.read:g} s")
    if isinstance(error, SSLError):
        return Unreachable("no secure connection")
    return BrokenOff("broken or incomplete")


def _read(response: BaseHTTPResponse, limits: Limits, *, is_conditional: bool, progress: Progress | None) -> Answer:
    if not (response.status == 200 or (response.status == 304 and is_conditional)):
        raise StatusRefused(response.status, _retry_after(response))
    return Answer(
        response.status,
        b"" if response.status == http.HTTPStatus.NOT_MODIFIED else _body(response, limits, progress),
        etag=response.headers.get("ETag", ""),
        last_modified=response.headers.get("Last-Modified", ""),
    )


def _retry_after(response: BaseHTTPResponse) -> float | None:
    try:
        return Retry().get_retry_after(response)
    except InvalidHeader:
        return None


def _body(response: BaseHTTPResponse, limits: Limits, progress: Progress | None) -> bytes:
    """All of it, in pieces, so that neither the wire nor the decompression outgrows the limit."""
    announced = response.headers.get("Content-Length", "")
    size = int(announced) if announced.isdecimal() else None
    if size is not None and size > limits.largest_body:
        raise TooLarge(f"larger than {limits.largest_body} bytes")
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise BrokenOff(f"sent in the encoding {encoding[:20]!r}, which we did not ask for")
    stream: Any = gzip.GzipFile(fileobj=response) if encoding.endswith("gzip") else response
    found = bytearray()
    while piece := stream.read(PIECE):
        found += piece
        if len(found) > limits.largest_body:
            raise TooLarge(f"larger than {limits.largest_body} bytes")
        if progress is not None:
            progress(response.tell(), size)
    return bytes(found)
