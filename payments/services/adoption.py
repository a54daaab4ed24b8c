"""Money that the provider knows and we do not: after a restore from a backup that is the ordinary case.

A session bears our mark: our name of the payment, and the request that it was for. Where the request is here, the
payment is made again under its old name (and its old number, where that is free) and learns the truth like any other:
receipt, books and entry come back. Where the request is gone as well, the money is booked as received, and a person is
told all that the provider knows. Every adoption is told; one that brought everything back is told as settled.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from config import metrics
from config.audit import attribute
from config.clock import database_now
from config.locks import advisory_lock
from entries.models import Request
from payments.ledger import rules
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import DiscrepancyKind, Payment, PaymentState
from payments.providers import provider_named
from payments.providers.base import Charge, Origin, SessionFacts, SessionState
from payments.providers.faults import NotThere
from payments.refs import read_ref
from payments.services.discrepancies import raise_discrepancy, raise_once, settle_discrepancy
from payments.services.provider_state import Source, apply_provider_state
from pools.models import Pool

logger = logging.getLogger(__name__)

ADOPTED = metrics.counter("payments_adopted", "Payments that the provider knew and we did not.", ["outcome"])
# A session is paid within a day of its opening; clocks differ by minutes.
SESSIONS_LIVE = timedelta(hours=25)
CLOCKS_DRIFT = timedelta(minutes=5)
LARGEST_ID = 2**63 - 1
AT_ONCE = 100
# Sessions that ended without money leave nothing to bring back.
WITHOUT_MONEY = (SessionState.EXPIRED, SessionState.FAILED)


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of money that was missing here. `is_whole`: everything is as if it had never been missing."""

    ref: str
    sentence: str
    is_whole: bool


def adopt_window(*, provider: str, since: datetime, until: datetime, source: Source) -> Iterator[Adopted]:
    """Go through every session that the provider opened in that time, and bring back what is missing here.

    A session that was paid although we had given its payment up is applied as well. Raises `ProviderError` where the
    list cannot be read; what one session does never keeps the others from their turn.
    """
    sessions = provider_named(provider).sessions_between(since=since, until=until)
    for batch in _batches(one for one in sessions if _is_marked(one)):
        known = {str(payment.ref): payment for payment in Payment.objects.filter(ref__in=[one.ref for one in batch])}
        for facts in batch:
            yield from _look_at(provider, facts, known.get(facts.ref), source)


def adopt_session(*, provider: str, facts: SessionFacts, source: Source) -> Adopted | None:
    """Bring back the payment of a session that bears our mark; None where there is nothing to bring back.

    Raises `ProviderError`; what was made again until then stays, and the sweep goes on with it.
    """
    if not _is_marked(facts) or facts.state in WITHOUT_MONEY or _is_of_other_mode(provider, facts):
        return None
    payment = _recreate(provider, facts)
    if payment is None:
        return _keep_without_request(provider, facts)
    is_second = payment.status == PaymentState.CANCELLED
    payment = apply_provider_state(payment_id=payment.pk, source=source, reference=facts.reference, end=is_second)
    return _settle(payment, facts)


def adopt_by_origin(
    *, provider: str, origin: Origin, session: str, charge: str, at: datetime | None, source: Source
) -> Adopted | None:
    """The same, where only the mark is known, and perhaps the session, the charge, and about when.

    Where the provider itself has no such session, a person is told, and None is the answer.
    """
    asked = provider_named(provider)
    money = _charge_of(provider, charge)
    facts = None
    try:
        if session:
            facts = asked.fetch(session)
        elif read_ref(origin.ref) is not None:
            about = money.paid_at if money is not None else at or database_now()
            facts = asked.find_session(ref=origin.ref, since=about - SESSIONS_LIVE, until=about + CLOCKS_DRIFT)
    except NotThere:
        pass
    if facts is not None and _is_marked(facts):
        return adopt_session(provider=provider, facts=facts, source=source)
    return _keep_money(provider, origin.ref, money, {"origin": origin, "session": session, "charge": charge})


def _look_at(provider: str, facts: SessionFacts, payment: Payment | None, source: Source) -> Iterator[Adopted]:
    try:
        if payment is None:
            adopted = adopt_session(provider=provider, facts=facts, source=source)
            if adopted is not None:
                yield adopted
        elif facts.state is SessionState.PAID and payment.status != PaymentState.SUCCEEDED:
            apply_provider_state(payment_id=payment.pk, source=source, reference=facts.reference)
            yield Adopted(facts.ref, f"Payment {payment.pk} was {payment.status} here, and paid at {provider}.", True)
    except Exception as error:  # whatever one session does, the others have their turn
        logger.exception("session %s could not be adopted", facts.reference)
        yield Adopted(facts.ref, f"Session {facts.reference} could not be adopted: {type(error).__name__}.", False)


def _is_marked(facts: SessionFacts) -> bool:
    """Whether it is ours, and of this environment."""
    return (
        facts.origin.env == settings.OUTLAST_ENV and facts.origin.ref == facts.ref and read_ref(facts.ref) is not None
    )


def _is_of_other_mode(provider: str, facts: SessionFacts) -> bool:
    if facts.livemode == provider_named(provider).livemode:
        return False
    raise_discrepancy(
        kind=DiscrepancyKind.LIVEMODE_LEAK,
        object_key=f"session:{provider}:{facts.reference}",
        sentence=f"Session {facts.reference} bears our mark, and is of the other mode.",
        suggestion="A key or an endpoint is of the wrong mode: look at both.",
    )
    return True


@transaction.atomic(durable=True)
def _recreate(provider: str, facts: SessionFacts) -> Payment | None:
    """The payment under its old name; None where its request is gone. Twice gives the same one."""
    advisory_lock(f"adopt:{facts.ref}")
    known = Payment.objects.filter(ref=facts.ref).first()
    request = _request_of(facts)
    if known is not None or request is None:
        return known
    attribute(reason="known to the provider, and missing here")
    _tell_missing(provider, facts.ref, facts.reference, _all_of(facts))
    has_other = Payment.objects.live().filter(request=request).exists()
    payment = Payment(
        pk=_free_id(facts.origin.payment_id),
        ref=facts.ref,
        request=request,
        provider=provider,
        # One live payment a request: of two, the one that we know of goes on.
        status=PaymentState.CANCELLED if has_other else PaymentState.OPEN,
        # What the request costs is its own snapshot; where that is lost too, what the session asked for.
        amount_cents=request.fee_cents or facts.amount_cents,
        currency=request.currency or facts.currency,
        livemode=facts.livemode,
        provider_reference=facts.reference,
        client_secret=facts.client_secret,
        expires_at=facts.expires_at,
        created_by=request.user,
    )
    payment.save(force_insert=True)
    return payment


def _request_of(facts: SessionFacts) -> Request | None:
    """The request that the session names, locked after its pool. One that is younger than the session is another's."""
    request_id, pool_id = facts.origin.request_id, facts.origin.pool_id
    if request_id is None or pool_id is None:
        return None
    named = Request.objects.filter(pk=request_id, pool_id=pool_id)
    if facts.opened_at is not None:
        named = named.filter(created_at__lte=facts.opened_at + CLOCKS_DRIFT)
    if not named.exists():
        return None
    Pool.objects.locked().get(pk=pool_id)
    return Request.objects.locked().select_related("user").get(pk=request_id)


def _free_id(wished: int | None) -> int | None:
    """The old number, taken out of the sequence so that nobody is given it again; None where it is not to be had."""
    if wished is None or not 0 < wished <= LARGEST_ID or Payment.objects.filter(pk=wished).exists():
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence('payments_payment', 'id')")
        (sequence,) = cursor.fetchone()
        cursor.execute("SELECT setval(%s, greatest(nextval(%s), %s))", [sequence, sequence, wished])
    return wished


def _settle(payment: Payment, facts: SessionFacts) -> Adopted:
    receipt = payment.receipts.order_by("id").first()
    parts = [f"Payment {payment.pk} was made again ({payment.status})"]
    if receipt is not None:
        place = f"entry {receipt.entry_id}" if receipt.entry_id else f"no entry: {receipt.unapplied_because}"
        parts.append(f"receipt {receipt.pk} ({receipt.status}), {place}")
    sentence = f"{'; '.join(parts)}."
    settle_discrepancy(
        kind=DiscrepancyKind.MISSING_LOCALLY, object_key=_key(payment.provider, facts.ref), resolution=sentence
    )
    ADOPTED.labels("recreated").inc()
    return Adopted(facts.ref, sentence, is_whole=True)


def _keep_without_request(provider: str, facts: SessionFacts) -> Adopted | None:
    """Nobody is left to give a place to: an open session is ended; money that came is booked, and a person told."""
    if facts.state is SessionState.OPEN:
        facts = provider_named(provider).expire(facts.reference)
        if facts.state in WITHOUT_MONEY:
            return None
    return _keep_money(provider, facts.ref, facts.charge, _all_of(facts), livemode=facts.livemode)


@transaction.atomic
def _keep_money(
    provider: str, ref: str, charge: Charge | None, details: dict[str, Any], *, livemode: bool | None = None
) -> Adopted | None:
    _tell_missing(provider, ref, charge.id if charge is not None else "nothing paid", details, is_found_often=True)
    if charge is None:
        ADOPTED.labels("missing").inc()
        return None
    mode = provider_named(provider).livemode if livemode is None else livemode
    post(rules.charge_received(provider, charge.id, Sum(charge.amount_cents, charge.currency, mode, charge.paid_at)))
    ADOPTED.labels("booked").inc()
    return Adopted(ref, f"Charge {charge.id} was booked; the request that it was for is not here.", is_whole=False)


def _charge_of(provider: str, charge_id: str) -> Charge | None:
    if not charge_id:
        return None
    try:
        return provider_named(provider).fetch_charge(charge_id).charge
    except NotThere:
        return None


def _tell_missing(provider: str, ref: str, what: str, details: dict[str, Any], *, is_found_often: bool = False) -> None:
    """What every reconciliation finds is told once: a person may have settled it at the provider."""
    tell = raise_once if is_found_often else raise_discrepancy
    tell(
        kind=DiscrepancyKind.MISSING_LOCALLY,
        object_key=_key(provider, ref),
        sentence=f"{provider} knows a payment of ours that is not here: {ref} ({what}).",
        suggestion="If its request can be restored, do so and reconcile; else give the money back at the provider.",
        details={name: _plain(value) for name, value in details.items()},
    )


def _key(provider: str, ref: str) -> str:
    return f"payment:{provider}:{ref}"


def _all_of(facts: SessionFacts) -> dict[str, Any]:
    """Everything that a person may need, less the session's secret and its page."""
    return {name: value for name, value in asdict(facts).items() if name not in ("client_secret", "url")}


def _plain(value: Any) -> Any:
    """As JSON takes it."""
    if isinstance(value, Origin):
        value = asdict(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value


def _batches(facts: Iterable[SessionFacts]) -> Iterator[list[SessionFacts]]:
    rest = iter(facts)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
