"""Payments for players and finance: start one, look at them."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from config.api.filters import lookups
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import MONEY
from config.api.views import ApiView, ReadOnlyViewSet
from config.errors import Code
from payments.api.serializers import PaymentFilter, PaymentOut, StartedPaymentOut
from payments.models import Payment
from payments.queries import STATES_SHOWN_AS, ShownStatus, visible_payments
from payments.services.checkout import start_payment


class StartPaymentView(ApiView):
    """Paying for a request."""

    limits = (MONEY,)

    @operation(
        name="startPayment",
        body=None,
        answer=StartedPaymentOut,
        status=201, is_located=True,
        errors=(
            Code.PAYMENT_NOT_DUE, Code.ALREADY_PAID, Code.EXCLUDED, Code.SPENDING_LIMIT_REACHED, Code.PROVIDER_ERROR,
        ),
        # The intent has to be committed before the provider is asked.
        idempotency=Mode.TWO_PHASE,
        key_required=True,
        moves_money=True,
        summary="Start a payment",
    )  # fmt: skip
    def post(self, request: Call, pk: str) -> Response:
        """Start the payment for a request of the caller's own, or find the one that was started before.

        The answer names the provider's hosted page. Whether it was paid is told by the payment and the request; the
        entry is made when the provider confirms the money. After PROVIDER_ERROR the same call may be made again:
        nobody is charged twice.
        """
        payment = start_payment(request_id=int(pk), user=caller(request))
        return Response(
            StartedPaymentOut(payment).data, status=201, headers={"Location": f"/api/v1/payments/{payment.pk}"}
        )


class PaymentViewSet(ReadOnlyViewSet):
    """The caller's own payments; for finance, everybody's."""

    family = "payments"
    queryset = Payment.objects.all()
    serializer_class = PaymentOut
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[Payment]:
        """A stranger's payment is not there."""
        return visible_payments(caller(self.request))

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        wanted = self.valid_query()
        if "status" in wanted:
            queryset = queryset.filter(status__in=STATES_SHOWN_AS[ShownStatus(wanted.pop("status"))])
        return queryset.filter(**lookups(wanted, pool="request__pool", user="request__user"))

    @operation(query=PaymentFilter, summary="List payments")
    def list(self, request: Call) -> Response:
        """The caller's payments, newest first; for finance, everybody's."""
        return super().list(request)

    @operation(summary="Show a payment")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One payment."""
        return super().retrieve(request, pk)
