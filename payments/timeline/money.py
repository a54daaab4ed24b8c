"""What happened to the money of a place, for whoever may see money."""

from collections.abc import Iterator, Sequence

from config.money import format_amount
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
        self.payments = _ids(Payment, request__in=requests)
        self.receipts = _ids(Receipt, payment__in=self.payments)
        self.refunds = _ids(Refund, receipt__in=self.receipts)
        self.disputes = _ids(Dispute, receipt__in=self.receipts)
        self.bookings = _bookings(entry)
        self.payouts = _ids(Payout, booking__in=self.bookings, player=entry.user_id) if entry and self.bookings else []

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
            noun = str(model._meta.verbose_name).capitalize()
            yield from changes(table, noun, page_of(model), ids)
        if self.entry is not None:
            yield from self._prizes(self.entry)

    def _by_hand(self) -> list[int]:
        found = ManualRecord.objects.filter(payment__in=self.payments) | ManualRecord.objects.filter(
            refund__in=self.refunds
        )
        return list((found | ManualRecord.objects.filter(payout__in=self.payouts)).values_list("pk", flat=True))

    def _prizes(self, entry: Entry) -> Iterator[Line]:
        for booking in PrizeBooking.objects.filter(pk__in=self.bookings).order_by("id"):
            prize = format_amount(booking.prizes[str(entry.pk)], booking.currency)
            yield Line(booking.made_at, f"Prize booked: {prize}", link=("payments_prizebooking_change", booking.pk))


def _ids(model: type, **wanted: object) -> list[int]:
    return list(model.objects.filter(**wanted).order_by("pk").values_list("pk", flat=True))  # type: ignore[attr-defined]


def _bookings(entry: Entry | None) -> list[int]:
    """Those in which this entry won something."""
    if entry is None:
        return []
    return _ids(PrizeBooking, pool=entry.pool_id, prizes__has_key=str(entry.pk))
