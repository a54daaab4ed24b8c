"""What an application of WSGI says: its status line, its headers, its body."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]


class Answer:
    """An answer; its body is read to its end, unless `is_streamed`: then it is read from while it is sent."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: str = "", headers: Headers | None = None, body: Iterable[bytes] = ()) -> None:
        self.status = status
        self.headers: Headers = [] if headers is None else headers
        self.body = body

    @property
    def code(self) -> int:
        """The status as a number."""
        return int(self.status[:3])

    @property
    def is_streamed(self) -> bool:
        """Whether it takes its time to read, and must be closed after that."""
        return bool(getattr(self.body, "streaming", False))

    def start(self, status: str, headers: Headers, fault: "OptExcInfo | None" = None, /) -> Callable[[bytes], object]:
        """WSGI's `start_response`; nothing here writes by the old way that it returns."""
        self.status, self.headers = status, headers
        return lambda _: None

    def said_to(self, start_response: "StartResponse") -> Iterable[bytes]:
        """Say it to a server that speaks WSGI."""
        start_response(self.status, self.headers)
        return self.body


def answer_of(application: "WSGIApplication", environ: "WSGIEnvironment") -> Answer:
    """What an application says; a whole body is read and closed by this thread."""
    answer = Answer()
    answer.body = application(environ, answer.start)
    if not answer.is_streamed:
        body = answer.body
        try:
            answer.body = list(body)
        finally:
            if hasattr(body, "close"):
                body.close()
    return answer


class Streamed:
    """A body that is read from while it is sent; whatever is to be done at its end is done once."""

    streaming = True

    def __init__(self, body: Iterable[bytes], at_end: Callable[[], None]) -> None:
        self.body = body
        self._at_end: Callable[[], None] | None = at_end

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def close(self) -> None:
        """Said by the server after the last block, or when the caller has gone."""
        at_end, self._at_end = self._at_end, None
        if at_end is None:
            return
        try:
            if hasattr(self.body, "close"):
                self.body.close()
        finally:
            at_end()

    def __del__(self) -> None:
        # A server that forgets to close must not cost a place for ever.
        self.close()
