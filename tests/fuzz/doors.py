"""What the schema says of one operation, and who may knock."""

import json
from typing import Any

import jsonschema_rs
from rest_framework.test import APIClient

from config.api.docs import whole_schema
from tests.security.matrix.operations import Operation
from tests.security.matrix.table import table


def who_may(one: Operation) -> str:
    """Who is let in, if only to be told that it cannot be."""
    cells = table()[one.name]
    kinds = ("owner", "moderator", "finance", "admin")
    return next((kind for kind in kinds if cells[kind] not in (401, 403, 404)), "admin")


def promised(one: Operation) -> dict[str, Any]:
    """The operation, as the schema has it, whatever it calls the parts of the address."""
    template, schema = one.route.template, whole_schema()
    wanted = ["{}" if part.startswith("<") else part for part in template.split("/")]
    for path, verbs in schema["paths"].items():
        if ["{}" if part.startswith("{") else part for part in path.split("/")] == wanted:
            return verbs[one.verb.lower()]
    raise LookupError(template)


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a reference stands for; anything else is itself."""
    if "$ref" not in part:
        return part
    found: Any = whole_schema()
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def validator(part: dict[str, Any]) -> Any:
    """Of this part of the schema, formats too."""
    whole = {**part, "components": whole_schema()["components"]} if "$ref" in json.dumps(part) else part
    return jsonschema_rs.validator_for(json.loads(json.dumps(whole)), validate_formats=True)


def is_still_known(client: APIClient) -> bool:
    """Whether a caller is let in at all: else everything would be refused, and nothing tried."""
    return client.get("/api/v1/me").status_code == 200
