"""A body means what it says: fields that nobody declared are refused, and values of another type than the declared one.

A misspelt field looks like one that was heeded: where money moves a typo costs money, elsewhere somebody believes that
they have set what they have not. A value of another type is a guess: a code sent as a number has lost its zeros, and
"no" is true to some. The schema says both: `additionalProperties: false`, and one type for each field.
"""

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


def faults_of(serializer: BaseSerializer[Any], data: Any) -> dict[str, list[str]]:
    """What is no field, and what is of another type, dotted: `{"picks.0.taem": [...]}`.

    A form has texts alone, so its types are not looked at. A serializer whose service knows the names says
    `refuses_unknown_itself = True`, and is not looked into.
    """
    told: dict[str, list[str]] = {}
    for path, message in _faults(serializer, data, "", typed=not is_html_input(data)):
        told[path] = [message]
        if len(told) == MOST_NAMED:
            break
    return told


def _faults(taker: AnyField, data: Any, path: str, *, typed: bool) -> Iterator[Fault]:
    if isinstance(taker, ListField | ListSerializer):
        if isinstance(data, list) and taker.child is not None:
            for index, item in enumerate(data):
                yield from _faults(taker.child, item, f"{path}.{index}".lstrip("."), typed=typed)
    elif isinstance(taker, Serializer):
        if isinstance(data, Mapping) and not getattr(taker, "refuses_unknown_itself", False):
            yield from _of_object(taker, data, path, typed=typed)
    elif typed and data is not None and (key := _mistyped(taker, data)):
        yield path, taker.error_messages[key].format(input=data, input_type=type(data).__name__)


def _of_object(taker: Serializer[Any], data: Mapping[str, Any], path: str, *, typed: bool) -> Iterator[Fault]:
    fields = {name: field for name, field in taker.fields.items() if not field.read_only}
    for name, value in data.items():
        place = f"{path}.{name}" if path else name
        if name in fields:
            yield from _faults(fields[name], value, place, typed=typed)
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
    is_text = isinstance(field, serializers.CharField | serializers.UUIDField)
    return "invalid" if is_text and not isinstance(value, str) else ""
