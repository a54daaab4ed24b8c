"""A fee that was paid by hand. Money that is in hand is always recorded; what it buys is decided once it is confirmed.

The record becomes a payment like any other, of the provider `manual`: `processing` until a second person confirms it,
and from then on `apply_provider_state` treats it as it treats all money.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.errors import Code, Conflict, Forbidden, NotFound, Refused, invalid
from config.phrases import phrase
from entries.models import Request
from entries.services.places import lock_place
from payments.models import Currency, ManualRecord, Payment, PaymentState, Provider
from payments.providers import provider_named
from payments.providers.manual import name_of
from payments.services.manual.records import Handover, check_handover, write_record
from payments.services.provider_state import Source, apply_provider_state

LARGEST_AMOUNT = 2**31 - 1
TRIES = 3


class PaymentUnderWay(Conflict):
    """Other money for the request is on its way, and nobody knows yet what becomes of it."""

    def __init__(self, payment: Payment) -> None:
        record = ManualRecord.objects.filter(payment=payment).first()
        if record is None:
            said, details = (
                phrase("Payment {payment} of this request is under way.", payment=payment.pk),
                {"payment": payment.pk},
            )
        else:
            said, details = (
                phrase("Record {record} of this request waits for its second name.", record=record.pk),
                {"record": record.pk},
            )
        super().__init__(
            Code.VERSION_CONFLICT, phrase("{why} Record this money once that is decided.", why=said), details
        )


def record_payment(
    *, request_id: int, handover: Handover, amount_cents: int, currency: str, by: User, now: datetime
) -> ManualRecord:
    """Write down money in hand for a request: approved, and also one that is paid, withdrawn or expired by now.

    An open payment page is closed first; whoever has paid there in that moment has paid twice, and both are kept. The
    amount and the currency are those of the money, also where they are not what was asked for.

    Refuses one's own request, one that was never approved (PAYMENT_NOT_DUE), one with other money on its way, a number
    that is recorded already (REFERENCE_USED), and whatever `check_handover` refuses. Raises `ProviderError` when an
    open page could not be closed.
    """
    currency = _check_money(amount_cents, currency)
    check_handover(handover, now=now)
    for tries_left in reversed(range(TRIES)):
        _end_pages(request_id, by)
        try:
            return _record(request_id, handover, amount_cents, currency, by)
        except PaymentUnderWay:
            # The player may have opened the next page in between.
            if not tries_left or not _pages(request_id):
                raise
    raise AssertionError("unreachable")


def _check_money(amount_cents: int, currency: str) -> str:
    currency = currency.strip().lower()
    if not 0 < amount_cents <= LARGEST_AMOUNT:
        raise invalid("amount_cents", phrase("Must be 1 to {largest} minor units.", largest=LARGEST_AMOUNT))
    if not Currency.objects.filter(code=currency).exists():
        raise invalid("currency", "There is no such currency.")
    return currency


def _pages(request_id: int) -> list[int]:
    """The payments that somebody could be paying at this moment, elsewhere than by hand."""
    live = Payment.objects.live().filter(request_id=request_id).exclude(provider=Provider.MANUAL)
    return list(live.exclude(status=PaymentState.PROCESSING).values_list("pk", flat=True))


def _end_pages(request_id: int, by: User) -> None:
    for payment_id in _pages(request_id):
        apply_provider_state(payment_id=payment_id, source=Source.ADMIN, by=by, end=True)


@transaction.atomic
def _record(request_id: int, handover: Handover, amount_cents: int, currency: str, by: User) -> ManualRecord:
    request = Request.objects.filter(pk=request_id).first()
    if request is None:
        raise NotFound(Code.NOT_FOUND, "There is no such request.")
    if request.user_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody records a payment of their own. Ask a colleague.")
    _, request = lock_place(request)
    if request.fee_cents is None:
        raise Refused(Code.PAYMENT_NOT_DUE, "This request was never approved: nothing was asked for it.")
    under_way = Payment.objects.live().filter(request=request).first()
    if under_way is not None:
        raise PaymentUnderWay(under_way)
    attribute(by=by, reason=f"recorded {handover.method} {handover.reference}")
    payment = Payment.objects.create(
        request=request,
        provider=Provider.MANUAL,
        status=PaymentState.PROCESSING,
        livemode=provider_named(Provider.MANUAL).livemode,
        # What was asked for; of a free place, what came.
        amount_cents=request.fee_cents or amount_cents,
        currency=request.currency,
        created_by=by,
    )
    record = write_record(handover=handover, amount_cents=amount_cents, currency=currency, by=by, payment=payment)
    payment.provider_reference = name_of(record)
    payment.save(update_fields=["provider_reference"])
    return record
