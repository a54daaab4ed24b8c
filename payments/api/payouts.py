"""Payouts of prizes: finance asks for them, approves and cancels them; a player sees the prize of their own entry."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import STAFF
from config.api.views import ApiView, ReadOnlyViewSet
from config.errors import Code
from config.reasons import LONGEST_REASON
from payments.api.serializers import LARGEST_ID
from payments.models import Payout, PayoutState
from payments.queries import with_entries
from payments.services.payouts import approve_payout, cancel_payout, request_payout, return_payout
from payments.services.winners.bulk import Outcome, approve_payouts, request_payouts
from pools.models import Pool

REFUSALS = (
    Code.NOT_FOUND, Code.FORBIDDEN, Code.INVALID_TRANSITION, Code.PRIZE_NOT_DUE, Code.TAX_FORM_MISSING,
    Code.ENTRY_SUSPENDED, Code.VERSION_CONFLICT,
)  # fmt: skip
MOST_AT_ONCE = 100


class PayoutOut(serializers.ModelSerializer[Payout]):
    """A prize on its way. `amount_cents` is before `withheld_cents`; the winner gets `net_cents`."""

    pool = serializers.IntegerField(source="booking.pool_id", read_only=True)
    player = serializers.IntegerField(source="player_id", read_only=True)
    entry = serializers.SerializerMethodField(help_text="The first of `entries`.")
    entries = serializers.ListField(child=serializers.IntegerField(), source="entry_ids", read_only=True)
    net_cents = serializers.IntegerField(read_only=True)
    replaces = serializers.IntegerField(source="replaces_id", read_only=True, allow_null=True)
    requested_by = serializers.IntegerField(source="requested_by_id", read_only=True)
    approved_by = serializers.IntegerField(source="approved_by_id", read_only=True, allow_null=True)

    class Meta:
        model = Payout
        fields = [
            "id", "pool", "entry", "entries", "player", "status", "won_cents", "amount_cents", "withheld_cents",
            "net_cents", "currency", "provider", "provider_reference", "failure", "replaces", "requested_by",
            "approved_by", "requested_at", "approved_at", "sent_at", "paid_at", "returned_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_entry(self, payout: Any) -> int | None:
        return payout.entry_ids[0] if payout.entry_ids else None


class RefusedOut(serializers.Serializer[Any]):
    """One that was refused, and why."""

    subject = serializers.IntegerField(help_text="A player, where payouts were asked for; else a payout.")
    code = serializers.CharField()
    message = serializers.CharField()


class OutcomeOut(serializers.Serializer[Any]):
    """What became of many."""

    done = PayoutOut(many=True)
    refused = RefusedOut(many=True)


class PayoutFilter(serializers.Serializer[Payout]):
    """Which payouts to list."""

    status = serializers.ChoiceField(PayoutState.choices, required=False)
    pool = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    player = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)


class ProviderBody(serializers.Serializer[Any]):
    """Which way."""

    provider = serializers.SlugField(
        max_length=20,
        required=False,
        help_text="`manual`, or a provider where the player has a confirmed account; by default that, else by hand.",
    )


class PayoutBody(ProviderBody):
    """Whose prize."""

    entry = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, help_text="Any entry with a prize: all that its player won is paid out."
    )


class ApproveBody(serializers.Serializer[Any]):
    """Which payouts."""

    payouts = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID), min_length=1, max_length=MOST_AT_ONCE
    )


class WhyBody(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class PayoutViewSet(ReadOnlyViewSet):
    """All payouts."""

    family = "finance"
    queryset = Payout.objects.select_related("booking")
    serializer_class = PayoutOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def get_queryset(self) -> QuerySet[Payout]:
        """With the entries that won."""
        return with_entries(super().get_queryset())

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        names = {"status": "status", "pool": "booking__pool_id", "player": "player_id"}
        return queryset.filter(**{names[key]: value for key, value in self.valid_query().items()})

    @operation(query=PayoutFilter, summary="List payouts")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a payout")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One payout."""
        return super().retrieve(request, pk)

    @operation(
        body=PayoutBody, answer=PayoutOut, status=201, is_located=True, errors=REFUSALS, limits=(STAFF,),
        moves_money=True, summary="Ask for a payout", fresh=True,
    )  # fmt: skip
    def create(self, request: Call) -> Response:
        """Ask that a winner be paid all that was won in the pool, less what was paid; somebody else approves it."""
        body = self.valid_body()
        payout = request_payout(entry_id=body["entry"], by=caller(request), provider=body.get("provider"))
        return Response(_shown(payout), status=201, headers={"Location": f"/api/v1/payouts/{payout.pk}"})

    @action(detail=False, methods=["post"], url_path="approvals")
    @operation(
        name="approvePayouts",
        body=ApproveBody, answer=OutcomeOut, status=200, errors=(Code.NOT_FOUND,), limits=(STAFF,), moves_money=True,
        summary="Approve payouts", fresh=True,
    )  # fmt: skip
    def approve_many(self, request: Call) -> Response:
        """Give the second name to up to 100; each is answered for itself."""
        return Response(_outcome(approve_payouts(payout_ids=self.valid_body()["payouts"], by=caller(request))))

    @action(detail=True, methods=["post"])
    @operation(
        body=None, answer=PayoutOut, status=200, errors=REFUSALS, limits=(STAFF,), moves_money=True,
        summary="Approve a payout", fresh=True,
    )  # fmt: skip
    def approve(self, request: Call, pk: str) -> Response:
        """Give the second name. By hand it is handed over next; at a provider it is sent."""
        return Response(_shown(approve_payout(payout_id=self.get_object().pk, by=caller(request))))

    @action(detail=True, methods=["post"])
    @operation(
        body=WhyBody, answer=PayoutOut, status=200, errors=REFUSALS, limits=(STAFF,), moves_money=True,
        summary="Cancel a payout",
    )  # fmt: skip
    def cancel(self, request: Call, pk: str) -> Response:
        """Take back what has not moved."""
        payout, reason = self.get_object(), self.valid_body()["reason"]
        return Response(_shown(cancel_payout(payout_id=payout.pk, by=caller(request), reason=reason)))

    @action(detail=True, methods=["post"], url_path="return")
    @operation(
        body=WhyBody, answer=PayoutOut, status=200, errors=REFUSALS, limits=(STAFF,), moves_money=True,
        summary="Record that a payout came back", fresh=True,
    )  # fmt: skip
    def came_back(self, request: Call, pk: str) -> Response:
        """What was handed over came back: it is owed again. What went through a provider is learned from it."""
        payout, reason = self.get_object(), self.valid_body()["reason"]
        return Response(_shown(return_payout(payout_id=payout.pk, by=caller(request), reason=reason)))


class RequestPayoutsView(ApiView):
    """The winners of a pool."""

    permission_classes = [IsFinance]
    limits = (STAFF,)

    @operation(
        name="createPoolPayouts",
        body=ProviderBody, answer=OutcomeOut, status=200, errors=(Code.NOT_FOUND,), moves_money=True,
        summary="Ask for the payouts of all winners", fresh=True,
    )  # fmt: skip
    def post(self, request: Call, pk: str) -> Response:
        """Ask for each who is due one; who is refused is told with the reason, and stops nobody."""
        pool = get_object_or_404(Pool, pk=pk)
        provider = self.valid_body().get("provider")
        return Response(_outcome(request_payouts(pool_id=pool.pk, by=caller(request), provider=provider)))


def _shown(payout: Payout) -> Any:
    return PayoutOut(with_entries(Payout.objects.select_related("booking")).get(pk=payout.pk)).data


def _outcome(outcome: Outcome) -> Any:
    done = with_entries(Payout.objects.select_related("booking")).filter(pk__in=[row.pk for row in outcome.done])
    return OutcomeOut({"done": done.order_by("pk"), "refused": outcome.refused}).data
