"""Reports that come by themselves: seen, made, stopped, started again, deleted. None is ever changed."""

from datetime import UTC
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, WithRowActions, labelled, list_button
from config.clock import ClockTimestamp, database_now
from config.confirmations import confirmed
from config.errors import DomainError
from config.handbook import helped_by
from config.names import named
from entries.admin.links import linked
from payments.admin.export_forms import ScheduleForm, report_asked
from payments.admin.report_centre import tell_form
from payments.exports.formats import narrowing_in_words
from payments.exports.rights import may_export
from payments.exports.schedules import delete_schedule, due_at, is_late, start_schedule, stop_schedule
from payments.models import ExportSchedule, ExportScheduleChange, ExportState, ScheduleState
from payments.reports import REPORTS, Narrowing
from pools.models import Pool

MANAGES = "payments.add_exportschedule"


def what_stopping_does(rows: QuerySet[ExportSchedule]) -> list[str]:
    """The preview of `stop`."""
    return [_("Nothing more comes of them, until they are started again. What was written stays."), *_next_of(rows)]


def what_starting_does(rows: QuerySet[ExportSchedule]) -> list[str]:
    """The preview of `start`."""
    return [_("They go on with the period that it is now. What was left out meanwhile is not caught up.")]


def what_deleting_does(rows: QuerySet[ExportSchedule]) -> list[str]:
    """The preview of `delete`."""
    return [
        _("Nothing comes of them any more, and they cannot be started again. What was written stays, and so does who"
          " made them."),
        *_next_of(rows),
    ]  # fmt: skip


def _next_of(rows: QuerySet[ExportSchedule]) -> list[str]:
    """What will not be written, of the first few."""
    said = _("%(name)s: the report of %(at)s UTC is not written.")
    active = rows.filter(status=ScheduleState.ACTIVE).order_by("next_first", "pk")[:5]
    return [said % {"name": one.name, "at": f"{due_at(one).astimezone(UTC):%Y-%m-%d %H:%M}"} for one in active]


class Shown(admin.SimpleListFilter):
    """All but those that are deleted, unless something else is asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states, and those that stopped by themselves."""
        states = [(value, named(label)) for value, label in ScheduleState.choices]
        return [*states, ("broken", _("Stopped by itself"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ExportSchedule]) -> QuerySet[ExportSchedule]:
        """By state."""
        if self.value() == "broken":
            return queryset.filter(status=ScheduleState.STOPPED).exclude(stopped_because="")
        if self.value() in ScheduleState.values:
            return queryset.filter(status=self.value())
        return queryset.exclude(status=ScheduleState.DELETED)


@admin.register(ExportSchedule)
class ExportScheduleAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """Every schedule."""

    handbook = "finance/reports#schedules"
    change_model = ExportScheduleChange
    list_display = ("name", "title", "every", "format", "state", "due", "people")
    list_filter: ClassVar = (Shown, ("every", ChoicesDropdownFilter))
    search_fields = ("name", "report")
    ordering = ("-id",)
    fields = (
        "name", "title", "every", "when", "format", "narrowed", "state_now", "stopped_because", "next_first",
        "due", "people", "lost", "so_far", "created_by", "created_at", "history",
    )  # fmt: skip
    readonly_fields = ("title", "when", "narrowed", "state_now", "due", "people", "lost", "so_far", "history")
    actions = ("stop", "start", "delete")
    actions_list = ("new",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExportSchedule]:
        """With the people and the instant, in two queries for all rows."""
        rows: QuerySet[ExportSchedule] = super().get_queryset(request)
        return rows.annotate(now=ClockTimestamp()).prefetch_related("recipients")

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what can be done with it now."""
        schedule = self.get_object(request, object_id)
        status = schedule.status if schedule is not None else ScheduleState.DELETED
        return {
            "stop": status == ScheduleState.ACTIVE,
            "start": status == ScheduleState.STOPPED,
            "delete": status != ScheduleState.DELETED,
        }[name]

    @admin.display(description="Report", ordering="report")
    def title(self, schedule: ExportSchedule) -> str:
        """What it is."""
        report = REPORTS.get(schedule.report)
        return named(report.title) if report else schedule.report

    @labelled(
        "State",
        ordering="status",
        colours={"active": "success", "late": "danger", "stopped": "info", "broken": "danger", "deleted": "info"},
    )
    def state(self, schedule: Any) -> tuple[str, str]:
        """Where it stands: one that is late or that stopped by itself stands out."""
        if schedule.stopped_because:
            return "broken", _("Stopped by itself")
        if is_late(schedule, schedule.now):
            return "late", _("Late")
        return schedule.status, named(schedule.get_status_display())

    @admin.display(description="State")
    def state_now(self, schedule: ExportSchedule) -> str:
        """The same in words alone."""
        return self.state(schedule)[1]

    @admin.display(description="Of")
    def narrowed(self, schedule: ExportSchedule) -> str:
        """What it is narrowed to, in words."""
        report, pool = REPORTS.get(schedule.report), Pool.objects.filter(pk=schedule.pool_id or 0).first()
        wish = Narrowing(pool_id=schedule.pool_id, options=schedule.options)
        words = narrowing_in_words(report, wish, pool.name if pool else "") if report else []
        return ", ".join(f"{named(label).lower()} {named(value)}" for label, value in words) or _("everything")

    @admin.display(description="At")
    def when(self, schedule: ExportSchedule) -> str:
        """The hour, and by which clock."""
        return f"{schedule.hour:02}:00 {schedule.time_zone or settings.FINANCE_TIME_ZONE.key}"

    @admin.display(description="Next on (UTC)", ordering="next_first")
    def due(self, schedule: ExportSchedule) -> str:
        """When the next is written."""
        if schedule.status != ScheduleState.ACTIVE:
            return "–"
        return f"{due_at(schedule).astimezone(UTC):%Y-%m-%d %H:%M}"

    @admin.display(description="Told by mail")
    def people(self, schedule: ExportSchedule) -> str:
        """Who is told when one is ready."""
        return ", ".join(person.email for person in schedule.recipients.all()) or _("nobody")

    @admin.display(description="Not told any more")
    def lost(self, schedule: ExportSchedule) -> str:
        """Who of them may not have it any more."""
        report = REPORTS.get(schedule.report)
        is_personal = report is not None and report.is_personal
        told = schedule.recipients.all()
        lost = [one.email for one in told if not may_export(one, kind=schedule.report, is_personal=is_personal)]
        return ", ".join(lost) or "–"

    @admin.display(description="Written so far")
    def so_far(self, schedule: ExportSchedule) -> SafeString:
        """The way to its exports, and how many of them failed."""
        address = f"{reverse('admin:payments_export_changelist')}?schedule__id__exact={schedule.pk}"
        found = schedule.exports.aggregate(all=Count("pk"), failed=Count("pk", filter=Q(status=ExportState.FAILED)))
        words = _("%(count)s exports") % {"count": found["all"]}
        if not found["failed"]:
            return linked(address, words)
        said = _("%(count)s failed") % {"count": found["failed"]}
        return format_html("{}, {}", linked(address, words), linked(f"{address}&status__exact=failed", said))

    @list_button("New schedule", path="new", icon="add", permission=MANAGES)
    @helped_by("finance/reports#schedules")
    def new(self, request: HttpRequest) -> HttpResponseBase:
        """Which report, then how often and for whom."""
        if not request.user.has_perm(MANAGES):
            raise PermissionDenied
        report = report_asked(request.GET.get("report"))
        context = {**self.admin_site.each_context(request), "title": _("New schedule"), "opts": self.opts}
        if report is None or report.needs_approval:
            person = staff(request)
            choices = [
                {"report": each, "is_open": may_export(person, kind=each.kind, is_personal=each.is_personal)}
                for each in REPORTS.values()
                if not each.needs_approval
            ]
            page = {**context, "reports": choices, "is_schedule": True}
            return TemplateResponse(request, "payments/reports_centre.html", page)
        form = ScheduleForm(request.POST or None, report=report, by=staff(request))
        if request.method == "POST" and form.is_valid():
            try:
                schedule = form.ask()
            except DomainError as refusal:
                tell_form(form, refusal)
            else:
                self.message_user(request, _("%(name)s is on.") % {"name": schedule}, messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:payments_exportschedule_change", args=[schedule.pk]))
        page = {
            **context,
            "title": _("New schedule: %(report)s") % {"report": named(report.title)},
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

    @confirmed("Delete", permission=MANAGES, preview=what_deleting_does, done="deleted")
    def delete(self, request: HttpRequest, row: ExportSchedule, reason: str) -> None:
        """For good."""
        delete_schedule(schedule_id=row.pk, by=staff(request))
