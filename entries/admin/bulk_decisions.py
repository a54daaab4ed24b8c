"""Decisions about many requests: how far each is, what became of every request, and the way back."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, WithRowActions
from config.confirmations import Reason, confirmed
from config.kept_phrases import remade
from config.phrases import in_language, tell, tell_of
from config.words import status_of, within
from entries.admin.links import linked
from entries.admin.request_previews import DECIDES
from entries.models import BulkDecision, BulkItem, BulkKind, BulkOutcome, BulkState
from entries.services.bulk_decisions import (
    run_while_somebody_waits,
    stop_bulk_decision,
    take_back_bulk_decision,
    takeable,
)

REFRESH_SECONDS = 2
# Results on the page itself; all of them are a list of their own.
SHOWN = 100


def what_stopping_does(rows: QuerySet[BulkDecision]) -> list[str]:
    """The preview of `stop`."""
    left = BulkItem.objects.filter(bulk__in=rows, bulk__status=BulkState.RUNNING, outcome=BulkOutcome.WAITING).count()
    waiting = ngettext(
        "{count} request that was not decided yet is left as it is.",
        "{count} requests that were not decided yet are left as they are.",
        left,
    )
    return [waiting.format(count=left), _("What is decided stays decided.")]


def what_undoing_does(rows: QuerySet[BulkDecision]) -> list[str]:
    """The preview of `undo`."""
    numbers = [(bulk, takeable(bulk).count()) for bulk in rows]
    said = [
        tell_of(
            count,
            "{count} of the {total} of {bulk} is approved and not paid: it is withdrawn, and loses its place.",
            "{count} of the {total} of {bulk} are approved and not paid: they are withdrawn, and lose their place.",
            total=bulk.items.count(),
            bulk=bulk,
        )
        for bulk, count in numbers
    ]
    return [*said, _("The players read the reason, and may ask again. What is paid stays.")]


@admin.register(BulkDecision)
class BulkDecisionAdmin(WithRowActions, ReadOnlyAdmin):
    """One row for each time that requests were decided on the workbench."""

    handbook = "staff/requests#many-at-once"
    change_form_outer_after_template = "entries/bulk_decision_page.html"
    list_display = ("id", "kind", "status", "results", "by", "created_at", "finished_at")
    list_select_related = ("by",)
    list_filter: ClassVar = (("kind", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter))
    search_fields = ("by__email",)
    search_help_text = "The e-mail address of who decided"
    ordering = ("-id",)
    fields = ("kind", "status", "reason", "by", "created_at", "finished_at", "stopped_by")
    actions = ("stop", "undo")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkDecision]:
        """With how many requests each was about."""
        rows: QuerySet[BulkDecision] = super().get_queryset(request)
        return rows.annotate(asked=Count("items"))

    def describe(self, row: BulkDecision) -> str:
        """What, by whom."""
        return tell("{bulk} by {person}, {state}", bulk=str(row), person=row.by, state=status_of(row))

    @admin.display(description="Requests")
    def results(self, row: Any) -> int:
        """How many."""
        return int(row.asked)

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what can be done with it now."""
        bulk: BulkDecision | None = self.get_object(request, object_id)
        if bulk is None:
            return False
        if name == "stop":
            return bulk.status == BulkState.RUNNING
        return bulk.kind == BulkKind.APPROVE and takeable(bulk).exists()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's; below it the result of each. While it runs, the page looks again by itself."""
        bulk: BulkDecision | None = self.get_object(request, object_id) if object_id else None
        told = {} if bulk is None else _told(bulk)
        page = super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **told})
        if bulk is not None and bulk.status == BulkState.RUNNING and request.method == "GET":
            page["Refresh"] = str(REFRESH_SECONDS)
        return page

    @confirmed("Stop", permission=DECIDES, preview=what_stopping_does, done="stopped")
    def stop(self, request: HttpRequest, row: BulkDecision, reason: str) -> None:
        """Leave the rest as it is."""
        stop_bulk_decision(bulk=row, by=staff(request))

    @confirmed(
        "Undo what is not paid", permission=DECIDES, preview=what_undoing_does, reason=Reason.REQUIRED, done="undone"
    )
    def undo(self, request: HttpRequest, row: BulkDecision, reason: str) -> None:
        """Withdraw what it approved, with a decision of its own."""
        undoing = take_back_bulk_decision(bulk=row, by=staff(request), reason=reason)
        run_while_somebody_waits(bulk_id=undoing.pk)
        results = reverse("admin:entries_bulkdecision_change", args=[undoing.pk])
        messages.info(
            request,
            format_html('<a href="{}" class="underline">{}</a>', results, tell("Results of {bulk}", bulk=undoing)),
        )


@admin.register(BulkItem)
class BulkItemAdmin(ReadOnlyAdmin):
    """The result of each request."""

    handbook = "staff/requests#many-at-once"
    list_display = ("request_link", "player", "outcome", "why", "decided_at", "bulk")
    list_display_links = None
    list_select_related = ("bulk", "request__user")
    list_filter: ClassVar = (("outcome", ChoicesDropdownFilter),)
    search_fields = ("=bulk__id", "=request__id")
    search_help_text = "Number of the decision, or of the request"
    ordering = ("-id",)
    fields = ("bulk", "request", "outcome", "code", "why", "decided_at")
    readonly_fields = ("why",)

    @admin.display(description="Request", ordering="request")
    def request_link(self, row: BulkItem) -> SafeString:
        """To its page."""
        return linked(reverse("admin:entries_request_change", args=[row.request_id]), str(row.request_id))

    @admin.display(description="Message")
    def why(self, row: BulkItem) -> str:
        """Why it was refused."""
        return row.said

    @admin.display(description="Player")
    def player(self, row: BulkItem) -> str:
        """By e-mail address."""
        return row.request.user.email


def _told(bulk: BulkDecision) -> dict[str, Any]:
    counts = dict(bulk.items.order_by().values_list("outcome").annotate(Count("pk")))
    total = sum(counts.values())
    decided = total - counts.get(BulkOutcome.WAITING, 0)
    refused = bulk.items.filter(outcome=BulkOutcome.REFUSED)
    return {
        "counts": [(within(outcome.label.lower()), counts[outcome]) for outcome in BulkOutcome if counts.get(outcome)],
        "total": total,
        "decided": decided,
        "is_running": bulk.status == BulkState.RUNNING,
        "refresh_seconds": REFRESH_SECONDS,
        "refusals": [
            (in_language(remade(message, recipe)), number)
            for message, recipe, number in refused.order_by()
            .values_list("message", "recipe")
            .annotate(number=Count("pk"))
            .order_by("-number", "message")
        ],
        # The refused first: they are what somebody has to look at.
        "items": bulk.items.select_related("request__user", "request__pool").order_by("-code", "request_id")[:SHOWN],
        "unlisted": max(total - SHOWN, 0),
    }
