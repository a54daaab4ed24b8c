"""Where what happens comes from: an address, a request, an API key, a command or the system by itself.

The middleware says it at the beginning of each request; `attribute()` and `record()` hand it to the transaction, whose
triggers write it down.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings

from config.logging import current_request_id

ORIGIN_SETTING = "outlast.origin"


@dataclass
class Origin:
    """Of one request. `api_key` is the public prefix of the key that came with it."""

    address: str = ""
    api_key: str = ""


_current: ContextVar[Origin | None] = ContextVar("current_origin", default=None)


@contextmanager
def coming_from(address: str) -> Iterator[Origin]:
    """Everything in the block is done for a caller at this address."""
    origin = Origin(address=address)
    token = _current.set(origin)
    try:
        yield origin
    finally:
        _current.reset(token)


def came_with_key(prefix: str) -> None:
    """Note that the request at hand carries an API key, by its public prefix."""
    origin = _current.get()
    if origin is not None:
        origin.api_key = prefix


def is_known() -> bool:
    """Whether there is anything to tell: a request or a task is being worked on."""
    return _current.get() is not None or current_request_id.get() != "-"


def told() -> str:
    """The origin at hand as JSON, for `ORIGIN_SETTING`; `kind` is who acts where nobody is named."""
    origin, request_id = _current.get(), current_request_id.get()
    said = {
        "address": origin.address if origin else "",
        "key": origin.api_key if origin else "",
        "request": "" if request_id == "-" else request_id,
        "kind": "command" if origin is None and settings.OUTLAST_PROCESS == "command" else "system",
    }
    return json.dumps({name: text for name, text in said.items() if text})
