"""Refunds: finance asks for them, approves and declines them; players see those of their own payments."""

from typing import Any, TypeVar

from django.db.models import QuerySet, TextChoices
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from config.api.filters import CreatedFilter, lookups
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import STAFF
from config.api.views import ApiView, ReadOnlyViewSet
from config.clock import database_now
from config.errors import Code, NotFound
from config.reasons import LONGEST_REASON
from payments.api.serializers import LARGEST_ID
from payments.models import ManualMethod, Receipt, ReceiptState, Refund, RefundOrigin, RefundState, TakenFrom
from payments.models.refund import UNFINISHED
from payments.services.manual.records import LONGEST_NOTE, LONGEST_REFERENCE, Handover
from payments.services.refunds.deciding import approve_refund, decline_refund, request_refund

REFUSALS = (
    Code.NOT_FOUND, Code.FORBIDDEN, Code.INVALID_TRANSITION, Code.CHARGE_DISPUTED, Code.REFUND_TOO_LARGE,
    Code.REFUND_NOT_ALLOWED, Code.VERSION_CONFLICT, Code.REFERENCE_USED,
)  # fmt: skip
T = TypeVar("T")
# A wish is nobody's refund yet.
WISHES = (RefundState.REQUESTED, RefundState.CANCELLED)


class ShownRefund(TextChoices):
    """Where a refund is: how it stands at the provider until it is final is our own business."""

    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


STATES_SHOWN_AS = {
    ShownRefund.REQUESTED: (RefundState.REQUESTED,),
    ShownRefund.PENDING: UNFINISHED,
    ShownRefund.SUCCEEDED: (RefundState.SUCCEEDED,),
    ShownRefund.FAILED: (RefundState.FAILED,),
    ShownRefund.CANCELLED: (RefundState.CANCELLED,),
}
SHOWN = {state: shown for shown, states in STATES_SHOWN_AS.items() for state in states}


class RefundOut(serializers.ModelSerializer[Refund]):
    """Money on its way back. What only staff may know is null to a player."""

    payment = serializers.IntegerField(source="receipt.payment_id", read_only=True)
    request = serializers.IntegerField(source="receipt.payment.request_id", read_only=True)
    status = serializers.SerializerMethodField(
        help_text="requested waits for a second name; pending is on its way; failed is owed until it is sent again."
    )
    origin = serializers.ChoiceField(RefundOrigin.choices, read_only=True)
    taken_from = serializers.SerializerMethodField(help_text="Whose money it is; null to a player.")
    reason = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()
    replaces = serializers.IntegerField(source="replaces_id", read_only=True, allow_null=True)
    requested_by = serializers.SerializerMethodField()
    approved_by = serializers.SerializerMethodField()

    class Meta:
        model = Refund
        fields = [
            "id", "payment", "request", "amount_cents", "currency", "status", "provider", "origin", "taken_from",
            "reason", "failure", "replaces", "needs_approval", "requested_by", "approved_by", "created_at",
            "completed_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(ShownRefund.choices))
    def get_status(self, refund: Refund) -> str:
        return SHOWN[RefundState(refund.status)]

    @extend_schema_field(serializers.ChoiceField(TakenFrom.choices, allow_null=True))
    def get_taken_from(self, refund: Refund) -> str | None:
        return self._for_staff(refund.taken_from)

    def get_reason(self, refund: Refund) -> str | None:
        """Why, in the words of who asked for it; null to a player."""
        return self._for_staff(refund.reason)

    def get_failure(self, refund: Refund) -> str | None:
        """What the provider said; null to a player."""
        return self._for_staff(refund.failure)

    def get_requested_by(self, refund: Refund) -> int | None:
        """Null to a player, and where no person asked."""
        return self._for_staff(refund.requested_by_id)

    def get_approved_by(self, refund: Refund) -> int | None:
        """Null to a player, and where no second name was needed."""
        return self._for_staff(refund.approved_by_id)

    def _for_staff(self, value: T) -> T | None:
        return value if self.context.get("sees_all") else None


class RefundFilter(CreatedFilter):
    """Which refunds to list."""

    status = serializers.ChoiceField(ShownRefund.choices, required=False)
    payment = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)


class HandedOverBody(serializers.Serializer[Any]):
    """How cash went back. A cheque or a transfer needs evidence, which is added in the back office."""

    method = serializers.ChoiceField(ManualMethod.choices)
    reference = serializers.CharField(max_length=LONGEST_REFERENCE)
    passed_at = serializers.DateTimeField()
    note = serializers.CharField(max_length=LONGEST_NOTE, required=False, allow_blank=True, default="")


class RefundBody(serializers.Serializer[Any]):
    """What to give back."""

    amount_cents = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, help_text="All that is left of the payment, unless given."
    )
    taken_from = serializers.ChoiceField(
        [(TakenFrom.PLACE, "place"), (TakenFrom.HOUSE, "house"), (TakenFrom.UNAPPLIED, "unapplied")],
        required=False,
        help_text="place takes the place back; house leaves place and pot; unapplied is money without a place."
        " By default what the payment is: unapplied, else place.",
    )
    reason = serializers.CharField(max_length=LONGEST_REASON)
    handed_over = HandedOverBody(required=False, help_text="For a payment made by hand, which goes back by hand.")


class DeclineBody(serializers.Serializer[Any]):
    """Why it is turned down."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class RequestRefundView(ApiView):
    """Giving a payment's money back."""

    permission_classes = [IsFinance]
    limits = (STAFF,)

    @operation(
        body=RefundBody,
        answer=RefundOut,
        status=201,
        is_located=True,
        errors=REFUSALS,
        moves_money=True,
        summary="Refund a payment",
        fresh=True,
    )
    def post(self, request: Call, pk: str) -> Response:
        """Give back a part of a payment or all of it.

        Decided at once, unless the amount is large, the house pays, or it goes by hand: then it is `requested` until
        somebody else approves it. A place is taken back only before its pool's first round locks, in a cancelled
        pool, and where a buy-back turned out to be needless; later only the house can give.
        """
        body = self.valid_body()
        receipt = Receipt.objects.filter(payment_id=int(pk)).order_by("-id").first()
        if receipt is None:
            raise NotFound(Code.NOT_FOUND, "There is no such payment with money.")
        usual = TakenFrom.UNAPPLIED if receipt.status == ReceiptState.UNAPPLIED else TakenFrom.PLACE
        handed_over = body.get("handed_over")
        refund = request_refund(
            receipt_id=receipt.pk,
            amount_cents=body.get("amount_cents"),
            taken_from=body.get("taken_from", usual),
            reason=body["reason"],
            by=caller(request),
            now=database_now(),
            manual=None if handed_over is None else Handover(**handed_over),
        )
        return Response(shown(refund), status=201, headers={"Location": f"/api/v1/refunds/{refund.pk}"})


class RefundViewSet(ReadOnlyViewSet):
    """Refunds of the caller's own payments; for finance, everybody's, and those that wait for a second name."""

    family = "payments"
    queryset = Refund.objects.all()
    serializer_class = RefundOut
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[Refund]:
        """A stranger's refund is not there, nor is a wish to the player."""
        refunds = Refund.objects.select_related("receipt__payment")
        if self._sees_all():
            return refunds
        return refunds.filter(receipt__payment__request__user=caller(self.request)).exclude(status__in=WISHES)

    def get_serializer_context(self) -> dict[str, Any]:
        """Whether staff are looking."""
        return {**super().get_serializer_context(), "sees_all": self._sees_all()}

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        wanted = self.valid_query()
        if "status" in wanted:
            queryset = queryset.filter(status__in=STATES_SHOWN_AS[ShownRefund(wanted.pop("status"))])
        return queryset.filter(**lookups(wanted, payment="receipt__payment"))

    @operation(query=RefundFilter, summary="List refunds")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a refund")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One refund."""
        return super().retrieve(request, pk)

    @action(detail=True, methods=["post"], permission_classes=[IsFinance])
    @operation(
        body=None,
        answer=RefundOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        moves_money=True,
        summary="Approve a refund",
        fresh=True,
    )
    def approve(self, request: Call, pk: str) -> Response:
        """Give the second name: the money goes back. Never by who asked for it, nor by the player."""
        return Response(shown(approve_refund(refund_id=self.get_object().pk, by=caller(request))))

    @action(detail=True, methods=["post"], permission_classes=[IsFinance])
    @operation(
        body=DeclineBody,
        answer=RefundOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        moves_money=True,
        summary="Decline a refund",
    )
    def decline(self, request: Call, pk: str) -> Response:
        """Turn a wish down, or take one's own back; one that is decided goes on."""
        refund = self.get_object()
        return Response(
            shown(decline_refund(refund_id=refund.pk, by=caller(request), reason=self.valid_body()["reason"]))
        )

    def _sees_all(self) -> bool:
        return IsFinance().has_permission(self.request, self)


def shown(refund: Refund) -> Any:
    """As finance sees it."""
    return RefundOut(refund, context={"sees_all": True}).data
