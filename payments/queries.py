"""Questions about payments, answered without changing anything."""

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from payments.models import Payment, Receipt, ReceiptState


def with_refunds(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """Add `refunded_cents`: what of the payment's money was given back."""
    returned = (
        Receipt.objects.filter(payment=OuterRef("pk"), status=ReceiptState.RETURNED)
        .order_by()
        .values("payment")
        .annotate(total=Sum("amount_cents"))
        .values("total")
    )
    return payments.annotate(refunded_cents=Coalesce(Subquery(returned), 0))
