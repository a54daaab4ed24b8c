"""The inbox of provider news, for finance and admins: what came, how often, what became of it, and what was refused."""

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from config.admin import ReadOnlyAdmin, WithRowActions
from config.confirmations import confirmed
from config.errors import Code, Conflict
from config.phrases import tell_of
from payments.models import WebhookEvent, WebhookRefusal, WebhookState
from payments.services.inbox import process_event, retry_event

THIN_FORM = "v2.core.event"


def what_looking_again_does(rows: QuerySet[WebhookEvent]) -> list[str]:
    """The preview of `look_again`."""
    dead = rows.filter(status=WebhookState.DEAD).count()
    return [
        tell_of(
            dead,
            "{count} of {total} was given up. It gets ten new tries, the first one now.",
            "{count} of {total} were given up. They get ten new tries, the first one now.",
            total=rows.count(),
        )
    ]


class Form(admin.SimpleListFilter):
    """Thin events name a thing; snapshots show it as it was."""

    title = "form"
    parameter_name = "form"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Both forms."""
        return (("snapshot", gettext("Snapshot")), ("thin", gettext("Thin")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> QuerySet[WebhookEvent]:
        """By the word that Stripe writes on thin events."""
        if self.value() == "thin":
            return queryset.filter(payload__object=THIN_FORM)
        if self.value() == "snapshot":
            return queryset.exclude(payload__object=THIN_FORM)
        return queryset


@admin.register(WebhookEvent)
class WebhookEventAdmin(WithRowActions, ReadOnlyAdmin):
    """One row for each event, however often it came."""

    handbook = "finance/payments#news-from-the-provider"
    list_display = (
        "id", "event_type", "form_of", "object_id", "status", "ignored_because", "deliveries", "attempts",
        "received_at", "processed_at",
    )  # fmt: skip
    list_filter: ClassVar = (
        ("status", ChoicesDropdownFilter),
        "ignored_because",
        "event_type",
        Form,
        "livemode",
        "received_at",
    )
    search_fields = ("event_id__exact", "object_id__exact")
    search_help_text = "Event or object at the provider"
    ordering = ("-id",)
    fields = (
        "provider", "event_id", "event_type", "form_of", "snapshot_event_id", "api_version", "object_id", "livemode",
        "deliveries", "status", "ignored_because", "attempts", "error", "due_at", "leased_until", "received_at",
        "processed_at", "content",
    )  # fmt: skip
    readonly_fields = ("form_of", "content")
    actions = ("look_again",)

    @admin.display(description="Form")
    def form_of(self, event: WebhookEvent) -> str:
        """Whether it shows the thing, or only names it."""
        return "thin" if event.payload.get("object") == THIN_FORM else "snapshot"

    @admin.display(description="Payload")
    def content(self, event: WebhookEvent) -> SafeString:
        """As it came, made readable."""
        return format_html(
            '<pre class="overflow-x-auto text-sm">{}</pre>', json.dumps(event.payload, indent=2, ensure_ascii=False)
        )

    @confirmed(
        "Look again", permission="payments.ask_provider", preview=what_looking_again_does, done="looked into again"
    )
    def look_again(self, request: HttpRequest, row: WebhookEvent, reason: str) -> None:
        """Give what was given up another chance."""
        if not retry_event(event_id=row.pk):
            raise Conflict(Code.INVALID_TRANSITION, "Only an event that was given up is looked into again.")
        process_event(event_id=row.pk)


@admin.register(WebhookRefusal)
class WebhookRefusalAdmin(ReadOnlyAdmin):
    """One row for each hour in which news came that nobody had signed."""

    handbook = "finance/payments#news-from-the-provider"
    list_display = ("hour", "provider", "times", "last_at", "sample_sha256")
    list_filter: ClassVar = ("provider", "hour")
    ordering = ("-hour", "-pk")
    fields = ("provider", "hour", "times", "last_at", "sample_sha256")
