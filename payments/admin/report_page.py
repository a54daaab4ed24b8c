"""The finance reports as downloads. The file is written to disk first, then sent block by block: a report that fails
half-way never looks like a whole one, and its size is no matter for memory."""

import logging
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.admin.staff import staff
from config.clock import database_now
from payments.reports import REPORTS, Narrowing
from payments.services.exports import CONTENT_TYPES, FileFormat, exported_file
from pools.models import Pool

if TYPE_CHECKING:
    from config.admin import HouseAdmin

logger = logging.getLogger(__name__)


def _day(label: str) -> forms.DateField:
    widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})
    return forms.DateField(label=label, required=False, widget=widget, help_text="In the finance time zone; included.")


class ReportForm(forms.Form):
    """What to report, of which pool and days, as which kind of file."""

    kind = forms.ChoiceField(
        choices=[(report.kind, report.title) for report in REPORTS.values()], widget=UnfoldAdminSelectWidget
    )
    pool = forms.ModelChoiceField(
        Pool.objects.order_by("-id"), required=False, empty_label="All pools", widget=UnfoldAdminSelectWidget
    )
    first_day = _day("From")
    last_day = _day("To")
    file_format = forms.ChoiceField(
        label="Format", choices=[("csv", "CSV"), ("xlsx", "Excel (XLSX)")], widget=UnfoldAdminSelectWidget
    )

    def clean(self) -> dict[str, Any]:
        """Days must not end before they begin."""
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and first > last:
            self.add_error("last_day", "This is before the first day.")
        return cleaned


def report_page(page: "HouseAdmin", request: HttpRequest) -> HttpResponseBase:
    """The form, or the file it asked for. Who may see it is checked by the caller."""
    form = ReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _download(request, form.cleaned_data)
    context = {
        **page.admin_site.each_context(request),
        "title": "Reports",
        "opts": page.opts,
        "form": form,
        "reports": REPORTS.values(),
    }
    return TemplateResponse(request, "payments/report_page.html", context)


def _download(request: HttpRequest, wanted: dict[str, Any]) -> FileResponse:
    pool: Pool | None = wanted["pool"]
    file_format = FileFormat(wanted["file_format"])
    narrowing = Narrowing(pool.pk if pool else None, wanted["first_day"], wanted["last_day"])
    logger.info("report %s of %s fetched by user %s", wanted["kind"], narrowing, staff(request).pk)
    file = exported_file(kind=wanted["kind"], narrowing=narrowing, file_format=file_format)
    return FileResponse(
        file,
        as_attachment=True,
        filename=_name(wanted["kind"], pool, database_now().date(), file_format),
        content_type=CONTENT_TYPES[file_format],
    )


def _name(kind: str, pool: Pool | None, today: date, file_format: FileFormat) -> str:
    """`payments-pool-12-2026-09-10.csv`."""
    return f"{kind}-{f'pool-{pool.pk}' if pool else 'all'}-{today}.{file_format}"
