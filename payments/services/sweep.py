"""Asking again about payments that nobody brought news of.

A webhook can be lost, and an event may never have been made: this sweep alone finds every payment's end. Each one is
claimed by moving its `checked_at`, so two sweeps at once ask about different ones, and one that fails waits its turn.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from config.clock import ClockTimestamp, database_now
from payments.models import Payment, PaymentState
from payments.services.asking import Swept, ask_about_each
from payments.services.provider_state import Source, apply_provider_state

PATIENCE = timedelta(minutes=2)
# A slow method takes days; nothing is won by asking every two minutes.
PATIENCE_WHILE_PROCESSING = timedelta(hours=1)


def sweep_payments(*, seconds: float = 60.0, patience: timedelta = PATIENCE, source: Source = Source.SWEEP) -> Swept:
    """Ask about every live payment not asked about for `patience`, longest ago first, until the time is spent."""
    now = database_now()
    return ask_about_each(
        "payment",
        lambda: _claim(now, patience),
        lambda payment_id: apply_provider_state(payment_id=payment_id, source=source),
        seconds=seconds,
    )


@transaction.atomic
def _claim(now: datetime, patience: timedelta) -> int | None:
    """The next payment to ask about, counted as asked; None when each was, or is being asked about by another."""
    last = Coalesce("checked_at", "created_at")
    due = Q(last__lt=now - patience) & ~Q(status=PaymentState.PROCESSING)
    slow = Q(last__lt=now - (max(patience, PATIENCE_WHILE_PROCESSING) if patience else patience))
    # Whose time to pay has just ended: its place waits for the answer.
    overdue = Q(request__pay_by__lt=now, last__lt=F("request__pay_by"))
    payment = (
        Payment.objects.live()
        .annotate(last=last)
        .filter(due | slow | overdue)
        .order_by(F("checked_at").asc(nulls_first=True), "id")
        .locked(skip_busy=True)
        .first()
    )
    if payment is None:
        return None
    Payment.objects.filter(pk=payment.pk).update(checked_at=ClockTimestamp())
    return payment.pk
