"""The picture of a pool, at an address that changes with it."""

from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsModerator
from config.api.editing import seen_by, versioned
from config.api.envelope import EnvelopeRenderer
from config.api.files import FileRenderer
from config.api.operations import operation
from config.api.parsers import StrictJSONParser
from config.api.permissions import Public
from config.api.ratelimit import STAFF
from config.api.views import ApiView
from config.clock import database_now
from config.errors import Code
from pools.api.serializers import logo_url
from pools.models import Pool
from pools.queries.visible import visible_pools
from pools.services.logos import CONTENT_TYPES, LARGEST, logo_of, remove_logo, set_logo
from pools.services.unchanged import edited_rows

# Its address changes with the picture.
KEPT_SECONDS = 7 * 24 * 60 * 60


class LogoForm(serializers.Serializer[Any]):
    """A JPEG, PNG or WebP picture of 2 MB at most; it is made anew, at most 512 pixels on a side."""

    file = serializers.FileField(max_length=255, allow_empty_file=True)


class LogoOut(serializers.Serializer[Any]):
    logo_url = serializers.CharField(allow_null=True)


class PoolLogoView(ApiView):
    """One pool's picture."""

    family = "pools"
    parser_classes = (StrictJSONParser, MultiPartParser)
    form_limit = LARGEST + 64 * 1024
    has_path_parameters = True

    def get_permissions(self) -> list[BasePermission]:
        """Everybody looks; those who run pools change it."""
        return [Public() if self.request.method in ("GET", "HEAD") else IsModerator()]

    def get_renderers(self) -> list[BaseRenderer]:
        """A picture goes to whoever asks for pictures."""
        return [FileRenderer() if self.request.method in ("GET", "HEAD") else EnvelopeRenderer()]

    def pool(self) -> Pool:
        """Drafts are not there for players."""
        return get_object_or_404(visible_pools(self.request.user), pk=self.kwargs["pk"])

    @operation(
        answer=None,
        parameters=(OpenApiParameter("v", str, description="Of which picture this is the address; not looked at."),),
        errors=(Code.NOT_FOUND,),
        media_types=dict.fromkeys(CONTENT_TYPES.values(), OpenApiTypes.BINARY),
        summary="Show the picture of a pool",
    )
    def get(self, request: Request, pk: str) -> FileResponse:
        """The picture itself. `logo_url` of the pool is its address; that changes with the picture."""
        logo = logo_of(self.pool())
        response = FileResponse(logo.file, content_type=logo.content_type)
        response["Content-Disposition"] = "inline"
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        # Pages of other origins show it, too.
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        if not request.user.is_authenticated:
            response["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
        return response

    @operation(
        body=None,
        form=LogoForm,
        answer=LogoOut,
        status=200,
        errors=(Code.NOT_FOUND, Code.FILE_REFUSED),
        limits=(STAFF,),
        if_match=True,
        summary="Set the picture of a pool",
    )
    def put(self, request: Request, pk: str) -> Response:
        """Show another picture, as multipart/form-data. `If-Match` takes the `ETag` of the pool."""
        content = self.valid_body(LogoForm)["file"].read(LARGEST + 1)
        seen = seen_by(request)
        pool = set_logo(pool=self.pool(), by=caller(request), content=content, now=database_now(), seen=seen)
        return versioned(Response(LogoOut({"logo_url": logo_url(pool)}).data), *edited_rows(pool))

    @operation(
        body=None,
        answer=None,
        errors=(Code.NOT_FOUND,),
        limits=(STAFF,),
        if_match=True,
        summary="Remove the picture of a pool",
    )
    def delete(self, request: Request, pk: str) -> Response:
        """Show none. `If-Match` takes the `ETag` of the pool."""
        remove_logo(pool=self.pool(), by=caller(request), seen=seen_by(request))
        return Response(status=204)
