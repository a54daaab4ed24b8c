"""A round of a pool once its picks are public: how they were spread, and the whole round as a file."""

from collections.abc import Callable
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.operations import operation
from config.api.permissions import Public
from config.api.views import ApiView, ApiViewSet
from config.errors import Code
from config.pages.views import kept_answer
from entries.api.pages import version_tag
from entries.api.report_files import report_csv, report_json
from entries.api.serializers.standings import ReportOut, SpreadOut
from entries.queries.rounds import distribution, revealed_round
from pools.api.pool_scope import visible_pool
from pools.models import Pool, Round


def _told(pool: Pool, number: str, report: Callable[[Pool, Round], StreamingHttpResponse]) -> StreamingHttpResponse:
    """The report of the round, unless that is secret still; with the tag of what it will be read from.

    The tag is asked for first, and who has it already gets no line of the report read.
    """
    tag = version_tag(pool.pk)
    answer = report(pool, revealed_round(pool, int(number)))
    if tag is not None:
        answer.headers["ETag"] = tag
    return answer


class DistributionViewSet(ApiViewSet):
    """How the picks of a round were spread."""

    family = "pools"
    permission_classes = [Public]
    serializer_class = SpreadOut

    @operation(answer=SpreadOut(many=True), errors=(Code.FORBIDDEN,), summary="Show how a round's picks were spread")
    def list(self, request: Request, pool_id: str, number: str) -> Response:
        """The most picked team first. Refused until the round has locked."""
        pool = visible_pool(request, pool_id)
        if (kept := kept_answer(self)) is not None:
            return kept
        page = self.paginate_queryset(distribution(pool, revealed_round(pool, int(number)))) or []
        return self.get_paginated_response(SpreadOut(page, many=True).data)


class CsvRenderer(BaseRenderer):
    """Lets callers ask for `text/csv`; the answer itself is streamed, not rendered."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """What is not a stream is an error, and those are JSON."""
        raise TypeError("a CSV answer is a stream")


class ReportJsonViewSet(ApiViewSet):
    """The whole round, for programs."""

    family = "pools"
    permission_classes = [Public]

    @operation(answer=ReportOut, errors=(Code.FORBIDDEN,), summary="Report a round as JSON", sparse=False)
    def retrieve(self, request: Request, pool_id: str, number: str) -> Response | StreamingHttpResponse:
        """Every entry that was in play, with pick, game, result and fate. Refused until the round has locked."""
        pool = visible_pool(request, pool_id)
        return kept_answer(self) or _told(pool, number, report_json)


class ReportCsvView(ApiView):
    """The whole round, for spreadsheets."""

    family = "pools"
    permission_classes = [Public]
    renderer_classes = [CsvRenderer]

    @operation(
        answer=None,
        media_types={"text/csv": OpenApiTypes.STR},
        errors=(Code.FORBIDDEN,),
        summary="Report a round as CSV",
    )
    def get(self, request: Request, pool_id: str, number: str) -> StreamingHttpResponse:
        """The same as the JSON report, one line per pick."""
        return _told(visible_pool(request, pool_id), number, report_csv)
