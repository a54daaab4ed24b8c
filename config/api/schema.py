"""The OpenAPI schema, from the declarations that the views themselves obey.

drf-spectacular describes what a view returns; `AutoSchema` puts it into the envelope, as the renderer does, and adds
every error of `config.api.declared` under its status, with the codes as an enum, and the headers of the contract.
"""

from typing import TYPE_CHECKING, Any, cast

from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter
from rest_framework.parsers import MultiPartParser

from config.api.declared import all_errors, takes_idempotency_key
from config.api.operations import UNSET, operation_of
from config.api.scopes import scope_of
from config.api.statuses import by_status
from config.errors import Code

if TYPE_CHECKING:
    from config.api.views import Contract

Schema = dict[str, Any]

META = {
    "type": "object",
    "properties": {
        "timestamp": {"type": "string", "format": "date-time"},
        "request_id": {"type": "string"},
    },
    "required": ["timestamp", "request_id"],
}
PAGINATION = {
    "type": "object",
    "properties": {
        "page": {"type": "integer", "description": "Absent where a cursor was given."},
        "limit": {"type": "integer"},
        "total": {"type": "integer", "description": "Absent where a cursor was given."},
        "next_cursor": {"type": ["string", "null"], "description": "On lists that take a cursor; null at the end."},
    },
    "required": ["limit"],
}
PAGE_META = {
    "allOf": [
        {"$ref": "#/components/schemas/Meta"},
        {
            "type": "object",
            "properties": {"pagination": {"$ref": "#/components/schemas/Pagination"}},
            "required": ["pagination"],
        },
    ]
}
FAILURE = {
    "type": "object",
    "properties": {
        "success": {"type": "boolean", "const": False},
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string", "description": "For people; may change."},
                "details": {"type": "object", "additionalProperties": True},
            },
            "required": ["code", "message", "details"],
        },
        "meta": {"$ref": "#/components/schemas/Meta"},
    },
    "required": ["success", "error", "meta"],
}
DESCRIPTIONS = {
    400: "The body or a parameter is malformed or fails validation; `details` maps a field to its messages.",
    401: "No, bad, expired or revoked credentials.",
    403: "A known caller who may not do this.",
    404: "Not there, or not yours.",
    405: "The address does not know the method.",
    406: "No acceptable form.",
    409: "The state does not allow it, or it exists already.",
    410: "It was there, and is not any more.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Well-formed, refused by a rule of the contest.",
    429: "Too many calls.",
    500: "Our fault.",
    502: "The payment provider failed.",
    503: "Not ready; try again.",
}
HEADERS = {
    "X-Request-ID": ("string", "Echoed, or made."),
    "X-RateLimit-Limit": ("integer", "Calls allowed in the window."),
    "X-RateLimit-Remaining": ("integer", "Calls left."),
    "X-RateLimit-Reset": ("integer", "Seconds until the window ends."),
    "Retry-After": ("integer", "Seconds to wait."),
    "Idempotent-Replayed": ("string", "`true` on an answer given before."),
    "WWW-Authenticate": ("string", "How to sign in."),
}
LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
HEADERS_OF_FAILURE = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After", *LIMIT_HEADERS),
    503: ("Retry-After",),
}


class AutoSchema(SpectacularSchema):
    """drf-spectacular's, with our envelope, errors and headers."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Schema | None:
        """The operation as callers meet it."""
        cast("Contract", self.view).has_path_parameters = "{" in path
        found = super().get_operation(path, path_regex, path_prefix, method, registry)
        if found is None:
            return None
        for name, component in (("Meta", META), ("Pagination", PAGINATION), ("Failure", FAILURE)):
            self._register(name, component)
        for name, (kind, meaning) in HEADERS.items():
            described = {"description": meaning, "schema": {"type": kind}}
            self._register(name, described, kind=ResolvedComponent.HEADER)
        for status, response in found["responses"].items():
            self._envelop(int(status), response)
        for status, codes in by_status(self._errors()).items():
            found["responses"][str(status)] = self._failure(status, codes)
        return found

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Who may call, with the scope that an API key needs; where keys have no business, people alone."""
        scope = scope_of(self.view, self.method)
        ways: list[dict[str, list[str]]] = []
        for way in super().get_auth():
            if "apiKey" not in way:
                ways.append(way)
            elif scope is not None:
                ways.append({"apiKey": [scope]})
        return ways

    def get_override_parameters(self) -> list[Any]:
        """What the operation declares, and the key that a POST may carry."""
        declared = operation_of(self.view, self.method)
        parameters: list[Any] = [*super().get_override_parameters(), *declared.parameters]
        if declared.query is not None:
            parameters.append(declared.query)
        if takes_idempotency_key(self.view, self.method):
            parameters.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    str,
                    OpenApiParameter.HEADER,
                    required=declared.key_required,
                    description="New for each attempt, the same for each retry. 1 to 255 printable characters.",
                )
            )
        return parameters

    def get_summary(self) -> str | None:
        """The operation's own, else the first sentence of the method's docstring."""
        declared = operation_of(self.view, self.method).summary
        return declared or super().get_summary() or self.get_description().split("\n\n")[0].split(". ")[0].rstrip(".")

    def get_request_serializer(self) -> Any:
        """The declared body."""
        declared = operation_of(self.view, self.method)
        if declared.form is not None:
            bodies = {"application/json": declared.body, MultiPartParser.media_type: declared.form}
            return {kind: body for kind, body in bodies.items() if body is not None}
        return super().get_request_serializer() if declared.body is UNSET else declared.body

    def get_response_serializers(self) -> Any:
        """The declared answer under the declared status."""
        declared = operation_of(self.view, self.method)
        if declared.media_types:
            return {(declared.status or 200, kind): text for kind, text in declared.media_types.items()}
        answer = super().get_response_serializers() if declared.answer is UNSET else declared.answer
        if declared.status is not None or answer is None:
            return {declared.status or (204 if answer is None else 200): answer}
        return answer

    def _errors(self) -> set[Code]:
        """405 is an answer of the address, not of any of its operations."""
        return all_errors(self.view, self.method) - {Code.METHOD_NOT_ALLOWED}

    def _register(self, name: str, schema: Schema, *, kind: str = ResolvedComponent.SCHEMA) -> None:
        self.registry.register_on_missing(ResolvedComponent(name=name, type=kind, object=name, schema=schema))

    def _envelop(self, status: int, response: Schema) -> None:
        replayed = ("Idempotent-Replayed",) if takes_idempotency_key(self.view, self.method) else ()
        headers = _headers("X-Request-ID", *LIMIT_HEADERS, *replayed)
        response["headers"] = {**response.get("headers", {}), **headers}
        response["description"] = response.get("description") or ("Made." if status == 201 else "Done.")
        content = response.get("content", {}).get("application/json")
        if content is not None:
            content["schema"] = self._enveloped(content["schema"])

    def _enveloped(self, data: Schema) -> Schema:
        """The data's schema in the envelope; as a component of its own where the data is one."""
        is_page = self._is_list_view() and getattr(self.view, "pagination_class", None) is not None
        meta: Schema = PAGE_META if is_page else {"$ref": "#/components/schemas/Meta"}
        schema = {
            "type": "object",
            "properties": {"success": {"type": "boolean", "const": True}, "data": data, "meta": meta},
            "required": ["success", "data", "meta"],
        }
        if "$ref" not in data:
            return schema
        name = f"Enveloped{data['$ref'].rsplit('/', 1)[-1]}"
        self._register(name, schema)
        return {"$ref": f"#/components/schemas/{name}"}

    def _failure(self, status: int, codes: list[Code]) -> Schema:
        narrowed = {"properties": {"error": {"properties": {"code": {"enum": [str(code) for code in codes]}}}}}
        schema = {"allOf": [{"$ref": "#/components/schemas/Failure"}, {"type": "object", **narrowed}]}
        return {
            "description": DESCRIPTIONS[status],
            "headers": _headers("X-Request-ID", *HEADERS_OF_FAILURE.get(status, ())),
            "content": {"application/json": {"schema": schema}},
        }


def _headers(*names: str) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
