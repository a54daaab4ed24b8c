"""Reports that come by themselves, for finance."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from accounts.models import User
from config.api.editing import seen_by, versioned
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import STAFF
from config.api.views import ReadOnlyViewSet
from config.clock import database_now
from config.errors import Code, invalid
from payments.api.report_bodies import ReportBody, shape_of
from payments.api.serializers import LARGEST_ID
from payments.exports.schedules import Plan, create_schedule, due_at, start_schedule, stop_schedule
from payments.models import Every, ExportSchedule, FileFormat, ScheduleState
from payments.reports import REPORTS

DECIDED = (Code.NOT_FOUND, Code.INVALID_TRANSITION)


class ScheduleOut(serializers.ModelSerializer[ExportSchedule]):
    """One schedule. `next_first` is the first day of the period that is reported on next, `due_at` when.

    `time_zone` is that of `hour`, empty for the finance zone. `stopped_because` says why it stopped by itself.
    """

    pool = serializers.IntegerField(source="pool_id", allow_null=True)
    format = serializers.ChoiceField(FileFormat.choices)
    created_by = serializers.IntegerField(source="created_by_id")
    recipients = serializers.SerializerMethodField()
    due_at = serializers.SerializerMethodField()

    class Meta:
        model = ExportSchedule
        fields = [
            "id", "name", "report", "format", "every", "hour", "time_zone", "pool", "options", "status",
            "stopped_because", "next_first", "due_at", "recipients", "created_by", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_recipients(self, schedule: ExportSchedule) -> list[int]:
        """Who is told by mail."""
        return sorted(person.pk for person in schedule.recipients.all())

    def get_due_at(self, schedule: ExportSchedule) -> str | None:
        """Null while it is stopped, and once it is deleted."""
        return due_at(schedule).isoformat() if schedule.status == ScheduleState.ACTIVE else None


class ScheduleBody(ReportBody):
    """What is to come by itself: no report that needs a second name each time."""

    name = serializers.CharField(max_length=80)
    every = serializers.ChoiceField(Every.choices)
    hour = serializers.IntegerField(min_value=0, max_value=23, required=False, default=6)
    time_zone = serializers.CharField(
        max_length=64, required=False, default="", allow_blank=True,
        help_text="Of the hour, by its name: Europe/Berlin. Without it, the finance zone.",
    )  # fmt: skip
    first = serializers.DateField(required=False, help_text="The period it is in is the first. Without it, today's.")
    recipients = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID), required=False, default=list, max_length=50
    )

    examples = {**ReportBody.examples, "every": "month"}
    shape = shape_of((report for report in REPORTS.values() if not report.needs_approval), has_days=False)


class ScheduleFilter(serializers.Serializer[ExportSchedule]):
    """Which schedules to list."""

    status = serializers.ChoiceField(ScheduleState.choices, required=False)


class ExportScheduleViewSet(ReadOnlyViewSet):
    """All schedules."""

    family = "reports"
    queryset = ExportSchedule.objects.prefetch_related("recipients")
    serializer_class = ScheduleOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered; what is deleted is listed to who asks for it."""
        if self.action != "list":
            return queryset
        asked = self.valid_query()
        return queryset.filter(**asked) if asked else queryset.exclude(status=ScheduleState.DELETED)

    @operation(query=ScheduleFilter, summary="List schedules of reports")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a schedule of reports")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One schedule. Its `ETag` begins with the version that `If-Match` compares."""
        schedule = self.get_object()
        return versioned(Response(ScheduleOut(schedule).data), schedule)

    @operation(
        body=ScheduleBody, answer=ScheduleOut, status=201, is_located=True, errors=(Code.FORBIDDEN,), limits=(STAFF,),
        summary="Have a report written every day, week or month", scope=None,
    )  # fmt: skip
    def create(self, request: Call) -> Response:
        """Of every period that is over, also of days on which nothing ran."""
        body = self.valid_body()
        people = list(User.objects.filter(pk__in=body["recipients"]))
        if len(people) != len(set(body["recipients"])):
            raise invalid("recipients", "There are no such people.")
        plan = Plan(
            name=body["name"], report=body["report"], file_format=FileFormat(body["format"]),
            every=Every(body["every"]), hour=body["hour"], time_zone=body["time_zone"], pool_id=body.get("pool"),
            options=body["options"], first=body.get("first"),
        )  # fmt: skip
        schedule = create_schedule(plan=plan, recipients=people, by=caller(request), now=database_now())
        location = {"Location": f"/api/v1/export-schedules/{schedule.pk}"}
        return Response(ScheduleOut(schedule).data, status=201, headers=location)

    @action(detail=True, methods=["post"])
    @operation(
        answer=ScheduleOut, body=None, errors=DECIDED, limits=(STAFF,), summary="Stop a schedule of reports",
        scope=None, if_match=True,
    )  # fmt: skip
    def stop(self, request: Call, pk: str) -> Response:
        """No more of it."""
        found = stop_schedule(schedule_id=self.get_object().pk, by=caller(request), seen=seen_by(request))
        return versioned(Response(ScheduleOut(found).data), found)

    @action(detail=True, methods=["post"])
    @operation(
        answer=ScheduleOut, body=None, errors=DECIDED, limits=(STAFF,), summary="Start a schedule again",
        scope=None, if_match=True,
    )  # fmt: skip
    def start(self, request: Call, pk: str) -> Response:
        """It goes on with the period that it is now."""
        now, seen = database_now(), seen_by(request)
        found = start_schedule(schedule_id=self.get_object().pk, by=caller(request), now=now, seen=seen)
        return versioned(Response(ScheduleOut(found).data), found)
