"""Payments: the caller's own; for finance, everybody's. A stranger's are not there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry
import strawberry_django
from strawberry import auto

from accounts.graphql.me import caller
from config.graphql.batches import as_asked, for_each
from config.graphql.connections import FIRST, After, Connection, First, Slice, by_id, one_of
from config.graphql.context import Asking
from config.graphql.fields import field
from config.graphql.scalars import BigInt
from config.graphql.scoping import reads
from entries.graphql.places import Request, requests_for
from payments import models
from payments.queries import STATES_SHOWN_AS, ShownStatus, shown_status, visible_payments

strawberry.enum(ShownStatus, name="PaymentState")


@reads("payments:read")
@strawberry_django.type(models.Payment, description="A payment for a request. Amounts are in minor units of currency.")
class Payment:
    id: BigInt
    amount_cents: BigInt
    refunded_cents: BigInt = strawberry.field(description="What of it was given back.")
    currency: auto
    provider: auto
    created_at: datetime

    @field("pending until the provider confirms the money or its end.")
    def status(self: Any) -> ShownStatus:
        return shown_status(self)

    @field("What it pays for.")
    def request(self, info: Asking) -> Request | None:
        def requests(payments: Sequence[models.Payment]) -> dict[int, Any]:
            found = by_id(requests_for(info), {payment.request_id for payment in payments}, info)
            return {payment.pk: found.get(payment.request_id) for payment in payments}

        found: Request | None = for_each(self, as_asked("request", info), requests, info)
        return found


@reads("payments:read")
@strawberry.type(description="A page of payments.")
class PaymentConnection(Connection):
    @field("The newest first.")
    def nodes(self, info: Asking) -> list[Payment]:
        return self.slice.nodes(info)


@strawberry.type
class PaymentQuery:
    """What is asked about payments."""

    @field("The caller's payments; for finance, everybody's.", cost=10)
    def payments(
        self,
        info: Asking,
        status: ShownStatus | None = None,
        request: BigInt | None = None,
        first: First = FIRST,
        after: After = None,
    ) -> PaymentConnection | None:
        rows = visible_payments(caller(info))
        if status is not None:
            rows = rows.filter(status__in=STATES_SHOWN_AS[status])
        if request is not None:
            rows = rows.filter(request=request)
        of = ["payments", status and str(status), request]
        return PaymentConnection(slice=Slice(rows, of=of, info=info, first=first, after=after))

    @field("One payment. NOT_FOUND where there is none for the caller.", cost=10)
    def payment(self, info: Asking, id: BigInt) -> Payment | None:
        found: Payment = one_of(visible_payments(caller(info)).filter(pk=id), info)
        return found
