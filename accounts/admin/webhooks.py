"""Webhook endpoints and what was sent to them, to look at; a delivery can be sent again. Secrets are nowhere."""

from urllib.parse import urlsplit

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext

from accounts.admin.staff import staff
from accounts.models.webhook_types import DeliveryStatus, OffBecause
from accounts.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.services.webhooks.replaying import replay
from config.admin import ReadOnlyAdmin, ReadOnlyInline, labelled
from config.confirmations import confirmed
from config.names import named
from config.phrases import tell_of


def host_of(endpoint: WebhookEndpoint) -> str:
    """Where it leads; the rest of the address may hold a secret."""
    return urlsplit(endpoint.url).hostname or ""


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    """Who is told of what, and how it fares."""

    handbook = "operator/watching#webhooks-of-others"
    list_display = ("id", "user", "host", "covers", "state", "failing_since", "succeeded_at")
    list_filter = ("covers", "off_because", ("removed_at", admin.EmptyFieldListFilter))
    list_select_related = ("user", "health")
    search_fields = ("user__email", "=id")
    ordering = ("-id",)
    fields = (
        "user",
        "name",
        "host",
        "events",
        "covers",
        "pools",
        "off_because",
        "failing_since",
        "succeeded_at",
        "previous_secret_until",
        "created_at",
        "removed_at",
    )
    readonly_fields = ("host", "failing_since", "succeeded_at")

    @admin.display(description="host")
    def host(self, endpoint: WebhookEndpoint) -> str:
        return host_of(endpoint) or "removed"

    @labelled("state", ordering="off_because", colours={"on": "success", "off": "danger"})
    def state(self, endpoint: WebhookEndpoint) -> tuple[str, str]:
        why = named(OffBecause(endpoint.off_because).label)
        return ("on", why) if endpoint.is_enabled else ("off", named("removed") if endpoint.removed_at else why)

    @admin.display(description="failing since")
    def failing_since(self, endpoint: WebhookEndpoint) -> object:
        return endpoint.health.failing_since

    @admin.display(description="last arrived")
    def succeeded_at(self, endpoint: WebhookEndpoint) -> object:
        return endpoint.health.succeeded_at


class AttemptInline(ReadOnlyInline):
    """Every attempt."""

    model = WebhookAttempt
    fields = ("at", "cause", "duration_ms", "status_code", "error", "response")


def what_replay_does(rows: QuerySet[WebhookDelivery]) -> list[str]:
    """The preview of `WebhookDeliveryAdmin.send_again`."""
    ended = rows.filter(status__in=(DeliveryStatus.DELIVERED, DeliveryStatus.FAILED)).count()
    return [
        tell_of(
            ended,
            "{count} delivery is sent once more, under the same id.",
            "{count} deliveries are sent once more, under the same ids.",
        ),
        gettext("Those that wait already stay as they are."),
    ]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """What was sent to subscribers, and what came of it."""

    handbook = "operator/watching#webhooks-of-others"
    list_display = ("id", "type", "endpoint", "status", "created_at", "due_at", "tries", "ended_at")
    list_filter = ("status", "type")
    list_select_related = ("endpoint",)
    search_fields = ("event_id__exact", "=endpoint__id")
    ordering = ("-id",)
    inlines = (AttemptInline,)
    actions = ("send_again",)

    @confirmed("Send again", permission="accounts.change_webhookdelivery", preview=what_replay_does, done="put back")
    def send_again(self, request: HttpRequest, row: WebhookDelivery, reason: str) -> None:
        replay(delivery_id=row.pk, endpoint=row.endpoint, by=staff(request))
