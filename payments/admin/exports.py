"""The reports centre: choose a report, say what of it, see it being written, fetch it; and all that was written."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import BigIntegerField, Count, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, ReadOnlyInline, WithRowActions, list_button
from config.api.addresses import client_address
from config.confirmations import Reason, confirmed
from config.errors import DomainError
from config.fresh_pages import ask_unless_fresh
from config.handbook import helped_by
from config.names import named
from config.phrases import shown_amount
from payments.admin.report_centre import centre_page, repeat
from payments.exports.asking import approve_export, cancel_export, request_check, try_again
from payments.exports.fetching import fetch
from payments.exports.formats import narrowing_in_words
from payments.exports.rights import EXPORT
from payments.exports.wishes import narrowing_of, report_of, title_of
from payments.models import DownloadWay, Export, ExportChange, ExportDownload, ExportState
from pools.models import Pool

APPROVES = "payments.approve_export"
AT_WORK = (ExportState.WAITING, ExportState.QUEUED, ExportState.RUNNING)


def what_approving_does(rows: QuerySet[Export]) -> list[str]:
    """The preview of `approve`."""
    waiting = rows.filter(status=ExportState.WAITING).count()
    said = _("%(waiting)s of %(all)s wait for a second name. They are written.")
    return [said % {"waiting": waiting, "all": rows.count()}]


def what_cancelling_does(rows: QuerySet[Export]) -> list[str]:
    """The preview of `cancel`."""
    return [
        _("Those that are not being written yet never will be; of those that failed nobody is reminded any more."),
        *_counted(rows, (ExportState.WAITING, ExportState.QUEUED, ExportState.FAILED)),
    ]


def what_trying_again_does(rows: QuerySet[Export]) -> list[str]:
    """The preview of `again`."""
    return [_("Those that failed are written after all, as of what they were to be as of.")]


def what_checking_does(rows: QuerySet[Export]) -> list[str]:
    """The preview of `compare_again`."""
    return [
        _("The same file is made again from the same rows of the books, and its bytes are compared. It is not kept.")
    ]


def _counted(rows: QuerySet[Export], states: tuple[ExportState, ...]) -> list[str]:
    """How many of them each state has, of those that have one."""
    found = rows.order_by().filter(status__in=states).values_list("status").annotate(Count("pk"))
    return [f"{named(ExportState(state).label)}: {count}" for state, count in sorted(found)]


class DownloadInline(ReadOnlyInline):
    """Who has fetched it."""

    model = ExportDownload
    fields = readonly_fields = ("at", "by", "way", "address")
    verbose_name_plural = gettext_lazy("Fetched by")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("by")


@admin.register(Export)
class ExportAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """Every export, newest first."""

    handbook = "finance/reports#a-report"
    change_model = ExportChange
    list_display = ("number", "title", "about", "format", "state", "rows", "whose", "created_at", "once_more")
    list_select_related = ("requested_by", "schedule")
    list_filter: ClassVar = (
        ("status", ChoicesDropdownFilter), ("format", ChoicesDropdownFilter), ("origin", ChoicesDropdownFilter),
        "created_at",
    )  # fmt: skip
    search_fields = ("=id", "report", "requested_by__email", "=sha256", "=ref")
    search_help_text = "Number, kind of report, e-mail address, SHA-256 of the file, or the name in its mark"
    ordering = ("-id",)
    fields = (
        "title", "file", "about", "as_of", "sums", "sha256", "schema_version", "code_version", "origin", "whose",
        "approved_by", "schedule", "repeats", "agrees", "watermark", "error", "attempts", "created_at", "finished_at",
        "expires_at", "history",
    )  # fmt: skip
    readonly_fields = ("title", "file", "about", "sums", "whose", "history")
    inlines = (DownloadInline,)
    actions = ("approve", "cancel", "again", "compare_again")
    actions_list = ("centre",)
    change_form_outer_before_template = "payments/export_fetch.html"

    class Media:
        js = ("payments/export_progress.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        """With the name of the pool, where it is of one."""
        rows: QuerySet[Export] = super().get_queryset(request)
        pool = Cast(KeyTextTransform("pool", "parameters"), BigIntegerField())
        return rows.annotate(of_pool=pool).annotate(
            pool_name=Pool.objects.filter(pk=OuterRef("of_pool")).values("name")
        )

    def get_urls(self) -> list[Any]:
        """Beside Django's: the fetching of a file, and how far it is."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/download", require_POST(view(self.download)), name="payments_export_download"),
            path("<int:pk>/repeat", require_POST(view(self.repeat)), name="payments_export_repeat"),
            path("<int:pk>/progress", view(never_cache(self.progress)), name="payments_export_progress"),
        ]
        return [*own, *super().get_urls()]

    @list_button("New report", path="new", icon="add", permission=EXPORT)
    @helped_by("finance/reports#a-new-report")
    def centre(self, request: HttpRequest) -> HttpResponseBase:
        """All reports, and what one of them asks."""
        return centre_page(self, request, shown)

    def repeat(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The same once more."""
        return repeat(self, request, pk)

    def download(self, request: HttpRequest, pk: int) -> HttpResponse | FileResponse:
        """The file; every time is noted. What names people leaves after a fresh sign-in alone."""
        if not request.user.has_perm(EXPORT):
            raise PermissionDenied
        if Export.objects.filter(pk=pk, is_personal=True).exists():
            question = ask_unless_fresh(request, self.admin_site.each_context(request))
            if question is not None:
                return question
        try:
            fetched = fetch(
                export_id=pk, by=staff(request), way=DownloadWay.ADMIN, address=client_address(request) or None
            )
        except DomainError as refusal:
            self.message_user(request, refusal.sentence, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:payments_export_change", args=[pk]))
        return fetched.answer()

    def progress(self, request: HttpRequest, pk: int) -> JsonResponse:
        """How far it is, for the page that is looked at meanwhile."""
        if not request.user.has_perm("payments.view_export"):
            raise PermissionDenied
        return JsonResponse(progress_of(get_object_or_404(Export, pk=pk)))

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what can be done with it now."""
        export = self.get_object(request, object_id)
        if export is None:
            raise Http404
        offered: dict[str, bool] = {
            "approve": export.status == ExportState.WAITING and export.requested_by_id != request.user.pk,
            "cancel": export.status in (ExportState.WAITING, ExportState.QUEUED, ExportState.FAILED),
            "again": export.status == ExportState.FAILED,
            "compare_again": export.status in (ExportState.DONE, ExportState.EXPIRED) and export.as_of is not None,
        }
        return offered[name]

    @admin.display(description="Export", ordering="id")
    def number(self, export: Export) -> int:
        """By which it is spoken of."""
        return export.pk

    @admin.display(description="Report", ordering="report")
    def title(self, export: Export) -> str:
        """What it is."""
        return named(title_of(export))

    @admin.display(description="Of")
    def about(self, export: Any) -> str:
        """What was asked for."""
        return about_of(export)

    @admin.display(description="State", ordering="status")
    def state(self, export: Export) -> str:
        """How far it is."""
        return str(progress_of(export)["words"])

    @admin.display(description="For")
    def whose(self, export: Export) -> str:
        """Who asked for it."""
        return whose(export)

    @admin.display(description="Once more")
    def once_more(self, export: Export) -> SafeString:
        """The same report again, as of now, by one press; the list's own form carries it."""
        return format_html(
            '<button type="submit" formaction="{}" class="font-medium text-primary-600 dark:text-primary-400"'
            ' aria-label="{}">{}</button>',
            reverse("admin:payments_export_repeat", args=[export.pk]),
            _("Write export %(number)s once more") % {"number": export.pk},
            _("Run again"),
        )

    @admin.display(description="File")
    def file(self, export: Export) -> SafeString:
        """A bar while it is written, then the button that fetches it."""
        return SafeString(
            render_to_string("payments/export_file.html", {"export": export, "progress": progress_of(export)})
        )

    @admin.display(description="Control totals")
    def sums(self, export: Export) -> SafeString:
        """What each amount comes to, per currency."""
        lines = [
            (name.replace("_", " "), shown_amount(minor, currency))
            for name, of in export.totals.items()
            for currency, minor in of.items()
        ]
        return format_html_join("", "<div>{}: {}</div>", lines) or SafeString("–")

    @confirmed("Approve", permission=APPROVES, preview=what_approving_does, done="approved", fresh=True)
    def approve(self, request: HttpRequest, row: Export, reason: str) -> None:
        """Give the second name."""
        approve_export(export_id=row.pk, by=staff(request))

    @confirmed("Cancel", permission=EXPORT, preview=what_cancelling_does, done="cancelled", reason=Reason.OPTIONAL)
    def cancel(self, request: HttpRequest, row: Export, reason: str) -> None:
        """Before it is written."""
        cancel_export(export_id=row.pk, by=staff(request), reason=reason)

    @confirmed("Try again", permission=EXPORT, preview=what_trying_again_does, done="put back")
    def again(self, request: HttpRequest, row: Export, reason: str) -> None:
        """After whatever was in the way is gone."""
        try_again(export_id=row.pk, by=staff(request))

    @confirmed("Make again and compare", permission=EXPORT, preview=what_checking_does, done="queued")
    def compare_again(self, request: HttpRequest, row: Export, reason: str) -> None:
        """The proof that a file can be made again."""
        request_check(export_id=row.pk, by=staff(request))


def progress_of(export: Export) -> dict[str, Any]:
    """How far an export is: in words, and in hundredths where that can be reckoned."""
    done, expected = export.rows_done, export.rows_expected
    percent = None
    words = named(export.get_status_display())
    if export.status == ExportState.RUNNING:
        # What the database reckons is often too little: the last hundredth is for the end.
        percent = min(99, 100 * done // expected) if expected else 0
        facts = {"done": _number(done), "all": _number(max(expected or 0, done))}
        words = _("Running: %(done)s rows of about %(all)s") if expected else _("Running: %(done)s rows")
        words %= facts
    elif export.status == ExportState.WAITING:
        words = _("Waits for a second name")
    return {"status": export.status, "words": words, "percent": percent, "is_at_work": export.status in AT_WORK}


def whose(export: Export) -> str:
    """Who asked for it."""
    return str(export.requested_by or export.schedule or _("the command line"))


def _number(count: int) -> str:
    return str(number_format(count, force_grouping=True))


def shown(export: Export) -> dict[str, Any]:
    """A row of the history in the reports centre."""
    return {
        "export": export,
        "title": named(title_of(export)),
        "about": about_of(export),
        "whose": whose(export),
        "progress": progress_of(export),
    }


def about_of(export: Any) -> str:
    """What was asked for, in words."""
    report = report_of(export)
    pool = getattr(export, "pool_name", "") or ""
    words = narrowing_in_words(report, narrowing_of(export), pool) if report else []
    return ", ".join(f"{named(label).lower()} {named(value)}" for label, value in words) or _("everything")
