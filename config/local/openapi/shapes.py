"""Whether one JSON schema takes less than another, or says more: the part of the comparison that knows values.

`narrowed` is for what callers send, `widened` for what they are answered. Both go through objects, lists and choices,
follow references on either side, and name each difference by its path.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
# A bound that may not rise, or fall, for what is sent.
FLOORS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
CEILINGS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
# Which may be left away, but not come or change.
RULES = ("pattern", "format", "multipleOf", "uniqueItems")
# A format that says nothing of which values there are.
SIZES = frozenset({"int32", "int64", "float", "double"})
TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})


class Shapes:
    """The schemas of two documents, old and new."""

    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self.documents = (old, new)

    def followed(self, node: Any, side: int) -> Any:
        """What a reference points at."""
        while "$ref" in node:
            kind, name = str(node["$ref"]).split("/")[-2:]
            rest = {key: value for key, value in node.items() if key != "$ref"}
            node = {**self.documents[side]["components"][kind][name], **rest}
        return node

    def codes(self, schema: Schema, side: int) -> list[str]:
        """The error codes of a failure."""
        error = self.plain(schema, side).get("properties", {}).get("error", {})
        return list(self.plain(error, side).get("properties", {}).get("code", {}).get("enum", ()))

    def plain(self, schema: Schema, side: int) -> dict[str, Any]:
        """With references followed and the parts of an `allOf` put together."""
        schema = self.followed(schema, side)
        if "allOf" not in schema:
            return dict(schema)
        merged: dict[str, Any] = {}
        for part in (*schema["allOf"], {key: value for key, value in schema.items() if key != "allOf"}):
            merged = _together(merged, self.plain(part, side))
        return merged

    def narrowed(self, old: Schema, new: Schema, path: str = "", seen: frozenset[str] = frozenset()) -> Iterator[str]:
        """How the new schema takes less than the old one."""
        pair = repr((old, new))
        if pair in seen:
            return
        seen |= {pair}
        before, after = self.plain(old, 0), self.plain(new, 1)
        if _choices(before) or _choices(after):
            yield from self._fewer(before, after, path, seen)
            return
        yield from (f"{path or 'it'} takes no {kind} any more" for kind in sorted(_types(before) - _types(after)))
        yield from _fewer_values(before, after, path)
        yield from _tighter(before, after, path)
        yield from self._stricter_object(before, after, path, seen)
        if "items" in after:
            yield from self.narrowed(before.get("items", {}), after["items"], f"{path}[]", seen)

    def _fewer(self, before: Schema, after: Schema, path: str, seen: frozenset[str]) -> Iterator[str]:
        """Each of the old choices has to be taken by one of the new."""
        ways = _choices(after) or [after]
        for number, choice in enumerate(_choices(before) or [before], 1):
            if not any(not list(self.narrowed(choice, way, path, seen)) for way in ways):
                yield f"{path or 'it'} does not take its choice {number} any more"

    def _stricter_object(self, before: Schema, after: Schema, path: str, seen: frozenset[str]) -> Iterator[str]:
        old, new = before.get("properties", {}), after.get("properties", {})
        is_closed = after.get("additionalProperties") is False
        for name in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
            yield f"{_inside(path, name)} is required"
        if is_closed and "properties" in before and before.get("additionalProperties") is not False:
            yield f"{path or 'it'} takes no other fields any more"
        for name in sorted(old):
            if name in new:
                yield from self.narrowed(old[name], new[name], _inside(path, name), seen)
            elif is_closed:
                yield f"{_inside(path, name)} is not taken any more"

    def widened(
        self, old: Schema, new: Schema, path: str = "", seen: frozenset[str] = frozenset()
    ) -> Iterator[tuple[str, bool]]:
        """How the new schema says more than the old one, and whether callers break on it."""
        pair = repr((old, new))
        if pair in seen:
            return
        seen |= {pair}
        before, after = self.plain(old, 0), self.plain(new, 1)
        if _choices(before) or _choices(after):
            yield from self._more(before, after, path, seen)
            return
        for kind in sorted(_types(after) - _types(before)):
            if not (kind == "integer" and "number" in _types(before)):
                yield f"{path or 'it'} can be {kind}", True
        yield from _more_values(before, after, path)
        if after.get("format") != before.get("format") and {after.get("format"), before.get("format")} - SIZES - {None}:
            yield f"{path or 'it'} has another format", True
        yield from self._looser_object(before, after, path, seen)
        if "items" in before:
            yield from self.widened(before["items"], after.get("items", {}), f"{path}[]", seen)

    def _more(self, before: Schema, after: Schema, path: str, seen: frozenset[str]) -> Iterator[tuple[str, bool]]:
        """Each of the new choices has to be known as one of the old."""
        ways = _choices(before) or [before]
        for number, choice in enumerate(_choices(after) or [after], 1):
            said = [list(self.widened(way, choice, path, seen)) for way in ways]
            if all(any(is_breaking for _, is_breaking in each) for each in said):
                yield f"{path or 'it'} can be its choice {number}", True

    def _looser_object(
        self, before: Schema, after: Schema, path: str, seen: frozenset[str]
    ) -> Iterator[tuple[str, bool]]:
        old, new = before.get("properties", {}), after.get("properties", {})
        for name in sorted(old.keys() - new.keys()):
            yield f"{_inside(path, name)} is gone", True
        for name in sorted(new.keys() - old.keys()):
            yield f"{_inside(path, name)} is new", False
        for name in sorted(set(before.get("required", ())) - set(after.get("required", ()))):
            if name in new:
                yield f"{_inside(path, name)} is not always there any more", True
        for name in sorted(old.keys() & new.keys()):
            yield from self.widened(old[name], new[name], _inside(path, name), seen)


def _fewer_values(before: Schema, after: Schema, path: str) -> Iterator[str]:
    now = _values(after)
    if now is None:
        return
    then = _values(before)
    if then is None:
        yield f"{path or 'it'} takes only some values"
        return
    yield from (f"{path or 'it'} does not take {value!r} any more" for value in then if value not in now)


def _more_values(before: Schema, after: Schema, path: str) -> Iterator[tuple[str, bool]]:
    then, now = _values(before), _values(after)
    if then is not None and now is None:
        yield f"{path or 'it'} can be anything", True
    elif then is not None and now is not None:
        # `success: true` is what a client goes by; of an enum it bears a value that it does not know.
        yield from ((f"{path or 'it'} can be {value!r}", "const" in before) for value in now if value not in then)


def _tighter(before: Schema, after: Schema, path: str) -> Iterator[str]:
    for names, is_tighter in ((FLOORS, lambda old, new: old is None or new > old), (CEILINGS, _is_lower)):
        for name in names:
            if name in after and is_tighter(before.get(name), after[name]):
                yield f"{path or 'it'} has {name} {after[name]}, not {before.get(name)}"
    for name in RULES:
        if after.get(name) and after[name] != before.get(name) and after[name] not in SIZES:
            yield f"{path or 'it'} has {name} {after[name]}, not {before.get(name)}"


def _is_lower(old: Any, new: Any) -> bool:
    return old is None or new < old


def _types(schema: Schema) -> frozenset[str]:
    said = schema.get("type")
    if said is None:
        if _values(schema) is not None:
            return frozenset(_type_of(value) for value in _values(schema) or ())
        return frozenset({"object"}) if "properties" in schema else TYPES
    kinds = frozenset([said] if isinstance(said, str) else said)
    # Whatever takes fractions takes whole numbers.
    return kinds | {"integer"} if "number" in kinds else kinds


def _type_of(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    return names.get(type(value), "object")


def _values(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _choices(schema: Schema) -> list[Schema]:
    return [*schema.get("oneOf", ()), *schema.get("anyOf", ())]


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = {**one, **other}
    for name in one.keys() & other.keys():
        if name == "required":
            merged[name] = [*one[name], *other[name]]
        elif name == "properties":
            shared = one[name].keys() & other[name].keys()
            both = {field: _together(one[name][field], other[name][field]) for field in shared}
            merged[name] = {**one[name], **other[name], **both}
    return merged


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
