"""Mails about money, sent by the outbox after the receipt was committed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.models import NOBODYS_DOMAIN, User
from accounts.queries import who_may
from accounts.services.letters.preferences import language_of
from config import mail, outbox
from config.phrases import Money, Name, Phrase, phrase
from entries.models import PaymentStatus, RequestKind
from payments.models import Cancellation, Discrepancy, Payment, Provider, Receipt, Refund
from payments.models.discrepancy import OPEN_STATES, URGENT

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

MOST_TOLD = 20
MOST_SAID = 140
NOT_APPROVED = gettext_lazy("the request is not approved")
WHY_HELD = {
    "too_late": gettext_lazy("it came after the time to pay"),
    "expired": gettext_lazy("it came after the time to pay"),
    "pool_closed": gettext_lazy("the pool is closed or was cancelled"),
    "pool_full": gettext_lazy("the pool is full"),
    "duplicate": gettext_lazy("this place was paid already"),
    "already_paid": gettext_lazy("this place was paid already"),
    "withdrawn": gettext_lazy("the request was withdrawn"),
    "wrong_amount": gettext_lazy("it is not the amount that was asked for"),
    "wrong_currency": gettext_lazy("it is not the amount that was asked for"),
    "not_needed": gettext_lazy("the entry is not out any more, so there was nothing to buy back"),
    "excluded": gettext_lazy("you are excluded from playing for now"),
    "spending_limit": gettext_lazy("it is more than your own spending limit leaves of the month"),
    "player_gone": gettext_lazy("the account is closed"),
    "entry_void": gettext_lazy("the entry was taken out of the pool"),
}


@outbox.handler("mail.payment_received")
def send_payment_received(payload: dict[str, Any]) -> None:
    """The player's receipt."""
    _send(payload["receipt"], "payment_received", gettext_noop("Receipt: {amount} for {pool}"))


@outbox.handler("mail.payment_held")
def send_payment_held(payload: dict[str, Any]) -> None:
    """The money came but bought nothing: the player must not have to ask where it is."""
    _send(payload["receipt"], "payment_held", gettext_noop("About your payment of {amount} for {pool}"))


@outbox.handler("mail.payment_failed")
def send_payment_failed(payload: dict[str, Any]) -> None:
    """A slow method failed days after the player had left the page."""
    payment = Payment.objects.select_related("request__pool", "request__user").get(pk=payload["payment"])
    request = payment.request
    amount = Money(payment.amount_cents, payment.currency)
    _write_to(
        request.user,
        subject=phrase("Your payment of {amount} for {pool} failed", amount=amount, pool=request.pool.name),
        template="payment_failed",
        context={"request": request, "amount": amount, "is_buy_back": request.kind == RequestKind.BUY_BACK},
    )


@outbox.handler("mail.payment_returned")
def send_payment_returned(payload: dict[str, Any]) -> None:
    """The money came, bought nothing, and goes back: why, and that nothing has to be done."""
    _send(payload["receipt"], "payment_returned", gettext_noop("Your payment of {amount} for {pool} goes back"))


@outbox.handler("mail.refund_sent")
def send_refund_sent(payload: dict[str, Any]) -> None:
    """Money is on its way to the player, and what became of the place."""
    refund = Refund.objects.select_related("receipt__payment__request__pool", "receipt__payment__request__user").get(
        pk=payload["refund"]
    )
    request = refund.receipt.payment.request
    amount = Money(refund.amount_cents, refund.currency)
    _write_to(
        request.user,
        subject=phrase("Refund: {amount} for {pool}", amount=amount, pool=request.pool.name),
        template="refund_sent",
        context={
            "refund": refund,
            "request": request,
            "amount": amount,
            "by_hand": refund.provider == Provider.MANUAL,
            "place_is_gone": request.payment_status == PaymentStatus.REFUNDED,
        },
    )


def _write_to(user: User, **letter: Any) -> None:
    """Also to somebody who was shut out, for it is their money; not to an address that is nobody's any more."""
    if not user.email.endswith(NOBODYS_DOMAIN):
        mail.send(to=user.email, language=language_of(user), **letter)


def _send(receipt_id: int, template: str, subject: str) -> None:
    receipt = Receipt.objects.select_related("payment__request__pool", "payment__request__user").get(pk=receipt_id)
    request = receipt.payment.request
    amount = Money(receipt.amount_cents, receipt.currency)
    if request.kind == RequestKind.BUY_BACK:
        template = template.replace("payment", "buy_back")
    _write_to(
        request.user,
        subject=phrase(subject, amount=amount, pool=request.pool.name),
        template=template,
        context={"receipt": receipt, "request": request, "amount": amount, "why": _why(receipt)},
    )


@outbox.handler("mail.pool_cancelled")
def send_pool_cancelled(payload: dict[str, Any]) -> None:
    """One mail for all places of a player in a pool that was cancelled; none to an account that is closed."""
    cancellation = Cancellation.objects.select_related("pool").get(pk=payload["cancellation"])
    user = User.objects.get(pk=payload["user"])
    if not user.is_active:
        return
    mail.send(
        to=user.email,
        subject=phrase("{pool} is cancelled", pool=cancellation.pool.name),
        template="pool_cancelled",
        context={"user": user, "pool": cancellation.pool, "reason": cancellation.reason},
        language=language_of(user),
    )


@outbox.handler("mail.urgent_discrepancies")
def send_urgent_discrepancies(payload: dict[str, Any]) -> None:
    """What finance has to know at once, to everybody who may deal with it; what is settled by now is no news."""
    rows = Discrepancy.objects.filter(kind__in=URGENT, status__in=OPEN_STATES).order_by("id")
    if "run" in payload:
        rows = rows.filter(first_run_id=payload["run"])
    elif "since" in payload:
        within = rows.filter(opened_at__gte=payload["since"], opened_at__lt=payload["until"])
        rows = within.exclude(pk=payload["told"])
    else:
        rows = rows.filter(pk=payload["discrepancy"])
    people = who_may("payments.resolve_discrepancy").exclude(email__endswith=NOBODYS_DOMAIN)
    readers = list(people.select_related("message_preferences").order_by("email"))
    count = rows.count()
    if not count:
        return
    shown = list(rows[:MOST_TOLD])
    context = {
        "rows": [(row, reverse("admin:payments_discrepancy_change", args=[row.pk])) for row in shown],
        "more": count - len(shown),
        "list": reverse("admin:payments_discrepancy_changelist"),
    }
    for language, addresses in _by_language(readers).items():
        mail.send(
            to=addresses,
            subject=_urgent(shown[0], count),
            template="urgent_discrepancies",
            context=context,
            language=language,
        )


def _by_language(readers: Iterable[User]) -> dict[str, list[str]]:
    """The addresses of all who are written to in one language, in their order."""
    found: dict[str, list[str]] = {}
    for reader in readers:
        found.setdefault(language_of(reader), []).append(reader.email)
    return found


def _urgent(first: Discrepancy, count: int) -> Phrase:
    if count > 1:
        return phrase("Urgent: {count} discrepancies", count=count)
    # The whole has to fit a line of a mailbox.
    return phrase("Urgent: {kind}: {what}", kind=Name(first.get_kind_display()), what=first.sentence[:MOST_SAID])


def _why(receipt: Receipt) -> "StrPromise":
    """Why the money bought nothing, within a sentence; in the language of whoever reads it."""
    return WHY_HELD.get(receipt.unapplied_because, NOT_APPROVED)
