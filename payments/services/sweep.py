"""Asking again about payments that nobody brought news of.

A webhook can be lost, and an event may never have been made: this sweep alone finds every payment's end. Each one is
claimed by moving its `checked_at`, so two sweeps at once ask about different ones, and one that fails waits its turn.
"""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from config.clock import ClockTimestamp, database_now
from payments.models import Payment, PaymentState
from payments.providers.base import ProviderError, Unreachable
from payments.services.provider_state import Source, apply_provider_state

logger = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=2)
# A slow method takes days; nothing is won by asking every two minutes.
PATIENCE_WHILE_PROCESSING = timedelta(hours=1)
# A provider that is away is left alone until the next sweep.
FAILURES_IN_A_ROW = 3


@dataclass
class Swept:
    """What a sweep did. `failed` holds the payments that could not be asked about, with why."""

    asked: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    gave_up: bool = False


def sweep_payments(*, seconds: float = 60.0, patience: timedelta = PATIENCE, source: Source = Source.SWEEP) -> Swept:
    """Ask about every live payment not asked about for `patience`, longest ago first, until the time is spent."""
    swept, deadline, unreached = Swept(), time.monotonic() + seconds, 0
    now = database_now()
    while time.monotonic() < deadline and (payment_id := _claim(now, patience)) is not None:
        swept.asked += 1
        try:
            apply_provider_state(payment_id=payment_id, source=source)
        except Exception as error:  # whatever one payment does, the others still have their turn
            level = logging.WARNING if isinstance(error, ProviderError) else logging.ERROR
            logger.log(level, "payment %s could not be asked about", payment_id, exc_info=error)
            swept.failed[payment_id] = f"{type(error).__name__}: {error}"
            unreached = unreached + 1 if isinstance(error, Unreachable) else 0
        else:
            unreached = 0
        if unreached >= FAILURES_IN_A_ROW:
            swept.gave_up = True
            break
    return swept


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
