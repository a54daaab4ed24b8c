"""Write-offs and marks of what is not ours, for finance: to read, to approve with a second name, to take back."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import STAFF
from config.api.views import ReadOnlyViewSet
from config.errors import Code
from payments.api.serializers import LARGEST_ID
from payments.models import ForeignObject, ForeignState, WriteOff, WriteOffState
from payments.services.discrepancies import REASON_LENGTH
from payments.services.queue.foreign import find_ours
from payments.services.queue.write_offs import approve_write_off, decline_write_off

REFUSALS = (Code.NOT_FOUND, Code.FORBIDDEN, Code.INVALID_TRANSITION, Code.VERSION_CONFLICT)


class WriteOffOut(serializers.ModelSerializer[WriteOff]):
    """Money given up. `amount_cents` is what lay on the account, debits positive: more than nothing is a loss."""

    discrepancy = serializers.IntegerField(source="discrepancy_id", read_only=True)
    requested_by = serializers.IntegerField(source="requested_by_id", read_only=True)
    decided_by = serializers.IntegerField(source="decided_by_id", read_only=True, allow_null=True)
    journal_entry = serializers.IntegerField(source="entry_id", read_only=True, allow_null=True)

    class Meta:
        model = WriteOff
        fields = [
            "id", "discrepancy", "status", "account_kind", "provider", "amount_cents", "currency", "livemode", "reason",
            "requested_by", "requested_at", "decided_by", "decided_at", "decision_reason", "journal_entry",
        ]  # fmt: skip
        read_only_fields = fields


class WriteOffFilter(serializers.Serializer[Any]):
    """Which write-offs to list."""

    status = serializers.ChoiceField(WriteOffState.choices, required=False)
    discrepancy = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)


class ReasonBody(serializers.Serializer[Any]):
    """Why; it is kept beside what is done."""

    reason = serializers.CharField(max_length=REASON_LENGTH)


class WriteOffViewSet(ReadOnlyViewSet):
    """What was given up, and what waits for a second name."""

    family = "finance"
    queryset = WriteOff.objects.all()
    serializer_class = WriteOffOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        return queryset.filter(**self.valid_query()) if self.action == "list" else queryset

    @operation(query=WriteOffFilter, summary="List write-offs")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a write-off")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One write-off."""
        return super().retrieve(request, pk)

    @action(detail=True, methods=["post"])
    @operation(
        body=None,
        answer=WriteOffOut,
        status=200,
        errors=(*REFUSALS, Code.SECOND_NAME_NEEDED, Code.WRITE_OFF_TOO_LARGE),
        limits=(STAFF,),
        moves_money=True,
        summary="Approve a write-off",
        fresh=True,
    )
    def approve(self, request: Call, pk: str) -> Response:
        """The second name: it is booked, and its discrepancy is closed. Never by who asked for it."""
        return Response(WriteOffOut(approve_write_off(write_off_id=self.get_object().pk, by=caller(request))).data)

    @action(detail=True, methods=["post"])
    @operation(
        body=ReasonBody,
        answer=WriteOffOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        moves_money=True,
        summary="Decline a write-off",
    )
    def decline(self, request: Call, pk: str) -> Response:
        """Turn it down, or take one's own back; its discrepancy waits on."""
        wish = decline_write_off(
            write_off_id=self.get_object().pk, by=caller(request), reason=self.valid_body()["reason"]
        )
        return Response(WriteOffOut(wish).data)


class ForeignObjectOut(serializers.ModelSerializer[ForeignObject]):
    """What is at the provider and not ours. `amount_cents` is what was moved to the account `not_ours`."""

    discrepancy = serializers.IntegerField(source="discrepancy_id", read_only=True)
    marked_by = serializers.IntegerField(source="marked_by_id", read_only=True)
    found_by = serializers.IntegerField(source="found_by_id", read_only=True, allow_null=True)
    journal_entry = serializers.IntegerField(source="entry_id", read_only=True, allow_null=True)

    class Meta:
        model = ForeignObject
        fields = [
            "id", "object_key", "discrepancy", "status", "account_kind", "provider", "amount_cents", "currency",
            "livemode", "reason", "marked_by", "marked_at", "found_by", "found_at", "found_because", "journal_entry",
        ]  # fmt: skip
        read_only_fields = fields


class ForeignObjectFilter(serializers.Serializer[Any]):
    """Which marks to list."""

    status = serializers.ChoiceField(ForeignState.choices, required=False)


class ForeignObjectViewSet(ReadOnlyViewSet):
    """What the reconciliation leaves alone, and what it left alone once."""

    family = "finance"
    queryset = ForeignObject.objects.all()
    serializer_class = ForeignObjectOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        return queryset.filter(**self.valid_query()) if self.action == "list" else queryset

    @operation(query=ForeignObjectFilter, summary="List what is not ours")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show what is not ours")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One mark."""
        return super().retrieve(request, pk)

    @action(detail=True, methods=["post"])
    @operation(
        name="claimForeignObject",
        body=ReasonBody,
        answer=ForeignObjectOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        moves_money=True,
        summary="Find it to be ours",
        fresh=True,
    )
    def ours(self, request: Call, pk: str) -> Response:
        """It is ours after all: what was moved is moved back, and its discrepancy is open again, as a new row."""
        mark = find_ours(mark_id=self.get_object().pk, by=caller(request), reason=self.valid_body()["reason"])
        return Response(ForeignObjectOut(mark).data)
