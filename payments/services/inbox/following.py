"""From news to the truth: whose it is, what has to be asked for, and asking for it once for all news of an object."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import Q

from config import metrics
from payments.models import DiscrepancyKind, Payment, Receipt, Refund, WebhookEvent, WebhookState
from payments.providers import provider_named
from payments.providers.base import Origin
from payments.providers.faults import NotThere
from payments.providers.notices import subject_of
from payments.refs import read_ref
from payments.services.adoption import adopt_by_origin, adopt_session
from payments.services.charge_state import apply_charge_state
from payments.services.charge_sweep import sweep_charges
from payments.services.discrepancies import raise_discrepancy
from payments.services.inbox.kinds import Subject, is_of_session, subject_of_type
from payments.services.payout_items import reconcile_payout
from payments.services.provider_state import Source, apply_provider_state
from payments.services.refunds.sending import sweep_refunds
from payments.services.sweep import sweep_payments
from payments.services.winners.mirroring import apply_transfer
from payments.services.winners.sending import sweep_payouts

logger = logging.getLogger(__name__)

LOST = metrics.counter("webhooks_never_made", "Times that the provider said it had lost news.", ["provider"])
# What it has lost may be of anything; what there is no time for now is the ordinary sweeps'.
SWEEP_SECONDS = 20.0


class Ignored(StrEnum):
    """Why an event was put aside without asking the provider."""

    LIVEMODE = "livemode"
    OTHER_ENVIRONMENT = "other_environment"
    FOREIGN = "foreign"
    MISSING_HERE = "missing_here"
    NOT_FOLLOWED = "not_followed"
    TWIN = "twin"


@dataclass(frozen=True, slots=True)
class About:
    """What a piece of news is about, as far as it says: all that is needed to find our own row."""

    subject: Subject
    provider: str
    session: str = ""
    charge: str = ""
    payout: str = ""
    transfer: str = ""
    at: datetime | None = None
    refund_ref: str = ""
    origin: Origin = field(default_factory=Origin)


class Following:
    """News of one object: what two of them have to ask for alike is asked for once."""

    def __init__(self) -> None:
        self._answers: dict[About, str | Exception] = {}

    def follow(self, event: WebhookEvent) -> str:
        """Have the truth fetched that the event hints at; or why it is about none of ours."""
        subject = subject_of_type(event.event_type)
        if subject is None:
            return Ignored.NOT_FOLLOWED
        if event.livemode != provider_named(event.provider).livemode:
            _tell_of_leak(event)
            return Ignored.LIVEMODE
        if _has_processed_twin(event):
            return Ignored.TWIN
        about = about_of(event, subject)
        if about.origin.env not in ("", settings.OUTLAST_ENV):
            return Ignored.OTHER_ENVIRONMENT
        return self._ask(about)

    def _ask(self, about: About) -> str:
        if about not in self._answers:
            try:
                self._answers[about] = ASK[about.subject](about)
            except Exception as error:  # noqa: BLE001  # what failed for one piece of news fails for all alike
                self._answers[about] = error
        answer = self._answers[about]
        if isinstance(answer, Exception):
            raise answer
        return answer


def about_of(event: WebhookEvent, subject: Subject) -> About:
    """What the event names, its twin's words where it is thin itself. Odd shapes name nothing, and break nothing."""
    found = subject_of(_payload_of(event))
    is_session = is_of_session(event.event_type)
    is_refund = event.event_type.removeprefix("v1.").startswith(("refund.", "charge.refund.updated"))
    # A thin event says `type` of what a snapshot shows as an `object`.
    is_charge = (_text(found, "object") or _text(found, "type")) == "charge"
    ref = _text(_metadata(found), "ref") or _text(found, "client_reference_id")
    return About(
        subject=subject,
        provider=event.provider,
        session=event.object_id if is_session else "",
        charge=event.object_id if is_charge else _text(found, "charge"),
        payout=event.object_id if subject is Subject.PAYOUT else "",
        transfer=event.object_id if subject is Subject.TRANSFER else "",
        refund_ref=ref if is_refund else "",
        at=_instant(found.get("created")),
        origin=Origin(env=_text(_metadata(found), "env"), ref="" if is_refund else ref),
    )


def _follow_payment(about: About) -> str:
    payment = _payment_of(about)
    if payment is None:
        return _adopt(about)
    apply_provider_state(payment_id=payment.pk, source=Source.WEBHOOK, reference=about.session)
    return ""


def _follow_charge(about: About) -> str:
    """Its payment first, where the money is not booked yet: news of what became of money may overtake its own."""
    receipt = _receipt_of(about)
    if receipt is None:
        origin = _origin_of(about)
        because = _follow_payment(replace(about, subject=Subject.PAYMENT, origin=origin))
        if because:
            return because
        receipt = _receipt_of(about)
    if receipt is not None:
        apply_charge_state(receipt_id=receipt.pk, source=Source.WEBHOOK)
    return ""


def _follow_payout(about: About) -> str:
    try:
        reconcile_payout(provider=about.provider, reference=about.payout)
    except NotThere:
        return Ignored.FOREIGN
    return ""


def _follow_transfer(about: About) -> str:
    try:
        payout = apply_transfer(provider=about.provider, reference=about.transfer, source=Source.WEBHOOK)
    except NotThere:
        return Ignored.FOREIGN
    return Ignored.FOREIGN if payout is None else ""


def _follow_loss(about: About) -> str:
    """The provider says that news never came to be: a person is told, and everything open is asked about at once."""
    LOST.labels(about.provider).inc()
    raise_discrepancy(
        kind=DiscrepancyKind.EVENTS_LOST,
        object_key=f"webhooks:{about.provider}",
        sentence=f"{about.provider} has lost news that it should have brought.",
        suggestion="Whatever is open was asked about at once. Run `reconcile` for the days that the provider names.",
    )
    sweep_payments(seconds=SWEEP_SECONDS, patience=timedelta())
    sweep_refunds(seconds=SWEEP_SECONDS, patience=timedelta())
    sweep_payouts(seconds=SWEEP_SECONDS, patience=timedelta())
    sweep_charges(seconds=SWEEP_SECONDS)
    return ""


ASK: dict[Subject, Callable[[About], str]] = {
    Subject.PAYMENT: _follow_payment,
    Subject.CHARGE: _follow_charge,
    Subject.PAYOUT: _follow_payout,
    Subject.TRANSFER: _follow_transfer,
    Subject.EVENTS_LOST: _follow_loss,
}


def _adopt(about: About) -> str:
    """It is none of the payments here: recreated if it bears our mark, which after a restore is the ordinary case."""
    if about.session and not about.origin.ref:
        return _adopt_unread(about)
    # Whoever else sells on this account may mark things like us; our names are UUIDs.
    if read_ref(about.origin.ref) is None or not about.origin.env:
        return Ignored.FOREIGN
    is_here = adopt_by_origin(
        provider=about.provider,
        origin=about.origin,
        session=about.session,
        charge=about.charge,
        at=about.at,
        source=Source.WEBHOOK,
    )
    return "" if is_here else Ignored.MISSING_HERE


def _adopt_unread(about: About) -> str:
    """A session that the news shows nothing of: what is written on it has to be asked for."""
    try:
        facts = provider_named(about.provider).fetch(about.session)
    except NotThere:
        return Ignored.FOREIGN
    if not (facts.origin.ref and facts.origin.env):
        return Ignored.FOREIGN
    if facts.origin.env != settings.OUTLAST_ENV:
        return Ignored.OTHER_ENVIRONMENT
    return "" if adopt_session(provider=about.provider, facts=facts, source=Source.WEBHOOK) else Ignored.MISSING_HERE


def _payment_of(about: About) -> Payment | None:
    """By our own name for it, which is there before the provider was ever called; else by its session."""
    payments = Payment.objects.filter(provider=about.provider)
    ref = read_ref(about.origin.ref)
    if ref is not None:
        return payments.filter(ref=ref).first()
    return payments.filter(provider_reference=about.session).first() if about.session else None


def _receipt_of(about: About) -> Receipt | None:
    """By the charge, else by the refund that we asked for."""
    if about.charge:
        return Receipt.objects.filter(provider=about.provider, charge_id=about.charge).first()
    ref = read_ref(about.refund_ref)
    refund = None if ref is None else Refund.objects.select_related("receipt").filter(ref=ref).first()
    return None if refund is None else refund.receipt


def _origin_of(about: About) -> Origin:
    """Whose a charge is; of one that is nowhere, nothing is known."""
    if about.origin.ref or not about.charge:
        return about.origin
    try:
        return provider_named(about.provider).origin_of_charge(about.charge)
    except NotThere:
        return about.origin


def _payload_of(event: WebhookEvent) -> dict[str, Any]:
    payload: dict[str, Any] = event.payload
    if not event.snapshot_event_id:
        return payload
    try:
        return provider_named(event.provider).fetch_notice(event.snapshot_event_id).payload
    except NotThere:
        return payload


def _has_processed_twin(event: WebhookEvent) -> bool:
    """Whether the same news was looked into in its other form."""
    is_twin = Q(snapshot_event_id=event.event_id)
    if event.snapshot_event_id:
        is_twin |= Q(event_id=event.snapshot_event_id)
    done = WebhookEvent.objects.filter(provider=event.provider, status=WebhookState.PROCESSED)
    return done.filter(is_twin).exists()


def _tell_of_leak(event: WebhookEvent) -> None:
    mode, ours = ("live", "test") if event.livemode else ("test", "live")
    raise_discrepancy(
        kind=DiscrepancyKind.LIVEMODE_LEAK,
        object_key=f"webhooks:{event.provider}",
        sentence=f"News of {mode} money came where {ours} money is handled: {event.event_type} {event.event_id}.",
        suggestion="An endpoint or a key is of the wrong mode: look at both. Nothing was changed by this news.",
        details={"event": event.event_id, "object": event.object_id},
    )


def _metadata(subject: dict[str, Any]) -> dict[str, Any]:
    found = subject.get("metadata")
    return found if isinstance(found, dict) else {}


def _text(values: dict[str, Any], name: str) -> str:
    """A text, or the id of what may be there as a whole."""
    found = values.get(name)
    found = found.get("id") if isinstance(found, dict) else found
    return found if isinstance(found, str) else ""


def _instant(seconds: object) -> datetime | None:
    """Seconds since 1970, if it is a time that money can be of."""
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < 2**32:
        return None
    return datetime.fromtimestamp(seconds, UTC)
