"""Random bytes for ids, many from one question to the system.

Each question lets go of the interpreter's lock, and under load it takes longer to get that back than to make an id. So
a thread asks for many bytes at once and hands them out; no two get the same ones. As good as `os.urandom`, whose they
are; what opens a door is still asked for by itself.
"""

import os
import threading

AT_ONCE = 4096

_held = threading.local()


def some_bytes(count: int) -> bytes:
    """So many random bytes, at most 4,096."""
    rest: bytes = getattr(_held, "rest", b"")
    if len(rest) < count:
        rest = os.urandom(AT_ONCE)
    _held.rest = rest[count:]
    return rest[:count]


def some_id() -> str:
    """A UUID of version 4, as it is written: to make a `UUID` of it takes longer than all the rest."""
    text = some_bytes(16).hex()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


def _forget() -> None:
    _held.__dict__.clear()


# Or parent and child would go on with the same ones.
os.register_at_fork(after_in_child=_forget)
