"""The one shape of every JSON answer.

Views return plain data; `EnvelopeRenderer` puts it under `data`. A list comes as a `Page`, whose pagination goes to
`meta`. An error comes as a `Failure`, made by `config.api.handler`. 204 and 304 have no body.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer

from config.errors import Code
from config.logging import current_request_id

WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True)
class Page:
    """The items of a list, and what a client needs to ask for more."""

    items: Any
    pagination: Mapping[str, Any]


@dataclass(frozen=True)
class Failure:
    """What went wrong: a code for programs, a sentence for people, facts."""

    code: Code
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)


def enveloped(content: Any) -> dict[str, Any]:
    """The whole answer around a `Failure`, a `Page` or plain data."""
    meta: dict[str, Any] = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "request_id": current_request_id.get(),
    }
    if isinstance(content, Failure):
        error = {"code": content.code, "message": content.message, "details": dict(content.details)}
        return {"success": False, "error": error, "meta": meta}
    if isinstance(content, Page):
        meta["pagination"] = dict(content.pagination)
        return {"success": True, "data": content.items, "meta": meta}
    return {"success": True, "data": content, "meta": meta}


class EnvelopeRenderer(JSONRenderer):
    """JSON in the envelope, for DRF's views."""

    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        response = (renderer_context or {}).get("response")
        if response is not None and response.status_code in WITHOUT_BODY:
            return b""
        body: bytes = super().render(enveloped(data), "application/json", renderer_context)
        return body


def json_response(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The same outside DRF: health, unknown addresses, what middleware refuses."""
    body: bytes = JSONRenderer().render(enveloped(content))
    known = {"Content-Length": str(len(body)), **(headers or {})}
    return HttpResponse(body, status=status, content_type="application/json", headers=known)
