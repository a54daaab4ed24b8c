"""Answers that are read from while they are sent, over granian's event loop (RSGI).

What granian offers for streams takes blocks as fast as they come and keeps them until they are sent: a report of a
million lines would lie in memory for whoever reads slowly. A file, however, it reads only as fast as it is sent. So a
long answer goes through a named pipe: the thread that makes it waits while nobody reads, and is told when the reader
has gone.
"""

import errno
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from config.web.answers import Answer
from config.web.rsgi import Way

logger = logging.getLogger("outlast.web")

# What is shorter is sent in one piece.
SHORT = 64 * 1024
# How long the server may take to begin to read; it has to begin at once.
PATIENCE = 10.0
LOOK_AGAIN = 0.001


def send_streamed(answer: Answer, way: Way, is_head: bool) -> None:
    """Send all of it, and close it whatever happens. For a thread that has the time."""
    try:
        if is_head:
            way.response_empty(answer.code, answer.headers)
            return
        blocks = iter(answer.body)
        first = _up_to(blocks, SHORT)
        if len(first) < SHORT:
            way.response_bytes(answer.code, answer.headers, first)
            return
        _send_through_pipe(answer, way, chain([first], blocks))
    finally:
        if hasattr(answer.body, "close"):
            answer.body.close()


def _up_to(blocks: Iterator[bytes], most: int) -> bytes:
    """As many blocks as it takes, or all."""
    held = bytearray()
    for block in blocks:
        held += block
        if len(held) >= most:
            break
    return bytes(held)


def _send_through_pipe(answer: Answer, way: Way, blocks: Iterator[bytes]) -> None:
    with _pipe() as path:
        way.response_file(answer.code, answer.headers, str(path))
        descriptor = _opened(path)
    if descriptor is None:
        logger.warning("nobody began to read an answer within %.0f s", PATIENCE)
        return
    # The reader has gone: nobody misses the rest.
    with suppress(BrokenPipeError), open(descriptor, "wb", buffering=0) as pipe:
        for block in blocks:
            rest = memoryview(block)
            while rest:
                rest = rest[pipe.write(rest) :]


@contextmanager
def _pipe() -> Iterator[Path]:
    """The path of a new pipe; once both ends are open nobody needs it any more."""
    with tempfile.TemporaryDirectory(prefix="outlast-answer-") as folder:
        path = Path(folder, "body")
        os.mkfifo(path, 0o600)
        yield path


def _opened(path: Path) -> int | None:
    """The end to write to, once somebody opens the other one; None where nobody does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as failure:
            if failure.errno != errno.ENXIO:
                raise
            time.sleep(LOOK_AGAIN)
            continue
        os.set_blocking(descriptor, True)
        return descriptor
    # Whoever came to open it in this moment must not wait for ever.
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    return None
