"""Whether an answer is what the OpenAPI schema says it is: status, headers, media type and body.

Stricter than the schema in one thing: a field that it does not describe is a fault, although callers have to bear new
ones. Compiled, it takes some microseconds for an answer.
"""

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import jsonschema_rs
from drf_spectacular.generators import SchemaGenerator

REFERENCE = re.compile(r'"#/components/(\w+)/([^"/]+)"')
JSON = "application/json"


@cache
def schema_of(urlconf: str) -> dict:
    return SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)


@cache
def document_of(urlconf: str) -> "Document":
    return Document(schema_of(urlconf))


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
    return document_of(urlconf).faults(method.lower(), path, answer)


@dataclass(frozen=True)
class Described:
    """One answer of one operation, ready to be held against."""

    needed: tuple[str, ...]
    kinds: frozenset[str]
    body: Any


class Document:
    """A schema, with its validators made as they are needed."""

    def __init__(self, schema: dict) -> None:
        self.schema = schema
        self.registry = jsonschema_rs.Registry(
            [("urn:api", {"components": closed(schema["components"])})], draft=jsonschema_rs.Draft202012
        )
        # An address that is written out goes before one with a place for an id.
        self.templates = [
            (re.compile(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(template))), template)
            for template in sorted(schema["paths"], key=lambda each: each.count("{"))
        ]
        self.template_of = lru_cache(4096)(self._template_of)
        self.described = cache(self._described)
        self.failure = self.validator({"$ref": "#/components/schemas/Failure"})

    def faults(self, method: str, path: str, answer) -> list[str]:
        template = self.template_of(path.split("?")[0])
        has_body = method != "head"
        method = "get" if method == "head" else method
        if template is None or method not in self.schema["paths"][template]:
            return self._nowhere(method, path, answer)
        asked = getattr(getattr(answer, "wsgi_request", None), "GET", {})
        described = self.described(template, method, answer.status_code, "fields" in asked)
        if described is None:
            return [f"{method} {path} may not answer {answer.status_code}"]
        found = [f"{name} is promised" for name in described.needed if not answer.has_header(name)]
        if answer.streaming or not answer.content:
            is_missing = described.kinds and not answer.streaming and has_body
            return [*found, "a body is promised"] if is_missing else found
        kind = answer["Content-Type"].split(";")[0]
        if kind not in described.kinds and not described.kinds & {"*/*", f"{kind.split('/')[0]}/*"}:
            return [*found, f"{method} {path} may not answer {answer.status_code} as {kind}"]
        is_told = kind == JSON and described.body is not None
        return found + told(described.body, json.loads(answer.content)) if is_told else found

    def validator(self, schema: dict) -> Any:
        pointed = json.loads(json.dumps(closed(schema)).replace('"#/components/', '"urn:api#/components/'))
        return jsonschema_rs.Draft202012Validator(pointed, registry=self.registry, validate_formats=True)

    def _nowhere(self, method: str, path: str, answer) -> list[str]:
        """Of an address or a method that does not exist, every answer is a failure in the envelope."""
        if answer.status_code not in (400, 404, 405, 413, 415, 500, 503):
            return [f"{method} {path} is not in the schema"]
        return told(self.failure, json.loads(answer.content)) if answer.content else []

    def _template_of(self, path: str) -> str | None:
        return next((template for pattern, template in self.templates if pattern.fullmatch(path)), None)

    def _described(self, template: str, method: str, status: int, is_sparse: bool) -> Described | None:
        found = self.schema["paths"][template][method]["responses"].get(str(status))
        if found is None:
            return None
        headers = {name: self._followed(header) for name, header in found.get("headers", {}).items()}
        content = found.get("content", {})
        body = content.get(JSON, {}).get("schema")
        if body is not None and "anyOf" in body:
            # Whole unless the caller asked for a part of it.
            body = body["anyOf"][is_sparse]
        return Described(
            tuple(name for name, header in headers.items() if header.get("required")),
            frozenset(content),
            None if body is None else self.validator(body),
        )

    def _followed(self, node: dict) -> dict:
        while "$ref" in node:
            kind, name = node["$ref"].split("/")[-2:]
            node = self.schema["components"][kind][name]
        return node


def told(validator, body: object) -> list[str]:
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(body)]


def closed(node: Any, *, is_part: bool = False) -> Any:
    """The same, with no property that is not named; what only narrows another part of an `allOf` stays as it is."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {
        key: [closed(each, is_part=len(value) > 1) for each in value]
        if key == "allOf"
        else {name: closed(each, is_part=is_part) for name, each in value.items()}
        if key == "properties"
        else closed(value)
        for key, value in node.items()
    }
    if "properties" in node and not is_part and isinstance(node["properties"], dict):
        found.setdefault("additionalProperties", False)
    return found
