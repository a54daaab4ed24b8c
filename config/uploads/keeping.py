"""Where uploaded files lie, and that none of them stays behind without a row.

A file is put away before its row is committed, and deleted after its row is gone: a row never speaks of a file that is
not there. Whatever is cut off in between, a message that was posted beforehand finds a file that no row speaks of.

    key = put_away("documents", content, ending="pdf", now=now)     # then the row, in a transaction of its own
    let_go(key)                                                     # in the transaction that deletes the row
"""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from config import outbox
from config.stores import Store, new_key

STORE = Store("private")
CLEAN_UP = "uploads.clean_up"
# Longer than any upload takes: until then a file may wait for its row.
ORPHAN_AFTER = timedelta(hours=1)

Uses = Callable[[str], bool]
_users: dict[str, Uses] = {}


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
    STORE.keep(key, io.BytesIO(content))
    return key


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
