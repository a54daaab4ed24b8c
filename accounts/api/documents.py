"""Papers of the caller: handing them in, seeing what became of them, fetching them again, taking them back."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.doors import Door
from accounts.models import Document, DocumentKind
from accounts.services.documents import LARGEST, delete_document, fetch_by_link, make_link, upload
from config.api.files import FileRenderer
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.parsers import StrictJSONParser
from config.api.ratelimit import TOKEN_TRY, By, Policy
from config.api.views import ReadOnlyViewSet
from config.clock import database_now
from config.errors import Code

UPLOAD = Policy("upload", 30, 60 * 60, By.USER, survives_redis=True)
# The file, and the words around it.
LONGEST_FORM = LARGEST + 64 * 1024


FIELDS = ("id", "kind", "status", "content_type", "size", "sha256", "uploaded_at", "decided_at", "reason")


class DocumentMadeOut(serializers.ModelSerializer[Document]):
    """A paper, as answered to whoever hands it in. Without its name, which is written down encrypted alone: this answer
    is kept for whoever repeats the call.
    """

    class Meta:
        model = Document
        fields = read_only_fields = FIELDS


class DocumentOut(serializers.ModelSerializer[Document]):
    """A paper, as shown to its owner."""

    name = serializers.CharField(read_only=True, help_text="Made harmless; its ending is that of what was found.")

    class Meta:
        model = Document
        fields = read_only_fields = (*FIELDS, "name")


class DocumentForm(serializers.Serializer[Any]):
    """A JPEG, PNG or WebP picture, or a PDF, of 5 MB at most. Pictures are made anew, without what came along."""

    kind = serializers.ChoiceField(DocumentKind.choices)
    file = serializers.FileField(max_length=255, allow_empty_file=True)


class DocumentLinkOut(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="Needs no sign-in.")
    expires_at = serializers.DateTimeField()


class TokenQuery(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=1024)


class OwnDocumentsViewSet(ReadOnlyViewSet):
    """The caller's own papers."""

    serializer_class = DocumentOut
    pagination_class = KeysetPagination
    queryset = Document.objects.none()
    parser_classes = (StrictJSONParser, MultiPartParser)
    form_limit = LONGEST_FORM

    def get_queryset(self) -> QuerySet[Document]:
        """Their own alone."""
        return Document.objects.of(caller(self.request).pk).order_by("-id")

    @operation(summary="List the own documents")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What was handed in, and what became of it: the newest first."""
        return super().list(request, *args, **kwargs)

    @operation(summary="Show one of the own documents")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One of them."""
        return super().retrieve(request, *args, **kwargs)

    @operation(
        body=None,
        form=DocumentForm,
        answer=DocumentMadeOut,
        status=201,
        is_located=True,
        errors=(Code.FILE_REFUSED, Code.EMAIL_NOT_VERIFIED, Code.INVALID_TRANSITION),
        limits=(UPLOAD,),
        # The file is put away before its row is committed: no transaction holds both.
        idempotency=Mode.TWO_PHASE,
        summary="Hand in a document",
    )
    def create(self, request: Request) -> Response:
        """Hand in a picture or a PDF as multipart/form-data.

        What it is, its bytes say: a name or a claimed type is not believed. `details.reason` tells why one is refused.
        """
        body = self.valid_body(DocumentForm)
        document = upload(
            owner=caller(request),
            kind=DocumentKind(body["kind"]),
            name=body["file"].name or "",
            content=body["file"].read(LARGEST + 1),
            now=database_now(),
        )
        return Response(
            DocumentMadeOut(document).data, status=201, headers={"Location": f"/api/v1/me/documents/{document.pk}"}
        )

    @operation(body=None, answer=None, errors=(Code.INVALID_TRANSITION,), summary="Take a document back")
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a document and its file. Refused once it was accepted."""
        delete_document(document=self.get_object(), by=caller(request))
        return Response(status=204)

    @operation(
        name="createMyDocumentLink",
        body=None,
        answer=DocumentLinkOut,
        status=200,
        idempotency=Mode.OFF,
        summary="Make a link to a document",
    )
    def link(self, request: Request, pk: str) -> Response:
        """A link to the file, good for ten minutes."""
        link = make_link(document=self.get_object(), by=caller(request), now=database_now())
        return Response(DocumentLinkOut(link).data)


class DocumentFileView(Door):
    """The file of a document."""

    renderer_classes = [FileRenderer]
    has_path_parameters = True

    @operation(
        query=TokenQuery,
        answer=None,
        errors=(Code.NOT_FOUND, Code.INVALID_TRANSITION, Code.LINK_EXPIRED),
        limits=(TOKEN_TRY,),
        media_types=dict.fromkeys(("image/jpeg", "image/png", "application/pdf"), OpenApiTypes.BINARY),
        summary="Fetch a document by its link",
    )
    def get(self, request: Request, pk: int) -> FileResponse:
        """The file, as something to be saved. The link is all that is needed."""
        return fetch_by_link(document_id=pk, token=self.valid_query()["token"]).answer()
