"""What happened to the money of a place, for whoever may see money."""

from collections.abc import Callable, Iterator, Sequence

from django.db.models import Model, Q

from config.phrases import Money as Amount
from config.phrases import tell
from entries.models import Entry, Request
from payments.models import (
    Dispute,
    DisputeChange,
    ManualRecord,
    ManualRecordChange,
    Payment,
    PaymentChange,
    Payout,
    PayoutChange,
    PrizeBooking,
    Receipt,
    ReceiptChange,
    Refund,
    RefundChange,
)
from payments.timeline.lines import Line, changes, page_of


class Money:
    """The rows that are about these requests and their entry, asked for once."""

    def __init__(self, requests: Sequence[Request], entry: Entry | None) -> None:
        self.entry = entry
        self.payments = _rows(Payment, request__in=requests)
        self.receipts = _rows(Receipt, payment__in=self.payments)
        self.refunds = _rows(Refund, receipt__in=self.receipts)
        self.disputes = _rows(Dispute, receipt__in=self.receipts)
        self.bookings = _bookings(entry)
        self.payouts = _rows(Payout, booking__in=self.bookings, player=entry.user_id) if entry else {}

    def lines(self) -> Iterator[Line]:
        """All of it; each table once."""
        for table, model, ids in (
            (PaymentChange, Payment, self.payments),
            (ReceiptChange, Receipt, self.receipts),
            (RefundChange, Refund, self.refunds),
            (DisputeChange, Dispute, self.disputes),
            (PayoutChange, Payout, self.payouts),
            (ManualRecordChange, ManualRecord, self._by_hand()),
        ):
            yield from changes(table, _noun_of(model), page_of(model), ids)
        if self.entry is not None:
            yield from self._prizes(self.entry)

    def _by_hand(self) -> dict[int, str]:
        about = Q(payment__in=self.payments) | Q(refund__in=self.refunds) | Q(payout__in=self.payouts)
        return dict(ManualRecord.objects.filter(about).values_list("pk", "currency"))

    def _prizes(self, entry: Entry) -> Iterator[Line]:
        for booking in PrizeBooking.objects.filter(pk__in=self.bookings).order_by("id"):
            prize = Amount(booking.prizes[str(entry.pk)], booking.currency)
            what = tell("Prize booked: {amount}", amount=prize)
            yield Line(booking.made_at, what, link=("payments_prizebooking_change", booking.pk))


def _noun_of(model: type[Model]) -> Callable[[int], str]:
    noun = str(model._meta.verbose_name).capitalize()
    return lambda _: noun


def _rows(model: type[Model], **wanted: object) -> dict[int, str]:
    """Their ids, each with its currency, oldest first."""
    return dict(model._default_manager.filter(**wanted).order_by("pk").values_list("pk", "currency"))


def _bookings(entry: Entry | None) -> list[int]:
    """Those in which this entry won something."""
    return [] if entry is None else list(_rows(PrizeBooking, pool=entry.pool_id, prizes__has_key=str(entry.pk)))
