"""Runs of the reconciliation: what each read, what differed on both sides, what it healed; and finance's page."""

from collections import Counter
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config import audit
from config.admin import ReadOnlyAdmin, WithRowActions, list_button
from config.confirmations import Reason, confirmed
from config.errors import DomainError
from config.handbook import helped_by
from config.phrases import shown_amount, tell_of
from config.words import spoken
from payments.admin.by_provider import ByProvider
from payments.admin.finance_page import finance_page
from payments.models import ReconciliationRun, ReconciliationRunChange
from payments.reconciliation.breaker import let_healing_go_on
from payments.reconciliation.report import BothSides, OpenItems, differences_file, report_of
from payments.reconciliation.wanted import want_run

MAY_SEE = "payments.view_reconciliationrun"
MAY_RUN = "payments.run_reconciliation"


def what_healing_does(rows: QuerySet[ReconciliationRun]) -> list[str]:
    """The preview of `let_it_heal`."""
    waiting = Counter[str]()
    for run in rows:
        waiting.update(run.stopped_healing)
    told = [
        tell_of(
            count,
            "{count} of the kind “{kind}” is healed by the next runs.",
            "{count} of the kind “{kind}” are healed by the next runs.",
            kind=spoken(kind),
        )
        for kind, count in waiting.items()
    ]
    return [*told, gettext("Look at a few of them first: so many at once are a wrong key sooner than a loss.")]


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """One row for each run, from its first moment on."""

    handbook = "finance/reconciliation#runs"
    change_model = ReconciliationRunChange
    list_display = ("id", "kind", "provider", "status", "phase", "started_at", "took", "staged", "differs", "mended")
    list_filter: ClassVar = (("kind", ChoicesDropdownFilter), ByProvider, "status", "started_at")
    ordering = ("-id",)
    fields = (
        "verdict", "kind", "provider", "livemode", "status", "phase", "since", "until", "started_at", "finished_at",
        "took", "pages", "staged", "resumed", "started_by", "code_version", "error", "differs", "mended", "stopped",
        "queue", "history",
    )  # fmt: skip
    readonly_fields = ("took", "verdict", "differs", "mended", "stopped", "queue", "history")
    list_select_related = ("started_by",)
    actions_list = ("finance",)
    actions = ("let_it_heal",)

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only where something was too much to heal unasked."""
        run: ReconciliationRun | None = self.get_object(request, object_id)
        return run is not None and bool(run.stopped_healing)

    @confirmed(
        "Let it heal",
        permission=MAY_RUN,
        preview=what_healing_does,
        reason=Reason.REQUIRED,
        done="let go on",
        fresh=True,
    )
    def let_it_heal(self, request: HttpRequest, row: ReconciliationRun, reason: str) -> None:
        """Give leave for what was too much."""
        let_healing_go_on(run=row, by=staff(request), reason=reason)

    def get_urls(self) -> list[URLPattern]:
        """Django's, with the button of finance's page."""
        view = self.admin_site.admin_view
        return [
            path("run-now/", view(self.run_now), name="payments_reconciliationrun_run_now"),
            path("<int:run_id>/seen.csv", view(self.seen), name="payments_reconciliationrun_seen"),
            *super().get_urls(),
        ]

    @list_button("Finance", path="finance", icon="monitoring", permission=MAY_SEE)
    @helped_by("finance/reconciliation#the-finance-page")
    def finance(self, request: HttpRequest) -> HttpResponseBase:
        """Does the money agree today?"""
        return finance_page(self, request)

    def run_now(self, request: HttpRequest) -> HttpResponseBase:
        """Have a worker reconcile; back to finance's page."""
        if request.method != "POST" or not request.user.has_perm(MAY_RUN):
            raise PermissionDenied
        try:
            want_run(by=staff(request))
        except DomainError as refusal:
            self.message_user(request, refusal.sentence, messages.WARNING)
        else:
            self.message_user(
                request, gettext("A worker reconciles now. This page shows what it found."), messages.SUCCESS
            )
        return HttpResponseRedirect(reverse("admin:payments_reconciliationrun_finance"))

    @admin.display(description="Took")
    def took(self, run: ReconciliationRun) -> str:
        """From its beginning to its end."""
        if run.finished_at is None:
            return gettext("at work")
        return f"{(run.finished_at - run.started_at).total_seconds():.1f} s"

    @admin.display(description="Found")
    def differs(self, run: ReconciliationRun) -> str:
        """How many of each kind."""
        return _counts(run.found) or "nothing"

    @admin.display(description="Healed")
    def mended(self, run: ReconciliationRun) -> str:
        """How many of each kind."""
        return _counts(run.healed) or "nothing"

    @admin.display(description="Too many to heal unasked")
    def stopped(self, run: ReconciliationRun) -> str:
        """What waits for a person's word."""
        return _counts(run.stopped_healing) or "nothing"

    @admin.display(description="In the queue")
    def queue(self, run: ReconciliationRun) -> SafeString:
        """The way to what this run saw last."""
        address = reverse("admin:payments_discrepancy_changelist")
        return format_html('<a href="{}?state=all&last_run__id__exact={}">What this run saw</a>', address, run.pk)

    @admin.display(description="Verdict")
    def verdict(self, run: ReconciliationRun) -> SafeString:
        """Green, or what speaks against it; both sides in numbers; and what it saw, as a file."""
        found = report_of(run)
        context = {
            "run": run,
            "report": found,
            "lines": [_shown(line) for line in found.lines],
            "opened": _counts(run.opened),
            "closed": _counts(run.closed),
            "still_open": [(spoken(one.kind).capitalize(), one, _amount(one)) for one in found.still_open],
        }
        return render_to_string("payments/run_report.html", context)

    def seen(self, request: HttpRequest, run_id: int) -> HttpResponseBase:
        """The rows of the queue that the run has seen, as CSV; its digest is in a header."""
        if not request.user.has_perm(MAY_SEE):
            raise PermissionDenied
        run = get_object_or_404(ReconciliationRun, pk=run_id)
        audit.record(action="reconciliation_run.fetched", subject=run, by=staff(request))
        file = differences_file(run)
        answer = HttpResponse(file.content, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
        answer["Repr-Digest"] = f"sha-256={file.sha256}"
        return answer


def _shown(line: BothSides) -> dict[str, Any]:
    return {
        "line": line,
        "what": spoken(line.what),
        "ours": shown_amount(line.ours, line.currency),
        "theirs": shown_amount(line.theirs, line.currency),
        "young": shown_amount(line.young, line.currency) if line.young_count else "",
        "rest": shown_amount(line.difference, line.currency) if line.difference else "",
    }


def _amount(item: OpenItems) -> str:
    return shown_amount(item.cents, item.currency) if item.currency else ""


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{count} {spoken(kind)}" for kind, count in sorted(found.items()) if count)
