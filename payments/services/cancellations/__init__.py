"""Cancelling a pool that has paid places: two people decide, then every place is given back, and nothing is lost.

deciding   proposed by one, confirmed by another, or withdrawn
running    place after place, batch after batch, from wherever the last worker died
progress   how far it is, and what keeps it
"""

from payments.services.cancellations.deciding import (
    confirm_cancellation,
    propose_cancellation,
    withdraw_cancellation,
)
from payments.services.cancellations.progress import Progress, progress_of
from payments.services.cancellations.running import end_payments_of, run, sweep_cancellations

__all__ = [
    "Progress",
    "confirm_cancellation",
    "end_payments_of",
    "progress_of",
    "propose_cancellation",
    "run",
    "sweep_cancellations",
    "withdraw_cancellation",
]
