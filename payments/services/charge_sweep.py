"""Asking again what became of charges that nobody brought news of.

Three kinds of receipts: those whose fee the provider had not told yet, those with a dispute that is not over, and those
with one that ended lately: an appeal may open it again, and money that was won may come later than the word of it.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from config.clock import database_now
from payments.models import Dispute, DisputeState, Receipt
from payments.models.dispute import CLOSED_DISPUTES
from payments.services.asking import Swept, ask_about_each, claim
from payments.services.charge_state import apply_charge_state
from payments.services.provider_state import Source

# The provider may book a charge a moment after it told of it.
PATIENCE = timedelta(minutes=2)
PATIENCE_ON_THE_FIRST_DAY = timedelta(hours=1)
A_DAY = timedelta(days=1)
A_WEEK = timedelta(days=7)
APPEALED_WITHIN = timedelta(days=120)
MAY_MOVE = (DisputeState.LOST, DisputeState.WON, DisputeState.PREVENTED)
MOST = 500


def sweep_charges(*, seconds: float = 60.0, limit: int = MOST) -> Swept:
    """Ask about each receipt whose turn it is, longest ago first, until the time or the limit is spent."""
    now = database_now()
    return ask_about_each(
        "receipt",
        lambda: _claim(now),
        lambda receipt_id: apply_charge_state(receipt_id=receipt_id, source=Source.SWEEP),
        seconds=seconds,
        limit=limit,
    )


def _claim(now: datetime) -> int | None:
    """The next receipt to ask about: a fee that is not known yet comes before a dispute."""
    for due in (_fee_unknown(now), _disputed(now)):
        if (receipt_id := claim(Receipt.objects.filter(due))) is not None:
            return receipt_id
    return None


def _fee_unknown(now: datetime) -> Q:
    new, old = Q(created_at__gt=now - A_DAY), Q(created_at__lte=now - A_DAY)
    never = Q(checked_at__isnull=True, created_at__lt=now - PATIENCE)
    again = (new & Q(checked_at__lt=now - PATIENCE_ON_THE_FIRST_DAY)) | (old & Q(checked_at__lt=now - A_DAY))
    return Q(is_fee_known=False) & (never | again)


def _disputed(now: datetime) -> Q:
    undecided = Dispute.objects.exclude(status__in=CLOSED_DISPUTES).values("receipt_id")
    ended = Dispute.objects.filter(status__in=MAY_MOVE, closed_at__gt=now - APPEALED_WITHIN).values("receipt_id")
    return Q(pk__in=undecided, checked_at__lt=now - A_DAY) | Q(pk__in=ended, checked_at__lt=now - A_WEEK)
