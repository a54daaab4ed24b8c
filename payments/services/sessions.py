"""Getting a payment its session at the provider, also when nobody knows what became of an earlier try.

Between the commit of the intent and the commit of the answer anything may happen: a time-out, a fault, a killed
process. Three facts make it safe to go on from there:

* the same call under the same key opens nothing new; it answers what was opened;
* nobody but us was told the address of a session that we do not know, so nobody can have paid it;
* the session's end is part of the call, so from half an hour before it the provider itself opens it no more. Where
  the provider's clock is not ours, it chooses the end; then the key's own life of a day is the limit.
"""

import random
import time
from datetime import datetime, timedelta

from config.clock import ClockTimestamp
from entries.models import RequestKind
from payments.models import Payment, PaymentState
from payments.providers import provider_named
from payments.providers.base import Order, SessionFacts
from payments.providers.faults import ClocksDiffer, Faulted, ProviderError, RateLimited, Rejected, Unclear
from payments.providers.port import PaymentProvider

# Stripe opens no session for less than half an hour, by its own clock.
STRIPES_SHORTEST = timedelta(minutes=30, seconds=30)
SHORTEST = timedelta(minutes=32)
LONGEST = timedelta(hours=1)
KEYS_LIVE = timedelta(hours=23)
CLOCKS_DRIFT = timedelta(minutes=5)
# How long to wait, at most, before a provider that limits us is asked again: a player is waiting as well.
PAUSES = (0.5, 1.0)
WITHOUT_SESSION = (PaymentState.INTENT, PaymentState.UNKNOWN)


class WrongSession(ProviderError):
    """An answer about something else than was asked: not our payment, or money of the other mode."""


def session_end(now: datetime, pay_by: datetime | None) -> datetime:
    """When a session opened now is to end: with the time to pay, an hour at most, and never sooner than allowed."""
    wished = now + LONGEST if pay_by is None else min(now + LONGEST, pay_by)
    return max(wished, now + SHORTEST)


def open_session(payment: Payment, *, now: datetime) -> SessionFacts | None:
    """The session of a payment that has none yet; None when it can never get one, and is now over.

    Raises `ProviderError`; after `Unclear` the payment is `unknown`, and the next call goes on from there.
    """
    provider = provider_named(payment.provider)
    facts = _create(provider, payment) if now < _openable_until(payment) else _look(provider, payment)
    if facts is None:
        _end(payment, PaymentState.CANCELLED, "never_opened")
        return None
    check_facts(payment, facts)
    _adopt(payment, facts)
    return facts


def check_facts(payment: Payment, facts: SessionFacts) -> None:
    """Refuses an answer that is not about this payment, or about money of the other mode."""
    if facts.ref != str(payment.ref):
        raise WrongSession(f"session {facts.reference} is not of payment {payment.pk}")
    if facts.livemode != payment.livemode:
        raise WrongSession(f"session {facts.reference} has livemode {facts.livemode}")


def order_of(payment: Payment) -> Order:
    """What the provider is told. Everything in it is fixed with the intent, or the key would not fit a second time."""
    request = payment.request
    what = "buying back in, entry" if request.kind == RequestKind.BUY_BACK else "entry"
    return Order(
        ref=str(payment.ref),
        idempotency_key=payment.idempotency_key,
        payment_id=payment.pk,
        request_id=request.pk,
        pool_id=request.pool_id,
        title=f"{request.pool.name}: {what} {request.number}",
        amount_cents=payment.amount_cents,
        currency=payment.currency,
        email=request.user.email,
        expires_at=payment.expires_at,
    )


def _create(provider: PaymentProvider, payment: Payment) -> SessionFacts:
    try:
        return _create_patiently(provider, order_of(payment))
    except ClocksDiffer:
        _take_next_key(payment, expires_at=None)
        return _create_patiently(provider, order_of(payment))
    except Faulted:
        return _after_a_fault(provider, payment)
    except Unclear as error:
        _doubt(payment, error)
        raise
    except Rejected as error:
        _end(payment, PaymentState.FAILED, error.reason)
        raise


def _create_patiently(provider: PaymentProvider, order: Order) -> SessionFacts:
    """Asks again under the same key, later and later, and not all of us at the same moment."""
    for pause in PAUSES:
        try:
            return provider.create_session(order)
        except RateLimited:
            time.sleep(pause * random.uniform(0.5, 1.0))  # no secret
    return provider.create_session(order)


def _after_a_fault(provider: PaymentProvider, payment: Payment) -> SessionFacts:
    """A fault is kept under its key and would be repeated for ever: see whether it opened the session all the same."""
    found = _look(provider, payment)
    if found is not None:
        return found
    # It answered, and there is nothing: only now is a new key no second session.
    _take_next_key(payment, expires_at=payment.expires_at)
    raise Faulted("nothing was opened")


def _take_next_key(payment: Payment, *, expires_at: datetime | None) -> None:
    """Only after an answer that is final: a key that may have worked must stay the only one."""
    Payment.objects.filter(pk=payment.pk, key_number=payment.key_number, status__in=WITHOUT_SESSION).update(
        key_number=payment.key_number + 1, expires_at=expires_at, checked_at=ClockTimestamp()
    )
    payment.refresh_from_db(fields=("key_number", "expires_at"))


def _look(provider: PaymentProvider, payment: Payment) -> SessionFacts | None:
    since, until = payment.created_at - CLOCKS_DRIFT, payment.expires_at or payment.created_at + KEYS_LIVE
    return provider.find_session(ref=str(payment.ref), since=since, until=until)


def _openable_until(payment: Payment) -> datetime:
    """Until when the call for a session can still do what it did the first time."""
    if payment.expires_at is None:
        return payment.created_at + KEYS_LIVE
    return payment.expires_at - STRIPES_SHORTEST


def _adopt(payment: Payment, facts: SessionFacts) -> None:
    """Write the session down, unless another call for the same payment has done so already."""
    known = {
        "status": PaymentState.OPEN,
        "provider_reference": facts.reference,
        "client_secret": facts.client_secret,
        "checkout_url": facts.url,
        "expires_at": facts.expires_at,
        "failure": "",
    }
    waiting = Payment.objects.filter(pk=payment.pk, status__in=WITHOUT_SESSION)
    if waiting.update(**known, checked_at=ClockTimestamp()):
        for name, value in known.items():
            setattr(payment, name, value)
    else:
        payment.refresh_from_db(fields=known)


def _doubt(payment: Payment, error: ProviderError) -> None:
    Payment.objects.filter(pk=payment.pk, status__in=WITHOUT_SESSION).update(
        status=PaymentState.UNKNOWN, failure=error.reason[:200], checked_at=ClockTimestamp()
    )


def _end(payment: Payment, status: PaymentState, why: str) -> None:
    Payment.objects.filter(pk=payment.pk, status__in=WITHOUT_SESSION).update(
        status=status, failure=why[:200], checked_at=ClockTimestamp()
    )
    payment.refresh_from_db(fields=("status", "failure"))
