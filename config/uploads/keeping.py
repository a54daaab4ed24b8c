"""Where uploaded files lie, and that none of them stays behind without a row.

A file is put away before its row is committed, and deleted after its row is gone: a row never speaks of a file that is
not there. Whatever is cut off in between, a message that was posted beforehand finds a file that no row speaks of.

    key = put_away("documents", content, ending="pdf", now=now)     # then the row, in a transaction of its own
    let_go(key)                                                     # in the transaction that deletes the row
"""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import uuid4

from django.db import transaction

from config import outbox
from config.errors import Code, Unavailable
from config.stores import Store, new_key

logger = logging.getLogger(__name__)

STORE = Store("private")
CLEAN_UP = "uploads.clean_up"
# Longer than any upload takes: until then a file may wait for its row.
ORPHAN_AFTER = timedelta(hours=1)

# Of the client of S3-compatible stores, which is not even loaded where files lie in a folder.
FAILURES_OF = ("boto3", "botocore", "s3transfer")

Uses = Callable[[str], bool]
_users: dict[str, Uses] = {}


class StoreAway(Unavailable):
    """The store is not there, or full, or does not want us."""

    def __init__(self) -> None:
        super().__init__(Code.SERVICE_UNAVAILABLE, "Files cannot be kept or fetched at the moment. Try again shortly.")


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in FAILURES_OF:
            logger.warning("the store of uploads failed: %s", type(error).__name__)
            raise StoreAway from error
        raise


def uses(folder: str) -> Callable[[Uses], Uses]:
    """Register who knows whether a row speaks of a file of this folder. An app does so as it starts."""

    def register(function: Uses) -> Uses:
        _users[folder] = function
        return function

    return register


def put_away(folder: str, content: bytes, *, ending: str, now: datetime) -> str:
    """Keep the file; under which key. Commits, so it cannot be part of a transaction."""
    key = f"{folder}/{new_key(ending, now)}"
    with transaction.atomic(durable=True):
        _post(key, ORPHAN_AFTER)
    with _as_unavailable():
        STORE.keep(key, io.BytesIO(content))
    return key


def opened(key: str) -> IO[bytes]:
    """The file, open at its beginning. Raises FileNotFoundError, and `StoreAway`."""
    with _as_unavailable():
        return STORE.opened(key)


def let_go(key: str) -> None:
    """Have the file deleted once this transaction is committed."""
    _post(key, timedelta())


def _post(key: str, delay: timedelta) -> None:
    outbox.post(kind=CLEAN_UP, key=f"clean-up-{uuid4()}", payload={"key": key}, delay=delay)


@outbox.handler(CLEAN_UP)
def clean_up(payload: dict[str, Any]) -> None:
    """Delete a file that no row speaks of: its upload was cut off, or its row is gone. Refuses a strange folder."""
    key = payload["key"]
    if not _users[key.partition("/")[0]](key):
        STORE.forget(key)
