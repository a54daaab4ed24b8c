"""Reports, for finance: which there are, having one written, seeing how far it is, fetching it."""

from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from config.api.addresses import client_address
from config.api.filters import CreatedFilter, lookups
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.permissions import Public
from config.api.ratelimit import STAFF
from config.api.views import ApiView, ReadOnlyViewSet
from config.clock import database_now
from config.errors import Code, NotFound, Unauthenticated
from config.freshness import refuse_stale
from config.phrases import phrase
from payments.api.report_bodies import ReportBody, shape_of
from payments.api.serializers import LARGEST_ID
from payments.exports.asking import approve_export, cancel_export, request_check, request_export, try_again
from payments.exports.fetching import Link, fetch, fetch_by_link, make_link
from payments.exports.formats import FORMS, formats_of
from payments.exports.rights import check_exporter
from payments.models import DownloadWay, Export, ExportOrigin, ExportState, FileFormat
from payments.reports import REPORTS, Narrowing, Report
from payments.reports.base import Days, Kind
from payments.reports.options import Asks, Option

ASKED = (Code.FORBIDDEN, Code.ALREADY_RUNNING)
DECIDED = (Code.NOT_FOUND, Code.FORBIDDEN, Code.INVALID_TRANSITION, Code.SECOND_NAME_NEEDED)
FETCHED = (
    Code.NOT_AUTHENTICATED, Code.FORBIDDEN, Code.NOT_FOUND, Code.INVALID_TRANSITION, Code.LINK_EXPIRED,
    Code.REAUTHENTICATION_REQUIRED,
)  # fmt: skip


class ReportOptionOut(serializers.Serializer[Option]):
    """A question of a report beside pool and days."""

    name = serializers.CharField()
    title = serializers.CharField(source="label")
    asks = serializers.ChoiceField([each.value for each in Asks])
    explained = serializers.CharField(source="help")
    choices = serializers.DictField(child=serializers.CharField())
    usual = serializers.SerializerMethodField()
    is_required = serializers.BooleanField()

    def get_usual(self, option: Option) -> str | None:
        """What it is where nobody says, as text; null where there is no such."""
        return None if option.default is None else str(option.default)


class ReportColumnOut(serializers.Serializer[Any]):
    """A column, under the name in the first line."""

    name = serializers.CharField()
    kind = serializers.ChoiceField([each.value for each in Kind])


class FinanceReportOut(serializers.Serializer[Report]):
    """A report that can be asked for."""

    kind = serializers.CharField()
    title = serializers.CharField()
    describe = serializers.CharField()
    day = serializers.CharField(help_text="What `first_day` and `last_day` count by.")
    days = serializers.ChoiceField([each.value for each in Days])
    has_pool = serializers.BooleanField()
    is_personal = serializers.BooleanField(help_text="It names people, and is marked with whom it was written for.")
    needs_approval = serializers.BooleanField()
    is_live = serializers.BooleanField(help_text="It tells of now, and comes out otherwise tomorrow.")
    version = serializers.IntegerField()
    formats = serializers.SerializerMethodField()
    options = ReportOptionOut(many=True)
    columns = ReportColumnOut(many=True)

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(FileFormat.choices)))
    def get_formats(self, report: Report) -> list[str]:
        """What it can be written as."""
        return [str(each) for each in formats_of(report)]


class ExportOut(serializers.ModelSerializer[Export]):
    """One export. `totals` is column, currency, sum in minor units."""

    requested_by = serializers.IntegerField(source="requested_by_id", allow_null=True)
    approved_by = serializers.IntegerField(source="approved_by_id", allow_null=True)
    schedule = serializers.IntegerField(source="schedule_id", allow_null=True)
    repeats = serializers.IntegerField(source="repeats_id", allow_null=True)
    as_of_posting = serializers.SerializerMethodField(help_text="The last line of the journal that it looks at.")

    class Meta:
        model = Export
        fields = [
            "id", "report", "parameters", "format", "status", "origin", "as_of", "as_of_posting", "schema_version",
            "code_version", "rows", "rows_done", "rows_expected", "totals", "sha256", "size", "is_personal",
            "needs_approval", "requested_by", "approved_by", "schedule", "repeats", "agrees", "error", "created_at",
            "finished_at", "expires_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_as_of_posting(self, export: Export) -> int | None:
        """Null until it is known, and for reports that are always of now."""
        found: int | None = export.bounds.get("posting")
        return found


class ExportBody(ReportBody):
    """What to write. The days are of the finance time zone, both included."""

    first_day = serializers.DateField(required=False)
    last_day = serializers.DateField(required=False)
    as_of_export = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="As of what this export was as of, not as of now."
    )

    shape = shape_of(REPORTS.values(), has_days=True)


class CancelExportBody(serializers.Serializer[Any]):
    """Why it is not to be written."""

    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class FileLinkOut(serializers.Serializer[Link]):
    """An address that needs no sign-in, for a quarter of an hour, once."""

    path = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ExportFilter(CreatedFilter):
    """Which exports to list."""

    status = serializers.ChoiceField(ExportState.choices, required=False)
    origin = serializers.ChoiceField(ExportOrigin.choices, required=False)
    report = serializers.CharField(max_length=40, required=False)
    schedule = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)


class FileQuery(serializers.Serializer[Any]):
    """The token of a link; without it, the caller must be signed in."""

    token = serializers.CharField(max_length=500, required=False)


class ReportsView(ApiView):
    """What finance can have written."""

    family = "reports"
    permission_classes = [IsFinance]

    @operation(answer=FinanceReportOut(many=True), summary="List reports")
    def get(self, request: Call) -> Response:
        """Each with its columns and what it can be asked."""
        reports: Any = list(REPORTS.values())
        return Response(FinanceReportOut(reports, many=True).data)


class ExportViewSet(ReadOnlyViewSet):
    """All exports."""

    family = "reports"
    queryset = Export.objects.all()
    serializer_class = ExportOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        return queryset.filter(**lookups(self.valid_query()))

    @operation(query=ExportFilter, summary="List exports")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show an export")
    def retrieve(self, request: Call, pk: str) -> Response:
        """How far it is, and what came out."""
        return super().retrieve(request, pk)

    @operation(
        body=ExportBody, answer=ExportOut, status=201, is_located=True, errors=(*ASKED, Code.NOT_FOUND),
        limits=(STAFF,), summary="Have a report written",
    )  # fmt: skip
    def create(self, request: Call) -> Response:
        """Queued at once; one that needs a second name is `waiting` for it. Ask for it again until it is `done`."""
        body = self.valid_body()
        like = None
        if "as_of_export" in body:
            like = Export.objects.filter(pk=body["as_of_export"]).first()
            if like is None:
                raise NotFound(Code.NOT_FOUND, phrase("There is no export {export}.", export=body["as_of_export"]))
        narrowing = Narrowing(body.get("pool"), body.get("first_day"), body.get("last_day"), body["options"])
        export = request_export(
            kind=body["report"], narrowing=narrowing, file_format=FileFormat(body["format"]), by=caller(request),
            now=database_now(), like=like,
        )  # fmt: skip
        return Response(ExportOut(export).data, status=201, headers={"Location": f"/api/v1/exports/{export.pk}"})

    @action(detail=True, methods=["post"])
    @operation(answer=ExportOut, body=None, errors=DECIDED, limits=(STAFF,), summary="Approve an export", scope=None)
    def approve(self, request: Call, pk: str) -> Response:
        """Give the second name to an export of somebody else."""
        return self._shown(approve_export(export_id=self._pk(), by=caller(request)))

    @action(detail=True, methods=["post"])
    @operation(answer=ExportOut, body=CancelExportBody, errors=DECIDED, limits=(STAFF,), summary="Cancel an export")
    def cancel(self, request: Call, pk: str) -> Response:
        """Before it is written."""
        reason = self.valid_body()["reason"]
        return self._shown(cancel_export(export_id=self._pk(), by=caller(request), reason=reason))

    @action(detail=True, methods=["post"])
    @operation(answer=ExportOut, body=None, errors=DECIDED, limits=(STAFF,), summary="Try an export again")
    def retry(self, request: Call, pk: str) -> Response:
        """One that failed, as of what it was to be as of."""
        return self._shown(try_again(export_id=self._pk(), by=caller(request)))

    @action(detail=True, methods=["post"])
    @operation(
        answer=ExportOut,
        body=None,
        status=201,
        is_located=True,
        errors=DECIDED,
        limits=(STAFF,),
        summary="Make an export again",
    )
    def check(self, request: Call, pk: str) -> Response:
        """The same file from the same rows, to compare its bytes: `agrees` of the new export says how that ended."""
        export = request_check(export_id=self._pk(), by=caller(request))
        return Response(ExportOut(export).data, status=201, headers={"Location": f"/api/v1/exports/{export.pk}"})

    @action(detail=True, methods=["post"])
    @operation(
        name="createExportLink",
        answer=FileLinkOut, body=None, status=201,
        errors=(*DECIDED, Code.LINK_EXPIRED, Code.REAUTHENTICATION_REQUIRED), limits=(STAFF,),
        summary="Make a link to the file of an export", scope="reports:read",
    )  # fmt: skip
    def link(self, request: Call, pk: str) -> Response:
        """It opens once, within a quarter of an hour, and only while you may export yourself.

        To a report that names people it needs a fresh sign-in.
        """
        _refuse_stale(request, self._pk())
        return Response(FileLinkOut(make_link(export_id=self._pk(), by=caller(request))).data, status=201)

    def _pk(self) -> int:
        found: Export = self.get_object()
        return found.pk

    def _shown(self, export: Export) -> Response:
        return Response(ExportOut(export).data)


def _refuse_stale(request: Call, export_id: int) -> None:
    """Names of people leave only for somebody who proved a moment ago who they are."""
    if Export.objects.filter(pk=export_id, is_personal=True).exists():
        refuse_stale(getattr(request.auth, "authenticated_at", None))


class FileRenderer(BaseRenderer):
    """Whatever the caller accepts: the file is what it is."""

    media_type = "*/*"
    format = "file"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Never used: the view answers with the file itself, and errors with JSON."""
        return bytes(data)


class ExportFileView(ApiView):
    """The file of an export."""

    family = "reports"
    permission_classes = [Public]
    renderer_classes = [FileRenderer]
    has_path_parameters = True

    @operation(
        query=FileQuery,
        answer=None,
        media_types={form.content_type.partition(";")[0]: OpenApiTypes.BINARY for form in FORMS.values()},
        errors=FETCHED,
        summary="Fetch the file of an export",
    )
    def get(self, request: Call, pk: str) -> FileResponse:
        """For finance who is signed in, freshly where it names people, or for who has a link.

        `Repr-Digest` has its SHA-256; every time is noted.
        """
        token, address = self.valid_query().get("token"), client_address(request._request) or None
        if token:
            return fetch_by_link(export_id=int(pk), token=token, address=address).answer()
        if not request.user.is_authenticated:
            raise Unauthenticated(Code.NOT_AUTHENTICATED, "Sign in, or use a link.")
        check_exporter(caller(request))
        _refuse_stale(request, int(pk))
        return fetch(export_id=int(pk), by=caller(request), way=DownloadWay.API, address=address).answer()
