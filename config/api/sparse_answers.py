"""How the schema tells of answers with `?fields=`: the same shapes, of which nothing has to be there.

Beside the whole answer stands its sparse form, as `Sparse…` components. Who makes a client leaves the parameter out and
has the whole one (`docs/contract.md`).
"""

from typing import Any

from config.api.sparse import PARAMETER

Schema = dict[str, Any]
PREFIX = "#/components/schemas/"
# A list of things has a component of its own, too.
HOLDING = frozenset({"properties", "items", "allOf", "anyOf", "oneOf"})


def describe(document: Schema, operation: Schema) -> None:
    """Where the operation takes `fields`, let its good answer be sparse."""
    taken = [one for one in operation.get("parameters", ()) if one.get("name") == PARAMETER and one["in"] == "query"]
    for parameter in taken:
        # `?fields=` asks for a field without a name.
        parameter["schema"]["minItems"] = 1
        content = operation["responses"]["200"]["content"]["application/json"]
        content["schema"] = {
            "anyOf": [content["schema"], _sparse(content["schema"], document["components"]["schemas"])]
        }


def _sparse(envelope: Schema, schemas: Schema) -> Schema:
    """The envelope, which is whole as always, around data of which nothing has to be there."""
    if "$ref" in envelope:
        name = str(envelope["$ref"]).removeprefix(PREFIX)
        if f"Sparse{name}" not in schemas:
            schemas[f"Sparse{name}"] = _sparse(schemas[name], schemas)
        return {"$ref": f"{PREFIX}Sparse{name}"}
    properties = envelope["properties"]
    return {**envelope, "properties": {**properties, "data": _loose(properties["data"], schemas)}}


def _loose(node: Any, schemas: Schema) -> Any:
    """The node with nothing required, and whatever it refers to likewise."""
    if isinstance(node, list):
        return [_loose(each, schemas) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {**node, "$ref": PREFIX + _loose_name(str(node["$ref"]).removeprefix(PREFIX), schemas)}
    return {
        key: {name: _loose(each, schemas) for name, each in value.items()}
        if key == "properties"
        else _loose(value, schemas)
        for key, value in node.items()
        if key != "required"
    }


def _loose_name(name: str, schemas: Schema) -> str:
    """What the loose form of a component is called; one that holds nothing, such as an enum, is its own."""
    if not schemas[name].keys() & HOLDING:
        return name
    loose = f"Sparse{name}"
    if loose not in schemas:
        # It may contain itself.
        schemas[loose] = {}
        schemas[loose] = _loose(schemas[name], schemas)
    return loose
