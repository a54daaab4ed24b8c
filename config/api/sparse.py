"""`?fields=id,name,rules.version`: only what the caller needs of an object, or of each item of a list.

Names are those of the declared answer, dots lead inside. A name that the answer does not have is refused, with those
that it has: a misspelt one would look like a fact that is missing.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from config.api.conditional import READING
from config.api.envelope import Page
from config.api.operations import UNSET, operation_of

PARAMETER = "fields"
# Name → what of it; None: all of it.
Choice = Mapping[str, Any]


def names_of(view: Any, method: str) -> tuple[str, ...]:
    """What may be asked for, in the order of the answer; empty where the answer is not made of declared fields."""
    declared = operation_of(view, method)
    if method.upper() not in READING or not declared.sparse or declared.media_types:
        return ()
    answer = getattr(view, "serializer_class", None) if declared.answer is UNSET else declared.answer
    if isinstance(answer, serializers.BaseSerializer):
        answer = type(getattr(answer, "child", answer))
    return _names(answer) if isinstance(answer, type) and issubclass(answer, serializers.Serializer) else ()


def choice_of(view: Any, request: Request) -> Choice | None:
    """What the caller asks for; None: everything. Raises VALIDATION_ERROR for a name that the answer does not have."""
    given = request.query_params.getlist(PARAMETER)
    known = names_of(view, str(request.method)) if given else ()
    if not known:
        return None
    asked = [name.strip() for text in given for name in text.split(",")]
    strange = sorted({name for name in asked if name not in known})
    if strange:
        said = ", ".join(strange[:10])[:200]
        raise ValidationError({PARAMETER: [f"Not known here: {said}. Known are: {', '.join(known)}."]})
    return _tree(asked)


def chosen(data: Any, choice: Choice) -> Any:
    """Only that of the data; of each item where it is a list or a page of one."""
    if isinstance(data, Page):
        return Page(chosen(data.items, choice), data.pagination)
    if isinstance(data, Mapping):
        return {name: _part(data[name], choice[name]) for name in data if name in choice}
    return [chosen(item, choice) for item in data] if isinstance(data, list | tuple) else data


def parameter_of(view: Any, method: str) -> OpenApiParameter | None:
    """How the schema tells of it; None where there is nothing to choose from."""
    known = names_of(view, method)
    if not known:
        return None
    return OpenApiParameter(
        PARAMETER,
        {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(known)}},
        OpenApiParameter.QUERY,
        style="form",
        explode=False,
        description="Only these fields of the answer, separated by commas; dots lead inside. Without it, all of them.",
    )


def _part(value: Any, choice: Choice | None) -> Any:
    return value if choice is None or value is None else chosen(value, choice)


def _tree(names: list[str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    # The shorter first: who asks for the whole of something gets it, whatever of it is named besides.
    for name in sorted(set(names), key=lambda name: name.count(".")):
        level = tree
        *outer, last = name.split(".")
        for step in outer:
            found = level.setdefault(step, {})
            if found is None:
                break
            level = found
        else:
            level.setdefault(last, None)
    return tree


@cache
def _names(answer: type[BaseSerializer[Any]]) -> tuple[str, ...]:
    return tuple(_walk(answer()))


def _walk(answer: Any, outer: str = "") -> Iterator[str]:
    for name, field in answer.fields.items():
        if field.write_only:
            continue
        yield outer + name
        inner = getattr(field, "child", field)
        if isinstance(inner, serializers.Serializer):
            yield from _walk(inner, f"{outer}{name}.")
