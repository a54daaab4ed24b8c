"""The timeline of one place: a page to read, and to print for a dispute."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, gettext_noop

from config.admin import ReadOnlyAdmin, RowLink
from config.clock import database_now
from config.errors import DomainError
from config.handbook import helped_by
from config.phrases import tell
from entries.admin.entries import EntryAdmin
from entries.admin.requests import RequestAdmin
from entries.models import Entry
from payments.timeline import Timeline, timeline_of
from payments.timeline.lines import Line

LOOKS, SEES_MONEY = ("entries.view_request", "entries.view_entry"), "payments.view_payment"

RequestAdmin.links = (
    *RequestAdmin.links,
    RowLink(gettext_noop("Timeline"), LOOKS[0], lambda pk: reverse("admin:payments_timeline", args=[pk])),
)
EntryAdmin.links = (
    *EntryAdmin.links,
    RowLink(gettext_noop("Timeline"), LOOKS[1], lambda pk: reverse("admin:payments_timeline_of_entry", args=[pk])),
)


@dataclass(frozen=True)
class Shown:
    """A line as the page has it; `address` is empty where this person may not look at its row."""

    line: Line
    there: datetime
    who: str
    address: str


class WithTimeline(ReadOnlyAdmin):
    """Adds the pages of timelines to those of places and their money."""

    def get_urls(self) -> list[Any]:
        """Beside Django's."""
        view = self.admin_site.admin_view
        own = [
            path("timeline/<int:pk>", view(self.timeline), name="payments_timeline"),
            path("timeline/entry/<int:pk>", view(self.timeline_of_entry), name="payments_timeline_of_entry"),
        ]
        return [*own, *super().get_urls()]

    @helped_by("staff/entries#the-timeline")
    def timeline(self, request: HttpRequest, pk: int) -> HttpResponse:
        """By the place's own request, or by one that bought it back."""
        if not request.user.has_perms(LOOKS):
            raise PermissionDenied
        try:
            timeline = timeline_of(request_id=pk, with_money=request.user.has_perm(SEES_MONEY))
        except DomainError as refusal:
            raise Http404(refusal.sentence) from refusal
        zone = ZoneInfo(timeline.request.pool.competition.time_zone)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Timeline"),
            "opts": self.opts,
            "timeline": timeline,
            "zone": zone.key,
            "lines": [_shown(request, timeline, line, zone) for line in timeline.lines],
            "printed_at": database_now(),
        }
        return TemplateResponse(request, "payments/timeline.html", context)

    @helped_by("staff/entries#the-timeline")
    def timeline_of_entry(self, request: HttpRequest, pk: int) -> HttpResponse:
        """By the entry."""
        if not request.user.has_perms(LOOKS):
            raise PermissionDenied
        entry = get_object_or_404(Entry, pk=pk)
        return HttpResponseRedirect(reverse("admin:payments_timeline", args=[entry.request_id]))


def _shown(request: HttpRequest, timeline: Timeline, line: Line, zone: ZoneInfo) -> Shown:
    who = (
        gettext("the system")
        if line.actor_id is None
        else timeline.names.get(line.actor_id, tell("user {number}", number=line.actor_id))
    )
    return Shown(line, line.at.astimezone(zone), who, _address(request, line))


def _address(request: HttpRequest, line: Line) -> str:
    """Of the page of the row, for whoever may see it."""
    if line.link is None:
        return ""
    page, pk = line.link
    app, model, _ = page.split("_")
    return reverse(f"admin:{page}", args=[pk]) if request.user.has_perm(f"{app}.view_{model}") else ""
