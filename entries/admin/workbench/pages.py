"""The pages of the workbench. Everything works without a script; the script gives keys to what is there."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext
from django.views.decorators.http import require_POST

from accounts.admin.staff import staff
from config.admin import HouseAdmin, list_button
from config.clock import database_now
from config.confirmations import LISTED_ROWS, MOST_WHILE_WAITING
from config.errors import DomainError, invalid
from config.handbook import helped_by
from config.row_numbers import row_number
from entries.admin.request_previews import (
    DECIDES,
    what_approval_does,
    what_rejection_does,
    what_taking_back_does,
    what_waiting_does,
)
from entries.admin.workbench.queue import Lane, Queue
from entries.admin.workbench.rows import rows_of
from entries.models import WITH_REASON, BulkDecision, BulkKind, BulkOutcome, BulkState, ReasonTemplate, Request
from entries.services.bulk_decisions import MOST_REQUESTS, run_while_somebody_waits, start_bulk_decision

if TYPE_CHECKING:
    from config.confirmations import Many


class Way(NamedTuple):
    """One decision: what its button says, what it will do, and what was done."""

    label: str
    done: Callable[[int], str]
    preview: Callable[[QuerySet[Request]], Sequence[str]]


WAYS = {
    BulkKind.APPROVE: Way(
        gettext_noop("Approve"),
        lambda count: ngettext("{count} request approved.", "{count} requests approved.", count),
        what_approval_does,
    ),
    BulkKind.REJECT: Way(
        gettext_noop("Reject"),
        lambda count: ngettext("{count} request rejected.", "{count} requests rejected.", count),
        what_rejection_does,
    ),
    BulkKind.WAIT: Way(
        gettext_noop("Waiting list"),
        lambda count: ngettext(
            "{count} request put on the waiting list.", "{count} requests put on the waiting list.", count
        ),
        what_waiting_does,
    ),
    BulkKind.TAKE_BACK: Way(
        gettext_noop("Take back"),
        lambda count: ngettext("{count} request taken back.", "{count} requests taken back.", count),
        what_taking_back_does,
    ),
}
OFFERED = {
    Lane.UNDECIDED: (BulkKind.APPROVE, BulkKind.REJECT, BulkKind.WAIT),
    Lane.WAITING: (BulkKind.APPROVE, BulkKind.REJECT),
    Lane.UNPAID: (BulkKind.TAKE_BACK,),
}
LANES = {
    Lane.UNDECIDED: gettext_lazy("To decide"),
    Lane.WAITING: gettext_lazy("On a waiting list"),
    Lane.UNPAID: gettext_lazy("Approved, not paid"),
}


class WithWorkbench(HouseAdmin):
    """The list of requests with its workbench beside it."""

    def get_urls(self) -> list[Any]:
        """Beside Django's: what the workbench posts to."""
        view = self.admin_site.admin_view
        own = [path("workbench/decide", require_POST(view(self.decide)), name="entries_request_decide")]
        return [*own, *super().get_urls()]

    @list_button("Workbench", path="workbench", icon="checklist", permission=DECIDES)
    @helped_by("staff/requests#the-workbench")
    def workbench(self, request: HttpRequest) -> HttpResponse:
        """The queue."""
        _refuse_others(request)
        queue = Queue.of(request.GET)
        requests, has_more = queue.page()
        count = queue.count()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Requests workbench"),
            "opts": self.opts,
            "queue": queue,
            "lanes": [(lane, label, queue.query(lane=lane.value, after=None)) for lane, label in LANES.items()],
            "pools": queue.pools(),
            "rows": rows_of(requests, database_now()),
            "count": count,
            "is_many": count > MOST_REQUESTS,
            "most": MOST_REQUESTS,
            "until": queue.requests().values_list("pk", flat=True).last() if has_more else 0,
            "ways": [(kind.value, WAYS[kind].label) for kind in OFFERED[queue.lane]],
            "next": queue.query(after=requests[-1].pk) if has_more else "",
            "first": queue.query(after=None) if queue.after else "",
        }
        return TemplateResponse(request, "entries/workbench.html", context)

    @helped_by("staff/requests#deciding")
    def decide(self, request: HttpRequest) -> HttpResponse:
        """Ask before, with numbers; then do it, and show what became of each."""
        _refuse_others(request)
        queue = Queue.of(request.POST)
        back = f"{reverse('admin:entries_request_workbench')}?{queue.query()}"
        try:
            kind, ids = _asked(request, queue)
            if request.POST.get("confirmed") != str(len(ids)):
                return self._ask(request, queue, kind, ids, back)
            bulk = start_bulk_decision(kind=kind, request_ids=ids, by=staff(request), reason=_reason(request, kind))
        except DomainError as refusal:
            messages.error(request, refusal.sentence)
            return HttpResponseRedirect(back)
        if len(ids) <= MOST_WHILE_WAITING:
            run_while_somebody_waits(bulk_id=bulk.pk)
        return _onward(request, bulk, back)

    def _ask(
        self, request: HttpRequest, queue: Queue, kind: BulkKind, ids: Sequence[int], back: str
    ) -> TemplateResponse:
        rows = Request.objects.filter(pk__in=ids).select_related("pool", "user").order_by("pk")
        way, has_reason = WAYS[kind], kind in WITH_REASON
        context = {
            **self.admin_site.each_context(request),
            "title": way.label,
            "opts": self.opts,
            "queue": queue,
            "kind": kind,
            "sentences": way.preview(rows),
            "rows": [self.describe(row) for row in rows[:LISTED_ROWS]],
            "more": max(len(ids) - LISTED_ROWS, 0),
            "count": len(ids),
            "has_changed": "confirmed" in request.POST,
            "ids": [] if "all" in request.POST else ids,
            "until": request.POST.get("until", "") if "all" in request.POST else "",
            "has_reason": has_reason,
            "given": request.POST.get("reason", ""),
            "templates": ReasonTemplate.objects.filter(kind=kind, is_offered=True) if has_reason else (),
            "back": back,
        }
        return TemplateResponse(request, "entries/workbench_confirm.html", context)


def as_one_piece(kind: BulkKind) -> "Many":
    """What an action of the list does with more rows than a browser should wait for."""

    def start(page: Any, request: HttpRequest, rows: QuerySet[Request], why: str) -> HttpResponse | None:
        ids = rows.order_by("pk").values_list("pk", flat=True)[: MOST_REQUESTS + 1]
        try:
            bulk = start_bulk_decision(kind=kind, request_ids=ids, by=staff(request), reason=why)
        except DomainError as refusal:
            page.message_user(request, refusal.sentence, messages.ERROR)
            return None
        return HttpResponseRedirect(reverse("admin:entries_bulkdecision_change", args=[bulk.pk]))

    return start


def _refuse_others(request: HttpRequest) -> None:
    if not request.user.has_perm(DECIDES):
        raise PermissionDenied


def _asked(request: HttpRequest, queue: Queue) -> tuple[BulkKind, list[int]]:
    """What is to be decided about which requests. Nothing of what a browser sends is believed to be there."""
    kind, ids = request.POST.get("kind", ""), request.POST.getlist("request")
    # The button of one row.
    if only := request.POST.get("only", ""):
        kind, _, one = only.partition("-")
        ids = [one]
    if kind not in BulkKind.values:
        raise _nothing()
    if "all" in request.POST and not only:
        until = request.POST.get("until", "")
        return BulkKind(kind), queue.ids(until=row_number(until) or 0)
    chosen = [number for number in map(row_number, ids) if number is not None]
    found = list(Request.objects.filter(pk__in=chosen[: MOST_REQUESTS + 1]).order_by("pk").values_list("pk", flat=True))
    if not found:
        raise _nothing()
    return BulkKind(kind), found


def _nothing() -> DomainError:
    return invalid("requests", _("Choose at least one request first."))


def _reason(request: HttpRequest, kind: BulkKind) -> str:
    """What was typed, or the text of the template that was chosen instead."""
    typed, chosen = request.POST.get("reason", "").strip(), request.POST.get("template", "")
    if typed:
        return typed
    template = ReasonTemplate.objects.filter(pk=row_number(chosen) or 0, kind=kind, is_offered=True).first()
    return "" if template is None else template.text


def _onward(request: HttpRequest, bulk: BulkDecision, back: str) -> HttpResponseRedirect:
    """Back to the queue where all was done at once; else to what became of each, or is becoming of it."""
    bulk.refresh_from_db()
    results = reverse("admin:entries_bulkdecision_change", args=[bulk.pk])
    if bulk.status != BulkState.DONE or bulk.items.exclude(outcome=BulkOutcome.DONE).exists():
        return HttpResponseRedirect(results)
    count = bulk.items.count()
    done = WAYS[BulkKind(bulk.kind)].done(count).format(count=count)
    link = _("Results, and undo") if bulk.kind == BulkKind.APPROVE else _("Results")
    messages.success(request, format_html('{} <a href="{}" class="underline">{}</a>', done, results, link))
    return HttpResponseRedirect(back)
