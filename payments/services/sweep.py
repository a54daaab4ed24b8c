"""Asking again about payments that nobody brought news of.

A webhook can be lost, and an event may never have been made: this sweep alone finds every payment's end.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from config.clock import database_now
from payments.models import Payment, PaymentState
from payments.models.payment import PaymentQuerySet
from payments.services.asking import Swept, ask_about_each, claim, not_asked_for
from payments.services.provider_state import Source, apply_provider_state

PATIENCE = timedelta(minutes=2)


def sweep_payments(*, seconds: float = 60.0, patience: timedelta = PATIENCE, source: Source = Source.SWEEP) -> Swept:
    """Ask about every live payment not asked about for `patience`, longest ago first, until the time is spent."""
    now = database_now()
    return ask_about_each(
        "payment",
        lambda: claim(_due(now, patience)),
        lambda payment_id: apply_provider_state(payment_id=payment_id, source=source),
        seconds=seconds,
    )


def _due(now: datetime, patience: timedelta) -> PaymentQuerySet:
    # Whose time to pay has just ended: its place waits for the answer.
    overdue = Q(request__pay_by__lt=now, last__lt=F("request__pay_by"))
    due = not_asked_for(patience, now=now, slow=Q(status=PaymentState.PROCESSING))
    return Payment.objects.live().annotate(last=Coalesce("checked_at", "created_at")).filter(due | overdue)
