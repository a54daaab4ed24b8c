"""The contract for machines (`/api/v1/schema/`) and for people (`/api/docs/`, `/api/redoc/`), offline as well."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.permissions import Public
from config.api.views import ApiView


@cache
def whole_schema() -> dict[str, Any]:
    """The schema of every operation, made once: it takes a second, and does not depend on who asks."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


class SchemaView(ApiView):
    """OpenAPI 3.1, as JSON unless YAML is asked for."""

    authentication_classes = ()
    permission_classes = [Public]
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]
    schema = None

    def get(self, request: Request) -> Response:
        return Response(whole_schema())


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
