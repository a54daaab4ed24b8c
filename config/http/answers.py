"""What comes back: as much of it as we take, unpacked, with the headers that matter."""

import gzip
import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from config.http.failures import BrokenOff, TooLarge

PIECE = 64 * 1024
NO_HEADERS: Mapping[str, str] = MappingProxyType({})

# Told how many bytes came over the wire, and how many there will be (None where the other side does not say).
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how often, how much. Seconds and bytes."""

    connect: float = 3.0
    read: float = 10.0
    total: float = 30.0
    attempts: int = 3
    # The wait before the second try is drawn from nothing to this, before each further one from twice as much.
    backoff: float = 0.5
    # A server may ask for a longer wait than the backoff; more than this is not waited for here.
    longest_wait: float = 10.0
    largest_body: int = 32 * 1024 * 1024
    # Take the beginning of a body that is larger, instead of nothing.
    cuts_body: bool = False
    redirects: int = 3


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: a whole body, or the word that nothing changed since. Names of headers are read in any case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS, repr=False)

    @property
    def is_unchanged(self) -> bool:
        return self.status == http.HTTPStatus.NOT_MODIFIED

    @property
    def etag(self) -> str:
        return self.headers.get("ETag", "")

    @property
    def last_modified(self) -> str:
        return self.headers.get("Last-Modified", "")


def read_answer(response: BaseHTTPResponse, limits: Limits, progress: Progress | None = None) -> Answer:
    """Status, headers and body of a response that is still to be read. Raises `TooLarge` or `BrokenOff`."""
    is_bodiless = response.status in (http.HTTPStatus.NOT_MODIFIED, http.HTTPStatus.NO_CONTENT)
    body = b"" if is_bodiless else _body(response, limits, progress)
    return Answer(response.status, body, response.headers)


def retry_after(response: BaseHTTPResponse) -> float | None:
    """For how many seconds the server asks to be left alone, if it does, and in a way that can be read."""
    try:
        return Retry().get_retry_after(response)
    except InvalidHeader:
        return None


def _body(response: BaseHTTPResponse, limits: Limits, progress: Progress | None) -> bytes:
    """All of it, in pieces, so that neither the wire nor the decompression outgrows the limit."""
    announced = response.headers.get("Content-Length", "")
    size = int(announced) if announced.isdecimal() else None
    if size is not None and size > limits.largest_body and not limits.cuts_body:
        raise _too_large(limits)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise BrokenOff(f"sent in the encoding {encoding[:20]!r}, which we did not ask for")
    stream: Any = gzip.GzipFile(fileobj=response) if encoding.endswith("gzip") else response
    found = bytearray()
    while piece := stream.read(PIECE):
        found += piece
        if len(found) > limits.largest_body:
            if limits.cuts_body:
                return bytes(found[: limits.largest_body])
            raise _too_large(limits)
        if progress is not None:
            progress(response.tell(), size)
    return bytes(found)


def _too_large(limits: Limits) -> TooLarge:
    return TooLarge(f"larger than {limits.largest_body} bytes")
