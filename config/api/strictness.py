"""Fields that nobody declared are refused in a body, as parameters are in an address.

A misspelt field looks like one that was heeded: where money moves a typo costs money, elsewhere somebody believes that
they have set what they have not. The schema says so too: `additionalProperties: false`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework.serializers import BaseSerializer, Field, ListField, ListSerializer, Serializer

UNKNOWN = "This call takes no such field."
# More are not named: whoever sends a thousand does not read them.
MOST_NAMED = 20


def unknown_fields(serializer: BaseSerializer[Any], data: Any) -> dict[str, list[str]]:
    """The fields in `data` that the serializer does not take, dotted: `{"picks.0.taem": [...]}`.

    A serializer whose service knows the names says `refuses_unknown_itself = True`, and is not looked into.
    """
    named: dict[str, list[str]] = {}
    for path in _strange(serializer, data, ""):
        named[path] = [UNKNOWN]
        if len(named) == MOST_NAMED:
            break
    return named


def _strange(taker: Field[Any, Any, Any, Any], data: Any, path: str) -> Iterator[str]:
    if isinstance(taker, ListField | ListSerializer):
        if isinstance(data, list) and taker.child is not None:
            for index, item in enumerate(data):
                yield from _strange(taker.child, item, f"{path}{index}.")
    elif isinstance(taker, Serializer) and isinstance(data, Mapping):
        if getattr(taker, "refuses_unknown_itself", False):
            return
        fields = {name: field for name, field in taker.fields.items() if not field.read_only}
        for name, value in data.items():
            if name in fields:
                yield from _strange(fields[name], value, f"{path}{name}.")
            else:
                yield f"{path}{name}"
