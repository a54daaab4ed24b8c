"""Webhook endpoints and deliveries as their owners see them, and what they may send."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.serializers import NAME
from accounts.models.webhook_types import AttemptCause, Covers, DeliveryStatus, OffBecause
from accounts.models.webhooks import NAME_LENGTH, URL_LENGTH, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.services.webhooks.endpoints import MOST_POOLS, SUBSCRIBABLE
from accounts.services.webhooks.replaying import ENDED

LARGEST_ID = 2**63 - 1
# For the schema: what the service refuses beyond what the fields do.
NAME_OR_NONE = {"pattern": f"{NAME['pattern']}|^\\s*$"}
URL = {"pattern": r"^\s*[Hh][Tt][Tt][Pp][Ss]?://[!-~]+\s*$"}


class WebhookEndpointOut(serializers.ModelSerializer[WebhookEndpoint]):
    """An endpoint, without its secret."""

    examples = {"url": "https://example.org/outlast", "off_because": "", "events": ["entry.eliminated"]}

    events = serializers.ListField(child=serializers.ChoiceField(SUBSCRIBABLE))
    pools = serializers.ListField(child=serializers.IntegerField(), help_text="Only of these; empty: of all.")
    enabled = serializers.BooleanField(source="is_enabled")
    off_because = serializers.ChoiceField(
        [str(value) for value in OffBecause if value],
        allow_blank=True,
        help_text="Why it is off; empty while it is on.",
    )
    failing_since = serializers.DateTimeField(
        source="health.failing_since", allow_null=True, help_text="The first failure since the last success."
    )
    succeeded_at = serializers.DateTimeField(source="health.succeeded_at", allow_null=True)
    previous_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when everything is signed with the secret before this one as well."
    )

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id",
            "name",
            "url",
            "events",
            "covers",
            "pools",
            "enabled",
            "off_because",
            "failing_since",
            "succeeded_at",
            "previous_secret_until",
            "created_at",
        ]
        read_only_fields = fields


class WebhookEndpointWithSecretOut(WebhookEndpointOut):
    """An endpoint whose secret was just drawn."""

    secret = serializers.CharField(help_text="Verify signatures with it. Shown this once.")

    class Meta(WebhookEndpointOut.Meta):
        fields = [*WebhookEndpointOut.Meta.fields, "secret"]
        read_only_fields = fields


class _Choices(serializers.Serializer[Any]):
    """What an owner chooses."""

    examples = {"url": "https://example.org/outlast", "name": "my scoreboard", "events": ["entry.eliminated"]}

    name = serializers.CharField(max_length=NAME_LENGTH, required=False, allow_blank=True, help_text="What it is for.")
    url = serializers.CharField(max_length=URL_LENGTH, help_text="https, at port 443 or 8443, in the open internet.")
    events = serializers.ListField(
        child=serializers.ChoiceField(SUBSCRIBABLE), min_length=1, max_length=len(SUBSCRIBABLE)
    )
    covers = serializers.ChoiceField(
        Covers.choices,
        required=False,
        help_text="`own`: your entries, requests and payments. `all`: everybody's, for staff whose role sees that.",
    )
    pools = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        max_length=MOST_POOLS,
        required=False,
        help_text="Of these pools alone; left out or empty: of all.",
    )

    values = {"name": NAME_OR_NONE, "url": URL}


class NewWebhookEndpointBody(_Choices):
    """A new endpoint."""


class ChangedWebhookEndpointBody(_Choices):
    """What changes; the rest stays."""

    enabled = serializers.BooleanField(required=False, help_text="Off: nothing is sent, and nothing is kept for it.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """All of them optional."""
        found = super().get_fields()
        for field in found.values():
            field.required = False
        return found


class WebhookAttemptOut(serializers.ModelSerializer[WebhookAttempt]):
    """One attempt to deliver."""

    cause = serializers.ChoiceField(AttemptCause.choices)
    status_code = serializers.IntegerField(allow_null=True, help_text="What was answered; null where nothing was.")
    error = serializers.CharField(help_text="Why it did not count; empty where it did.")

    class Meta:
        model = WebhookAttempt
        fields = ["at", "cause", "duration_ms", "status_code", "error", "response"]
        read_only_fields = fields


class WebhookDeliveryOut(serializers.ModelSerializer[WebhookDelivery]):
    """An event that was told, or is to be told, to an endpoint."""

    sequence = serializers.IntegerField(source="id", help_text="Grows from event to event; gaps mean nothing.")
    next_attempt_at = serializers.SerializerMethodField()
    attempts = WebhookAttemptOut(many=True, help_text="The last ones, the newest first.")

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "event_id", "sequence", "type", "status", "created_at", "ended_at", "next_attempt_at", "data",
            "attempts",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt_at(self, delivery: WebhookDelivery) -> datetime | None:
        """When it is tried next, at the earliest; null once it has ended."""
        return delivery.due_at if delivery.status == DeliveryStatus.PENDING else None


class DeliveryFilter(serializers.Serializer[Any]):
    """Which deliveries to list."""

    status = serializers.ChoiceField(DeliveryStatus.choices, required=False)
    type = serializers.CharField(max_length=40, required=False)


class ReplayBody(serializers.Serializer[Any]):
    """What to send again."""

    examples = {"status": ["failed"]}

    since = serializers.DateTimeField(help_text="Events from this instant on, of the last 30 days.")
    status = serializers.ListField(
        child=serializers.ChoiceField([str(status) for status in ENDED]),
        min_length=1,
        max_length=len(ENDED),
        required=False,
        help_text="Those that ended so; left out: those that failed.",
    )


class ReplayedOut(serializers.Serializer[Any]):
    """How much is sent again."""

    replayed = serializers.IntegerField(help_text="At most 10,000 in one call, the oldest first.")
