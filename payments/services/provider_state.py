"""The one way in which money state changes: fetch the truth from the provider, lock, compare, act.

Webhook, return page, sweep, checkout, reconciliation and the admin's button all end here, and repeating it changes
nothing. Money that the provider says has come is always booked as a receipt; whether it becomes a place in the pool
is a second question, asked in the same transaction. Money without a place goes back by itself where that is certain;
else it stays `unapplied`, with the reason, until a person has decided (`refunds.unapplied`).
"""

from datetime import datetime
from enum import StrEnum

from django.db import transaction

from accounts.models import User
from accounts.services.spending import SpendingLimitReached, refuse_over_limit
from config import metrics, outbox
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from entries.models import Entry, PaymentStatus, Request, RequestStatus
from entries.queries.requests import buys_something
from entries.services.places import OWING, PlaceRefused, grant_place, note_payment_failed
from payments.models import Payment, PaymentState, Provider, Receipt, ReceiptState
from payments.models.payment import LIVE_STATES
from payments.providers import provider_named
from payments.providers.base import Charge, SessionFacts, SessionState
from payments.services import booking
from payments.services.refunds.unapplied import Held, return_or_hold
from payments.services.sessions import check_facts, open_session
from pools.models import Pool, PoolStatus

RECEIPTS = metrics.counter("receipts", "Money that arrived.", ["status", "source"])

STATE_OF_SESSION = {
    SessionState.OPEN: PaymentState.OPEN,
    SessionState.PROCESSING: PaymentState.PROCESSING,
    SessionState.PAID: PaymentState.SUCCEEDED,
    SessionState.FAILED: PaymentState.FAILED,
    SessionState.EXPIRED: PaymentState.CANCELLED,
}


class Source(StrEnum):
    """Who brought the news; kept on the receipt."""

    WEBHOOK = "webhook"
    RETURN_PAGE = "return_page"
    SWEEP = "sweep"
    CHECKOUT = "checkout"
    RECONCILE = "reconcile"
    ADMIN = "admin"


def apply_provider_state(
    *, payment_id: int, source: Source, reference: str = "", by: User | None = None, end: bool = False
) -> Payment:
    """Learn what became of a payment, and act on it. Answers the payment as it now is.

    `reference`: a session that the news named, for when our own answer was never stored. `end`: the session is no
    longer wanted. One that is open although its request can no longer be paid is ended in any case. Raises
    `ProviderError`; nothing has changed then.
    """
    payment = Payment.objects.select_related("request__pool", "request__user").get(pk=payment_id)
    if payment.status == PaymentState.SUCCEEDED:
        # Booked together with its receipt: there is nothing left to learn.
        return payment
    now = database_now()
    facts = _ask(payment, reference, now)
    if facts is None:
        return payment
    check_facts(payment, facts)
    if facts.state is SessionState.OPEN and (end or not _is_payable(payment.request, now)):
        facts = provider_named(payment.provider).expire(facts.reference)
    return apply_facts(payment, facts, source=source, by=by)


def _ask(payment: Payment, reference: str, now: datetime) -> SessionFacts | None:
    """The provider's facts; None for a payment that never had a session and gets none any more."""
    known = payment.provider_reference or reference
    if not known and payment.status in LIVE_STATES:
        # What comes back is what was answered to the first call; what became of it since has to be asked.
        found = open_session(payment, now=now)
        known = found.reference if found is not None else ""
    return provider_named(payment.provider).fetch(known) if known else None


def _is_payable(request: Request, now: datetime) -> bool:
    """Whether a session for this request may stay open."""
    return (
        request.status == RequestStatus.APPROVED
        and request.payment_status in OWING
        and (request.pay_by is None or now < request.pay_by)
        and request.pool.status in (PoolStatus.OPEN, PoolStatus.RUNNING)
        and buys_something(request, now)
    )


@transaction.atomic(durable=True)
def apply_facts(payment: Payment, facts: SessionFacts, *, source: Source, by: User | None = None) -> Payment:
    """Act on facts just fetched. Locks pool, request and payment, in this order; older news changes nothing."""
    attribute(by=by, reason=f"the provider's state, learned by {source}")
    pool_id = Request.objects.values_list("pool_id", flat=True).get(pk=payment.request_id)
    Pool.objects.locked().get(pk=pool_id)
    request = Request.objects.locked().select_related("pool", "user").get(pk=payment.request_id)
    payment = Payment.objects.locked().get(pk=payment.pk)
    payment.request = request
    # Against the player's limit: what was started counts from then on, unless it was given up. Money by hand did not.
    is_counted = payment.status in LIVE_STATES and payment.provider != Provider.MANUAL
    has_failed_again = bool(facts.failure) and facts.failure != payment.failure
    was_failed = payment.status == PaymentState.FAILED
    _move(payment, facts)
    if facts.charge is not None:
        _book(payment, facts.charge, source, by, is_counted=is_counted)
    elif has_failed_again:
        note_payment_failed(request=request)
    if payment.status == PaymentState.FAILED and not was_failed:
        # Only a slow method ends so, days after the player has left the page; a card's refusal is read there.
        outbox.post(kind="mail.payment_failed", key=f"payment-failed-{payment.pk}", payload={"payment": payment.pk})
    return payment


def _move(payment: Payment, facts: SessionFacts) -> None:
    """Bring the payment to where the session is, unless it is further already: answers can overtake each other."""
    target = STATE_OF_SESSION[facts.state]
    if payment.can_move_to(target):
        payment.move_to(target)
    if not payment.provider_reference:
        payment.provider_reference, payment.client_secret = facts.reference, facts.client_secret
    # Once the session is over there is no page to send anybody to.
    payment.checkout_url = facts.url if payment.status == PaymentState.OPEN else ""
    payment.failure = facts.failure
    payment.expires_at = facts.expires_at
    payment.checked_at = ClockTimestamp()
    payment.save(
        update_fields=(
            "status", "provider_reference", "client_secret", "checkout_url", "failure", "expires_at", "checked_at",
        )
    )  # fmt: skip


def _book(payment: Payment, charge: Charge, source: Source, by: User | None, *, is_counted: bool) -> None:
    """One receipt per charge, with the entry it paid for or the reason why there is none."""
    if Receipt.objects.filter(provider=payment.provider, charge_id=charge.id).exists():
        return
    entry, because = _place_for(payment, charge, by, is_counted=is_counted)
    receipt = Receipt.objects.create(
        payment=payment,
        provider=payment.provider,
        charge_id=charge.id,
        livemode=payment.livemode,
        amount_cents=charge.amount_cents,
        currency=charge.currency,
        status=ReceiptState.UNAPPLIED if entry is None else ReceiptState.ALLOCATED,
        entry=entry,
        unapplied_because=because,
        source=source,
        received_at=charge.paid_at,
    )
    RECEIPTS.labels(receipt.status, source).inc()
    booking.book_receipt(receipt)
    if entry is None:
        return_or_hold(receipt=receipt, because=because)
    else:
        booking.book_place(receipt)
        outbox.post(kind="mail.payment_received", key=f"receipt-{receipt.pk}", payload={"receipt": receipt.pk})


def _place_for(payment: Payment, charge: Charge, by: User | None, *, is_counted: bool) -> tuple[Entry | None, str]:
    """The entry that this money buys or brings back, or why there is none. The amount is the snapshot's to the cent."""
    request = payment.request
    if charge.currency != payment.currency:
        return None, Held.WRONG_CURRENCY
    if charge.amount_cents != payment.amount_cents:
        return None, Held.WRONG_AMOUNT
    if request.payment_status == PaymentStatus.COMPLETED:
        return None, Held.DUPLICATE
    if not is_counted and not fits_limit(payment):
        return None, Held.SPENDING_LIMIT
    try:
        return grant_place(request=request, by=by, now=database_now(), paid_at=charge.paid_at), ""
    except PlaceRefused as refusal:
        return None, str(refusal.because)


def fits_limit(payment: Payment) -> bool:
    """Whether the player's limit, as it was when the payment was made, has room for it beside that month's others."""
    try:
        refuse_over_limit(
            user_id=payment.request.user_id,
            currency=payment.currency,
            amount_cents=payment.amount_cents,
            now=payment.created_at,
            but_payment=payment.pk,
        )
    except SpendingLimitReached:
        return False
    return True
