"""The reports centre: which report, of what, how its first rows look, and what was written lately."""

import logging
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.admin.staff import staff
from config.clock import database_now
from config.errors import DomainError
from config.fresh_pages import ask_unless_fresh
from config.names import named
from config.row_numbers import row_number
from payments.admin.export_forms import ExportForm, ScheduleForm, answers_of, report_asked
from payments.exports.asking import as_of_that, repeat_export
from payments.exports.preview import Preview, first_rows, seen_at, token_of
from payments.exports.rights import EXPORT, may_export
from payments.exports.schedules import due_at
from payments.models import Export, ExportSchedule, ScheduleState
from payments.reports import REPORTS, Report
from pools.admin.switch_fields import tell

logger = logging.getLogger(__name__)

SHOWN_EXPORTS = 8
SHOWN_SCHEDULES = 5
# The report that a form with no answers yet is asked for: nobody means all days since the beginning.
FIRST_PERIOD = "this_month"


def centre_page(page: Any, request: HttpRequest, shown: Any) -> HttpResponseBase:
    """All reports, and what one of them asks. `shown` says of an export what a row of the history shows."""
    if not request.user.has_perm(EXPORT):
        raise PermissionDenied
    report = report_asked(request.GET.get("report"))
    context = {**page.admin_site.each_context(request), "title": _("Reports"), "opts": page.opts}
    if report is None:
        return TemplateResponse(request, "payments/reports_centre.html", {**context, **_overview(page, request, shown)})
    return _report_page(page, request, report, context)


def _overview(page: Any, request: HttpRequest, shown: Any) -> dict[str, Any]:
    """The reports that this person may have first; what was written last; and how the schedules stand. Four queries."""
    person = staff(request)
    # As the list has them, with the names of their pools.
    last = page.get_queryset(request).select_related(*page.list_select_related).order_by("-id")[:SHOWN_EXPORTS]
    kept = ExportSchedule.objects.exclude(status=ScheduleState.DELETED)
    active = kept.filter(status=ScheduleState.ACTIVE)
    return {
        "reports": [
            {"report": one, "is_open": may_export(person, kind=one.kind, is_personal=one.is_personal)}
            for one in REPORTS.values()
        ],
        "exports": [shown(export) for export in last],
        "schedules": kept.aggregate(
            active=Count("pk", filter=Q(status=ScheduleState.ACTIVE)),
            stopped=Count("pk", filter=Q(status=ScheduleState.STOPPED, stopped_because="")),
            broken=Count("pk", filter=Q(status=ScheduleState.STOPPED) & ~Q(stopped_because="")),
        ),
        "next": sorted(
            ((due_at(one), one) for one in active.order_by("next_first", "pk")[:SHOWN_SCHEDULES]),
            key=lambda pair: pair[0],
        ),
    }


def _report_page(page: Any, request: HttpRequest, report: Report, context: dict[str, Any]) -> HttpResponseBase:
    is_asked = request.method == "POST"
    form = ExportForm(request.POST if is_asked else None, report=report, by=staff(request), initial=_begins(request))
    preview = None
    if is_asked and form.is_valid():
        try:
            if "look" in request.POST:
                if report.is_personal and (question := ask_unless_fresh(request, context)) is not None:
                    return question
                preview = _look(form)
            else:
                export = form.ask(seen=seen_at(request.POST.get("seen", ""), report.kind))
                return HttpResponseRedirect(reverse("admin:payments_export_change", args=[export.pk]))
        except DomainError as refusal:
            tell_form(form, refusal)
    shown = {
        "title": named(report.title),
        "form": form,
        "report": report,
        "preview": preview,
        "seen": _seen(form, preview),
    }
    return TemplateResponse(request, "payments/report_form.html", {**context, **shown})


def _begins(request: HttpRequest) -> dict[str, Any]:
    """What the form begins with: the answers of an earlier export, else this month."""
    number = request.GET.get("like", "")
    earlier = Export.objects.filter(pk=row_number(number) or 0).first()
    return {"period": FIRST_PERIOD} if earlier is None else answers_of(earlier)


def _seen(form: ExportForm, preview: Preview | None) -> str:
    """What the form keeps of a look. Another export's instant stands in the form itself: who empties it wants now."""
    if preview is None or form.cleaned_data.get("like") is not None:
        return ""
    return token_of(preview, form.report.kind)


def _look(form: ExportForm) -> Preview:
    like: Export | None = form.cleaned_data.get("like")
    asked = form.narrowing if like is None else replace(form.narrowing, as_of=as_of_that(form.report, like))
    found = first_rows(kind=form.report.kind, narrowing=asked, by=form.by)
    logger.info("the first rows of the report %s were looked at by user %s", form.report.kind, form.by.pk)
    return found


def repeat(page: Any, request: HttpRequest, pk: int) -> HttpResponseBase:
    """The same once more, as of now."""
    if not request.user.has_perm(EXPORT):
        raise PermissionDenied
    try:
        export = repeat_export(export_id=pk, by=staff(request), now=database_now())
    except DomainError as refusal:
        page.message_user(request, refusal.sentence, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:payments_export_centre"))
    return HttpResponseRedirect(reverse("admin:payments_export_change", args=[export.pk]))


def tell_form(form: ExportForm | ScheduleForm, refusal: DomainError) -> None:
    """Beside the field that is meant, by its name in this form."""
    names = {"as_of_export": "like"}
    names |= {option.name: f"option_{option.name}" for option in form.report.options}
    if len(refusal.details) == 1:
        (field,) = refusal.details
        refusal.details = {names.get(field, field): refusal.details[field]}
    tell(form, refusal)
