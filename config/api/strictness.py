"""A body means what it says: fields that nobody declared are refused, and values of another type than the declared one.

A misspelt field looks like one that was heeded: where money moves a typo costs money, elsewhere somebody believes that
they have set what they have not. A value of another type is a guess: a code sent as a number has lost its zeros, "no"
is true to some, and an instant without its zone is hours off. The schema says the same: `additionalProperties: false`,
one type for each field, and its format.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.serializers import BaseSerializer, Field, ListField, ListSerializer, Serializer
from rest_framework.utils.html import is_html_input

UNKNOWN = "This call takes no such field."
# More are not named: whoever sends a thousand does not read them.
MOST_NAMED = 20

AnyField = Field[Any, Any, Any, Any]
Fault = tuple[str, str]
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
# What is a text in JSON, too. Python reads more: weeks, days without dashes, instants without a zone.
WRITTEN: tuple[tuple[type[AnyField], re.Pattern[str], str], ...] = (
    (
        serializers.DateTimeField,
        re.compile(DAY + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"),
        "YYYY-MM-DDThh:mm:ssZ",
    ),
    (serializers.DateField, re.compile(DAY), "YYYY-MM-DD"),
    (serializers.UUIDField, re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"), ""),
    # A code has no blanks around it.
    (serializers.SlugField, re.compile(r"[-a-zA-Z0-9_]+"), ""),
)
# In an address or a form, where everything is a text. Python reads other digits, signs and 1_000.
SPELT: tuple[tuple[type[AnyField], re.Pattern[str]], ...] = (
    (serializers.IntegerField, re.compile(r"-?[0-9]+")),
    (serializers.BooleanField, re.compile(r"true|false", re.IGNORECASE)),
)


def faults_of(serializer: BaseSerializer[Any], data: Any) -> dict[str, list[str]]:
    """What is no field of a body, and what is of another type, dotted: `{"picks.0.taem": [...]}`.

    A form has texts alone. A serializer whose service knows the names says `refuses_unknown_itself = True`, and is not
    looked into.
    """
    return _first(_faults(serializer, data, "", in_text=is_html_input(data)))


def misspelt(serializer: BaseSerializer[Any], query: Mapping[str, Any]) -> dict[str, list[str]]:
    """What of an address's parameters is not written as its type is; names are not looked at."""
    fields = getattr(serializer, "fields", {})
    return _first(
        fault
        for name in fields.keys() & query.keys()
        for fault in _faults(fields[name], query[name], name, in_text=True)
    )


def _first(faults: Iterator[Fault]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for path, message in faults:
        told[path] = [message]
        if len(told) == MOST_NAMED:
            break
    return told


def _faults(taker: AnyField, data: Any, path: str, *, in_text: bool) -> Iterator[Fault]:
    if isinstance(taker, ListField | ListSerializer):
        if isinstance(data, list) and taker.child is not None:
            for index, item in enumerate(data):
                yield from _faults(taker.child, item, f"{path}.{index}".lstrip("."), in_text=in_text)
    elif isinstance(taker, Serializer):
        if isinstance(data, Mapping) and not getattr(taker, "refuses_unknown_itself", False):
            yield from _of_object(taker, data, path, in_text=in_text)
    elif data is not None and (key := (_unwritten if in_text else _mistyped)(taker, data)):
        form = next((form for kind, _, form in WRITTEN if isinstance(taker, kind)), "")
        longest = getattr(taker, "max_length", None)
        said = {"input": data, "input_type": type(data).__name__, "format": form, "max_length": longest}
        yield path, taker.error_messages[key].format(**said)


def _of_object(taker: Serializer[Any], data: Mapping[str, Any], path: str, *, in_text: bool) -> Iterator[Fault]:
    fields = {name: field for name, field in taker.fields.items() if not field.read_only}
    for name, value in data.items():
        place = f"{path}.{name}" if path else name
        if name in fields:
            yield from _faults(fields[name], value, place, in_text=in_text)
        else:
            yield place, UNKNOWN


def _mistyped(field: AnyField, value: Any) -> str:
    """Which of the field's messages says so; empty where the type is right, or the field looks itself.

    Whether the value is a good one of its type, the field says. Of true and false Python makes numbers.
    """
    if isinstance(field, serializers.MultipleChoiceField):
        return "" if isinstance(value, list) else "not_a_list"
    if isinstance(field, serializers.ChoiceField):
        is_number = any(isinstance(choice, int) for choice in field.choices)
        return "" if type(value) is (int if is_number else str) else "invalid_choice"
    if isinstance(field, serializers.BooleanField):
        return "" if isinstance(value, bool) else "invalid"
    if isinstance(field, serializers.IntegerField | serializers.FloatField):
        return "" if type(value) in (int, float) else "invalid"
    if isinstance(field, serializers.CharField) and not isinstance(value, str):
        return "invalid"
    # With the space around it, which the field cuts off before it counts.
    if isinstance(field, serializers.CharField) and len(value) > (field.max_length or len(value)):
        return "max_length"
    return _unwritten(field, value)


def _unwritten(field: AnyField, value: Any) -> str:
    """The same of a text that means something else. An empty one in a form is none."""
    patterns = (*((kind, pattern) for kind, pattern, _ in WRITTEN), *SPELT)
    wanted = next((pattern for kind, pattern in patterns if isinstance(field, kind)), None)
    if wanted is None or value == "":
        return ""
    return "" if isinstance(value, str) and wanted.fullmatch(value) else "invalid"
