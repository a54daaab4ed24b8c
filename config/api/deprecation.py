"""What is going to end is announced: to programs in headers and in the schema, to people in `docs/contract.md`.

    GOING = Deprecation(since=date(2027, 3, 1), sunset=date(2028, 3, 1), successor="/api/v2/pools")

    @operation(answer=PoolOut, deprecated=GOING)                    # a whole operation
    fee = ending(serializers.IntegerField(…), GOING)                # one field of an answer or of a body

An operation answers with `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` to this policy and to what replaces
it, and is `deprecated` in the schema. A field is `deprecated` in the schema; the two dates are of whole operations, so
of a field the answer only has the `Link`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from django.http.response import HttpResponseBase
from django.utils.http import http_date
from rest_framework import serializers

if TYPE_CHECKING:
    from config.api.operations import Operation

F = TypeVar("F", bound=serializers.Field[Any, Any, Any, Any])

POLICY = "/api/docs/"
# `docs/contract.md` promises a whole season.
SHORTEST_NOTICE = timedelta(days=365)


@dataclass(frozen=True)
class Deprecation:
    """Since when it is discouraged, from when it may be gone, and what to use instead. Days begin at midnight UTC.

    Raises ValueError where the notice is shorter than promised.
    """

    since: date
    sunset: date
    successor: str = ""
    policy: str = POLICY

    def __post_init__(self) -> None:
        if self.sunset - self.since < SHORTEST_NOTICE:
            raise ValueError(f"a deprecation is announced at least {SHORTEST_NOTICE.days} days ahead")

    def headers(self) -> dict[str, str]:
        """What each answer of a deprecated operation says."""
        return {
            "Deprecation": f"@{int(_midnight(self.since).timestamp())}",
            "Sunset": http_date(_midnight(self.sunset).timestamp()),
            "Link": self.links(),
        }

    def links(self) -> str:
        """Where to read on, and what to use instead."""
        links = [f'<{self.policy}>; rel="deprecation"']
        if self.successor:
            links.append(f'<{self.successor}>; rel="successor-version"')
        return ", ".join(links)


def ending(field: F, deprecation: Deprecation) -> F:
    """The field, announced to end."""
    field.deprecation = deprecation  # type: ignore[attr-defined]  # a note on the field, read by `endings_of`
    return field


def endings_of(serializer: Any) -> Mapping[str, Deprecation]:
    """The fields of a serializer, or of its class, that are announced to end."""
    # As declared: the fields of an instance are copies, without the note.
    declared = getattr(serializer, "_declared_fields", {})
    return {name: field.deprecation for name, field in declared.items() if hasattr(field, "deprecation")}


def announce(operation: "Operation", response: HttpResponseBase) -> None:
    """Put what is announced about the operation and its answer onto the answer. A `Link` that is there is kept."""
    if operation.deprecated is not None:
        found = operation.deprecated.headers()
    elif link := _link_of(operation.answer):
        found = {"Link": link}
    else:
        return
    if known := response.get("Link"):
        found["Link"] = f"{known}, {found['Link']}"
    for name, value in found.items():
        response.headers[name] = value


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _link_of(answer: Any) -> str:
    if isinstance(answer, serializers.BaseSerializer):
        answer = type(getattr(answer, "child", answer))
    return _link_of_class(answer) if isinstance(answer, type) else ""


@cache
def _link_of_class(answer: type) -> str:
    return ", ".join(dict.fromkeys(one.links() for one in endings_of(answer).values()))
