"""Whether an answer is what the OpenAPI schema says it is: status, headers and body."""

import json
import re
from functools import cache

from drf_spectacular.generators import SchemaGenerator
from openapi_schema_validator import OAS31Validator

REFERENCE = re.compile(r'"#/components/(\w+)/([^"/]+)"')


@cache
def schema_of(urlconf: str) -> dict:
    return SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)


def part_of(schema: dict, prefix: str) -> dict:
    """The operations below this address, with the components that they need: a whole document in itself."""
    paths = {path: found for path, found in schema["paths"].items() if path.startswith(prefix)}
    components = {"securitySchemes": schema["components"]["securitySchemes"]}
    waiting = [paths]
    while waiting:
        for kind, name in REFERENCE.findall(json.dumps(waiting.pop())):
            found = components.setdefault(kind, {})
            if name not in found:
                found[name] = schema["components"][kind][name]
                waiting.append(found[name])
    return {**schema, "paths": paths, "components": components}


def faults(urlconf: str, method: str, path: str, answer) -> list[str]:
    """What of the answer the schema does not know; empty when it is true."""
    schema = schema_of(urlconf)
    operation = _operation(schema, method, path)
    if operation is None:
        return [f"{method} {path} is not in the schema"]
    described = operation["responses"].get(str(answer.status_code))
    if described is None:
        return [f"{method} {path} may not answer {answer.status_code}"]
    if not answer.content:
        return ["a body is promised"] if "content" in described else []
    kind = answer["Content-Type"].split(";")[0]
    if kind not in described.get("content", {}):
        return [f"{method} {path} may not answer {answer.status_code} as {kind}"]
    missing = [name for name in ("X-Request-ID",) if name in described["headers"] and not answer.has_header(name)]
    if kind != "application/json":
        return missing
    return missing + _body_faults(schema, described["content"][kind]["schema"], answer.json())


def _operation(schema: dict, method: str, path: str) -> dict | None:
    # An address that is written out goes before one with a place for an id.
    for template, operations in sorted(schema["paths"].items(), key=lambda item: item[0].count("{")):
        pattern = re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path.split("?")[0]):
            return operations.get(method.lower())
    return None


def _body_faults(schema: dict, body_schema: dict, body: object) -> list[str]:
    # The components come along, for the references that point into them.
    whole = {**body_schema, "components": schema["components"]}
    validator = OAS31Validator(whole, format_checker=OAS31Validator.FORMAT_CHECKER)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(body)]
