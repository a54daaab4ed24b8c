"""Every header of the contract, declared once: what it says, and which calls and answers carry it.

`taken` are those that a call may bring, `answered` those of an answer. The schema describes exactly these, and the
suite holds every answer of every test against `is_always_there`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rest_framework.renderers import JSONRenderer

from config.api.declared import takes_idempotency_key
from config.api.operations import operation_of

Schema = Mapping[str, Any]
# A view, its method, the status of the answer.
Applies = Callable[[Any, str, int], bool]

TEXT: Schema = MappingProxyType({"type": "string"})
WHOLE: Schema = MappingProxyType({"type": "integer", "minimum": 0})
ENTITY_TAGS = r'^\s*(\*|(W/)?"[\x21\x23-\x7e]*"\s*(,\s*(W/)?"[\x21\x23-\x7e]*"\s*)*)\s*$'
PRINTABLE: Schema = MappingProxyType(
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x20-\x7e]{1,255}$"}
)


@dataclass(frozen=True)
class Header:
    """One header of an answer."""

    name: str
    meaning: str
    applies: Applies
    schema: Schema = field(default_factory=lambda: TEXT)
    example: Any = None
    # On each answer that it applies to, whatever happens.
    is_always_there: bool = False

    def described(self) -> dict[str, Any]:
        """As the schema has it under `components.headers`."""
        said = {"description": self.meaning, "schema": dict(self.schema), "required": self.is_always_there}
        return said if self.example is None else {**said, "example": self.example}


@dataclass(frozen=True)
class Taken:
    """One header of a call; `component` is what the schema calls it."""

    name: str
    component: str
    meaning: str
    applies: Callable[[Any, str], bool]
    schema: Schema = field(default_factory=lambda: TEXT)
    example: str | None = None
    required: bool = False

    def described(self) -> dict[str, Any]:
        """As the schema has it under `components.parameters`."""
        said = {
            "name": self.name,
            "in": "header",
            "description": self.meaning,
            "required": self.required,
            "schema": dict(self.schema),
        }
        return said if self.example is None else {**said, "example": self.example}


def is_json(view: Any, method: str) -> bool:
    """Whether the operation's good answer is JSON in the envelope."""
    return not operation_of(view, method).media_types and any(
        issubclass(renderer, JSONRenderer) for renderer in view.renderer_classes
    )


def is_revalidated(view: Any, method: str) -> bool:
    """Whether the answer has an ETag, and a caller who brings it back is told 304."""
    return method.upper() == "GET" and is_json(view, method)


def is_limited(view: Any, method: str) -> bool:
    """Whether calls are counted."""
    declared = operation_of(view, method).limits
    limits = view.limits if declared is None else declared
    # Where nobody says how often, the usual limits apply.
    return limits is None or bool(limits)


def is_deprecated(view: Any, method: str) -> bool:
    """Whether the operation has a day on which it ends."""
    return operation_of(view, method).deprecated is not None


def _good(status: int) -> bool:
    return 200 <= status < 300


def _counted(view: Any, method: str, status: int) -> bool:
    return (_good(status) or status == 429) and is_limited(view, method)


def _made(view: Any, method: str, status: int) -> bool:
    return status == 201 and operation_of(view, method).is_located


ANSWERED = (
    Header(
        "X-Request-ID", "The id of the call, echoed or made: quote it to support.",
        lambda view, method, status: True, example="0b8b8b5e-6b1c-4c43-9d3c-6a3f0e0d7b11", is_always_there=True,
    ),
    Header(
        "X-RateLimit-Limit", "Calls allowed in the window.",
        _counted, WHOLE, 60,
    ),
    Header(
        "X-RateLimit-Remaining", "Calls left.",
        _counted, WHOLE, 59,
    ),
    Header(
        "X-RateLimit-Reset", "Seconds until the window ends.",
        _counted, WHOLE, 41,
    ),
    Header(
        "Retry-After", "Seconds to wait.",
        lambda view, method, status: status in (409, 429, 503), WHOLE, 1,
    ),
    Header(
        "Idempotent-Replayed", "`true` on an answer given before.",
        lambda view, method, status: _good(status) and takes_idempotency_key(view, method),
        MappingProxyType({"type": "string", "enum": ["true"]}), "true",
    ),
    Header(
        "WWW-Authenticate", "How to sign in.",
        lambda view, method, status: status == 401, example='Bearer realm="api"', is_always_there=True,
    ),
    Header(
        "Location", "Where what was made is found.", _made,
        MappingProxyType({"type": "string", "format": "uri-reference"}), "/api/v1/requests/1", is_always_there=True,
    ),
    Header(
        "ETag", "The version of the answer, for If-None-Match; of a thing that can be edited also for If-Match.",
        lambda view, method, status: status in (200, 304) and is_revalidated(view, method), example='W/"4b825dc642cb"',
    ),
    Header(
        "Deprecation", "Since when the operation is not to be used any more (RFC 9745).",
        lambda view, method, status: is_deprecated(view, method), example="@1767225600",
    ),
    Header(
        "Sunset", "When it ends (RFC 8594).",
        lambda view, method, status: is_deprecated(view, method), example="Thu, 01 Jul 2027 00:00:00 GMT",
    ),
    Header(
        "Link", "What to call instead, as `successor-version`.",
        lambda view, method, status: is_deprecated(view, method), example='</api/v1/pools>; rel="successor-version"',
    ),
)  # fmt: skip

KEY_MEANING = "New for each attempt, the same for each retry. 1 to 255 printable characters."
TAKEN = (
    Taken(
        "Idempotency-Key", "IdempotencyKey", KEY_MEANING,
        lambda view, method: takes_idempotency_key(view, method) and not operation_of(view, method).key_required,
        PRINTABLE, "7d9f2c1e-4a55-4b8e-9a39-1f0c2b6d8e10",
    ),
    Taken(
        "Idempotency-Key", "RequiredIdempotencyKey", KEY_MEANING,
        lambda view, method: takes_idempotency_key(view, method) and operation_of(view, method).key_required,
        PRINTABLE, "7d9f2c1e-4a55-4b8e-9a39-1f0c2b6d8e10", required=True,
    ),
    Taken(
        "If-None-Match", "IfNoneMatch", "The `ETag` of the answer at hand: 304 without a body while it holds.",
        is_revalidated,
    ),
    Taken(
        "If-Match", "IfMatch",
        "The `ETag` of what the caller looked at, or `*`: refused with VERSION_CONFLICT if it has changed since.",
        lambda view, method: operation_of(view, method).if_match,
        MappingProxyType({"type": "string", "maxLength": 2000, "pattern": ENTITY_TAGS}), 'W/"7"',
    ),
    Taken(
        "Accept-Language", "AcceptLanguage", "In which language sentences for people come.",
        is_json, example="en",
    ),
    Taken(
        "X-Request-ID", "RequestId",
        "An id of the caller's own: up to 128 of A-Z a-z 0-9 . _ -; anything else is replaced.",
        lambda view, method: True,
    ),
    Taken(
        "traceparent", "TraceParent", "The trace that the call belongs to (W3C Trace Context).",
        lambda view, method: True,
    ),
)  # fmt: skip


def answered(view: Any, method: str, status: int) -> list[str]:
    """The names of the headers that an answer with this status may have."""
    return [header.name for header in ANSWERED if header.applies(view, method, status)]


def taken(view: Any, method: str) -> list[Taken]:
    """The headers that a call may bring."""
    return [header for header in TAKEN if header.applies(view, method)]
