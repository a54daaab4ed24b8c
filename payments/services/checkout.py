"""Starting a payment: the intent is committed, then the provider is asked, then its answer is committed.

No transaction is open and no row is locked while the provider is asked. Starting twice, with whatever key and however
parallel, gives the same session: a request has at most one live payment, which the database holds.
"""

import time
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from accounts.services.spending import refuse_payment
from config.audit import attribute
from config.clock import ClockTimestamp
from config.errors import Code, Conflict, NotFound, Refused
from config.phrases import Name, phrase
from entries.models import PaymentStatus, Request, RequestStatus
from entries.queries.requests import buys_something
from entries.services.places import OWING, note_payment_pending
from payments.models import Payment, Provider, Receipt, ReceiptState
from payments.models.payment import LIVE_STATES
from payments.providers import online_provider
from payments.providers.base import SessionState
from payments.providers.faults import AtWork, Busy, ProviderError
from payments.services import provider_state
from payments.services.sessions import WITHOUT_SESSION, open_session, session_end
from pools.models import PoolStatus

# An open session is believed open for this long; an older one is looked at before a player is sent there again.
BELIEVED_FOR = timedelta(seconds=30)
TRIES = 3
# How long a second click waits for the first one's answer.
LOOKS, PAUSE_SECONDS = 10, 0.25
# The request, and after it the player: no other payment of theirs begins meanwhile, and no exclusion.
HELD = ("self", "user")


class NotDue(Refused):
    """Nothing is owed for this request at this moment."""

    def __init__(self, why: str) -> None:
        super().__init__(Code.PAYMENT_NOT_DUE, why)


class AlreadyPaid(Conflict):
    """Money for this request has arrived."""

    def __init__(self) -> None:
        super().__init__(Code.ALREADY_PAID, "This request is paid.")


def start_payment(*, request_id: int, user: User) -> Payment:
    """The live payment of the user's own request, with a hosted page to pay on.

    Refuses somebody else's request (NOT_FOUND), one that is paid (ALREADY_PAID), one that is not approved, is free,
    would buy nothing any more or whose time to pay is over (PAYMENT_NOT_DUE), a player who is EXCLUDED, and a fee
    beyond what the player's limit leaves of the month (SPENDING_LIMIT_REACHED). Raises `ProviderError`: then the same
    call may be made again.
    """
    for _ in range(TRIES):
        payment, now = _intend(request_id, user)
        if payment.status in WITHOUT_SESSION:
            if payment.request.payment_status == PaymentStatus.FAILED:
                note_payment_pending(request=payment.request)
            payment = _with_session(payment, now)
        elif payment.checked_at is None or payment.checked_at < now - BELIEVED_FOR:
            payment = _looked_at(payment, now)
        if payment.status in LIVE_STATES:
            return payment
        # Expired, or paid in the meantime: the next look at the request tells which.
    raise Busy("every session was over at once")


@transaction.atomic(durable=True)
def _intend(request_id: int, user: User) -> tuple[Payment, datetime]:
    """The request's live payment, made if there is none, and the database's now. The request's lock decides a race."""
    request = (
        Request.objects.select_for_update(of=HELD, no_key=True)
        .of(user.pk)
        .select_related("pool", "user")
        .annotate(now=ClockTimestamp())
        .filter(pk=request_id)
        .first()
    )
    if request is None:
        raise NotFound(Code.NOT_FOUND, "There is no such request of yours.")
    now: datetime = request.now  # type: ignore[attr-defined]  # annotated above
    # Money that came and could not become an entry waits for staff; nobody pays a second time until it goes back.
    kept = (ReceiptState.ALLOCATED, ReceiptState.UNAPPLIED)
    _check_due(request, now, has_paid=Receipt.objects.filter(payment__request=request, status__in=kept).exists())
    payment = request.payments.filter(status__in=LIVE_STATES).first()
    refuse_payment(
        user_id=request.user_id,
        currency=request.currency,
        amount_cents=request.fee_cents or 0,
        now=now,
        but_payment=payment.pk if payment else None,
    )
    payment = payment or _new_payment(request, user, now)
    payment.request = request
    return payment, now


def _check_due(request: Request, now: datetime, *, has_paid: bool) -> None:
    if request.payment_status == PaymentStatus.COMPLETED or has_paid:
        raise AlreadyPaid
    if request.status != RequestStatus.APPROVED:
        raise NotDue(phrase("This request is {status}: there is nothing to pay.", status=Name(request.status)))
    if request.payment_status not in OWING:
        raise NotDue("Nothing is owed for this request.")
    if request.pay_by is not None and request.pay_by <= now:
        raise NotDue("The time to pay for this request is over.")
    if request.pool.status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        raise NotDue(phrase("This pool is {status}: it takes no payments.", status=Name(request.pool.status)))
    if not request.fee_cents:
        raise NotDue("This place is free.")
    if not buys_something(request, now):
        raise NotDue("The entry is not out any more, or the round has locked that it would have come back for.")


def _new_payment(request: Request, user: User, now: datetime) -> Payment:
    provider = online_provider()
    if provider.name == Provider.MANUAL:
        raise NotDue("Fees are paid by hand here: ask who runs the pool.")
    attribute(by=user, reason="started a payment")
    return Payment.objects.create(
        request=request,
        provider=provider.name,
        livemode=provider.livemode,
        amount_cents=request.fee_cents or 0,
        currency=request.currency,
        expires_at=session_end(now, request.pay_by),
        created_by=user,
    )


def _with_session(payment: Payment, now: datetime) -> Payment:
    """The payment with its session, opened by us or by whoever is at it in this very moment."""
    try:
        facts = open_session(payment, now=now)
    except AtWork:
        return _opened_by_another(payment)
    if facts is not None and facts.state is not SessionState.OPEN:
        return provider_state.apply_facts(payment, facts, source=provider_state.Source.CHECKOUT)
    return payment


def _opened_by_another(payment: Payment) -> Payment:
    for _ in range(LOOKS):
        time.sleep(PAUSE_SECONDS)
        payment.refresh_from_db()
        if payment.status not in WITHOUT_SESSION:
            return payment
    raise Busy("another call is opening the session")


def _looked_at(payment: Payment, now: datetime) -> Payment:
    """As the provider sees it; as we know it when the provider cannot be asked and the session should still be open."""
    try:
        return provider_state.apply_provider_state(payment_id=payment.pk, source=provider_state.Source.CHECKOUT)
    except ProviderError:
        if payment.expires_at is None or payment.expires_at <= now:
            raise
        return payment
