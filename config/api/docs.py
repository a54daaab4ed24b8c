"""The contract for machines (`/api/v1/schema/`) and for people (`/api/docs/`, `/api/redoc/`), offline as well."""

import gzip
from functools import cache
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView
from rest_framework.request import Request

from config.api.compression import accepts_gzip
from config.api.conditional import digest_of, weak
from config.api.permissions import Public
from config.api.views import ApiView


@cache
def whole_schema() -> dict[str, Any]:
    """The schema of every operation, made once: it takes a second, and does not depend on who asks."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


class Written(NamedTuple):
    """The schema as it is sent."""

    content_type: str
    content: bytes
    packed: bytes
    tag: str


RENDERERS = {made.media_type: made for made in (OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer)}


@cache
def written_schema(media_type: str) -> Written:
    """The schema in one form, written once: that takes a seventh of a second, and does not depend on who asks."""
    renderer = RENDERERS[media_type]()
    content = HttpResponse(renderer.render(whole_schema())).content
    content_type = f"{media_type}; charset={renderer.charset}" if renderer.charset else media_type
    return Written(content_type, content, gzip.compress(content), weak(digest_of(content)))


class SchemaView(ApiView):
    """OpenAPI 3.1, as JSON unless YAML is asked for."""

    authentication_classes = ()
    permission_classes = [Public]
    renderer_classes = [*RENDERERS.values()]
    schema = None

    def get(self, request: Request) -> HttpResponse:
        written = written_schema(request.accepted_renderer.media_type)
        is_packed = accepts_gzip(request.headers.get("Accept-Encoding", ""))
        response = HttpResponse(written.packed if is_packed else written.content, content_type=written.content_type)
        response.headers["ETag"] = written.tag
        if is_packed:
            response.headers["Content-Encoding"] = "gzip"
        patch_vary_headers(response, ["Accept-Encoding"])
        return response


class Swagger(SpectacularSwaggerView):
    """Swagger UI from our own static files; its script bears the page's nonce."""

    authentication_classes = ()
    permission_classes = [Public]
    url_name = "schema"
    template_name = "api/swagger.html"


class Redoc(SpectacularRedocView):
    """Redoc from our own static files; the stock template fetches its fonts from elsewhere, ours has none."""

    authentication_classes = ()
    permission_classes = [Public]
    url_name = "schema"
    template_name = "api/redoc.html"


schema, swagger, redoc = SchemaView.as_view(), Swagger.as_view(), Redoc.as_view()
