"""Requests as callers see them, and what they may send."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.filters import CreatedFilter
from entries.api.serializers.bulk import BulkErrorOut, told
from entries.models import PaymentStatus, Request, RequestKind, RequestStatus
from entries.services.approvals import REASON_LENGTH
from entries.services.decisions import MOST_AT_ONCE, Decision

LARGEST_ID = 2**63 - 1


class RequestOut(serializers.ModelSerializer[Request]):
    """A request. Money is in minor units of `currency`; both are null until there is something to pay."""

    pool = serializers.IntegerField(source="pool_id", read_only=True)
    user = serializers.IntegerField(source="user_id", read_only=True)
    currency = serializers.SerializerMethodField()
    entry = serializers.IntegerField(
        source="entry.pk", read_only=True, allow_null=True, help_text="The entry that was born of it; null before."
    )
    bought_entry = serializers.IntegerField(
        source="bought_entry_id", read_only=True, allow_null=True, help_text="Of a buy-back: the entry that comes back."
    )
    fell_in_round = serializers.IntegerField(
        source="round_number", read_only=True, allow_null=True, help_text="Of a buy-back: the round that put it out."
    )
    resumes_round = serializers.IntegerField(
        source="resumes_round_number",
        read_only=True,
        allow_null=True,
        help_text="Of a buy-back: the round in which it plays again; it is due when that round locks.",
    )
    waiting_list_position = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="From 1; null when the request is not on the waiting list."
    )

    class Meta:
        model = Request
        fields = [
            "id", "kind", "pool", "user", "number", "status", "payment_status", "fee_cents", "currency", "reason",
            "pay_by", "created_at", "decided_at", "entry", "bought_entry", "fell_in_round", "resumes_round",
            "waiting_list_position",
        ]  # fmt: skip
        read_only_fields = fields

    def get_currency(self, request: Request) -> str | None:
        """ISO 4217, lower case."""
        return request.currency or None


class RequestFilter(CreatedFilter):
    """Which requests to list; `user` is for staff, others see their own alone."""

    kind = serializers.ChoiceField(RequestKind.choices, required=False)
    status = serializers.ChoiceField(RequestStatus.choices, required=False)
    payment_status = serializers.ChoiceField(PaymentStatus.choices, required=False)
    pool = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    user = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    competition = serializers.SlugField(max_length=40, required=False, help_text="A competition's code.")


class RejectBody(serializers.Serializer[Request]):
    """Why; the player reads it."""

    reason = serializers.CharField(max_length=REASON_LENGTH)


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID},
        "minItems": 1,
        "maxItems": MOST_AT_ONCE,
        "uniqueItems": True,
    }
)
class RequestsField(serializers.ListField):
    """Ids of requests. Whether each is there once is asked by the service."""

    child = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)


class ApproveManyBody(serializers.Serializer[Any]):
    """Which requests, each once. Places go to them in this order."""

    requests = RequestsField(min_length=1, max_length=MOST_AT_ONCE)


class RejectManyBody(ApproveManyBody):
    """Which requests, and why: all of their players read it."""

    reason = serializers.CharField(max_length=REASON_LENGTH)


class DecisionOut(serializers.Serializer[Any]):
    """What became of one of several requests: `error` is there where it was not decided."""

    id = serializers.IntegerField(read_only=True, help_text="As it was asked for.")
    decided = serializers.BooleanField(read_only=True)
    request = RequestOut(read_only=True, allow_null=True, help_text="As it stands now; null where there is none.")
    error = BulkErrorOut(read_only=True, allow_null=True)


def decided(decision: Decision, request: Request | None) -> dict[str, Any]:
    """One answer of several, as `DecisionOut` takes it."""
    return {
        "id": decision.request_id,
        "decided": decision.refusal is None,
        "request": request,
        "error": told(decision.refusal),
    }


class WithdrawBody(serializers.Serializer[Request]):
    """Staff who withdraw for a player say why; a player need not."""

    reason = serializers.CharField(max_length=REASON_LENGTH, required=False, allow_blank=True)
