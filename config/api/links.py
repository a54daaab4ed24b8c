"""Which operations follow from an answer: from a made request to its approval, from that to its payment.

Found, not written down. What an answer shows is a thing that has an address if the operation at that address shows the
same (`RequestOut` is what `getRequest` answers); a field that is named like such a thing is its id, or its code where
that stands in the address.
"""

from collections.abc import Iterator
from typing import Any

from config.api.names import PREFIX, one_of

Schema = dict[str, Any]
Found = list[tuple[str, str, Schema]]


def link(document: Schema, operations: Found) -> None:
    """Give each good answer its links."""
    things = {parts[0]: operation for parts, operation in _shown_alone(operations)}
    shown = {_component(operation, document): noun for noun, operation in things.items()}
    for path, _, operation in operations:
        data, place = _data(operation, document)
        links = dict(_of_fields(data, place, things))
        noun = shown.get(_component(operation, document)) or _made(path, operation, things)
        if noun is not None and _key(things[noun]) in data.get("properties", {}):
            is_list = place.endswith("/0")
            followed = [things[noun]] if is_list else _about(noun, operations)
            links |= {one["operationId"]: _link(one, f"{place}/{_key(things[noun])}") for one in followed}
        links.pop(operation["operationId"], None)
        if links:
            _good(operation)["links"] = dict(sorted(links.items()))


def _shown_alone(operations: Found) -> Iterator[tuple[list[str], Schema]]:
    """`GET /api/v1/pools/{id}`, `GET /api/v1/competitions/{code}`: what one thing of each kind is answered by."""
    for path, method, operation in operations:
        parts = path.removeprefix(PREFIX).split("/")
        if method == "get" and len(parts) == 2 and parts[1].startswith("{"):
            yield parts, operation


def _made(path: str, operation: Schema, things: dict[str, Schema]) -> str | None:
    """What `POST …/payment` makes, which shows more of it once than it does later."""
    last = one_of(path.rsplit("/", 1)[-1])
    return next((noun for noun in things if one_of(noun) == last), None) if "201" in operation["responses"] else None


def _about(noun: str, operations: Found) -> list[Schema]:
    """What can be asked or done about one of them, by its id or code alone."""
    return [
        operation for path, _, operation in operations if path.startswith(f"{PREFIX}{noun}/{{") and path.count("{") == 1
    ]


def _of_fields(data: Schema, place: str, things: dict[str, Schema]) -> Iterator[tuple[str, Schema]]:
    """`pool` of a request is the id of a pool. One that can be null leads nowhere then."""
    nouns = {one_of(noun).replace("-", "_"): operation for noun, operation in things.items()}
    for name, field in data.get("properties", {}).items():
        if name in nouns and field.get("type") == ("integer" if _key(nouns[name]) == "id" else "string"):
            yield nouns[name]["operationId"], _link(nouns[name], f"{place}/{name}")


def _link(operation: Schema, pointer: str) -> Schema:
    return {"operationId": operation["operationId"], "parameters": {_key(operation): f"$response.body#{pointer}"}}


def _key(operation: Schema) -> str:
    """What the address calls the part that says which one is meant."""
    return str(next(one["name"] for one in operation["parameters"] if one.get("in") == "path"))


def _good(operation: Schema) -> Schema:
    found: Schema = operation["responses"][min(operation["responses"])]
    return found


def _envelope(operation: Schema) -> Schema:
    schema: Schema = _good(operation).get("content", {}).get("application/json", {}).get("schema", {})
    return schema["anyOf"][0] if "anyOf" in schema else schema


def _component(operation: Schema, document: Schema) -> str:
    """The name of what is shown, of one or of several."""
    data = _followed(_envelope(operation), document).get("properties", {}).get("data", {})
    listed = _followed(data, document).get("items", {})
    return str(listed.get("$ref") or data.get("$ref") or operation["operationId"])


def _data(operation: Schema, document: Schema) -> tuple[Schema, str]:
    """The schema of what is shown, and where in the answer it stands: the first of a list."""
    data = _followed(_envelope(operation), document).get("properties", {}).get("data", {})
    data = _followed(data, document)
    is_list = data.get("type") == "array"
    return _followed(data["items"], document) if is_list else data, "/data/0" if is_list else "/data"


def _followed(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema
