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

from config.api import language
from config.api.conditional import digest_of
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


@dataclass(frozen=True)
class Encoded:
    """What goes into an envelope as JSON: the data, and the pagination of a list, which stands in `meta`."""

    data: bytes
    pagination: Mapping[str, Any] | None = None

    def digest(self) -> str:
        """What tells this content from any other."""
        return digest_of(self.data, _json(self.pagination or {}))


def encode(content: Any) -> Encoded:
    """A `Page` or plain data, without its envelope."""
    if isinstance(content, Page):
        return Encoded(_json(content.items), content.pagination)
    return Encoded(_json(content))


def meta(pagination: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What every answer tells of itself, made anew for each."""
    made: dict[str, Any] = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "request_id": current_request_id.get(),
    }
    return made if pagination is None else made | {"pagination": dict(pagination)}


def envelope_of(encoded: Encoded) -> bytes:
    """The whole answer around it."""
    return b'{"success":true,"data":%b,"meta":%b}' % (encoded.data, _json(meta(encoded.pagination)))


def _json(value: Any) -> bytes:
    found: bytes = JSONRenderer().render(value)
    # Of nothing the renderer makes no bytes.
    return found or b"null"


def enveloped(content: Any) -> dict[str, Any]:
    """The whole answer around a `Failure`, a `Page` or plain data."""
    if isinstance(content, Failure):
        said = language.sentence(content.code, content.message)
        error = {"code": content.code, "message": said, "details": language.facts(content.details)}
        return {"success": False, "error": error, "meta": meta()}
    if isinstance(content, Page):
        return {"success": True, "data": content.items, "meta": meta(content.pagination)}
    return {"success": True, "data": content, "meta": meta()}


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
        if (encoded := getattr(response, "encoded", None)) is not None:
            return envelope_of(encoded)
        body: bytes = super().render(enveloped(data), "application/json", renderer_context)
        return body


def json_response(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The same outside DRF: health, unknown addresses, what middleware refuses."""
    body: bytes = JSONRenderer().render(enveloped(content))
    known = {"Content-Length": str(len(body)), **(headers or {})}
    return HttpResponse(body, status=status, content_type="application/json", headers=known)
