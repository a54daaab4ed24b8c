"""What granian hands to an application of RSGI, as far as we use it: a request, and the way to answer it.

Specification: granian's `docs/spec/RSGI.md`, version 1.5.
"""

from collections.abc import Awaitable
from typing import Protocol

from config.web.answers import Headers


class Named(Protocol):
    """Headers by name, in small letters."""

    def keys(self) -> list[str]:
        """All names, each once."""

    def items(self) -> list[tuple[str, str]]:
        """All headers whose value is visible ASCII."""


class Scope(Protocol):
    """A request without its body."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None

    @property
    def headers(self) -> Named:
        """Its headers."""


class Blocks(Protocol):
    """A body, block by block; an empty one is its end."""

    def __anext__(self) -> Awaitable[bytes]: ...


class Way(Protocol):
    """The body of a request, and the way to answer. Answers may be given by any thread; only the first counts."""

    def __call__(self) -> Awaitable[bytes]:
        """The whole body. Raises when it breaks off."""

    def __aiter__(self) -> Blocks:
        """The body as it comes, instead."""

    def response_empty(self, status: int, headers: Headers) -> None:
        """Answer without a body."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer with a whole body."""

    def response_file(self, status: int, headers: Headers, file: str) -> None:
        """Answer with what is in a file, which is opened soon, and read as fast as it is sent."""
