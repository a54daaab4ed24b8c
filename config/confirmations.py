"""Actions of the admin behind a page that says, in numbers, what will happen.

    @confirmed("Approve", permission="entries.approve_request", preview=what_approval_does)
    def approve(self, request: HttpRequest, row: Request, reason: str) -> None:
        approve_request(request=row, by=request.user, now=database_now())

Once it is confirmed, the function is called for each row, and what was done and what was refused is told, grouped by
the reason of the refusal.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from config.api.handler import explain, report
from config.errors import Code
from config.fresh_pages import ask_unless_fresh
from config.names import named
from config.phrases import in_language

LISTED_ROWS = 100
MOST_WHILE_WAITING = 30


class Shown(list[str]):
    """The sentences of a confirm page; `hidden` comes back with the confirmation, by its names, unseen."""

    hidden: dict[str, str]

    def __init__(self, sentences: Iterable[str], **hidden: str) -> None:
        super().__init__(sentences)
        self.hidden = hidden


class Reason(StrEnum):
    """Whether the confirm page asks why."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


if TYPE_CHECKING:
    Preview = Callable[[QuerySet[Any]], Sequence[str]]
    OneRow = Callable[[Any, HttpRequest, Any, str], None]
    Many = Callable[[Any, HttpRequest, QuerySet[Any], str], HttpResponse | None]
    Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


def confirmed(
    label: str,
    *,
    permission: str,
    preview: "Preview",
    reason: Reason = Reason.NONE,
    done: str = "done",
    fresh: bool = False,
    many: "Many | None" = None,
) -> "Callable[[OneRow], Action]":
    """Make an admin action of a function for one row, behind a page that says what will happen.

    `preview` gets the chosen rows and returns sentences (`Shown`, where something of what was seen comes back with the
    confirmation); `done` finishes "12 of 14 …". The permission is asked for
    again on confirmation; with `fresh` the password is, too, unless it was given a moment ago. The function refuses by
    raising; one refusal never stops the other rows. More rows than a browser should wait for (`MOST_WHILE_WAITING`) go
    to `many` instead, where there is one: it leaves them to a worker.
    """

    def decorate(function: "OneRow") -> "Action":
        @wraps(function)
        def action(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            why = request.POST.get("reason", "").strip()
            fault = _fault(request, queryset, why, reason)
            if fault is not None:
                return _confirm_page(self, request, queryset, function.__name__, label, preview, reason, fault)
            question = ask_unless_fresh(request, self.admin_site.each_context(request)) if fresh else None
            if question is not None:
                return question
            if many is not None and queryset.count() > MOST_WHILE_WAITING:
                return many(self, request, queryset, why)
            _report(self, request, _each(function, self, request, queryset, why), done)
            return None

        action.short_description = label  # type: ignore[attr-defined]  # what Django's admin reads
        action.done = done  # type: ignore[attr-defined]  # what the catalogue is asked for
        action.required_permission = permission  # type: ignore[attr-defined]  # what `get_actions` reads
        return action

    return decorate


def _fault(request: HttpRequest, queryset: QuerySet[Any], why: str, reason: Reason) -> str | None:
    """Why the page has to be shown (again); None when everything was confirmed as it stands now."""
    if "confirmed" not in request.POST:
        return ""
    if reason is Reason.REQUIRED and not why:
        return _("Say why.")
    # "Select all" is evaluated anew: what was confirmed must still be what is done.
    if request.POST["confirmed"] != str(queryset.count()):
        return _("The list changed in the meantime. Look again.")
    return None


def _confirm_page(
    page: Any,
    request: HttpRequest,
    queryset: QuerySet[Any],
    name: str,
    label: str,
    preview: "Preview",
    reason: Reason,
    fault: str,
) -> TemplateResponse:
    rows, count = [page.describe(row) for row in queryset[:LISTED_ROWS]], queryset.count()
    sentences = preview(queryset)
    context = {
        **page.admin_site.each_context(request),
        "title": named(label),
        "opts": page.opts,
        "sentences": sentences,
        "hidden": sentences.hidden if isinstance(sentences, Shown) else {},
        "rows": rows,
        "count": count,
        "more": count - len(rows),
        "asks_reason": reason is not Reason.NONE,
        "reason_required": reason is Reason.REQUIRED,
        "given_reason": request.POST.get("reason", ""),
        "fault": fault,
        "action": name,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "index": request.POST.get("index", "0"),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def _each(
    function: "OneRow", page: Any, request: HttpRequest, queryset: QuerySet[Any], why: str
) -> tuple[int, Counter[str]]:
    """Do it row by row; how many worked, and how often each refusal came.

    Oldest first, however the list is sorted: what is scarce goes to whoever came first. "Select all" may be a million
    rows, so they are never all in memory.
    """
    worked, refusals = 0, Counter[str]()
    for row in queryset.order_by("pk").iterator(chunk_size=500):
        try:
            function(page, request, row, why)
            worked += 1
        except Exception as error:  # noqa: BLE001  # whatever one row does, the others still have their turn
            found, _ = explain(error)
            if found.code is Code.INTERNAL_ERROR:
                report(error, request)
            refusals[found.message] += 1
    return worked, refusals


def _report(page: Any, request: HttpRequest, outcome: tuple[int, Counter[str]], done: str) -> None:
    worked, refusals = outcome
    total = worked + refusals.total()
    if worked:
        said = _("%(count)s of %(total)s %(done)s.") % {"count": worked, "total": total, "done": _(done)}
        page.message_user(request, said, messages.SUCCESS)
    for message, count in refusals.most_common():
        said = _("%(count)s of %(total)s refused: %(reason)s")
        told = said % {"count": count, "total": total, "reason": in_language(message)}
        page.message_user(request, told, messages.WARNING)
