"""Mails about requests and entries. A service leaves an outbox message; what is written here is done with it.

Each mail is made from the row as it stands when it is sent, and left out when it would not be true any more, or when
the account is closed: a message may be hours old, and may come twice.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.functional import lazy
from django.utils.translation import gettext, gettext_noop

from accounts.services.letters.preferences import language_of
from config import outbox
from config.clock import database_now
from config.errors import Refused
from config.mail import send
from config.phrases import Money, is_original, phrase
from entries.models import Entry, PaymentStatus, Request, RequestStatus
from entries.queries.picks import released_picks
from entries.queries.rulings import rounds_given_way, rulings_in_full, sentence_of
from entries.services.places import check_registration
from pools.models import Pool

Payload = dict[str, Any]


def owes(request: Request) -> bool:
    """Whether the fee is still to be paid."""
    return request.status == RequestStatus.APPROVED and request.payment_status in (
        PaymentStatus.PENDING,
        PaymentStatus.FAILED,
    )


@outbox.handler("mail.request_approved")
def mail_request_approved(payload: Payload) -> None:
    """Approved: what to pay, until when, where."""
    _about_request(payload, gettext_noop("Approved: your place in {pool}"), "request_approved", owes)


@outbox.handler("mail.request_promoted")
def mail_request_promoted(payload: Payload) -> None:
    """A place fell free for the first on the waiting list: the same."""
    _about_request(payload, gettext_noop("A place for you in {pool}"), "request_promoted", owes)


@outbox.handler("mail.request_rejected")
def mail_request_rejected(payload: Payload) -> None:
    """Rejected, and why."""
    _about_request(payload, gettext_noop("Your request for {pool}"), "request_rejected", _is(RequestStatus.REJECTED))


@outbox.handler("mail.request_withdrawn")
def mail_request_withdrawn(payload: Payload) -> None:
    """Taken back by staff, and why."""
    _about_request(payload, gettext_noop("Your request for {pool}"), "request_withdrawn", _is(RequestStatus.WITHDRAWN))


@outbox.handler("mail.request_expired")
def mail_request_expired(payload: Payload) -> None:
    """Not paid in time: the place is gone."""
    _about_request(
        payload, gettext_noop("Your place in {pool} has expired"), "request_expired", _is(RequestStatus.EXPIRED)
    )


@outbox.handler("mail.buy_back_approved")
def mail_buy_back_approved(payload: Payload) -> None:
    """The way back in: what to pay, until when, where, and what it buys."""
    _about_request(payload, gettext_noop("Buying back in: {pool}"), "buy_back_approved", owes)


@outbox.handler("mail.buy_back_withdrawn")
def mail_buy_back_withdrawn(payload: Payload) -> None:
    """Taken back by staff, and why."""
    _about_request(payload, gettext_noop("Buying back in: {pool}"), "buy_back_withdrawn", _is(RequestStatus.WITHDRAWN))


@outbox.handler("mail.buy_back_expired")
def mail_buy_back_expired(payload: Payload) -> None:
    """Not paid in time: the entry stays out."""
    _about_request(payload, gettext_noop("Buying back in: {pool}"), "buy_back_expired", _is(RequestStatus.EXPIRED))


@outbox.handler("mail.buy_back_confirmed")
def mail_buy_back_confirmed(payload: Payload) -> None:
    """Back in."""
    _about_request(payload, gettext_noop("You are back in: {pool}"), "buy_back_confirmed", _is_paid)


@outbox.handler("mail.entry_confirmed")
def mail_entry_confirmed(payload: Payload) -> None:
    """You are in."""
    entry = Entry.objects.select_related("user", "pool__competition", "request").get(pk=payload["entry"])
    if not entry.user.is_active:
        return
    send(
        to=entry.user.email,
        subject=phrase("You are in: {pool}", pool=entry.pool.name),
        template="entry_confirmed",
        context={"entry": entry, "pool": entry.pool, "user": entry.user, "is_free": not entry.request.fee_cents},
        language=language_of(entry.user),
    )


@outbox.handler("mail.pick_released")
def mail_pick_released(payload: Payload) -> None:
    """Picks were taken back because their games will not be played: pick again."""
    entry = Entry.objects.select_related("user", "pool__competition").get(pk=payload["entry"])
    released = released_picks(entry_id=entry.pk, numbers=payload["rounds"])
    if not entry.user.can_get_mail or not released:
        return
    zone = entry.pool.competition.time_zone
    picks = [pick._asdict() | {"until": in_zone_lazily(pick.until, zone)} for pick in released]
    send(
        to=entry.user.email,
        subject=phrase("Pick again: {pool}", pool=entry.pool.name),
        template="pick_released",
        context={"entry": entry, "pool": entry.pool, "user": entry.user, "picks": picks},
        language=language_of(entry.user),
    )


@outbox.handler("mail.ruling")
def mail_ruling(payload: Payload) -> None:
    """Staff ruled on the entry: what, why, and which picks ahead gave way to it."""
    ruling = rulings_in_full().get(pk=payload["ruling"])
    entry = ruling.entry
    assert entry is not None, "only rulings about an entry are mailed"
    if not entry.user.can_get_mail:
        return
    send(
        to=entry.user.email,
        subject=phrase("A ruling about your entry in {pool}", pool=entry.pool.name),
        template="ruling",
        context={
            "ruling": ruling, "sentence": sentence_of(ruling), "user": entry.user, "pool": entry.pool,
            "taken_back": rounds_given_way(ruling),
        },
        language=language_of(entry.user),
    )  # fmt: skip


def _about_request(payload: Payload, subject: str, template: str, is_still_true: Callable[[Request], bool]) -> None:
    request = Request.objects.select_related("user", "pool__competition").get(pk=payload["request"])
    if not request.user.is_active or not is_still_true(request):
        return
    context: dict[str, Any] = {
        "request": request,
        "pool": request.pool,
        "user": request.user,
        "can_ask_again": _takes_requests(request.pool),
    }
    if request.fee_cents is not None:
        context["amount"] = Money(request.fee_cents, request.currency)
    if request.pay_by is not None:
        context["pay_by"] = in_zone_lazily(request.pay_by, request.pool.competition.time_zone)
    send(
        to=request.user.email,
        subject=phrase(subject, pool=request.pool.name),
        template=template,
        context=context,
        language=language_of(request.user),
    )


def _takes_requests(pool: Pool) -> bool:
    try:
        check_registration(pool, database_now())
    except Refused:
        return False
    return True


def _is_paid(request: Request) -> bool:
    return request.payment_status == PaymentStatus.COMPLETED


def _is(status: RequestStatus) -> Callable[[Request], bool]:
    return lambda request: request.status == status


def in_zone(at: datetime, zone: str) -> str:
    """The instant in the zone of the competition, to the minute: `Thursday 10 September 2026, 20:15 EDT`."""
    there = at.astimezone(ZoneInfo(zone))
    if is_original():
        return f"{there:%A %-d %B %Y, %H:%M %Z}"
    # Where day, month and year stand, in the letters of Django's formats of dates.
    order = gettext("l j F Y, H:i")
    return f"{date_format(there, order)} {there:%Z}"


in_zone_lazily = lazy(in_zone, str)
