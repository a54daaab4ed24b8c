"""The parts that all answers share, as the schema has them under `components`, and what each status means."""

from collections.abc import Iterable
from typing import Any

from config.errors import Code

Schema = dict[str, Any]

META: Schema = {
    "type": "object",
    "description": "When the answer was made, and the id of the call.",
    "properties": {
        "timestamp": {"type": "string", "format": "date-time"},
        "request_id": {"type": "string"},
    },
    "required": ["timestamp", "request_id"],
}
PAGINATION: Schema = {
    "type": "object",
    "description": "Which part of the list this is.",
    "properties": {
        "page": {"type": "integer", "minimum": 1, "description": "Absent where a cursor was given."},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        "total": {"type": "integer", "minimum": 0, "description": "Absent where a cursor was given."},
        "next_cursor": {"type": ["string", "null"], "description": "On lists that take a cursor; null at the end."},
    },
    "required": ["limit"],
}
PAGE_META: Schema = {
    "type": "object",
    "description": "The same of a list.",
    "properties": {**META["properties"], "pagination": {"$ref": "#/components/schemas/Pagination"}},
    "required": ["timestamp", "request_id", "pagination"],
}
FAILURE: Schema = {
    "type": "object",
    "description": "What went wrong. Programs go by `error.code`.",
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
SHARED = (("Meta", META), ("Pagination", PAGINATION), ("PageMeta", PAGE_META), ("Failure", FAILURE))

DESCRIPTIONS = {
    304: "It is still what the caller has.",
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


def among(values: Iterable[str]) -> Schema:
    """One of these. An `enum` inside of a `shape` would be taken for one of the document's own, and given a name."""
    return {"anyOf": [{"const": str(value)} for value in values]}


def envelope_of(data: Schema, *, is_page: bool) -> Schema:
    """The schema of a good answer around its data."""
    meta = "PageMeta" if is_page else "Meta"
    return {
        "type": "object",
        "properties": {
            "success": {"type": "boolean", "const": True},
            "data": data,
            "meta": {"$ref": f"#/components/schemas/{meta}"},
        },
        "required": ["success", "data", "meta"],
    }


def failure_of(codes: list[Code]) -> Schema:
    """The schema of an error with one of these codes."""
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": [str(code) for code in codes]}}}}}
    return {"allOf": [{"$ref": "#/components/schemas/Failure"}, {"type": "object", **narrowed}]}


def failure_name(status: int, codes: list[Code], operation: str) -> str:
    """One or two codes name the component; of more, the operation that can answer with them."""
    if len(codes) > 2:
        return f"{operation[:1].upper()}{operation[1:]}Failure{status}"
    return "".join(["Failure", "Or".join(str(code).title().replace("_", "") for code in codes)])
