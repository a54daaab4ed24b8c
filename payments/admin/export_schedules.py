"""Reports that come by themselves: seen, made, stopped and started again. One is never changed: another is made."""

from datetime import UTC
from typing import ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, WithRowActions, confirmed, list_button
from config.clock import database_now
from config.errors import DomainError
from entries.admin.links import linked
from payments.admin.export_forms import ScheduleForm, report_asked
from payments.admin.exports import tell_form
from payments.exports.schedules import due_at, start_schedule, stop_schedule
from payments.models import ExportSchedule, ExportScheduleChange, ScheduleState
from payments.reports import REPORTS

MANAGES = "payments.add_exportschedule"


def what_stopping_does(rows: QuerySet[ExportSchedule]) -> list[str]:
    """The preview of `stop`."""
    return ["Nothing more comes of them, until they are started again. What was written stays."]


def what_starting_does(rows: QuerySet[ExportSchedule]) -> list[str]:
    """The preview of `start`."""
    return ["They go on with the period that it is now. What was left out meanwhile is not caught up."]


@admin.register(ExportSchedule)
class ExportScheduleAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """Every schedule."""

    change_model = ExportScheduleChange
    list_display = ("name", "title", "every", "format", "status", "due", "people")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter), ("every", ChoicesDropdownFilter))
    search_fields = ("name", "report")
    ordering = ("-id",)
    fields = (
        "name", "title", "every", "hour", "format", "pool_id", "options", "status", "next_first", "due", "people",
        "so_far", "created_by", "created_at", "history",
    )  # fmt: skip
    readonly_fields = ("title", "due", "people", "so_far", "history")
    actions = ("stop", "start")
    actions_list = ("new",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExportSchedule]:
        """With the people, in one query for all rows."""
        rows: QuerySet[ExportSchedule] = super().get_queryset(request)
        return rows.prefetch_related("recipients")

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what can be done with it now."""
        schedule = self.get_object(request, object_id)
        active = schedule is not None and schedule.status == ScheduleState.ACTIVE
        return active if name == "stop" else not active

    @admin.display(description="Report", ordering="report")
    def title(self, schedule: ExportSchedule) -> str:
        """What it is."""
        report = REPORTS.get(schedule.report)
        return report.title if report else schedule.report

    @admin.display(description="Next on (UTC)", ordering="next_first")
    def due(self, schedule: ExportSchedule) -> str:
        """When the next is written."""
        if schedule.status != ScheduleState.ACTIVE:
            return "–"
        return f"{due_at(schedule).astimezone(UTC):%Y-%m-%d %H:%M}"

    @admin.display(description="Told by mail")
    def people(self, schedule: ExportSchedule) -> str:
        """Who is told when one is ready."""
        return ", ".join(person.email for person in schedule.recipients.all()) or "nobody"

    @admin.display(description="Written so far")
    def so_far(self, schedule: ExportSchedule) -> SafeString:
        """The way to its exports."""
        address = f"{reverse('admin:payments_export_changelist')}?schedule__id__exact={schedule.pk}"
        return linked(address, f"{schedule.exports.count()} exports")

    @list_button("New schedule", path="new", icon="add", permission=MANAGES)
    def new(self, request: HttpRequest) -> HttpResponseBase:
        """Which report, then how often and for whom."""
        if not request.user.has_perm(MANAGES):
            raise PermissionDenied
        report = report_asked(request.GET.get("report"))
        context = {**self.admin_site.each_context(request), "title": "New schedule", "opts": self.opts}
        if report is None or report.needs_approval:
            choices = [each for each in REPORTS.values() if not each.needs_approval]
            return TemplateResponse(request, "payments/reports_centre.html", {**context, "reports": choices})
        form = ScheduleForm(request.POST or None, report=report, by=staff(request))
        if request.method == "POST" and form.is_valid():
            try:
                schedule = form.ask()
            except DomainError as refusal:
                tell_form(form, refusal)
            else:
                self.message_user(request, f"{schedule} is on.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:payments_exportschedule_change", args=[schedule.pk]))
        page = {
            **context,
            "title": f"New schedule: {report.title}",
            "form": form,
            "report": report,
            "is_schedule": True,
        }
        return TemplateResponse(request, "payments/report_form.html", page)

    @confirmed("Stop", permission=MANAGES, preview=what_stopping_does, done="stopped")
    def stop(self, request: HttpRequest, row: ExportSchedule, reason: str) -> None:
        """No more of it."""
        stop_schedule(schedule_id=row.pk, by=staff(request))

    @confirmed("Start again", permission=MANAGES, preview=what_starting_does, done="started again")
    def start(self, request: HttpRequest, row: ExportSchedule, reason: str) -> None:
        """Go on."""
        start_schedule(schedule_id=row.pk, by=staff(request), now=database_now())
