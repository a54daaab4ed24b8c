"""Files without a name: on disk, so that size is no matter for memory, and gone when they are closed."""

import tempfile
from collections.abc import Callable
from typing import IO


def filled_file(fill: Callable[[IO[bytes]], object]) -> IO[bytes]:
    """A nameless file that `fill` wrote, open at its beginning; the caller closes it.

    Whole or not at all: when `fill` raises, so does this, and nothing is left.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  # it outlives this function: a `with` here would close it
    try:
        fill(file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file
