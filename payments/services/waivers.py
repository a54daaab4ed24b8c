"""Letting a player in without the fee: a named person, a reason, and no money still on its way."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from config.errors import Code, Conflict, Forbidden, NotFound, invalid
from config.phrases import phrase
from entries.models import Entry, PaymentStatus, Request
from entries.services.places import grant_place, lock_place
from payments.models import Payment
from payments.services.booking import book_waiver
from payments.services.provider_state import Source, apply_provider_state

REASON_LENGTH = 200


class MoneyOnItsWay(Conflict):
    """The player is paying at this moment; what comes of it is not known yet."""

    def __init__(self) -> None:
        super().__init__(Code.VERSION_CONFLICT, "A payment for this request is under way. Try again in a few minutes.")


def waive_fee(*, request_id: int, by: User, reason: str, now: datetime) -> Entry:
    """Make the entry, or bring it back, without a payment; `by` and `reason` stand beside it for ever.

    The house pays the pot what the fee would have, in the same transaction; no provider ever hears of it.
    An open session is ended first, so that nobody pays for what was given. Refuses an empty reason, one's own
    request, a paid request (ALREADY_PAID), money that is on its way, and whatever `grant_place` refuses. Raises
    `ProviderError` when the session could not be ended.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_LENGTH:
        raise invalid("reason", phrase("Say why, in 1 to {most} characters.", most=REASON_LENGTH))
    for payment_id in Payment.objects.live().filter(request_id=request_id).values_list("pk", flat=True):
        apply_provider_state(payment_id=payment_id, source=Source.ADMIN, by=by, end=True)
    return _grant(request_id, by, reason, now)


@transaction.atomic
def _grant(request_id: int, by: User, reason: str, now: datetime) -> Entry:
    request = Request.objects.filter(pk=request_id).first()
    if request is None:
        raise NotFound(Code.NOT_FOUND, "There is no such request.")
    if request.user_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody waives a fee of their own. Ask a colleague.")
    _, request = lock_place(request)
    if request.payment_status == PaymentStatus.COMPLETED:
        raise Conflict(Code.ALREADY_PAID, "This request is paid.")
    if Payment.objects.live().filter(request=request).exists():
        raise MoneyOnItsWay
    entry = grant_place(request=request, by=by, now=now, waiver_reason=reason)
    book_waiver(request)
    return entry
