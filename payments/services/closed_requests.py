"""A request that ended unpaid: whoever still has its page open must not pay for nothing."""

from typing import Any

from config import outbox
from payments.models import Payment
from payments.services.provider_state import Source, apply_provider_state


@outbox.handler("request.closed")
def end_payments(payload: dict[str, Any]) -> None:
    """End the request's live payments at the provider. One that was paid a moment before is booked instead.

    Raises `ProviderError`, and is tried again. Twice is as good as once: what has ended is not live.
    """
    for payment in Payment.objects.live().filter(request_id=payload["request"]):
        apply_provider_state(payment_id=payment.pk, source=Source.SWEEP, end=True)
