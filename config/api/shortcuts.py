"""Calls that are answered before Django is entered, because they are many and all alike.

A shortcut knows one plain case of one operation, and does it whole: it recognises the call, checks what the view and
its service check, and writes. Whatever is not plainly in order it leaves to the view, having written nothing, so that
each refusal is made in one place. What it answers is byte for byte what the view would have.

`config.web.direct` brings calls to shortcuts; `config.direct` lists them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from config.api.ratelimit import Policy


@dataclass(frozen=True, slots=True)
class Call:
    """A plain call: JSON from the bearer of an access token, without anything that would have to be heeded."""

    token: bytes
    path: re.Match[str]
    body: bytes
    environ: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom the token names, and what it claims. Whether that still holds, the statement asks that does the work."""

    user_id: int
    claims: Any


class Shortcut(Protocol):
    """One plain case of one operation, which answers 200."""

    method: str
    # Its paths, with named groups, and any one of them.
    path: re.Pattern[str]
    like: str
    limits: tuple[Policy, ...]

    def caller(self, call: Call) -> Caller | None:
        """Whom the token names; None where it is not plainly good, or the body not plainly what is asked for."""

    def answer(self, call: Call, caller: Caller) -> bytes | None:
        """Do it; the answer's `data` as JSON. None: nothing was written, and the view has to look at it.

        Raises `config.prepared.WaitedTooLong`: nothing was written, and the view would only wait again.
        """
