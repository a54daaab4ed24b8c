"""How far a cancellation is: places, refunds and money by state, and what a person has to look at."""

import hashlib
import json
from dataclasses import asdict, dataclass
from itertools import chain

from django.db.models import Count, QuerySet, Sum

from entries.models import PaymentStatus, Request
from entries.models.request import RequestQuerySet
from payments.models import Cancellation, Payment, Receipt, ReceiptState, Refund, RefundState
from payments.services.pots import pot_of
from payments.services.refunds.checks import owed
from pools.models import Pool


@dataclass(frozen=True, slots=True)
class RefundsInState:
    """So many refunds, of so much together, are there."""

    status: str
    currency: str
    count: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one cancellation, now. `pot_cents` is what the ledger says."""

    places_total: int
    places_left: int
    pot_cents: int
    payments_open: int
    unapplied: int
    refunds: tuple[RefundsInState, ...]

    @property
    def places_given_back(self) -> int:
        return max(self.places_total - self.places_left, 0)

    @property
    def percent(self) -> int:
        return 100 * self.places_given_back // self.places_total if self.places_total else 100

    @property
    def fingerprint(self) -> str:
        """The same for the same numbers alone."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def count(self, status: str) -> int:
        """Refunds of one state."""
        return sum(one.count for one in self.refunds if one.status == status)


def progress_of(cancellation: Cancellation) -> Progress:
    """The numbers of a cancellation, in a constant number of queries."""
    pool = cancellation.pool
    left = paid_places(pool).count()
    return Progress(
        # Before it is confirmed, what would be given back.
        places_total=cancellation.places_total or left,
        places_left=left,
        pot_cents=pot_of(pool),
        payments_open=Payment.objects.live().filter(request__pool=pool).count(),
        unapplied=unapplied_of(cancellation).count(),
        refunds=_by_state(cancellation),
    )


def paid_places(pool: Pool) -> RequestQuerySet:
    """What is still to be given back: places and returns that are paid, waived or free."""
    return Request.objects.filter(pool=pool, payment_status=PaymentStatus.COMPLETED)


def unapplied_of(cancellation: Cancellation) -> QuerySet[Receipt]:
    """Money of the pool that has no place and waits for a person, oldest first."""
    here = Receipt.objects.filter(payment__request__pool=cancellation.pool, status=ReceiptState.UNAPPLIED)
    return here.order_by("pk")


def failed_refunds_of(cancellation: Cancellation) -> QuerySet[Refund]:
    """Those whose money is owed still, oldest first; one that is sent again is told by its replacement alone."""
    return owed(_refunds_of(cancellation)).order_by("pk")


def places_left_of(cancellation: Cancellation) -> QuerySet[Receipt]:
    """The receipts whose place could not be given back yet."""
    left = paid_places(cancellation.pool)
    return Receipt.objects.filter(payment__request__in=left, entry__isnull=False).order_by("pk")


def _refunds_of(cancellation: Cancellation) -> QuerySet[Refund]:
    return Refund.objects.filter(receipt__payment__request__pool=cancellation.pool)


def _by_state(cancellation: Cancellation) -> tuple[RefundsInState, ...]:
    others = _refunds_of(cancellation).exclude(status=RefundState.FAILED)
    grouped = chain.from_iterable(
        refunds.order_by("status", "currency")
        .values_list("status", "currency")
        .annotate(Count("pk"), Sum("amount_cents"))
        for refunds in (others, failed_refunds_of(cancellation))
    )
    return tuple(RefundsInState(*row) for row in grouped)
