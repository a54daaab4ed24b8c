"""The schema as generators take it best: less of it, and nothing else.

What the hand-written part of a client does for every call is left out of each: errors, which it raises by their code,
and the headers that it sends itself. So is `fields`, with which an answer has another type than the one generated.
"""

import copy
from typing import Any

from config.errors import Code

Schema = dict[str, Any]

SENT_BY_THE_RUNTIME = frozenset({"X-Request-ID", "traceparent", "Accept-Language", "If-None-Match"})
WITHOUT_TYPE = frozenset({"fields"})
IN_PART = "#/components/schemas/Sparse"
# Of an object that is described already, they say nothing but which of its fields are there.
CONDITION = frozenset({"required", "properties", "not", "title"})
METHODS = ("get", "put", "post", "patch", "delete")


def for_generators(schema: Schema) -> Schema:
    """A copy of the schema with good answers alone, `ErrorCode` as an enum, and files as plain bytes."""
    plain = copy.deepcopy(schema)
    for path in plain["paths"].values():
        for method in METHODS:
            if method in path:
                _simplify(path[method], plain["components"])
    _drop_conditions(plain["components"]["schemas"])
    plain["components"]["schemas"]["ErrorCode"] = {"type": "string", "enum": [code.value for code in Code]}
    _keep_what_is_used(plain)
    return plain


def _simplify(operation: Schema, components: Schema) -> None:
    operation["parameters"] = [
        one
        for one in operation.get("parameters", [])
        if _name_of(one, components) not in SENT_BY_THE_RUNTIME | WITHOUT_TYPE
    ]
    operation["responses"] = {
        status: _plain_answer(answer) for status, answer in operation["responses"].items() if status.startswith("2")
    }


def _name_of(parameter: Schema, components: Schema) -> str:
    if "$ref" in parameter:
        parameter = components["parameters"][parameter["$ref"].rsplit("/", 1)[-1]]
    return str(parameter["name"])


def _plain_answer(answer: Schema) -> Schema:
    """Without headers and examples, which no generator has a use for; a file of whatever kind as bytes."""
    content: Schema = answer.get("content", {})
    kept: Schema = {"description": answer["description"]}
    if "application/json" in content:
        kept["content"] = {"application/json": {"schema": _whole(content["application/json"]["schema"])}}
    elif content:
        kept["content"] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return kept


def _whole(schema: Schema) -> Schema:
    """Of an answer that can be had in part, the one that is whole: the parts come with `fields`, which is left out."""
    whole = [one for one in schema.get("anyOf", []) if not one.get("$ref", "").startswith(IN_PART)]
    return whole[0] if len(whole) == 1 else schema


def _drop_conditions(node: Any) -> None:
    """Leave out which fields go together (`team` or `teams`): generators take such a condition for another type."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        _drop_conditions(child)
    if isinstance(node, dict) and isinstance(node.get("properties"), dict):
        for choice in ("oneOf", "anyOf"):
            if isinstance(node.get(choice), list) and all(set(one) <= CONDITION for one in node[choice]):
                del node[choice]


def _keep_what_is_used(schema: Schema) -> None:
    """Drop the schemas that nothing leads to any more, those of the errors."""
    schemas: Schema = schema["components"]["schemas"]
    used: set[str] = set()
    waiting: list[Any] = [schema["paths"], {"$ref": "#/components/schemas/ErrorCode"}]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
            name = str(node.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in schemas and name not in used:
                used.add(name)
                waiting.append(schemas[name])
    schema["components"]["schemas"] = {name: schemas[name] for name in schemas if name in used}
